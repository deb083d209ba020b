#pragma once

/// The files of src/context/vocabularies, which are part of the program. Their layouts are told in
/// the README.md there. They are read where they lie and cost nothing until then.

#include "context/vocabulary.h"

#include <span>

namespace sluice::context {

/// NAME.bpe: the tokens of a vocabulary as merges.
[[nodiscard]] std::span<const unsigned char> embedded_merges(Vocabulary vocabulary) noexcept;

/// NAME.classes: a class for each code point, as the regular expressions of that vocabulary's
/// reference know it.
[[nodiscard]] std::span<const unsigned char> embedded_classes(Vocabulary vocabulary) noexcept;

}  // namespace sluice::context
