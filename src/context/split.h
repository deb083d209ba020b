#pragma once

/// Where a vocabulary cuts a text before it looks for tokens: a token never crosses such a cut. The
/// references say it by regular expressions; these are the same by hand, in one pass.

#include "context/characters.h"
#include "context/vocabulary.h"

#include <cstddef>

namespace sluice::context {

/// Where the piece that begins at `begin` ends. `begin` is 0 or such an end, and before the text's
/// end; the result is greater.
[[nodiscard]] std::size_t deepseek_piece(const Characters& text, std::size_t begin) noexcept;
[[nodiscard]] std::size_t o200k_piece(const Characters& text, std::size_t begin) noexcept;
[[nodiscard]] std::size_t cl100k_piece(const Characters& text, std::size_t begin) noexcept;

}  // namespace sluice::context
