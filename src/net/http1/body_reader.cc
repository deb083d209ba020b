#include "net/http1/body_reader.h"

#include "net/http1/chars.h"
#include "net/http1/framing.h"

#include <algorithm>
#include <utility>

namespace sluice::net::http1 {
namespace {

constexpr unsigned hex_value(char c) {
    if (c <= '9') return static_cast<unsigned>(c - '0');
    return static_cast<unsigned>((c | 0x20) - 'a') + 10;
}

/// Extensions beyond this need as much payload beside them: nobody who means well sends more, and
/// a peer must not keep us busy with bytes that count against no limit.
constexpr std::uint64_t kFreeExtensionBytes = 16UL * 1024;

}  // namespace

void BodyReader::start_sized(std::uint64_t length) noexcept {
    remaining_ = length;
    state_ = length == 0 ? State::done : State::sized;
}

void BodyReader::start_chunked() noexcept {
    state_ = State::size_start;
    remaining_ = payload_ = extensions_ = 0;
    line_bytes_ = trailer_bytes_ = trailers_ = 0;
    trailer_forbidden_ = false;
    trailer_line_.clear();
}

Progress BodyReader::read(std::string_view& input, std::string_view& piece) {
    piece = {};
    while (true) {
        switch (state_) {
            case State::done: return Progress::done;
            case State::failed: return Progress::failed;
            case State::sized:
            case State::until_close:
            case State::data:
                if (input.empty() || !piece.empty()) return Progress::need_more;
                take_payload(input, piece);
                break;
            case State::size_start:
                if (input.empty()) return Progress::need_more;
                if (take_plain_size_line(input)) break;
                [[fallthrough]];
            default:
                if (input.empty()) return Progress::need_more;
                take_framing_byte(input.front());
                if (state_ != State::failed) input.remove_prefix(1);
                break;
        }
    }
}

void BodyReader::take_payload(std::string_view& input, std::string_view& piece) noexcept {
    if (state_ == State::until_close) {
        piece = std::exchange(input, {});
        return;
    }
    piece = input.substr(0, std::min<std::uint64_t>(remaining_, input.size()));
    input.remove_prefix(piece.size());
    remaining_ -= piece.size();
    if (remaining_ == 0) state_ = state_ == State::sized ? State::done : State::data_return;
}

/// The usual case, a size without extensions that has come whole. False, with nothing taken, when
/// it is anything else: then it goes byte by byte.
bool BodyReader::take_plain_size_line(std::string_view& input) {
    constexpr std::size_t kMaxDigits = 8;
    std::uint64_t size = 0;
    std::size_t digits = 0;
    while (digits < std::min(input.size(), kMaxDigits) && is(CharClass::hex_digit, input[digits])) {
        size = size << 4 | hex_value(input[digits++]);
    }
    if (digits == 0 || digits >= limits_.chunk_line_bytes) return false;
    if (!input.substr(digits).starts_with("\r\n")) return false;
    input.remove_prefix(digits + 2);
    remaining_ = size;
    end_size_line();
    return true;
}

void BodyReader::take_framing_byte(char c) {
    switch (state_) {
        case State::size_start:
        case State::size: return take_size_digit(c);
        case State::extension_gap:
        case State::extension_start:
        case State::extension_name:
        case State::extension_name_gap:
        case State::extension_value_start:
        case State::extension_value:
        case State::extension_quoted:
        case State::extension_escape:
        case State::extension_quoted_end: return take_extension_byte(c);
        case State::size_line_feed:
            if (c != '\n') return malformed("a chunk line must end in CRLF");
            return end_size_line();
        case State::data_return:
            if (c != '\r') return malformed("a chunk is longer than its size says");
            state_ = State::data_line_feed;
            return;
        case State::data_line_feed:
            if (c != '\n') return malformed("a chunk must end in CRLF");
            state_ = State::size_start;
            return;
        case State::trailer_start:
        case State::trailer: return take_trailer_byte(c);
        case State::last_line_feed:
            if (c != '\n') return malformed("a chunked body must end in CRLF");
            return end_message();
        case State::done:
        case State::failed:
        case State::sized:
        case State::until_close:
        case State::data: return;
    }
}

void BodyReader::take_size_digit(char c) {
    if (++line_bytes_ > limits_.chunk_line_bytes) return malformed("a chunk line is too long");
    if (is(CharClass::hex_digit, c)) {
        if (state_ == State::size_start) remaining_ = 0;
        if (remaining_ >> 60 != 0) return malformed("a chunk size is too large");
        remaining_ = remaining_ << 4 | hex_value(c);
        state_ = State::size;
        return;
    }
    if (state_ == State::size) {
        if (c == '\r') {
            state_ = State::size_line_feed;
            return;
        }
        if (c == ';') {
            state_ = State::extension_start;
            return;
        }
        if (is_blank(c)) {
            state_ = State::extension_gap;
            return;
        }
    }
    malformed("a chunk size must be a hexadecimal number");
}

/// chunk-ext of RFC 9112 section 7.1.1. Blanks are taken around ';' and '=' only, never before the
/// line's end, where implementations differ in what they make of them.
void BodyReader::take_extension_byte(char c) {
    if (++line_bytes_ > limits_.chunk_line_bytes) return malformed("a chunk line is too long");
    if (++extensions_ > kFreeExtensionBytes + payload_) {
        return malformed("more chunk extensions than payload");
    }
    const bool token = is(CharClass::token, c);
    const bool complete = state_ == State::extension_name || state_ == State::extension_value ||
                          state_ == State::extension_quoted_end;
    if (complete && c == '\r') {
        state_ = State::size_line_feed;
        return;
    }
    const bool may_end =
        complete || state_ == State::extension_gap || state_ == State::extension_name_gap;
    if (may_end && c == ';') {
        state_ = State::extension_start;
        return;
    }
    switch (state_) {
        case State::extension_quoted:
            if (is_control(c)) break;
            if (c == '"') state_ = State::extension_quoted_end;
            if (c == '\\') state_ = State::extension_escape;
            return;
        case State::extension_escape:
            if (is_control(c)) break;
            state_ = State::extension_quoted;
            return;
        case State::extension_start:
            if (token) state_ = State::extension_name;
            if (token || is_blank(c)) return;
            break;
        case State::extension_name:
        case State::extension_name_gap:
            if (c == '=') {
                state_ = State::extension_value_start;
                return;
            }
            if (is_blank(c)) {
                state_ = State::extension_name_gap;
                return;
            }
            if (token && state_ == State::extension_name) return;
            break;
        case State::extension_value_start:
            if (c == '"') state_ = State::extension_quoted;
            if (token) state_ = State::extension_value;
            if (c == '"' || token || is_blank(c)) return;
            break;
        case State::extension_value:
            if (token) return;
            [[fallthrough]];
        case State::extension_quoted_end:
        case State::extension_gap:
            if (is_blank(c)) {
                state_ = State::extension_gap;
                return;
            }
            break;
        default: break;
    }
    malformed("a chunk extension is malformed");
}

void BodyReader::end_size_line() {
    line_bytes_ = 0;
    if (remaining_ == 0) {
        state_ = State::trailer_start;
        return;
    }
    if (remaining_ > limits_.body_bytes - payload_) {
        return fail(Errc::payload_too_large, "the body is too large");
    }
    payload_ += remaining_;
    state_ = State::data;
}

void BodyReader::take_trailer_byte(char c) {
    if (++trailer_bytes_ > limits_.head_bytes || trailer_line_.size() > limits_.line_bytes) {
        return fail(Errc::head_too_large, "the trailers are too large");
    }
    if (state_ == State::trailer_start && c == '\r') {
        state_ = State::last_line_feed;
        return;
    }
    state_ = State::trailer;
    if (c == '\n') return end_trailer_line();
    if (trailer_line_.ends_with('\r')) return malformed("a trailer line must end in CRLF");
    trailer_line_.push_back(c);
}

void BodyReader::end_trailer_line() {
    if (!trailer_line_.ends_with('\r')) return malformed("a trailer line must end in CRLF");
    trailer_line_.pop_back();
    const auto field = parse_field_line(trailer_line_);
    if (!field) return malformed(field.error().message);
    if (++trailers_ > limits_.fields) return fail(Errc::head_too_large, "too many trailers");
    trailer_forbidden_ = trailer_forbidden_ || is_forbidden_in_trailers(field->name);
    trailer_line_.clear();
    state_ = State::trailer_start;
}

void BodyReader::end_message() {
    if (trailer_forbidden_) return malformed("a trailer is not allowed there");
    state_ = State::done;
}

void BodyReader::fail(Errc code, std::string_view message) noexcept {
    fault_ = Fault{.code = code, .message = message};
    state_ = State::failed;
}

}  // namespace sluice::net::http1
