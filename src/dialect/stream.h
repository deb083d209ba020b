#pragma once

/// A streamed reply on its way through: as the relay sees it, and the two halves of a translation.
/// No I/O and no time.

#include "base/error.h"
#include "chat/event.h"
#include "chat/finish_reason.h"
#include "chat/usage.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::dialect {

/// What is learnt of a reply while it passes.
struct StreamFacts {
    chat::Usage usage;
    std::optional<chat::FinishReason> finish_reason;
    std::string model;         ///< that the upstream says it is; empty until it has said so
    std::uint64_t chunks = 0;  ///< events with or without content; no comments and no errors
    /// Something to show has come: too late for another attempt. What has come before (comments,
    /// the event that only names the role) may be held back till then.
    bool has_content = false;
    bool has_tool_calls = false;
    /// It has ended before any content, because the upstream (DeepSeek) ran out of resources: to be
    /// treated as an overload.
    bool out_of_resources = false;
    bool has_error = false;  ///< an error event of the upstream's own has come
    bool done = false;       ///< it has come to its end
};

/// From the upstream's bytes to the client's.
class ReplyStream {
public:
    /// What to send, in order. The views point into the bytes fed or into the stream, and live
    /// until the next call of feed() or end().
    using Pieces = std::vector<std::string_view>;

    ReplyStream() = default;
    ReplyStream(const ReplyStream&) = delete;
    ReplyStream& operator=(const ReplyStream&) = delete;
    ReplyStream(ReplyStream&&) = default;
    ReplyStream& operator=(ReplyStream&&) = default;
    virtual ~ReplyStream() = default;

    /// Adds to `out` what `bytes` bring for the client. After a failure
    /// (upstream_invalid_response), what was added before may still be sent; feed nothing more.
    /// What follows the reply's end, or an error event, is ignored.
    virtual Result<void> feed(std::string_view bytes, Pieces& out) = 0;

    /// To be called once, when the upstream's body has ended. upstream_truncated unless the reply
    /// is whole, or upstream_status after an error event.
    virtual Result<void> end(Pieces& out) = 0;

    [[nodiscard]] const StreamFacts& facts() const noexcept { return facts_; }

    /// What the upstream's error event said, without secrets; nullptr where there was none, or
    /// where only its bytes are known, which are the last piece.
    [[nodiscard]] virtual const Error* error() const noexcept { return nullptr; }

protected:
    StreamFacts facts_;
};

/// An upstream's stream, read into events.
class StreamReader {
public:
    StreamReader() = default;
    StreamReader(const StreamReader&) = delete;
    StreamReader& operator=(const StreamReader&) = delete;
    virtual ~StreamReader() = default;

    /// Gives the events of the next bytes to `sink`. An error event of the upstream's own is
    /// Event::error, with the upstream's words and the status they stand for. Fails with
    /// upstream_invalid_response where the bytes are not of this dialect; feed nothing more then.
    /// What follows the end or an error is ignored.
    virtual Result<void> feed(std::string_view bytes, chat::EventSink& sink) = 0;

    /// To be called once, when the body has ended: gives what can only be told then (an end whose
    /// mark is missing but whose finish reason is there). upstream_truncated unless Event::end has
    /// been given, or now is; nothing after Event::error.
    virtual Result<void> end(chat::EventSink& sink) = 0;
};

/// Events written as a client's stream: whole SSE events, appended to `out`, which the owner sends
/// and clears between calls. Bounded: what must be held back (the arguments of a tool call that
/// another one interrupts) is at most `kMaxHeld` bytes, after which failed() is true.
class StreamWriter : public chat::EventSink {
public:
    explicit StreamWriter(std::string& out) noexcept : out_(out) {}
    StreamWriter(const StreamWriter&) = delete;
    StreamWriter& operator=(const StreamWriter&) = delete;
    virtual ~StreamWriter() = default;

    static constexpr std::size_t kMaxHeld = 1024UL * 1024;

    [[nodiscard]] bool failed() const noexcept { return failed_; }

protected:
    std::string& out_;
    bool failed_ = false;
};

}  // namespace sluice::dialect
