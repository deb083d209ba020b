#include "app/serve.h"

#include "app/configuration.h"
#include "app/worker_thread.h"
#include "gateway/endpoint.h"
#include "gateway/snapshot.h"
#include "observe/crash.h"
#include "observe/log.h"
#include "store/state.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <memory>
#include <sys/resource.h>
#include <thread>
#include <vector>

namespace sluice::app {
namespace {

using Workers = std::vector<std::unique_ptr<WorkerThread>>;

constexpr std::chrono::seconds kWriteTime{2};  // for what waits to be written when we stop

observe::LogLevel log_level(config::LogLevel level) {
    switch (level) {
        case config::LogLevel::trace:
        case config::LogLevel::debug: return observe::LogLevel::debug;
        case config::LogLevel::info: return observe::LogLevel::info;
        case config::LogLevel::warn: return observe::LogLevel::warn;
        case config::LogLevel::error: return observe::LogLevel::error;
        case config::LogLevel::off: return observe::LogLevel::off;
    }
    return observe::LogLevel::info;
}

observe::LogFormat log_format(config::LogFormat format) {
    switch (format) {
        case config::LogFormat::automatic: return observe::LogFormat::automatic;
        case config::LogFormat::json: return observe::LogFormat::json;
        case config::LogFormat::text: return observe::LogFormat::text;
    }
    return observe::LogFormat::automatic;
}

void start_log(const config::Log& settings) {
    observe::LogOptions options;
    options.level = log_level(settings.level);
    options.format = log_format(settings.format);
    observe::init_log(options);
}

/// Each stream takes two descriptors, and the usual soft limit is 1,024.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// The signals that the main thread waits for; blocked here, before any other thread starts.
sigset_t block_signals() {
    std::signal(SIGPIPE, SIG_IGN);
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    return signals;
}

/// Every worker listens on every address. Port 0 becomes the port that the first worker was given.
Result<void> open_doors(const Workers& workers, config::HostPort address,
                        const gateway::EndpointTable& endpoints) {
    if (auto free = net::Listener::check_free(address.host, address.port); !free) return free;
    for (const auto& worker : workers) {
        const auto port = worker->listen(address, endpoints);
        if (!port) return std::unexpected(port.error());
        address.port = *port;
    }
    observe::log_info("listening", {{"url", "http://" + config::to_string(address)}});
    return {};
}

Result<void> open_prompt_file(const config::Log& settings, gateway::Shared& shared) {
    if (settings.prompts_file.empty()) return {};
    auto file = observe::PromptFile::open(settings.prompts_file);
    if (!file) return std::unexpected(std::move(file.error()));
    shared.prompts = std::move(*file);
    observe::log_warn("prompts and replies are written to a file, in full",
                      {{"file", settings.prompts_file}});
    return {};
}

/// Told at each change only.
void log_state(const store::WriterReport& report) {
    switch (report.kind) {
        case store::WriterReport::Kind::failing:
            observe::log_error("state.db cannot be written; it is tried again and again",
                               {{"reason", report.error.message}});
            return;
        case store::WriterReport::Kind::recovered:
            observe::log_info("state.db can be written again");
            return;
        case store::WriterReport::Kind::rejected:
            observe::log_error("a write to state.db was given up",
                               {{"reason", report.error.message}});
            return;
    }
}

void open_state(const config::Config& config, gateway::Shared& shared) {
    if (!config.reasoning_store.enabled) return;
    store::StateOptions options;
    options.data_dir = config.data_dir;
    options.reasoning.max_bytes = config.reasoning_store.max_bytes;
    options.reasoning.max_age =
        std::chrono::ceil<std::chrono::seconds>(config.reasoning_store.max_age);
    options.writer.report = log_state;
    shared.state = store::State::open(std::move(options));
    if (shared.state->notice().empty()) return;
    observe::log_warn("state.db is not as it should be", {{"reason", shared.state->notice()}});
}

Result<Workers> make_workers(const std::shared_ptr<const gateway::Snapshot>& snapshot,
                             gateway::Shared& shared, net::AddressLimit& addresses) {
    const config::Config& config = snapshot->config;
    if (auto opened = open_prompt_file(config.log, shared); !opened) {
        return std::unexpected(std::move(opened.error()));
    }
    const unsigned count =
        config.workers > 0 ? config.workers : std::max(1U, std::thread::hardware_concurrency());
    Workers workers;
    for (unsigned i = 0; i < count; ++i) {
        workers.push_back(std::make_unique<WorkerThread>(i, shared, addresses));
        if (auto used = workers.back()->use(snapshot); !used) {
            return std::unexpected(std::move(used.error()));
        }
    }
    for (const config::HostPort& address : config.listeners) {
        if (auto opened = open_doors(workers, address, gateway::client_endpoints()); !opened) {
            return std::unexpected(std::move(opened.error()));
        }
    }
    if (config.admin.listen) {
        auto opened = open_doors(workers, *config.admin.listen, gateway::admin_endpoints());
        if (!opened) return std::unexpected(std::move(opened.error()));
    }
    return workers;
}

void log_problem(const std::string& problem) {
    observe::log_error("mistake in the configuration", {{"problem", problem}});
}

/// The addresses that are open stay the ones to judge by: whoever removes the keys together with a
/// public address must not leave that address open to everyone.
bool may_be_used(config::Config& next, const config::Config& open, bool insecure_no_auth) {
    if (next.listeners != open.listeners || next.admin.listen != open.admin.listen) {
        observe::log_warn("changed listen addresses take effect with the next start only");
    }
    next.listeners = open.listeners;
    next.admin.listen = open.admin.listen;
    const bool is_public = !std::ranges::all_of(open.listeners, config::is_loopback);
    if (next.keys.empty() && is_public && !insecure_no_auth &&
        !config::clients_bring_credentials(next.upstreams)) {
        observe::log_error("without keys the open address would serve anyone");
        return false;
    }
    if (open.admin.listen && next.admin.key.empty() && !config::is_loopback(*open.admin.listen)) {
        observe::log_error("without a key the open admin address would serve anyone");
        return false;
    }
    return true;
}

/// The configuration in effect afterwards, whether it is the new one or still `current`.
std::shared_ptr<const gateway::Snapshot> reload(
    const config::Flags& flags, const Workers& workers,
    const std::shared_ptr<const gateway::Snapshot>& current, routing::Board& board) {
    auto loaded = load_configuration(flags, log_problem);
    if (!loaded || !may_be_used(loaded->config, current->config, flags.insecure_no_auth)) {
        observe::log_error("the new configuration is refused; the old one stays");
        return current;
    }
    const std::string& prompts_file = loaded->config.log.prompts_file;
    if (!prompts_file.empty() && prompts_file != current->config.log.prompts_file) {
        observe::log_warn("a new prompts_file takes effect with the next start only");
        loaded->config.log.prompts_file = current->config.log.prompts_file;
    }
    const config::ReasoningStore& kept = current->config.reasoning_store;
    const config::ReasoningStore& wanted = loaded->config.reasoning_store;
    if (loaded->config.data_dir != current->config.data_dir || wanted.enabled != kept.enabled ||
        wanted.max_bytes != kept.max_bytes || wanted.max_age != kept.max_age) {
        observe::log_warn(
            "a new data_dir or reasoning_store takes effect with the next start only");
        loaded->config.data_dir = current->config.data_dir;
        loaded->config.reasoning_store = kept;
    }
    observe::set_log_level(log_level(loaded->config.log.level));
    auto snapshot = std::make_shared<const gateway::Snapshot>(std::move(loaded->config), board);
    for (const auto& worker : workers) worker->reload(snapshot);
    observe::log_info("configuration reloaded");
    return snapshot;
}

/// Returns when the process is to stop: how long open replies then have.
std::chrono::milliseconds wait_for_signals(const sigset_t& signals, const config::Flags& flags,
                                           const Workers& workers,
                                           std::shared_ptr<const gateway::Snapshot> current,
                                           routing::Board& board) {
    for (;;) {
        int signal = 0;
        if (sigwait(&signals, &signal) != 0) continue;
        if (signal != SIGHUP) return current->config.limits.drain_timeout;
        current = reload(flags, workers, current, board);
    }
}

/// Open replies may end in their time; a second signal ends them now.
void stop(const sigset_t& signals, const Workers& workers, std::chrono::milliseconds drain_time) {
    observe::log_info("stopping: open replies may end; a second signal cuts them off",
                      {{"drain_ms", drain_time.count()}});
    for (const auto& worker : workers) worker->drain(net::Clock::now() + drain_time);
    std::thread impatient([&] {
        int signal = SIGHUP;  // which has no meaning any more
        while (signal == SIGHUP) sigwait(&signals, &signal);
        for (const auto& worker : workers) worker->drain(net::Clock::now());
    });
    for (const auto& worker : workers) worker->join();
    // Every thread blocks SIGTERM, so that this ends the wait and nothing else.
    pthread_kill(impatient.native_handle(), SIGTERM);  // NOLINT(bugprone-bad-signal-to-kill-thread)
    impatient.join();
}

}  // namespace

int serve(const config::Flags& flags) {
    auto loaded = load_configuration(flags, print_problem);
    if (!loaded) return 2;
    const sigset_t signals = block_signals();
    raise_descriptor_limit();
    start_log(loaded->config.log);
    for (const std::string& warning : loaded->warnings) observe::log_warn(warning);
    observe::log_info("sluice " SLUICE_VERSION " starts",
                      {{"config", config::describe(loaded->config)}});

    gateway::Shared shared;
    const auto snapshot =
        std::make_shared<const gateway::Snapshot>(std::move(loaded->config), shared.board);
    open_state(snapshot->config, shared);
    net::AddressLimit addresses;
    const auto workers = make_workers(snapshot, shared, addresses);
    if (!workers) {
        observe::log_error("cannot start", {{"reason", workers.error().message}});
        observe::shutdown_log();
        return 1;
    }
    for (const auto& worker : *workers) worker->start();
    const auto drain_time = wait_for_signals(signals, flags, *workers, snapshot, shared.board);
    shared.draining = true;
    stop(signals, *workers, drain_time);
    if (shared.state) shared.state->stop(kWriteTime);
    observe::log_info("stopped");
    observe::shutdown_log();
    return 0;
}

}  // namespace sluice::app
