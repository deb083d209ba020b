#include "json/scanner.h"

#include <bit>
#include <cstring>

namespace sluice::json {
namespace {

constexpr const char* kEnd = "unexpected end";
constexpr const char* kUnexpected = "unexpected character";

constexpr std::uint64_t kOnes = 0x0101010101010101U;
constexpr std::uint64_t kHighs = 0x8080808080808080U;

const char* fail(Failure& failure, const char* at, const char* end, const char* reason) noexcept {
    failure = {.reason = at == end ? kEnd : reason, .at = at};
    return nullptr;
}

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

constexpr bool is_hex(char c) noexcept {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

constexpr bool is_plain(char c) noexcept {
    return c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20;
}

/// The first byte that is a quote, a backslash or a control character. Eight bytes at a time: the
/// high bit of a byte in `hit` is set when the byte is one of them, and the lowest such bit is
/// never a false one (a borrow only runs upwards).
const char* find_special(const char* at, const char* end) noexcept {
    while (end - at >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, sizeof word);
        if constexpr (std::endian::native == std::endian::big) word = std::byteswap(word);
        const std::uint64_t quote = word ^ (kOnes * '"');
        const std::uint64_t backslash = word ^ (kOnes * '\\');
        const std::uint64_t hit = (((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash) |
                                   ((word - (kOnes * 0x20)) & ~word)) &
                                  kHighs;
        if (hit != 0) return at + (std::countr_zero(hit) / 8);
        at += 8;
    }
    while (at != end && is_plain(*at)) ++at;
    return at;
}

/// Past the escape whose backslash is at `at`.
const char* skip_escape(const char* at, const char* end, Failure& failure) noexcept {
    ++at;
    if (at == end) return fail(failure, at, end, kEnd);
    switch (*at) {
        case '"':
        case '\\':
        case '/':
        case 'b':
        case 'f':
        case 'n':
        case 'r':
        case 't': return at + 1;
        case 'u': break;
        default: return fail(failure, at, end, "unknown escape");
    }
    ++at;
    for (int i = 0; i < 4; ++i, ++at) {
        if (at == end || !is_hex(*at)) return fail(failure, at, end, "bad \\u escape");
    }
    return at;
}

const char* skip_digits(const char* at, const char* end) noexcept {
    while (at != end && is_digit(*at)) ++at;
    return at;
}

const char* skip_number(const char* at, const char* end, Failure& failure) noexcept {
    if (*at == '-') ++at;
    if (at == end || !is_digit(*at)) return fail(failure, at, end, kUnexpected);
    at = *at == '0' ? at + 1 : skip_digits(at, end);
    if (at != end && *at == '.') {
        const char* const digits = ++at;
        at = skip_digits(at, end);
        if (at == digits) return fail(failure, at, end, "a digit must follow the point");
    }
    if (at != end && (*at == 'e' || *at == 'E')) {
        ++at;
        if (at != end && (*at == '+' || *at == '-')) ++at;
        const char* const digits = at;
        at = skip_digits(at, end);
        if (at == digits) return fail(failure, at, end, "a digit must follow the exponent");
    }
    return at;
}

const char* skip_word(const char* at, const char* end, std::string_view word,
                      Failure& failure) noexcept {
    if (!std::string_view(at, end).starts_with(word)) return fail(failure, at, end, kUnexpected);
    return at + word.size();
}

const char* skip_scalar(const char* at, const char* end, Failure& failure) noexcept {
    switch (*at) {
        case '"': return skip_string(at, end, failure);
        case 't': return skip_word(at, end, "true", failure);
        case 'f': return skip_word(at, end, "false", failure);
        case 'n': return skip_word(at, end, "null", failure);
        default: return skip_number(at, end, failure);
    }
}

/// A member's key and colon, and the white space before its value.
const char* skip_key(const char* at, const char* end, Failure& failure) noexcept {
    if (at == end || *at != '"') return fail(failure, at, end, "a key was expected");
    at = skip_string(at, end, failure);
    if (at == nullptr) return nullptr;
    at = skip_space(at, end);
    if (at == end || *at != ':') return fail(failure, at, end, "a colon was expected");
    return skip_space(at + 1, end);
}

}  // namespace

const char* skip_space(const char* at, const char* end) noexcept {
    while (at != end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) ++at;
    return at;
}

const char* skip_string(const char* at, const char* end, Failure& failure) noexcept {
    ++at;
    while (true) {
        at = find_special(at, end);
        if (at == end) return fail(failure, at, end, kEnd);
        if (*at == '"') return at + 1;
        if (*at != '\\') return fail(failure, at, end, "control character in a string");
        at = skip_escape(at, end, failure);
        if (at == nullptr) return nullptr;
    }
}

const char* skip_value(const char* at, const char* end, unsigned depth, Failure& failure) noexcept {
    // The containers that are open, innermost lowest: 1 is an object, 0 an array.
    std::uint64_t open = 0;
    const unsigned outside = depth;
    while (true) {
        // Here a value begins.
        if (at == end) return fail(failure, at, end, kEnd);
        if (*at == '{' || *at == '[') {
            if (depth == kMaxDepth) return fail(failure, at, end, "nested too deeply");
            const bool object = *at == '{';
            at = skip_space(at + 1, end);
            const bool empty = at != end && *at == (object ? '}' : ']');
            if (!empty) {
                ++depth;
                open = (open << 1U) | (object ? 1U : 0U);
                if (object) at = skip_key(at, end, failure);
                if (at == nullptr) return nullptr;
                continue;
            }
            ++at;
        } else {
            at = skip_scalar(at, end, failure);
            if (at == nullptr) return nullptr;
        }
        // Here a value has ended; so may the containers around it.
        while (true) {
            if (depth == outside) return at;
            at = skip_space(at, end);
            if (at == end) return fail(failure, at, end, kEnd);
            const bool object = (open & 1U) != 0;
            if (*at == ',') {
                at = skip_space(at + 1, end);
                if (object) at = skip_key(at, end, failure);
                if (at == nullptr) return nullptr;
                break;
            }
            if (*at != (object ? '}' : ']')) return fail(failure, at, end, kUnexpected);
            ++at;
            --depth;
            open >>= 1U;
        }
    }
}

Kind kind_of(char first) noexcept {
    switch (first) {
        case '{': return Kind::object;
        case '[': return Kind::array;
        case '"': return Kind::string;
        case 't':
        case 'f': return Kind::boolean;
        case 'n': return Kind::null;
        default: return Kind::number;
    }
}

std::string describe(const Failure& failure, std::string_view text) {
    return std::string(failure.reason) + " at byte " + std::to_string(failure.at - text.data());
}

}  // namespace sluice::json
