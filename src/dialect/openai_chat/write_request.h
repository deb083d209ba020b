#pragma once

/// The neutral request as a Chat Completions body.

#include "chat/abilities.h"
#include "chat/change.h"
#include "chat/request.h"

#include <string>

namespace sluice::dialect::openai_chat {

/// `request` has been through shaping::adapt() for these abilities, so all in it can be said; what
/// nevertheless cannot (a Native part) is left out and noted in `changes`. The same request always
/// gives the same bytes, and a conversation that was added to gives the old messages' bytes again:
/// the upstream's prefix cache lives on that. System parts are joined by "\n\n"; a message of text
/// alone is written as a string. Streams ask for usage always.
[[nodiscard]] std::string write_request(const chat::Request& request,
                                        const chat::Abilities& abilities, chat::Changes& changes);

}  // namespace sluice::dialect::openai_chat
