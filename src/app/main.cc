#include "app/serve.h"
#include "app/standalone_upstream.h"
#include "observe/crash.h"

#include <CLI/CLI.hpp>

#include <exception>
#include <iostream>
#include <string>

namespace {

using sluice::config::Flags;

void add_config_options(CLI::App& command, Flags& flags) {
    command.add_option("--config", flags.config_file, "YAML configuration file")
        ->check(CLI::ExistingFile);
    command.add_option("--preset", flags.preset, "named starting point; an unknown name lists all");
}

void add_serve_options(CLI::App& command, Flags& flags) {
    add_config_options(command, flags);
    auto* const listen = command.add_option("--listen", flags.listen, "HOST:PORT to listen on");
    command.add_option("--host", flags.host, "address to listen on")->excludes(listen);
    command.add_option("--port", flags.port, "port to listen on; 0 takes a free one")
        ->excludes(listen);
    command.add_option("--workers", flags.workers, "threads; default: one for each core");
    command.add_option("--log-level", flags.log_level, "debug, info, warn, error or off");
    command.add_flag("--insecure-no-auth", flags.insecure_no_auth,
                     "serve without keys on an address that others can reach");
}

int run(int argc, char** argv) {
    CLI::App app("sluice: a gateway for language-model traffic", "sluice");
    app.set_version_flag("--version", "sluice " SLUICE_VERSION);
    app.require_subcommand(1);
    Flags flags;
    auto* const serve = app.add_subcommand("serve", "run the gateway");
    add_serve_options(*serve, flags);
    auto* const check =
        app.add_subcommand("check", "validate the configuration and print what is in effect");
    add_config_options(*check, flags);
    sluice::app::StandaloneOptions upstream_options;
    auto* const upstream = app.add_subcommand(
        "upstream", "a stand-alone OpenAI server with scripted answers and faults, for tests");
    sluice::app::add_standalone_options(*upstream, upstream_options);
    app.add_subcommand("version", "print the version");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int code = app.exit(error);
        return code == 0 ? 0 : 2;
    }
    if (serve->parsed()) return sluice::app::serve(flags);
    if (check->parsed()) return sluice::app::check(flags);
    if (upstream->parsed()) return sluice::app::run_standalone_upstream(upstream_options);
    std::cout << "sluice " SLUICE_VERSION "\n";
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    sluice::observe::install_crash_handler();
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "sluice: " << error.what() << '\n';
        return 1;
    }
}
