#pragma once

/// One attempt at one upstream, from the request sent to the last byte of the reply. A flight owns
/// its own cancellation and counts those who listen to it, so that several may share one and a
/// rival may be called off (hedging, joined requests).

#include "base/error.h"
#include "config/secret.h"
#include "net/types.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice::upstream {

/// A request body that is handed on while it comes.
class BodySource {
public:
    /// How long it will be; nullopt where that is not known before its end.
    [[nodiscard]] virtual std::optional<std::uint64_t> size() const = 0;
    /// The next bytes; empty at the end. Valid until the caller next suspends.
    virtual net::Task<Result<std::string_view>> read() = 0;
    /// Ends the read() under way, and every later one, with Errc::cancelled: nobody wants the rest.
    virtual void stop() = 0;

protected:
    ~BodySource() = default;
};

/// What is asked. The views must live until open() has ended.
struct Ask {
    std::string_view method;                 ///< empty: POST with a body, GET without
    std::string_view path;                   ///< below the base URL, query and all
    std::span<const std::string_view> body;  ///< in pieces
    BodySource* source = nullptr;            ///< in place of `body`: a body of any size
    std::string_view model;                  ///< as the upstream calls it
    bool stream = false;                     ///< an event stream is expected
    bool raw = false;             ///< the reply is handed on, not read: any coding will do
    std::string_view request_id;  ///< ours, for logs of both sides to be joined
    std::size_t key = 0;          ///< index of the upstream's keys to show
    std::string_view credential;  ///< header lines with the client's own, in place of the key's
    std::string_view fields;      ///< further header lines (raw: content-type, accept, ...)
    std::optional<std::chrono::milliseconds> first_byte;  ///< in place of the upstream's own
    std::optional<net::Clock::time_point> deadline;       ///< beside the upstream's total timeout
};

/// What the head of a reply said.
struct ReplyInfo {
    int status = 0;
    std::string content_type;
    std::string request_id;  ///< the upstream's own
    std::string fields;      ///< header lines that go on to the client, each ended by CRLF
    std::optional<std::uint64_t> content_length;  ///< of the body, where the head says so

    [[nodiscard]] bool is_event_stream() const noexcept {
        return content_type.starts_with("text/event-stream");
    }
};

class Flight {
public:
    Flight() = default;
    Flight(const Flight&) = delete;
    Flight& operator=(const Flight&) = delete;
    virtual ~Flight() = default;

    /// Asks and waits for the reply's head, within the upstream's timeouts. To be called once.
    /// Errors: upstream_*, overloaded, cancelled. A status of any kind is not an error here.
    virtual net::Task<Result<void>> open(const Ask& ask) = 0;

    /// Filled by open().
    [[nodiscard]] const ReplyInfo& reply() const noexcept { return reply_; }

    /// Whether the upstream may have got any of the request. What failed before can be asked again
    /// whatever it is.
    [[nodiscard]] bool sent() const noexcept { return sent_; }

    /// The next bytes of the reply's body; empty at its end. Valid until the caller next suspends.
    virtual net::Task<Result<std::string_view>> next() = 0;

    /// Whether what next() returned last was the end of the body.
    [[nodiscard]] virtual bool at_end() const = 0;

    /// The keys that it may show the upstream.
    [[nodiscard]] virtual std::span<const config::Secret> keys() const { return {}; }

    /// What came last was more than comments: with `idle_counts_data_only` the idle time of an
    /// event stream begins anew only with this, else, and for every other reply, with every byte.
    virtual void note_progress() {}

    /// Reads what is left of a reply whose content has ended, so that the connection can serve
    /// again; gives up on it after a moment.
    virtual net::Task<> settle() = 0;

    /// Ends the flight: a wait under way, and every later one, fails with Errc::cancelled, and the
    /// upstream sees its connection closed.
    virtual void cancel() = 0;

    /// Someone more, or less, wants this reply. When nobody does, the flight is cancelled.
    void join() noexcept { ++listeners_; }
    void leave() {
        if (--listeners_ == 0) cancel();
    }

protected:
    ReplyInfo reply_;
    bool sent_ = false;

private:
    int listeners_ = 1;
};

}  // namespace sluice::upstream
