#include "config/load.h"

#include "config/presets.h"
#include "config/sections.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <tuple>
#include <utility>

namespace sluice::config {
namespace {

constexpr std::size_t kLargestFile = kMebibyte;
constexpr std::uint64_t kMostWorkers = 256;

/// Relative paths are those of the working directory.
Result<std::string> read_file(const std::filesystem::path& path) {
    std::error_code ignored;
    std::ifstream in(path, std::ios::binary);
    if (!in || std::filesystem::is_directory(path, ignored)) {
        return fail(Errc::bad_request, "cannot be read, expected a file");
    }
    std::string text(kLargestFile + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.size() <= kLargestFile) return text;
    return fail(Errc::bad_request, "is larger than 1 MiB, expected less");
}

DotEnv read_dotenv(const std::filesystem::path& directory, std::vector<Problem>& problems) {
    const auto path = directory / ".env";
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored)) return {};
    const auto text = read_file(path);
    if (text) return parse_dotenv(*text, ".env", problems);
    problems.push_back({.file = ".env", .message = text.error().message});
    return {};
}

/// The file laid over the preset, as one tree; null where the file could not be read.
NodePtr read_documents(const Flags& flags, const std::filesystem::path& directory,
                       std::vector<Problem>& problems) {
    NodePtr root = parse_yaml("", "defaults", problems);
    if (flags.preset) {
        if (const Preset* preset = find_preset(serve_presets(), *flags.preset)) {
            root = parse_yaml(preset->text, std::string(preset->file), problems);
        } else {
            problems.push_back({.file = "command line",
                                .message = wrong_value("--preset", *flags.preset,
                                                       preset_names(serve_presets()), Quote::yes)});
        }
    }
    if (!flags.config_file) return root;
    const auto text = read_file(directory / *flags.config_file);
    if (!text) {
        problems.push_back({.file = *flags.config_file, .message = text.error().message});
        return nullptr;
    }
    const NodePtr file = parse_yaml(*text, *flags.config_file, problems);
    return file ? merge(root, file) : nullptr;
}

std::string default_data_dir(const Variables& variables, const std::string& working_directory) {
    if (const auto state = variables.find_nonempty("STATE_DIRECTORY")) {
        return state->substr(0, state->find(':'));  // systemd lists several
    }
    if (const auto home = variables.find_nonempty("HOME")) return *home + "/.local/state/sluice";
    return working_directory + "/.sluice";
}

void read_data_dir(const Section& top, const Variables& variables,
                   const std::string& working_directory, std::string& data_dir) {
    data_dir = default_data_dir(variables, working_directory);
    top.read("data_dir", data_dir);
    if (auto stated = variables.find_nonempty("SLUICE_DATA_DIR")) data_dir = *std::move(stated);
}

void apply_log_level(const Reader& reader, const Variables& variables, const Flags& flags,
                     LogLevel& level) {
    const auto apply = [&](const std::optional<std::string>& text, const Place& place,
                           std::string_view name) {
        if (!text) return;
        const auto parsed = parse_log_level(*text);
        if (parsed)
            level = *parsed;
        else
            reader.report(place, wrong_value(name, *text, parsed.error().message, Quote::yes));
    };
    apply(variables.find_nonempty("LOG_LEVEL"), variables.place("LOG_LEVEL"), "LOG_LEVEL");
    apply(flags.log_level, {.file = "command line"}, "--log-level");
}

void read_workers(const Reader& reader, const Section& top, const Flags& flags, unsigned& workers) {
    std::size_t count = workers;
    top.read_integer("workers", count, 0, kMostWorkers);
    if (flags.workers) count = *flags.workers;
    if (count > kMostWorkers) {
        reader.report({.file = "command line"}, wrong_value("--workers", std::to_string(count),
                                                            "a number from 0 to 256", Quote::yes));
    }
    workers = static_cast<unsigned>(count);
}

/// The file's upstreams, else those of the environment; then what refers to them.
void read_upstreams_and_routes(const Reader& reader, const Section& top, const Variables& variables,
                               Loaded& loaded) {
    Config& config = loaded.config;
    const HasKeys has_keys{!config.keys.empty()};
    read_upstreams(reader, top.find("upstreams"), has_keys, config.upstreams);
    Config defaults;
    if (config.upstreams.empty()) {
        add_default_upstreams(reader, variables, defaults, loaded.warnings);
        config.upstreams = std::move(defaults.upstreams);
        config.default_route = std::move(defaults.default_route);
    }
    apply_timeout(reader, variables, config.upstreams);
    apply_retry_variables(reader, variables, config.upstreams);
    read_routes(reader, top, config);
    for (Route& route : defaults.routes) {
        const bool stated =
            std::ranges::find(config.routes, route.model, &Route::model) != config.routes.end();
        if (!stated) config.routes.push_back(std::move(route));
    }
    read_pass_through(reader, top, variables, config);
}

/// Variables that belong to a preset which is not in use are most likely set by somebody who
/// expects it to be.
void warn_of_unused_variables(const Node& root, const Variables& variables,
                              std::vector<std::string>& warnings) {
    for (const Preset& preset : serve_presets()) {
        std::string names;
        for (const std::string_view name : kPresetVariables) {
            const std::string reference = "${" + std::string(name);
            const bool unused = variables.find_nonempty(name) && preset.text.contains(reference) &&
                                !mentions(root, reference);
            if (unused) names += (names.empty() ? "" : ", ") + std::string(name);
        }
        // These say nothing alone: anything may use the name `URL`, and Claude Code's own key for
        // sluice is called `ANTHROPIC_API_KEY`.
        if (names.empty() || names == "URL" || names == "ANTHROPIC_API_KEY") continue;
        warnings.push_back("set, but used by nothing: " + names + " (--preset " +
                           std::string(preset.name) + " would)");
    }
}

Loaded read_all(const Reader& reader, const NodePtr& root, const Variables& variables,
                const Flags& flags, const std::string& working_directory) {
    Loaded loaded;
    Config& config = loaded.config;
    const Section top(reader, root, kTopSchema);
    read_admin(reader, top.find("admin"), variables, config.admin);
    read_data_dir(top, variables, working_directory, config.data_dir);
    read_keys(reader, top.find("keys"), variables, config.keys);
    read_upstreams_and_routes(reader, top, variables, loaded);
    read_failures(reader, top, config.failures);
    read_translation(reader, top, config);
    read_limits(reader, top.find("limits"), config.limits);
    read_cors(reader, top.find("cors"), config.cors);
    read_log(reader, top.find("log"), config.log);
    apply_log_level(reader, variables, flags, config.log.level);
    read_workers(reader, top, flags, config.workers);
    check_access(reader, read_listeners(reader, top, variables, flags), flags, loaded);
    if (!config.admin.key.empty() && !config.admin.listen) {
        loaded.warnings.emplace_back(
            "an admin key is configured, but no admin listener (admin.listen)");
    }
    warn_of_unused_variables(*root, variables, loaded.warnings);
    return loaded;
}

/// As a person works through them: file by file, from the top.
std::vector<Problem> in_order(std::vector<Problem> problems) {
    std::ranges::sort(problems, [](const Problem& a, const Problem& b) {
        return std::tie(a.file, a.line, a.message) < std::tie(b.file, b.line, b.message);
    });
    return problems;
}

}  // namespace

std::string to_string(const Problem& problem) {
    if (problem.file.empty()) return problem.message;
    const std::string line = problem.line > 0 ? ":" + std::to_string(problem.line) : "";
    return problem.file + line + ": " + problem.message;
}

std::expected<Loaded, std::vector<Problem>> load(const Flags& flags, const Environment& environment,
                                                 const std::string& working_directory) {
    std::vector<Problem> problems;
    const Variables variables(environment, read_dotenv(working_directory, problems));
    const Reader reader(variables, problems);
    const NodePtr root = read_documents(flags, working_directory, problems);
    if (!root) return std::unexpected(std::move(problems));
    Loaded loaded = read_all(reader, root, variables, flags, working_directory);
    if (!problems.empty()) return std::unexpected(in_order(std::move(problems)));
    return loaded;
}

}  // namespace sluice::config
