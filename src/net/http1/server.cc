#include "net/http1/server.h"

#include "net/http1/server_connection.h"

#include <utility>

namespace sluice::net::http1 {

void Server::serve(Stream stream, Peer peer) {
    worker_.spawn(run(std::move(stream), std::move(peer)));
}

Task<> Server::run(Stream stream, Peer peer) {
    if (draining_) co_return;
    ServerConnection connection(*this, std::move(stream), std::move(peer));
    connections_.push_back(connection);
    ++count_;
    co_await connection.run();
    --count_;
}

void Server::drain() {
    draining_ = true;
    for (OpenConnection& connection : connections_) connection.close_when_idle();
}

void Server::cancel_all() {
    draining_ = true;
    // What a handler does when it is told may end its connection at once.
    for (auto next = connections_.begin(); next != connections_.end();) (next++)->cancel();
}

}  // namespace sluice::net::http1
