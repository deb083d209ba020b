#pragma once

/// Cuts a stream of server-sent events into whole events without looking into them and, when an
/// event came in one piece, without copying it. For relays that pass bytes on as they came; who
/// wants to know what an event says uses the Parser.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::sse {

/// Usage:
///
///     framer.feed(bytes);
///     while (auto event = framer.next()) handle(*event);
///     if (framer.failed()) ...
///
/// An event here is everything up to and including a blank line, so the events joined are the
/// stream. A blank line on its own is an event too.
class Framer {
public:
    explicit Framer(std::size_t max_event_bytes) noexcept : max_event_bytes_(max_event_bytes) {}

    /// Hands over the next piece, which must stay valid until next() has returned nullopt. The
    /// events of the previous piece end to be valid here.
    void feed(std::string_view bytes);

    /// The next complete event: a view into the piece fed, or into the framer when the event came
    /// in parts. nullopt when the rest is not complete yet, and for ever after failure.
    [[nodiscard]] std::optional<std::string_view> next();

    /// The start of an event whose end has not come. Valid once next() has returned nullopt, until
    /// the next call of feed().
    [[nodiscard]] std::string_view rest() const noexcept { return partial_; }

    /// True once a single event has outgrown the limit.
    [[nodiscard]] bool failed() const noexcept { return failed_; }

private:
    enum class At : std::uint8_t {
        line_start,
        in_line,
        after_cr,        // which ended a line, or is the first half of its end
        after_blank_cr,  // in a stream of CR LF: the event ends with the LF to come
    };

    std::optional<std::size_t> find_end();

    std::size_t max_event_bytes_;
    std::string_view input_;
    std::string partial_;  // the start of an event whose end has not arrived
    std::string joined_;   // the event last returned that had come in parts
    At at_ = At::line_start;
    bool crlf_ = false;    // the last line end was CR LF
    bool has_cr_ = false;  // of the piece fed: the second search is seldom needed
    bool failed_ = false;
};

}  // namespace sluice::sse
