#pragma once

/// One request and the way back to its client, whatever version of HTTP carries it. The gateway
/// works on this; http1::ServerConnection provides it.

#include "base/error.h"
#include "net/http1/head.h"
#include "net/listener.h"
#include "net/types.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice::net {

/// A request body, whole. `capacity - size` bytes behind it, at least kBodyPadding, may be read.
struct Body {
    static constexpr std::size_t kPadding = 64;
    const char* data = nullptr;
    std::size_t size = 0;
    std::size_t capacity = 0;

    [[nodiscard]] std::string_view view() const noexcept { return {data, size}; }
};

/// The head of an answer. Framing, date and connection are the transport's business.
struct ReplyHead {
    int status = 200;
    std::string fields;  ///< whole lines, each ended by CRLF: see append_field()
    std::optional<std::uint64_t> content_length;  ///< of a streamed answer, where it is known
    bool close = false;  ///< the connection is not to be kept for another request
};

/// Appends `name: value`. Control characters in the value become spaces: no value can end a line.
void append_field(std::string& fields, std::string_view name, std::string_view value);

/// How far a write has come.
enum class Sent : std::uint8_t {
    all,      ///< the socket has taken everything
    pending,  ///< the rest is kept: flush() before going on, or it grows
    gone,     ///< the client is not there any more
};

/// Told, once, why the work on a request is to end early.
class ClientWatch {
public:
    /// The client has hung up: nobody is there to answer.
    virtual void on_client_gone() = 0;
    /// The server stops: the client is there, and is to be told.
    virtual void on_server_stopping() = 0;

protected:
    ~ClientWatch() = default;
};

class Transaction {
public:
    Transaction() = default;
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    virtual ~Transaction() = default;

    /// Its views end with release_request().
    [[nodiscard]] virtual const http1::RequestHead& head() const = 0;
    [[nodiscard]] virtual const Peer& peer() const = 0;

    /// Reads the body, at most `limit` bytes; asks for it first where the client waits to be asked.
    /// More than `limit` is payload_too_large, told before the body is asked for where it can be.
    /// Valid until release_request(). To be called at most once.
    virtual Task<Result<Body>> read_body(std::uint64_t limit) = 0;

    /// How long the body is; nullopt where it is chunked.
    [[nodiscard]] virtual std::optional<std::uint64_t> body_size() const = 0;
    /// In place of read_body(): the next bytes of the body, whatever its size; empty at its end.
    /// Valid until the caller next suspends. Fails with request_timeout where the client stalls for
    /// 30 s or is slower than the minimum rate (SC-2).
    virtual Task<Result<std::string_view>> read_some() = 0;
    /// Nobody wants the rest of the body: a read_some() under way, and every later one, fails with
    /// Errc::cancelled. An answer is possible still; the connection is closed after it.
    virtual void stop_reading() {}

    /// Lets go of the buffers of head and body.
    virtual void release_request() = 0;

    /// Answers with a whole body. The bytes of `body` are copied if they cannot be sent at once.
    [[nodiscard]] virtual Sent send(const ReplyHead& head,
                                    std::span<const std::string_view> body) = 0;

    /// Begins a streamed answer. The head leaves together with the first write. Where the length is
    /// said and what is written has another one, the client sees that the answer is not whole.
    virtual void start(const ReplyHead& head) = 0;
    /// Whether start() or send() was called: from then on an error cannot become a status.
    [[nodiscard]] virtual bool started() const = 0;

    /// Streams some bytes; `last` also ends the body. What is not sent at once is copied, behind
    /// what is still kept of earlier writes.
    [[nodiscard]] virtual Sent write(std::span<const std::string_view> pieces, bool last) = 0;

    /// Waits until everything written has left. Errors: client_gone, cancelled.
    virtual Task<Result<void>> flush() = 0;

    /// Ends a streamed answer such that the client notices that it is not whole.
    virtual void abort() = 0;

    /// nullptr ends the watch.
    virtual void watch_client(ClientWatch* watch) = 0;

    [[nodiscard]] virtual std::uint64_t bytes_received() const = 0;
    [[nodiscard]] virtual std::uint64_t bytes_sent() const = 0;
};

}  // namespace sluice::net
