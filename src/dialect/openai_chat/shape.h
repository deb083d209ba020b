#pragma once

/// The two kinds of completions that OpenAI's wire format has. They differ in what is asked with
/// and in how a choice looks, and are alike in everything else.

#include <cstdint>

namespace sluice::dialect::openai_chat {

enum class Shape : std::uint8_t {
    chat,  ///< /v1/chat/completions: messages, choices[].message and .delta
    text,  ///< /v1/completions, the legacy one: prompt, choices[].text
};

}  // namespace sluice::dialect::openai_chat
