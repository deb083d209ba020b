#pragma once

/// The messages of a neutral request as Chat Completions has them. Internal to write_request.

#include "chat/abilities.h"
#include "chat/change.h"
#include "chat/request.h"
#include "json/writer.h"

namespace sluice::dialect::openai_chat {

/// Writes the list `messages`, the system message first. What is written for a message depends on
/// it and on those before it alone. `has_tools`: the request names tools.
void write_messages(json::Writer& json, const chat::Request& request,
                    const chat::Abilities& abilities, bool has_tools, chat::Changes& changes);

}  // namespace sluice::dialect::openai_chat
