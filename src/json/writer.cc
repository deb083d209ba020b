#include "json/writer.h"

#include "json/reader.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstring>

namespace sluice::json {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kHex = "0123456789abcdef";

constexpr bool is_continuation(char c) noexcept {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// The length of the well-formed sequence that `text` begins with; 0 when there is none. The
/// bounds on the second byte keep out overlong forms, surrogates and what lies past U+10FFFF.
std::size_t sequence_length(std::string_view text) noexcept {
    const auto lead = static_cast<unsigned char>(text[0]);
    if (lead < 0x80) return 1;
    std::size_t length = 0;
    if (lead >= 0xC2 && lead <= 0xDF) length = 2;
    if (lead >= 0xE0 && lead <= 0xEF) length = 3;
    if (lead >= 0xF0 && lead <= 0xF4) length = 4;
    if (length == 0 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if (!is_continuation(text[i])) return 0;
    }
    const auto second = static_cast<unsigned char>(text[1]);
    const bool bad = (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
                     (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F);
    return bad ? 0 : length;
}

void append_escaped(std::string& out, char c) {
    switch (c) {
        case '"': out.append("\\\""); return;
        case '\\': out.append("\\\\"); return;
        case '\b': out.append("\\b"); return;
        case '\f': out.append("\\f"); return;
        case '\n': out.append("\\n"); return;
        case '\r': out.append("\\r"); return;
        case '\t': out.append("\\t"); return;
        default: break;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.append("\\u00").push_back(kHex[byte >> 4U]);
    out.push_back(kHex[byte & 0xFU]);
}

constexpr bool needs_escape(char c) noexcept {
    return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
}

/// Whether any of eight bytes needs an escape.
bool any_needs_escape(std::uint64_t bytes) noexcept {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    constexpr std::uint64_t kHighBits = kOnes * 0x80;
    const auto has_zero = [](std::uint64_t word) { return (word - kOnes) & ~word & kHighBits; };
    const std::uint64_t controls = (bytes - kOnes * 0x20) & ~bytes & kHighBits;
    return (controls | has_zero(bytes ^ (kOnes * '"')) | has_zero(bytes ^ (kOnes * '\\'))) != 0;
}

/// The number of bytes that `text` begins with and that go out as they are.
std::size_t plain_length(std::string_view text) noexcept {
    std::size_t at = 0;
    std::uint64_t bytes = 0;
    for (; text.size() - at >= sizeof(bytes); at += sizeof(bytes)) {
        std::memcpy(&bytes, text.data() + at, sizeof(bytes));
        if (any_needs_escape(bytes)) break;
    }
    while (at < text.size() && !needs_escape(text[at])) ++at;
    return at;
}

void append_valid(std::string& out, std::string_view text) {
    while (true) {
        const std::size_t plain = plain_length(text);
        out.append(text.substr(0, plain));
        if (plain == text.size()) return;
        append_escaped(out, text[plain]);
        text.remove_prefix(plain + 1);
    }
}

void append_repaired(std::string& out, std::string_view text) {
    std::size_t valid = 0;
    while (valid < text.size()) {
        if (const std::size_t length = sequence_length(text.substr(valid)); length != 0) {
            valid += length;
            continue;
        }
        append_valid(out, text.substr(0, valid));
        out.append(kReplacement);
        text.remove_prefix(valid + 1);
        valid = 0;
    }
    append_valid(out, text);
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
    out.reserve(out.size() + text.size() + 2);
    out.push_back('"');
    if (is_valid_utf8(text)) {
        append_valid(out, text);
    } else {
        append_repaired(out, text);
    }
    out.push_back('"');
}

Writer& Writer::key(std::string_view name) {
    separate();
    append_string(out_, name);
    out_.push_back(':');
    need_comma_ = false;
    return *this;
}

Writer& Writer::string(std::string_view text) {
    separate();
    append_string(out_, text);
    return *this;
}

Writer& Writer::number(double value) {
    if (!std::isfinite(value)) return null();
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    return raw(std::string_view(digits.data(), end));
}

Writer& Writer::raw(std::string_view json) {
    separate();
    out_.append(json);
    return *this;
}

Writer& Writer::open(char bracket) {
    separate();
    out_.push_back(bracket);
    need_comma_ = false;
    return *this;
}

Writer& Writer::close(char bracket) {
    out_.push_back(bracket);
    need_comma_ = true;
    return *this;
}

void Writer::separate() {
    if (need_comma_) out_.push_back(',');
    need_comma_ = true;
}

}  // namespace sluice::json
