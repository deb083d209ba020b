#pragma once

/// What the pieces of all vocabularies are put together from.

#include "context/characters.h"

#include <cstddef>
#include <initializer_list>

namespace sluice::context {

/// A set of character classes.
class Classes {
public:
    constexpr Classes(std::initializer_list<CharacterClass> classes) noexcept {
        for (const CharacterClass kind : classes) bits_ |= 1U << static_cast<unsigned>(kind);
    }
    [[nodiscard]] constexpr bool has(CharacterClass kind) const noexcept {
        return (bits_ >> static_cast<unsigned>(kind) & 1) != 0;
    }

private:
    unsigned bits_ = 0;
};

[[nodiscard]] constexpr bool is_line_break(char32_t code) noexcept {
    return code == '\r' || code == '\n';
}

/// The end of the run of such characters from `begin`.
[[nodiscard]] inline std::size_t run(const Characters& text, std::size_t begin,
                                     Classes classes) noexcept {
    for (Character next = text.at(begin); classes.has(next.kind); next = text.at(begin)) {
        begin = next.end;
    }
    return begin;
}

/// `[\r\n]*`
[[nodiscard]] inline std::size_t line_breaks(const Characters& text, std::size_t begin) noexcept {
    while (is_line_break(static_cast<unsigned char>(text.byte(begin)))) ++begin;
    return begin;
}

/// `\p{N}{1,3}`, the first of which was found.
[[nodiscard]] inline std::size_t number_run(const Characters& text, Character first) noexcept {
    std::size_t end = first.end;
    for (int more = 2; more > 0; --more) {
        const Character next = text.at(end);
        if (next.kind != CharacterClass::number) break;
        end = next.end;
    }
    return end;
}

/// A run of space, which `first` begins.
struct Space {
    std::size_t end = 0;
    std::size_t last = 0;              ///< where its last character begins
    std::size_t after_line_break = 0;  ///< behind its last CR or LF; 0 without one
    Character next;                    ///< the character behind it
};

[[nodiscard]] inline Space space_run(const Characters& text, std::size_t begin) noexcept {
    Space found;
    found.end = begin;
    for (found.next = text.at(begin); found.next.kind == CharacterClass::space;
         found.next = text.at(found.end)) {
        found.last = found.end;
        found.end = found.next.end;
        if (is_line_break(found.next.code)) found.after_line_break = found.end;
    }
    return found;
}

/// `\s+(?!\S)|\s+`: the last character goes to the piece behind, unless it is the only one or
/// nothing is behind.
[[nodiscard]] inline std::size_t space_before(const Space& found, std::size_t begin,
                                              bool is_last) noexcept {
    return is_last || found.last == begin ? found.end : found.last;
}

}  // namespace sluice::context
