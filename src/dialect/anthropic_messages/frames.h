#pragma once

/// A Messages stream cut into its events, and what one of them says at its top level. Internal to
/// this folder.

#include "base/error.h"
#include "json/reader.h"
#include "sse/framer.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice::dialect::anthropic_messages {

/// One event; the views live until the next call of Frames.
struct Frame {
    std::string_view event;  ///< its bytes, the blank line included
    std::string_view name;   ///< of the `event:` line; empty where there is none
    std::string_view data;   ///< without white space around it; empty in a comment
};

class Frames {
public:
    explicit Frames(std::size_t max_event_bytes) noexcept : framer_(max_event_bytes) {}

    /// `bytes` must stay valid until next() has returned nullopt.
    void feed(std::string_view bytes) { framer_.feed(bytes); }
    [[nodiscard]] std::optional<Frame> next();

    /// Once the body has ended: an event that is whole but for its blank line.
    [[nodiscard]] std::optional<Frame> last();

    /// An event has outgrown the limit.
    [[nodiscard]] bool failed() const noexcept { return framer_.failed(); }

private:
    Frame read(std::string_view event);

    sse::Framer framer_;
    std::string joined_;  // the data of an event that has several lines of it
    bool first_ = true;
};

enum class EventType : std::uint8_t {
    message_start,
    block_start,
    block_delta,
    block_stop,
    message_delta,
    message_stop,
    ping,
    error,
    unknown,
};

/// As the stream has it; empty for `unknown`.
[[nodiscard]] std::string_view to_string(EventType type) noexcept;
[[nodiscard]] EventType to_event_type(std::string_view word) noexcept;

/// The type, where it is the first member and written as everybody does; nullopt says nothing.
[[nodiscard]] std::optional<EventType> peek_type(std::string_view data) noexcept;

/// An event's JSON, checked to its end. What is not there is null.
struct Payload {
    EventType type = EventType::unknown;
    json::Value index;
    json::Value delta;
    json::Value block;
    json::Value message;
    json::Value usage;
};

/// upstream_invalid_response unless the data are one JSON object, or the event is called `error`.
/// OpenAI's `[DONE]`, which some gateways add, is an unknown event.
Result<Payload> read_payload(const Frame& frame);

/// What an error event says: the upstream's words without `secrets`, and a code by its type:
/// overloaded, rate_limited, else upstream_status.
[[nodiscard]] Error read_error(const Frame& frame, std::span<const std::string_view> secrets);

}  // namespace sluice::dialect::anthropic_messages
