#pragma once

/// The client's side of HTTP/1.1: one connection to one upstream, used by one exchange at a time.

#include "base/error.h"
#include "net/http1/response_reader.h"
#include "net/stream.h"
#include "net/types.h"
#include "net/worker.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sluice::net::http1 {

class ClientConnection {
public:
    ClientConnection(Worker& worker, Stream stream);
    ClientConnection(const ClientConnection&) = delete;
    ClientConnection& operator=(const ClientConnection&) = delete;

    /// Begins an exchange: sends what the socket takes at once of one whole request. False when a
    /// rest is left for send_rest(). The reply to a HEAD request has no body, whatever it says.
    [[nodiscard]] bool send_now(std::span<const std::string_view> pieces,
                                bool head_request = false);

    /// Sends what send_now() could not of the same pieces, which must stay valid until the task
    /// ends. Where the upstream answers before it has taken everything, that is enough, and the
    /// connection is retired.
    Task<Result<void>> send_rest(std::span<const std::string_view> pieces);

    /// Sends more of a request whose start send_now() has sent. What the socket does not take at
    /// once is copied, so the pieces may lie in the worker's scratch. Where the upstream answers
    /// before it has taken everything, the connection is retired, and nothing more is to be sent.
    Task<Result<void>> send_more(std::span<const std::string_view> pieces);

    /// send_now() and send_rest() in one.
    Task<Result<void>> send(std::span<const std::string_view> pieces);

    /// Reads the response's head, past interim ones. Its views are valid until the caller next
    /// suspends. An error of `nothing_received()` may be a connection that the peer had closed
    /// while it was idle.
    Task<Result<void>> read_head();
    [[nodiscard]] const ResponseHead& head() const noexcept { return reader_.head(); }

    /// The body bytes that have come, framing removed, in one piece; empty at the end of the body.
    /// Valid until the caller next suspends. What came together with the head lies in the worker's
    /// scratch, so the first call must follow read_head() without a wait between the two.
    Task<Result<std::string_view>> read_body();

    /// Whether the body has been read to its end.
    [[nodiscard]] bool at_end() const noexcept { return body_done_; }

    [[nodiscard]] bool nothing_received() const noexcept { return !received_; }

    /// Whether the exchange has ended such that another one may follow on this connection.
    [[nodiscard]] bool reusable() const noexcept { return reusable_ && !retired_; }
    /// From now on it may not.
    void retire() noexcept { retired_ = true; }
    [[nodiscard]] bool retired() const noexcept { return retired_; }
    [[nodiscard]] bool is_reused() const noexcept { return exchanges_ > 1; }

    [[nodiscard]] Stream& stream() noexcept { return stream_; }

    std::uint32_t place = 0;  ///< the pool's mark of where this connection leads

private:
    Task<Result<void>> write_rest(std::span<const std::string_view> pieces, std::size_t offset);
    Result<void> receive(Wake wake);
    [[nodiscard]] Result<std::string_view> take_body();

    Worker& worker_;
    Stream stream_;
    ResponseReader reader_;
    std::span<char> unread_;  // received, not yet looked at: in the worker's scratch or in carry_
    std::string carry_;       // the start of a head that came in parts
    std::string kept_;        // what the socket has not taken of send_more()'s pieces
    std::size_t sent_ = 0;    // bytes of the request that send_now() has sent
    std::uint64_t exchanges_ = 0;
    bool received_ = false;  // any byte of the present response
    bool body_done_ = false;
    bool body_failed_ = false;  // to be told once the bytes before it are taken
    bool reusable_ = false;
    bool retired_ = false;
};

}  // namespace sluice::net::http1
