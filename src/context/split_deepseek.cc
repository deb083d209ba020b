#include "context/split.h"
#include "context/split_runs.h"

namespace sluice::context {
namespace {

using enum CharacterClass;

constexpr Classes kWord{letter, mark};

/// `[一-龥぀-ゟ゠-ヿ]`
bool is_cjk(char32_t code) noexcept {
    return (code >= 0x4E00 && code <= 0x9FA5) || (code >= 0x3040 && code <= 0x30FF);
}

bool is_ascii_letter(char c) noexcept {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/// `[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]`
bool is_ascii_punctuation(char32_t code) noexcept {
    return code > ' ' && code < 0x7F && !is_ascii_letter(static_cast<char>(code)) &&
           (code < '0' || code > '9');
}

/// The text between numbers and between runs of CJK characters, or such a run: to the reference
/// each is a text of its own, so nothing in it looks beyond its ends.
class Fragment {
public:
    Fragment(const Characters& text, Character first) noexcept
        : text_(text),
          cjk_(is_cjk(first.code)) {}

    [[nodiscard]] Character at(std::size_t at) const noexcept {
        const Character next = text_.at(at);
        const bool is_inside = next.kind != number && is_cjk(next.code) == cjk_;
        return is_inside ? next : Character{.code = 0, .end = at, .kind = none};
    }

    [[nodiscard]] std::size_t run(std::size_t begin, Classes classes) const noexcept {
        for (Character next = at(begin); classes.has(next.kind); next = at(begin)) begin = next.end;
        return begin;
    }

    /// The end of what the expression matches at `begin`; 0 where it does not match.
    [[nodiscard]] std::size_t match(std::size_t begin) const noexcept {
        const Character first = at(begin);
        if (first.kind == none) return 0;
        if (is_ascii_punctuation(first.code) && is_ascii_letter(text_.byte(first.end))) {
            return ascii_letters(first.end);
        }
        if (kWord.has(first.kind)) return run(first.end, kWord);
        if (first.kind != symbol && !is_line_break(first.code)) {
            const std::size_t word = run(first.end, kWord);
            if (word > first.end) return word;
        }
        const std::size_t symbols = first.code == ' ' ? first.end : begin;
        if (const std::size_t end = run(symbols, {symbol}); end > symbols) {
            return cjk_ ? end : line_breaks(text_, end);
        }
        return first.kind == space ? spaces(begin) : 0;
    }

private:
    [[nodiscard]] std::size_t ascii_letters(std::size_t begin) const noexcept {
        while (is_ascii_letter(text_.byte(begin))) ++begin;
        return begin;
    }

    [[nodiscard]] std::size_t spaces(std::size_t begin) const noexcept {
        const Space found = space_run(text_, begin);
        if (found.after_line_break != 0) return found.after_line_break;
        return space_before(found, begin, at(found.end).kind == none);
    }

    const Characters& text_;
    bool cjk_;
};

}  // namespace

std::size_t deepseek_piece(const Characters& text, std::size_t begin) noexcept {
    const Character first = text.at(begin);
    if (first.kind == number) return number_run(text, first);
    const Fragment fragment(text, first);
    if (const std::size_t end = fragment.match(begin); end != 0) return end;
    // What nothing matches is a piece up to the next match.
    std::size_t at = first.end;
    for (Character next = fragment.at(at); next.kind != none && fragment.match(at) == 0;
         next = fragment.at(at)) {
        at = next.end;
    }
    return at;
}

}  // namespace sluice::context
