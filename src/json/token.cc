#include "json/token.h"

#include <algorithm>

namespace sluice::json {
namespace {

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

constexpr bool is_hex(char c) noexcept {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

const char* skip_digits(const char* at, const char* end) noexcept {
    return std::find_if_not(at, end, is_digit);
}

const char* find_number_flaw(const char* at, const char* end) noexcept {
    if (*at == '-') ++at;
    if (at == end || !is_digit(*at)) return at;
    at = *at == '0' ? at + 1 : skip_digits(at, end);
    if (at != end && *at == '.') {
        const char* const digits = ++at;
        at = skip_digits(at, end);
        if (at == digits) return at;
    }
    if (at != end && (*at == 'e' || *at == 'E')) {
        ++at;
        if (at != end && (*at == '+' || *at == '-')) ++at;
        const char* const digits = at;
        at = skip_digits(at, end);
        if (at == digits) return at;
    }
    return at == end ? nullptr : at;
}

const char* find_word_flaw(std::string_view token, std::string_view word) noexcept {
    return token == word ? nullptr : token.data();
}

constexpr bool is_short_escape(char c) noexcept {
    switch (c) {
        case '"':
        case '\\':
        case '/':
        case 'b':
        case 'f':
        case 'n':
        case 'r':
        case 't': return true;
        default: return false;
    }
}

/// The closing quote is not escaped, so something always stands behind a backslash.
const char* find_escape_flaw(const char* at, const char* end) noexcept {
    while (const char* const backslash =
               std::char_traits<char>::find(at, static_cast<std::size_t>(end - at), '\\')) {
        at = backslash + 1;
        if (is_short_escape(*at)) {
            ++at;
            continue;
        }
        if (*at != 'u') return at;
        ++at;
        const char* const digits_end = at + std::min<std::ptrdiff_t>(4, end - at);
        at = std::find_if_not(at, digits_end, is_hex);
        if (at != digits_end) return at;
    }
    return nullptr;
}

}  // namespace

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

const char* find_flaw(std::string_view token) noexcept {
    const char* const begin = token.data();
    const char* const end = begin + token.size();
    switch (*begin) {
        case '"': return find_escape_flaw(begin, end);
        case 't': return find_word_flaw(token, "true");
        case 'f': return find_word_flaw(token, "false");
        case 'n': return find_word_flaw(token, "null");
        default: return find_number_flaw(begin, end);
    }
}

}  // namespace sluice::json
