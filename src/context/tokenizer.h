#pragma once

/// Texts to tokens, as the model's own tokenizer makes them.
///
/// Special tokens are not known here: where a text spells one ("<|endoftext|>", "<｜User｜>") it is
/// counted as the ordinary text that it is, which is what providers make of it. What is not UTF-8
/// counts as U+FFFD (utf8.h), since that is how it would arrive at a tokenizer.

#include "context/vocabulary.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace sluice::context {

class Bpe;

/// Safe to use from several threads at once.
class Tokenizer {
public:
    /// Lives as long as the process. The first call for a vocabulary makes its tables, which takes
    /// some ten milliseconds and a few megabytes; nothing is done before.
    [[nodiscard]] static const Tokenizer& of(Vocabulary vocabulary);

    /// How many tokens encode() would append. The time is about linear in the text's length,
    /// whatever is in it.
    [[nodiscard]] std::size_t count(std::string_view text) const;

    /// Appends the ids of the text's tokens.
    void encode(std::string_view text, std::vector<std::uint32_t>& out) const;

private:
    Tokenizer(Vocabulary vocabulary, const Bpe& bpe) noexcept
        : vocabulary_(vocabulary),
          bpe_(bpe) {}

    Vocabulary vocabulary_;
    const Bpe& bpe_;
};

}  // namespace sluice::context
