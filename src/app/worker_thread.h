#pragma once

/// One worker with everything it owns: event loop, gateway, listeners, connections. Built and
/// destroyed on the main thread; runs on its own.

#include "base/error.h"
#include "config/config.h"
#include "gateway/frontend.h"
#include "gateway/gateway.h"
#include "net/address_limit.h"
#include "net/http1/server.h"
#include "net/listener.h"
#include "net/worker.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace sluice::app {

class WorkerThread {
public:
    /// `addresses` is shared by all workers; both must outlive this.
    WorkerThread(unsigned index, gateway::Shared& shared, net::AddressLimit& addresses);
    WorkerThread(const WorkerThread&) = delete;
    WorkerThread& operator=(const WorkerThread&) = delete;
    ~WorkerThread();

    /// Before start().
    [[nodiscard]] Result<void> use(std::shared_ptr<const gateway::Snapshot> snapshot);

    /// Before start(). Listens on `address` for `endpoints`; returns the port, which is a free one
    /// where the address names 0.
    [[nodiscard]] Result<std::uint16_t> listen(const config::HostPort& address,
                                               const gateway::EndpointTable& endpoints);

    void start();

    /// The rest may be called from other threads while the worker runs.

    /// Serves new requests by `snapshot`. Failures are logged.
    void reload(std::shared_ptr<const gateway::Snapshot> snapshot);

    /// Takes no more connections, ends the idle ones, and gives the busy ones until `deadline`.
    void drain(net::Clock::time_point deadline);

    /// Waits for the thread to end, which it does some time after drain().
    void join();

private:
    /// A listener and what answers on it.
    struct Door {
        Door(gateway::Gateway& gateway, const gateway::EndpointTable& endpoints,
             net::Worker& worker, net::Listener opened)
            : frontend(gateway, endpoints),
              server(worker, frontend),
              listener(std::move(opened)) {}

        gateway::Frontend frontend;
        net::http1::Server server;
        net::Listener listener;
    };

    net::Task<> serve(net::http1::Server& server, net::Stream stream, net::Peer peer);
    net::Task<> wind_down(net::Clock::time_point deadline);
    net::Task<> wait_for_connections(net::Clock::time_point deadline);
    [[nodiscard]] std::size_t connections() const;

    net::AddressLimit& addresses_;
    net::Worker worker_;
    gateway::Gateway gateway_;
    std::vector<std::unique_ptr<Door>> doors_;
    std::thread thread_;
    bool winding_down_ = false;
    net::Clock::time_point deadline_;  // of the connections, once winding down
};

}  // namespace sluice::app
