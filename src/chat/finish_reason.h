#pragma once

/// Why a model stopped. A closed set, so that a metric's label cannot be chosen by an upstream.

#include <cstdint>
#include <string_view>

namespace sluice::chat {

enum class FinishReason : std::uint8_t {
    stop,
    length,
    tool_calls,
    content_filter,
    other,  ///< a word that only the provider knows
};

/// The neutral name, which is also OpenAI's.
[[nodiscard]] std::string_view to_string(FinishReason reason) noexcept;

}  // namespace sluice::chat
