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
    other,           ///< a word that only the provider knows
    stop_sequence,   ///< Anthropic tells it from `stop`
    context_window,  ///< the conversation has filled the model's window
    pause,           ///< a server tool takes long: send the same again to go on (pause_turn)
};

/// The neutral name, which is also OpenAI's.
[[nodiscard]] std::string_view to_string(FinishReason reason) noexcept;

}  // namespace sluice::chat
