#pragma once

/// Which vocabulary a model's family counts its tokens with.

#include <cstdint>
#include <string_view>

namespace sluice::context {

enum class Vocabulary : std::uint8_t {
    deepseek,  ///< DeepSeek V3 to V4.1, R1
    o200k,     ///< OpenAI since gpt-4o
    cl100k,    ///< OpenAI's gpt-4, gpt-3.5 and embeddings
};

/// The vocabulary of the model called `model`, with or without a provider in front
/// ("openai/gpt-4o"), in any case of letters. Names with "deepseek" in them are DeepSeek's, but for
/// distillations, which speak the vocabulary of another family. Whatever is not known has o200k:
/// vocabularies of its size are what today's models have (Claude's is not public, and counts within
/// the bounds that a Calibration corrects).
[[nodiscard]] Vocabulary vocabulary_of(std::string_view model);

}  // namespace sluice::context
