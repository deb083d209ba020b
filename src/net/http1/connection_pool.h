#pragma once

/// One worker's idle connections to one upstream. The most recently used is taken first, so that
/// the surplus of a busy hour grows old and is closed.

#include "net/connect.h"
#include "net/http1/client_connection.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>

namespace sluice::net::http1 {

struct PoolLimits {
    std::size_t max_idle = 512;
    std::chrono::milliseconds idle_timeout{60'000};
    std::size_t max_connections = 16'384;  ///< idle and busy together
};

class ConnectionPool {
public:
    using Connection = std::unique_ptr<ClientConnection>;  ///< to be given back, never destroyed

    ConnectionPool(Worker& worker, Connector& connector, Endpoint endpoint, PoolLimits limits)
        : worker_(worker),
          connector_(connector),
          endpoint_(std::move(endpoint)),
          limits_(limits) {}
    ConnectionPool(const ConnectionPool&) = delete;
    ConnectionPool& operator=(const ConnectionPool&) = delete;

    /// An idle connection on which nothing has come, or nullptr when there is none. Never waits.
    [[nodiscard]] Connection take_idle();

    /// A new connection, by the settings of now. Errors: upstream_unreachable, upstream_timeout,
    /// overloaded, cancelled. `connecting` must outlive the task.
    Task<Result<Connection>> connect(std::chrono::milliseconds timeout, Connecting& connecting);
    Task<Result<Connection>> connect(std::chrono::milliseconds timeout);

    /// Which of the endpoints that configure() has set is the present one. A connection to an
    /// earlier one must not be used for what is meant for this one.
    [[nodiscard]] std::uint32_t place() const noexcept { return place_; }

    /// Gives back what take_idle() or connect() handed out; it is kept if it may be used again.
    void give_back(Connection connection);

    /// New settings from a reload. Open connections stay if they lead to the same place; those to
    /// another one are closed, now or when they are given back.
    void configure(Endpoint endpoint, PoolLimits limits);

    [[nodiscard]] std::size_t idle() const noexcept { return idle_.size(); }
    [[nodiscard]] std::size_t busy() const noexcept { return busy_; }

private:
    /// Closes its connection when the upstream does, or when it has been idle for too long.
    struct Idle final : StreamWatcher {
        Idle(ConnectionPool& in, Connection held) : pool(in), connection(std::move(held)) {}
        void on_readable() override { pool.drop(*this); }
        void on_deadline() override { pool.drop(*this); }

        ConnectionPool& pool;
        Connection connection;
        std::list<Idle>::iterator self;
    };

    void drop(Idle& idle) { idle_.erase(idle.self); }

    Worker& worker_;
    Connector& connector_;
    Endpoint endpoint_;
    PoolLimits limits_;
    std::list<Idle> idle_;  // most recently used first
    std::size_t busy_ = 0;
    std::uint32_t place_ = 0;  // counts the changes of the endpoint
};

}  // namespace sluice::net::http1
