#pragma once

/// A Messages stream on its way from an upstream to a client of the same dialect: bytes pass as
/// they came while usage and the stop reason are observed. What clients cannot do without is added:
/// an `event:` line where the upstream has none, a stop reason or a message_stop that is missing;
/// a second message_start, on which they fail, is left out.

#include "dialect/anthropic_messages/frames.h"
#include "dialect/stream.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::dialect::anthropic_messages {

class StreamFilter final : public ReplyStream {
public:
    struct Options {
        std::size_t max_event_bytes = 4UL * 1024 * 1024;
        std::vector<std::string> secrets;  ///< made unreadable in an error event
        /// Gives in `out` an event's JSON as the client is to see it; false to leave it as it is.
        /// Asked of all events but pings, errors and message_stop.
        std::function<bool(std::string_view json, std::string& out)> rewrite;
    };

    explicit StreamFilter(Options options);

    /// A whole event in `bytes` is not copied. The upstream's error event is a piece of its own,
    /// the last one.
    Result<void> feed(std::string_view bytes, Pieces& out) override;

    /// A stream that ends after its stop reason is whole: what is missing of its end is added.
    Result<void> end(Pieces& out) override;

    [[nodiscard]] const Error* error() const noexcept override {
        return error_ ? &*error_ : nullptr;
    }

private:
    Result<void> take(const Frame& frame, bool is_whole, Pieces& out);
    /// The event's type; what it tells goes into the facts.
    Result<EventType> observe(const Frame& frame);
    Result<EventType> observe_payload(const Frame& frame);
    void observe_start(const json::Value& message);
    void observe_block(const json::Value& block);
    void add(const Frame& frame, EventType type, bool is_whole, Pieces& out);
    void add_error(const Frame& frame, Pieces& out);
    static void pass(std::string_view event, Pieces& out);
    std::string_view keep(std::string text);
    std::string write_finish();

    Options options_;
    Frames frames_;
    std::string rewritten_json_;                      // of the event at hand
    std::vector<std::unique_ptr<std::string>> kept_;  // texts among the pieces given out
    std::optional<Error> error_;
    bool has_start_ = false;
};

/// What the gateway must know of a whole message, which is checked to its end.
struct ReplyFacts {
    chat::Usage usage;
    std::optional<chat::FinishReason> finish_reason;
    std::string model;
    bool is_error = false;  ///< {"type":"error"}, whatever the status said
};

/// upstream_invalid_response unless `body` is one well-formed JSON object in UTF-8.
Result<ReplyFacts> read_reply(std::string_view body);

}  // namespace sluice::dialect::anthropic_messages
