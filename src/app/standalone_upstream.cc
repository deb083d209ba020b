#include "app/standalone_upstream.h"

#include "app/upstream_connection.h"
#include "net/listener.h"

#include <CLI/CLI.hpp>
#include <boost/intrusive/list.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <sys/resource.h>
#include <thread>
#include <utility>

namespace sluice::app {
namespace {

Result<std::string> read_file(const std::string& path) {
    const std::ifstream file(path, std::ios::binary);
    if (!file) return fail(Errc::bad_request, path + ": cannot be read");
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
}

/// Names in the script are relative to where it lies.
Result<UpstreamScript> read_script(const std::string& path) {
    const auto text = read_file(path);
    if (!text) return std::unexpected(text.error());
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    auto script = UpstreamScript::parse(
        *text, [&](const std::string& name) { return read_file((folder / name).string()); });
    if (!script) return fail(Errc::bad_request, path + ": " + script.error().message);
    return script;
}

Result<UpstreamContext> make_context(const StandaloneOptions& options) {
    UpstreamContext context;
    context.embedded.tokens_per_second = options.tokens_per_second;
    context.embedded.tokens = options.tokens;
    context.embedded.faults = true;
    context.deepseek_rules = options.rules == "deepseek";
    if (!options.script_file.empty()) {
        auto script = read_script(options.script_file);
        if (!script) return std::unexpected(std::move(script.error()));
        context.script = std::move(*script);
    }
    if (!options.journal_file.empty()) {
        auto journal = UpstreamJournal::open(options.journal_file);
        if (!journal) return std::unexpected(std::move(journal.error()));
        context.journal = std::move(*journal);
    }
    return context;
}

/// The listener and its connections. Everything but the constructor runs on the worker's thread.
class StandaloneUpstream {
public:
    StandaloneUpstream(net::Worker& worker, UpstreamContext context, net::Listener listener)
        : worker_(worker),
          context_(std::move(context)),
          listener_(std::move(listener)) {}

    void start() {
        worker_.spawn(listener_.accept_all([this](net::Stream stream, const net::Peer& /*peer*/) {
            worker_.spawn(serve(std::move(stream), ++accepted_));
        }));
    }

    void stop() {
        stopping_ = true;
        listener_.stop();
        end_when_idle();
        for (UpstreamConnection& connection : connections_) connection.cancel();
    }

private:
    net::Task<> serve(net::Stream stream, std::uint64_t number) {
        UpstreamConnection connection(worker_, context_, std::move(stream), number);
        connections_.push_back(connection);
        co_await connection.run();
        connection.unlink();
        end_when_idle();
    }

    /// Timers of waits that were called off would keep the worker for another ten seconds.
    void end_when_idle() {
        if (stopping_ && connections_.empty()) worker_.post([this] { worker_.io().stop(); });
    }

    net::Worker& worker_;
    UpstreamContext context_;
    net::Listener listener_;
    boost::intrusive::list<UpstreamConnection, boost::intrusive::constant_time_size<false>>
        connections_;
    std::uint64_t accepted_ = 0;
    bool stopping_ = false;
};

/// Each connection takes a descriptor, and the usual soft limit is 1,024.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

int complain(const Error& error, int code) {
    std::cerr << "sluice upstream: " << error.message << '\n';
    return code;
}

}  // namespace

void add_standalone_options(CLI::App& command, StandaloneOptions& options) {
    command.add_option("--host", options.host, "address to listen on");
    command.add_option("--port", options.port, "port to listen on; 0 takes a free one");
    command.add_option("--script", options.script_file, "JSON file with scripted answers")
        ->check(CLI::ExistingFile);
    command
        .add_option("--rules", options.rules,
                    "deepseek: chats are answered in DeepSeek's form, and refused where they "
                    "violate its rules")
        ->check(CLI::IsMember({"deepseek"}));
    command.add_option("--journal", options.journal_file,
                       "file that gets a JSON line for each request, credentials included");
    command.add_option("--tokens-per-second", options.tokens_per_second,
                       "pace of the models; 0: as fast as the client reads");
    command.add_option("--tokens", options.tokens,
                       "what lorem writes where the request names no limit");
}

int run_standalone_upstream(const StandaloneOptions& options) {
    auto context = make_context(options);
    if (!context) return complain(context.error(), 2);
    raise_descriptor_limit();
    std::signal(SIGPIPE, SIG_IGN);
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGTERM, SIGINT}) sigaddset(&signals, signal);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    if (auto free = net::Listener::check_free(options.host, options.port); !free) {
        return complain(free.error(), 1);
    }
    net::Worker worker(0);
    auto listener = net::Listener::open(worker, options.host, options.port);
    if (!listener) return complain(listener.error(), 1);
    const std::uint16_t port = listener->port();
    StandaloneUpstream upstream(worker, std::move(*context), std::move(*listener));
    upstream.start();
    std::thread thread([&] { worker.run(); });
    std::cout << "listening on http://" << options.host << ":" << port << '\n' << std::flush;
    int signal = 0;
    sigwait(&signals, &signal);
    worker.post([&] { upstream.stop(); });
    thread.join();
    return 0;
}

}  // namespace sluice::app
