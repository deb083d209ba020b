#pragma once

/// The server's side of HTTP/1.1: one Server a worker, one ServerConnection a client.

#include "net/http1/request_reader.h"
#include "net/listener.h"
#include "net/transaction.h"
#include "net/worker.h"

#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstdint>

namespace sluice::net::http1 {

struct ServerLimits {
    Limits request;
    std::chrono::milliseconds head_timeout{10'000};   ///< from a head's first byte to its last
    std::chrono::milliseconds idle_timeout{60'000};   ///< between requests
    std::chrono::milliseconds write_timeout{30'000};  ///< a client that takes nothing is cut
    std::chrono::milliseconds body_grace{30'000};     ///< for a body of any size, and on top of it
    std::uint64_t body_bytes_per_second = 64UL * 1024;  ///< what its size adds to the grace
    std::uint64_t body_min_bytes_per_second = 1024;     ///< after the first seconds:
    std::chrono::milliseconds body_rate_grace{5'000};
    std::chrono::milliseconds body_idle{30'000};  ///< between two pieces of a streamed body
};

/// What answers. Both are called on the worker's thread, one call a request; both must answer.
class RequestHandler {
public:
    virtual Task<> handle(Transaction& transaction) = 0;
    /// The request cannot be read: only the reason is known, not even the path.
    virtual Task<> refuse(Transaction& transaction, Error why) = 0;
    /// Asked before each request.
    [[nodiscard]] virtual const ServerLimits& limits() const = 0;

protected:
    ~RequestHandler() = default;
};

/// What the server knows of its open connections.
class OpenConnection : public boost::intrusive::list_base_hook<
                           boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
    /// Ends after the request under way, or at once when there is none.
    virtual void close_when_idle() = 0;
    /// Ends now, whatever is under way.
    virtual void cancel() = 0;

protected:
    ~OpenConnection() = default;
};

/// Keeps the connections of one worker. Must outlive them: see drain().
class Server {
public:
    Server(Worker& worker, RequestHandler& handler) : worker_(worker), handler_(handler) {}
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Serves `stream` until it is closed, by a coroutine of its own.
    void serve(Stream stream, Peer peer);

    /// The same, as a task of the caller's.
    Task<> run(Stream stream, Peer peer);

    /// Idle connections are closed now, busy ones after the answer under way.
    void drain();

    /// Ends everything at once.
    void cancel_all();

    [[nodiscard]] std::size_t connections() const noexcept { return count_; }

private:
    friend class ServerConnection;
    using Connections =
        boost::intrusive::list<OpenConnection, boost::intrusive::constant_time_size<false>>;

    Worker& worker_;
    RequestHandler& handler_;
    Connections connections_;
    std::size_t count_ = 0;
    bool draining_ = false;
};

}  // namespace sluice::net::http1
