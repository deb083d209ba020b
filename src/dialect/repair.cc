#include "dialect/repair.h"

#include "json/reader.h"

#include <cstddef>

namespace sluice::dialect {
namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kHex = "0123456789abcdef";

std::string_view trim(std::string_view text) noexcept {
    const std::size_t begin = text.find_first_not_of(kSpace);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

bool is_object(std::string_view text) {
    return text.starts_with('{') && !json::find_error(text);
}

/// What stands within a single code fence, whose first line may name a language; the text itself
/// where there is no fence.
std::string_view without_fence(std::string_view text) noexcept {
    constexpr std::string_view kFence = "```";
    if (text.size() < 2 * kFence.size() || !text.starts_with(kFence) || !text.ends_with(kFence)) {
        return text;
    }
    const std::string_view inside = text.substr(kFence.size(), text.size() - 2 * kFence.size());
    const std::size_t brace = inside.find('{');
    if (brace == std::string_view::npos) return text;
    return trim(inside.substr(brace));
}

void append_control(std::string& out, char c) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
        case '\n': out += "\\n"; return;
        case '\r': out += "\\r"; return;
        case '\t': out += "\\t"; return;
        default: break;
    }
    out += "\\u00";
    out += kHex[byte >> 4U];
    out += kHex[byte & 0xFU];
}

/// The object at the start of `text` with what is plainly wrong in it put right; `length` is how
/// much of the text it takes, 0 where it has no end.
std::string mend(std::string_view text, std::size_t& length) {
    std::string out;
    out.reserve(text.size());
    std::size_t depth = 0;
    bool in_string = false;
    length = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (static_cast<unsigned char>(c) < 0x20) {
                append_control(out, c);
                continue;
            }
            out += c;
            if (c == '"') in_string = false;
            if (c != '\\') continue;
            // A backslash before a line's end may have meant the one or the other.
            if (i + 1 == text.size() || static_cast<unsigned char>(text[i + 1]) < 0x20) return out;
            out += text[++i];
            continue;
        }
        if (c == ',') {
            const std::size_t next = text.find_first_not_of(kSpace, i + 1);
            if (next != std::string_view::npos && (text[next] == '}' || text[next] == ']'))
                continue;
        }
        out += c;
        if (c == '"') in_string = true;
        if (c == '{' || c == '[') ++depth;
        if ((c == '}' || c == ']') && --depth == 0) {
            length = i + 1;
            return out;
        }
    }
    return out;
}

/// Whether what follows an object adds nothing to it.
bool adds_nothing(std::string_view tail, std::string_view object) {
    while (true) {
        tail = trim(tail);
        if (!tail.starts_with(object)) break;
        tail.remove_prefix(object.size());
    }
    return tail.find_first_not_of("}] \t\r\n") == std::string_view::npos;
}

}  // namespace

std::optional<std::string> repair_arguments(std::string_view arguments) {
    std::string_view text = trim(arguments);
    if (text.empty() || text == "null") return "{}";
    if (is_object(text)) return std::string(arguments);

    std::string unquoted;
    if (text.starts_with('"') && !json::find_error(text)) {
        unquoted = json::to_string(json::as_value(text)).value_or("");
        text = trim(unquoted);
    }
    text = without_fence(text);
    if (!text.starts_with('{')) return std::nullopt;

    std::size_t length = 0;
    std::string mended = mend(text, length);
    if (length == 0 || !adds_nothing(text.substr(length), text.substr(0, length)) ||
        !is_object(mended)) {
        return std::nullopt;
    }
    return mended;
}

}  // namespace sluice::dialect
