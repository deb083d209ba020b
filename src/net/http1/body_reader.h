#pragma once

/// Takes the framing off a body as it comes in; the payload is handed on where it lies. Shared by
/// requests and responses.

#include "net/http1/fault.h"
#include "net/http1/head.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::net::http1 {

class BodyReader {
public:
    explicit BodyReader(const Limits& limits) noexcept : limits_(limits) {}

    void start_empty() noexcept { state_ = State::done; }
    void start_sized(std::uint64_t length) noexcept;
    void start_chunked() noexcept;
    void start_until_close() noexcept { state_ = State::until_close; }

    /// From now on a body with more payload is refused, at the first size that goes beyond.
    void limit(std::uint64_t bytes) noexcept { limits_.body_bytes = bytes; }

    /// Takes bytes off the front of `input` and yields at most one piece of payload, a view into
    /// them. The piece is good whatever the result: deal with it first. On need_more call again,
    /// with the rest of `input` if there is one, else with new bytes. What is left of `input` on
    /// done does not belong to this message.
    [[nodiscard]] Progress read(std::string_view& input, std::string_view& piece);

    /// The connection has ended: true when the body may end there.
    [[nodiscard]] bool may_end_at_eof() const noexcept {
        return state_ == State::done || state_ == State::until_close;
    }

    [[nodiscard]] bool done() const noexcept { return state_ == State::done; }

    /// Bytes still to come of a body with a known length; 0 for any other.
    [[nodiscard]] std::uint64_t remaining() const noexcept {
        return state_ == State::sized ? remaining_ : 0;
    }

    /// Why read() failed.
    [[nodiscard]] const Fault& fault() const noexcept { return fault_; }

private:
    enum class State : std::uint8_t {
        done,
        failed,
        sized,
        until_close,
        // chunked, in the order of the bytes
        size_start,
        size,
        extension_gap,  // blanks before a ';'
        extension_start,
        extension_name,
        extension_name_gap,  // blanks between a name and its '=' or the next ';'
        extension_value_start,
        extension_value,
        extension_quoted,
        extension_escape,
        extension_quoted_end,
        size_line_feed,
        data,
        data_return,
        data_line_feed,
        trailer_start,
        trailer,
        last_line_feed,
    };

    void take_payload(std::string_view& input, std::string_view& piece) noexcept;
    bool take_plain_size_line(std::string_view& input);
    void take_framing_byte(char c);
    void take_size_digit(char c);
    void take_extension_byte(char c);
    void take_trailer_byte(char c);
    void end_trailer_line();
    void end_size_line();
    void end_message();
    void fail(Errc code, std::string_view message) noexcept;
    void malformed(std::string_view message) noexcept { fail(Errc::bad_request, message); }

    Limits limits_;
    State state_ = State::done;
    std::uint64_t remaining_ = 0;  // of the sized body or the current chunk
    std::uint64_t payload_ = 0;    // announced by all chunks so far
    std::uint64_t extensions_ = 0;
    std::size_t line_bytes_ = 0;  // of the current chunk line
    std::size_t trailer_bytes_ = 0;
    std::size_t trailers_ = 0;
    bool trailer_forbidden_ = false;
    std::string trailer_line_;
    Fault fault_;
};

}  // namespace sluice::net::http1
