#pragma once

/// The characters of a UTF-8 text and their classes.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sluice::context {

/// What the regular expressions that split a text ask of a character. The values are those of
/// tools/vocabularies/generate.py.
enum class CharacterClass : std::uint8_t {
    other,
    number,  ///< \p{N}
    space,   ///< \s
    mark,    ///< \p{M}
    upper,   ///< \p{Lu} and \p{Lt}
    lower,   ///< \p{Ll}
    letter,  ///< \p{Lm} and \p{Lo}; of DeepSeek's expressions: any \p{L}
    symbol,  ///< \p{P} and \p{S}; for DeepSeek's expressions only
    none,    ///< behind the text
};

struct Character {
    char32_t code = 0;
    std::size_t end = 0;  ///< where the next one begins
    CharacterClass kind = CharacterClass::none;
};

/// A text that is valid UTF-8, with a table of classes. Both must outlive it.
class Characters {
public:
    Characters(std::string_view text, std::span<const unsigned char> classes) noexcept
        : text_(text),
          classes_(classes) {}

    [[nodiscard]] std::size_t size() const noexcept { return text_.size(); }

    /// The byte at `at`; NUL behind the end.
    [[nodiscard]] char byte(std::size_t at) const noexcept {
        return at < text_.size() ? text_[at] : '\0';
    }

    /// The character that begins at `at`; one of the class `none` behind the text.
    [[nodiscard]] Character at(std::size_t at) const noexcept {
        if (at >= text_.size()) return {.code = 0, .end = at, .kind = CharacterClass::none};
        const char32_t lead = bits(at);
        if (lead < 0x80) return {.code = lead, .end = at + 1, .kind = kind_of(lead)};
        const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        char32_t code = lead & (0xFFU >> (length + 1));
        for (std::size_t i = 1; i < length; ++i) code = code << 6 | (bits(at + i) & 0x3F);
        return {.code = code, .end = at + length, .kind = kind_of(code)};
    }

private:
    static constexpr std::size_t kBlock = 128;
    static constexpr std::size_t kBlocks = 0x110000 / kBlock;

    [[nodiscard]] char32_t bits(std::size_t at) const noexcept {
        return static_cast<unsigned char>(text_[at]);
    }
    [[nodiscard]] CharacterClass kind_of(char32_t code) const noexcept {
        const std::size_t block = classes_[code / kBlock];
        return static_cast<CharacterClass>(classes_[kBlocks + block * kBlock + code % kBlock]);
    }

    std::string_view text_;
    std::span<const unsigned char> classes_;
};

}  // namespace sluice::context
