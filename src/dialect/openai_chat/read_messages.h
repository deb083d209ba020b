#pragma once

/// The messages of a Chat Completions request as the neutral model has them. Internal to
/// read_request.

#include "base/error.h"
#include "chat/request.h"
#include "json/reader.h"

namespace sluice::dialect::openai_chat {

/// Adds the checked list `messages` to `request`, and to its system parts what stands before all
/// others.
Result<void> read_messages(const json::Value& messages, chat::Request& request);

}  // namespace sluice::dialect::openai_chat
