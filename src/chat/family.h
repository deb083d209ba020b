#pragma once

#include <cstdint>

namespace sluice::chat {

/// Whose dialects a request comes from, or goes to. Members that only one of them has
/// (Request::others, Native parts, file ids) mean nothing to the other.
enum class Family : std::uint8_t { openai, anthropic };

}  // namespace sluice::chat
