#pragma once

/// Base64 of RFC 4648 section 4: standard alphabet, padded, on one line.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::dialect::openai_embeddings {

void append_base64(std::string& out, std::span<const std::byte> bytes);

/// Replaces `bytes` by what `text` stands for. False, with `bytes` in any state, where the text is
/// not what append_base64() would have written.
[[nodiscard]] bool decode_base64(std::string_view text, std::vector<std::byte>& bytes);

}  // namespace sluice::dialect::openai_embeddings
