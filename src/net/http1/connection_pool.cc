#include "net/http1/connection_pool.h"

#include <utility>

namespace sluice::net::http1 {

ConnectionPool::Connection ConnectionPool::take_idle() {
    // Its end, or bytes that nobody asked for, may have come in the same turn of the event loop.
    while (!idle_.empty() && !idle_.front().connection->stream().is_quiet()) idle_.pop_front();
    if (idle_.empty()) return nullptr;
    Connection connection = std::move(idle_.front().connection);
    connection->stream().watch(nullptr);
    connection->stream().deadline().never();
    idle_.pop_front();
    ++busy_;
    return connection;
}

Task<Result<ConnectionPool::Connection>> ConnectionPool::connect(
    std::chrono::milliseconds timeout) {
    Connecting nobody_cancels;
    co_return co_await connect(timeout, nobody_cancels);
}

Task<Result<ConnectionPool::Connection>> ConnectionPool::connect(std::chrono::milliseconds timeout,
                                                                 Connecting& connecting) {
    if (busy_ >= limits_.max_connections) {
        co_return fail(Errc::overloaded, "too many connections to this upstream are open");
    }
    if (!idle_.empty() && busy_ + idle_.size() >= limits_.max_connections) idle_.pop_back();
    ++busy_;
    const std::uint32_t place = place_;
    auto stream = co_await connector_.connect(endpoint_, timeout, connecting);
    if (!stream) {
        --busy_;
        co_return std::unexpected(stream.error());
    }
    auto connection = std::make_unique<ClientConnection>(worker_, std::move(*stream));
    connection->place = place;
    co_return connection;
}

void ConnectionPool::give_back(Connection connection) {
    --busy_;
    if (!connection->reusable() || connection->place != place_) return;
    if (idle_.size() >= limits_.max_idle) return;
    Idle& idle = idle_.emplace_front(*this, std::move(connection));
    idle.self = idle_.begin();
    Stream& stream = idle.connection->stream();
    stream.deadline().expire_after(limits_.idle_timeout);
    stream.watch(&idle);
}

void ConnectionPool::configure(Endpoint endpoint, PoolLimits limits) {
    const bool moved = endpoint.host != endpoint_.host || endpoint.port != endpoint_.port ||
                       endpoint.tls != endpoint_.tls;
    endpoint_ = std::move(endpoint);
    limits_ = limits;
    if (!moved) return;
    ++place_;
    idle_.clear();
}

}  // namespace sluice::net::http1
