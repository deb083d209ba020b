#include "app/worker_thread.h"

#include "observe/crash.h"
#include "observe/log.h"

#include <utility>

namespace sluice::app {
namespace {

constexpr std::chrono::milliseconds kLookAgain{10};
constexpr std::chrono::seconds kCancelTime{1};

}  // namespace

WorkerThread::WorkerThread(unsigned index, gateway::Shared& shared, net::AddressLimit& addresses)
    : addresses_(addresses),
      worker_(index),
      gateway_(worker_, shared) {}

WorkerThread::~WorkerThread() = default;

Result<void> WorkerThread::use(std::shared_ptr<const gateway::Snapshot> snapshot) {
    return gateway_.use(std::move(snapshot));
}

Result<std::uint16_t> WorkerThread::listen(const config::HostPort& address,
                                           const gateway::EndpointTable& endpoints) {
    auto listener = net::Listener::open(worker_, address.host, address.port);
    if (!listener) return std::unexpected(std::move(listener.error()));
    doors_.push_back(std::make_unique<Door>(gateway_, endpoints, worker_, std::move(*listener)));
    return doors_.back()->listener.port();
}

void WorkerThread::start() {
    for (const auto& door : doors_) {
        net::http1::Server& server = door->server;
        worker_.spawn(
            door->listener.accept_all([this, &server](net::Stream stream, net::Peer peer) {
                worker_.spawn(serve(server, std::move(stream), std::move(peer)));
            }));
    }
    thread_ = std::thread([this] {
        const observe::SignalStack signal_stack;
        worker_.run();
        gateway_.flush_log();
    });
}

/// A client that holds too many connections finds the next one closed before it can ask anything.
net::Task<> WorkerThread::serve(net::http1::Server& server, net::Stream stream, net::Peer peer) {
    const std::size_t most = gateway_.snapshot()->config.limits.connections_per_address;
    const std::string address = peer.loopback ? std::string() : peer.address;
    if (!address.empty() && !addresses_.enter(address, most)) {
        gateway_.shared().metrics.http_refused("connections_per_address");
        co_return;
    }
    gateway_.shared().metrics.client_connections(1);
    co_await server.run(std::move(stream), std::move(peer));
    gateway_.shared().metrics.client_connections(-1);
    if (!address.empty()) addresses_.leave(address);
}

void WorkerThread::reload(std::shared_ptr<const gateway::Snapshot> snapshot) {
    worker_.post([this, next = std::move(snapshot)]() mutable {
        if (const auto used = gateway_.use(std::move(next)); !used) {
            observe::log_error("the new configuration cannot be used; the old one stays",
                               {{"reason", used.error().message}});
        }
    });
}

void WorkerThread::drain(net::Clock::time_point deadline) {
    worker_.post([this, deadline] {
        deadline_ = deadline;
        if (std::exchange(winding_down_, true)) return;
        for (const auto& door : doors_) {
            door->listener.stop();
            door->server.drain();
        }
        worker_.spawn(wind_down(deadline));
    });
}

std::size_t WorkerThread::connections() const {
    std::size_t count = 0;
    for (const auto& door : doors_) count += door->server.connections();
    return count;
}

net::Task<> WorkerThread::wait_for_connections(net::Clock::time_point deadline) {
    deadline_ = deadline;
    while ((connections() > 0 || gateway_.is_busy()) && net::Clock::now() < deadline_) {
        co_await worker_.sleep(kLookAgain);
    }
}

/// A second drain() may have moved the deadline nearer meanwhile.
net::Task<> WorkerThread::wind_down(net::Clock::time_point deadline) {
    gateway_.wind_down();
    co_await wait_for_connections(deadline);
    for (const auto& door : doors_) door->server.cancel_all();
    co_await wait_for_connections(net::Clock::now() + kCancelTime);
    worker_.stop();
}

void WorkerThread::join() {
    if (thread_.joinable()) thread_.join();
}

}  // namespace sluice::app
