#pragma once

/// `sluice upstream`: the embedded models, scripted answers and wire faults as an OpenAI server on
/// a real socket, for tests and benchmarks. See docs/embedded.md.

#include <cstdint>
#include <string>

namespace CLI {  // NOLINT(readability-identifier-naming): not ours
class App;
}

namespace sluice::app {

struct StandaloneOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;        ///< 0: a free one
    std::string script_file;       ///< empty: no scripted answers
    std::string journal_file;      ///< empty: no journal
    double tokens_per_second = 0;  ///< 0: as fast as the client reads
    std::uint64_t tokens = 64;     ///< how many `lorem` writes where the request names none
    std::string rules;             ///< `deepseek`, or empty: whose rules are enforced
};

void add_standalone_options(CLI::App& command, StandaloneOptions& options);

/// Serves until SIGTERM or SIGINT. The first line on stdout is `listening on http://HOST:PORT`.
/// Returns the exit code: 0, 1 when the address cannot be listened on, 2 for a script or a journal
/// that cannot be used.
[[nodiscard]] int run_standalone_upstream(const StandaloneOptions& options);

}  // namespace sluice::app
