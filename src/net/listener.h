#pragma once

/// A listening socket of one worker. Several workers listen on the same address (SO_REUSEPORT) and
/// the kernel spreads the connections over them.

#include "base/error.h"
#include "net/stream.h"
#include "net/worker.h"

#include <cstdint>
#include <functional>
#include <string>

namespace sluice::net {

/// The client's end of a connection.
struct Peer {
    std::string address;
    bool loopback = false;
};

class Listener {
public:
    using OnAccept = std::function<void(Stream, Peer)>;

    /// Listens on host:port; port 0 takes a free one. The error names the address and the reason.
    [[nodiscard]] static Result<Listener> open(Worker& worker, const std::string& host,
                                               std::uint16_t port);

    /// Whether host:port is free. open() cannot tell: it shares ports on purpose, so a second
    /// gateway on the same address would silently take half of the connections.
    [[nodiscard]] static Result<void> check_free(const std::string& host, std::uint16_t port);

    [[nodiscard]] std::uint16_t port() const;

    /// Accepts until stop(). Out of file descriptors it pauses for 50 ms instead of spinning.
    /// `on_accept` is called on the worker's thread for each connection. The listener must outlive
    /// the task.
    Task<> accept_all(OnAccept on_accept);

    /// Ends accept_all(); what was accepted goes on. On the worker's thread.
    void stop();

private:
    Listener(Worker& worker, TcpAcceptor acceptor)
        : worker_(&worker),
          acceptor_(std::move(acceptor)) {}

    Worker* worker_;
    TcpAcceptor acceptor_;
};

}  // namespace sluice::net
