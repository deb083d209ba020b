#pragma once

/// The character classes of RFC 9110, RFC 9112 and RFC 3986, as one table.

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sluice::net::http1 {

enum class CharClass : std::uint8_t {
    token = 1,      ///< method, field name, chunk extension
    target = 2,     ///< path and query; brackets too, which every browser sends in queries
    reg_name = 4,   ///< the host in Host and in an absolute target
    hex_digit = 8,  ///< chunk size, percent-encoding
};

namespace detail {

consteval std::array<std::uint8_t, 256> char_table() {
    std::array<std::uint8_t, 256> table{};
    const auto mark = [&table](std::string_view chars, unsigned classes) {
        for (const char c : chars) {
            auto& entry = table[static_cast<unsigned char>(c)];
            entry = static_cast<std::uint8_t>(entry | classes);
        }
    };
    constexpr unsigned kToken = 1;
    constexpr unsigned kTarget = 2;
    constexpr unsigned kRegName = 4;
    constexpr unsigned kHexDigit = 8;
    mark("0123456789abcdefABCDEF", kHexDigit);
    mark("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._~",
         kToken | kTarget | kRegName);
    mark("!#$%&'*+^`|", kToken);
    mark("!$&'()*+,;=%", kTarget | kRegName);
    mark(":@/?[]", kTarget);
    return table;
}

inline constexpr std::array<std::uint8_t, 256> kCharTable = char_table();

}  // namespace detail

[[nodiscard]] constexpr bool is(CharClass wanted, char c) noexcept {
    return (detail::kCharTable[static_cast<unsigned char>(c)] &
            static_cast<std::uint8_t>(wanted)) != 0;
}

[[nodiscard]] constexpr bool all(CharClass wanted, std::string_view text) noexcept {
    for (const char c : text) {
        if (!is(wanted, c)) return false;
    }
    return true;
}

[[nodiscard]] constexpr bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t';
}

/// A control character other than the tab: never legal in a field value, a reason phrase or a
/// quoted string.
[[nodiscard]] constexpr bool is_control(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && byte != '\t') || byte == 0x7F;
}

/// Eight bytes at a step: field values are most of a head.
[[nodiscard]] inline bool has_control(std::string_view text) noexcept {
    constexpr std::uint64_t kEach = 0x0101010101010101;
    constexpr std::uint64_t kHigh = kEach * 0x80;
    while (text.size() >= sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data(), sizeof word);
        // The high bit of a byte's lane is set when the byte is below 0x20, or is 0x7F; a borrow
        // can only set more of them, so that a doubt is resolved byte by byte.
        const std::uint64_t deletes = word ^ (kEach * 0x7F);
        const std::uint64_t below = (word - kEach * 0x20) & ~word;
        const std::uint64_t zero = (deletes - kEach) & ~deletes;
        if (((below | zero) & kHigh) != 0) break;
        text.remove_prefix(sizeof word);
    }
    for (const char c : text) {
        if (is_control(c)) return true;
    }
    return false;
}

/// Without the blanks around it.
[[nodiscard]] constexpr std::string_view strip(std::string_view text) noexcept {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

}  // namespace sluice::net::http1
