#include "app/configuration.h"

#include "app/serve.h"

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

namespace sluice::app {
namespace {

std::optional<std::string> environment_variable(std::string_view name) {
    // Read before the workers start, and by the one thread that handles signals afterwards.
    const char* const value = std::getenv(std::string(name).c_str());  // NOLINT(concurrency-*)
    if (value == nullptr) return std::nullopt;
    return value;
}

}  // namespace

std::optional<config::Loaded> load_configuration(const config::Flags& flags,
                                                 void (*report)(const std::string& problem)) {
    std::error_code ignored;
    const std::string directory = std::filesystem::current_path(ignored).string();
    auto loaded = config::load(flags, environment_variable, directory);
    if (loaded) return std::move(*loaded);
    for (const config::Problem& problem : loaded.error()) {
        report(config::to_string(problem));
    }
    return std::nullopt;
}

void print_problem(const std::string& problem) {
    std::cerr << problem << '\n';
}

int check(const config::Flags& flags) {
    const auto loaded = load_configuration(flags, print_problem);
    if (!loaded) return 2;
    for (const std::string& warning : loaded->warnings) std::cerr << "warning: " << warning << '\n';
    std::cout << config::describe(loaded->config);
    return 0;
}

}  // namespace sluice::app
