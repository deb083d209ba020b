#include "context/split.h"

#include "context/split_runs.h"

namespace sluice::context {
namespace {

using enum CharacterClass;

/// `(?i:'s|'t|'re|'ve|'m|'ll|'d)?`: its end, or `begin`. To Unicode, U+017F is an s.
std::size_t contraction(const Characters& text, std::size_t begin) noexcept {
    if (text.byte(begin) != '\'') return begin;
    const auto lower = [&](std::size_t at) { return static_cast<char>(text.byte(at) | 0x20); };
    const char first = lower(begin + 1);
    const char second = lower(begin + 2);
    switch (first) {
        case 's':
        case 't':
        case 'm':
        case 'd': return begin + 2;
        case 'r':
        case 'v': return second == 'e' ? begin + 3 : begin;
        case 'l': return second == 'l' ? begin + 3 : begin;
        default: break;
    }
    return text.byte(begin + 1) == '\xC5' && text.byte(begin + 2) == '\xBF' ? begin + 3 : begin;
}

/// The two ways to read a word from `begin`; 0 for one that does not match.
struct Word {
    std::size_t mixed = 0;  ///< `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+`
    std::size_t upper = 0;  ///< `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+`, where the above does not match
};

Word word(const Characters& text, std::size_t begin) noexcept {
    Word found;
    std::size_t at = begin;
    Character next = text.at(at);
    for (; Classes{upper, letter, mark}.has(next.kind); next = text.at(at)) {
        at = next.end;
        if (next.kind != upper) found.mixed = at;
    }
    if (next.kind == lower) found.mixed = run(text, next.end, {lower, letter, mark});
    if (at > begin) found.upper = at;
    return found;
}

/// ` ?[^\s\p{L}\p{N}]+`: its end, or 0.
std::size_t symbols(const Characters& text, std::size_t begin) noexcept {
    const std::size_t from = text.byte(begin) == ' ' ? begin + 1 : begin;
    const std::size_t end = run(text, from, {other, mark});
    return end > from ? end : 0;
}

}  // namespace

std::size_t o200k_piece(const Characters& text, std::size_t begin) noexcept {
    const Character first = text.at(begin);
    if (first.kind == number) return number_run(text, first);

    // One character that is neither letter nor number nor line break may come before a word. A mark
    // may be that character or the word's first, in this order of preference.
    const bool is_letter = Classes{upper, lower, letter}.has(first.kind);
    if (!is_line_break(first.code)) {
        const Word found = word(text, is_letter ? begin : first.end);
        if (found.mixed != 0) return contraction(text, found.mixed);
        if (first.kind == mark) return contraction(text, word(text, begin).mixed);
        if (found.upper != 0) return contraction(text, found.upper);
    }
    if (std::size_t end = symbols(text, begin); end != 0) {
        for (char c = text.byte(end); c == '\r' || c == '\n' || c == '/'; c = text.byte(end)) ++end;
        return end;
    }
    const Space found = space_run(text, begin);
    if (found.after_line_break != 0) return found.after_line_break;
    return space_before(found, begin, found.next.kind == none);
}

std::size_t cl100k_piece(const Characters& text, std::size_t begin) noexcept {
    constexpr Classes kLetters{upper, lower, letter};
    if (const std::size_t end = contraction(text, begin); end != begin) return end;
    const Character first = text.at(begin);
    if (first.kind == number) return number_run(text, first);
    if (kLetters.has(first.kind)) return run(text, first.end, kLetters);
    if (!is_line_break(first.code)) {
        const std::size_t end = run(text, first.end, kLetters);
        if (end > first.end) return end;
    }
    if (const std::size_t end = symbols(text, begin); end != 0) return line_breaks(text, end);
    const Space found = space_run(text, begin);
    if (found.next.kind == none) return found.end;
    if (found.after_line_break != 0) return found.after_line_break;
    return space_before(found, begin, false);
}

}  // namespace sluice::context
