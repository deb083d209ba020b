#pragma once

/// What the writers of whole replies and of streams share. Internal to write_stream.

#include "chat/finish_reason.h"
#include "chat/usage.h"
#include "json/writer.h"

#include <string_view>

namespace sluice::dialect::openai_chat {

/// The word of OpenAI's vocabulary, which is smaller than ours.
[[nodiscard]] std::string_view finish_word(chat::FinishReason reason) noexcept;

/// A `usage` object; its details only where there is something to tell.
void write_usage(json::Writer& json, const chat::Usage& usage);

/// An id for a tool call that came without one, or with another's: made of the reply's.
[[nodiscard]] std::string mint_call_id(std::string_view reply_id, std::size_t call);

}  // namespace sluice::dialect::openai_chat
