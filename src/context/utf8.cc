#include "context/utf8.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace sluice::context {
namespace {

struct Sequence {
    std::size_t length = 0;  ///< of what is valid at the front; at least 1
    bool is_whole = false;   ///< it is a character
};

/// What the text, which must not be empty, begins with.
Sequence sequence(std::string_view text) noexcept {
    const auto byte = [&](std::size_t at) -> unsigned {
        return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
    };
    const unsigned lead = byte(0);
    if (lead < 0x80) return {.length = 1, .is_whole = true};
    if (lead < 0xC2 || lead > 0xF4) return {.length = 1};
    // The second byte rules out spellings that are too long, surrogates, and what is beyond
    // Unicode.
    const unsigned least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (byte(1) < least || byte(1) > most) return {.length = 1};
    const std::size_t whole = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    std::size_t length = 2;
    while (length < whole && byte(length) >> 6 == 2) ++length;
    return {.length = length, .is_whole = length == whole};
}

/// How many bytes of ASCII the text begins with, or somewhat fewer.
std::size_t ascii(std::string_view text) noexcept {
    std::size_t at = 0;
    for (std::uint64_t bytes = 0; at + sizeof bytes <= text.size(); at += sizeof bytes) {
        std::memcpy(&bytes, text.data() + at, sizeof bytes);
        if ((bytes & 0x8080808080808080ULL) != 0) break;
    }
    return at;
}

/// The length of what is valid at the front.
std::size_t valid(std::string_view text) noexcept {
    std::size_t at = 0;
    while (at < text.size()) {
        at += ascii(text.substr(at));
        if (at == text.size()) break;
        const Sequence next = sequence(text.substr(at));
        if (!next.is_whole) break;
        at += next.length;
    }
    return at;
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
    return valid(text) == text.size();
}

std::string repaired_utf8(std::string_view text) {
    std::string repaired;
    repaired.reserve(text.size() + text.size() / 8);
    while (!text.empty()) {
        const std::size_t length = valid(text);
        repaired += text.substr(0, length);
        text.remove_prefix(length);
        if (text.empty()) break;
        repaired += "\xEF\xBF\xBD";
        text.remove_prefix(sequence(text).length);
    }
    return repaired;
}

}  // namespace sluice::context
