#include "context/json_text.h"

namespace sluice::context {
namespace {

/// Calls `take(c, is_in_string)` with each character.
template <typename Take>
void each_character(std::string_view json, Take take) {
    bool is_in_string = false;
    bool is_escaped = false;
    for (const char c : json) {
        const bool is_quote = c == '"' && !is_escaped;
        take(c, is_in_string || is_quote);
        if (is_quote) is_in_string = !is_in_string;
        is_escaped = is_in_string && c == '\\' && !is_escaped;
    }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            case '\b': out += "\\b"; break;
            case '\f': out += "\\f"; break;
            default:
                if (static_cast<unsigned char>(c) >= ' ') {
                    out += c;
                } else {
                    out += "\\u00";
                    out += kDigits[static_cast<unsigned char>(c) >> 4];
                    out += kDigits[static_cast<unsigned char>(c) & 0xF];
                }
        }
    }
    out += '"';
}

void append_spaced_json(std::string& out, std::string_view json) {
    each_character(json, [&](char c, bool is_in_string) {
        if (!is_in_string && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) return;
        out += c;
        if (!is_in_string && (c == ',' || c == ':')) out += ' ';
    });
}

std::size_t count_members(std::string_view json) noexcept {
    std::size_t depth = 0;
    std::size_t members = 0;
    bool is_object = false;
    each_character(json, [&](char c, bool is_in_string) {
        if (is_in_string) return;
        if (c == '{' || c == '[') {
            if (depth == 0) is_object = c == '{';
            ++depth;
        } else if ((c == '}' || c == ']') && depth > 0) {
            --depth;
        } else if (c == ':' && depth == 1 && is_object) {
            ++members;
        }
    });
    return members;
}

}  // namespace sluice::context
