#pragma once

/// The embedded answer to POST /embeddings: vectors that depend on the input's text alone, so that
/// the same input has the same vector everywhere.

#include "upstream/embedded/responder.h"

#include <cstddef>
#include <string_view>
#include <vector>

namespace sluice::upstream::embedded {

inline constexpr std::size_t kEmbeddingDimensions = 64;  ///< where the request names none
inline constexpr std::size_t kMaxEmbeddingDimensions = 4096;
inline constexpr std::size_t kMaxEmbeddingInputs = 2048;

/// A vector of length one.
[[nodiscard]] std::vector<float> embedding_of(std::string_view input, std::size_t dimensions);

/// `input` is a string, a list of tokens, or a list of either; `encoding_format` is float or
/// base64 (little-endian float32). A bad request is answered with status 400 and OpenAI's envelope.
[[nodiscard]] Reply respond_with_embeddings(std::string_view body);

}  // namespace sluice::upstream::embedded
