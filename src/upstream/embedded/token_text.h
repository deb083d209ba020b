#pragma once

/// A text in the pieces that the embedded models call tokens: a word with the blanks before it, at
/// most 24 bytes, never cut within a code point.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::upstream::embedded {

class TokenText {
public:
    TokenText() = default;

    /// `text` should not be larger than 4 GiB.
    [[nodiscard]] static TokenText of(std::string text);
    /// The same words for ever; holds no memory whatever its length.
    [[nodiscard]] static TokenText lorem(std::size_t tokens);

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::string_view piece(std::size_t index) const;
    [[nodiscard]] std::string whole() const;

    /// Keeps the first `tokens` pieces.
    void truncate(std::size_t tokens) noexcept;

private:
    std::string text_;
    std::vector<std::uint32_t> ends_;  // of the pieces in text_; empty for lorem
    std::size_t size_ = 0;
};

/// What a prompt is taken to cost: a token for every four bytes that were begun.
[[nodiscard]] constexpr std::uint64_t estimate_tokens(std::size_t bytes) noexcept {
    return (static_cast<std::uint64_t>(bytes) + 3) / 4;
}

/// The first `bytes` of `text`, or a little less so as not to cut a code point.
[[nodiscard]] std::string_view utf8_prefix(std::string_view text, std::size_t bytes) noexcept;

}  // namespace sluice::upstream::embedded
