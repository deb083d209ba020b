#pragma once

/// Reasoning put back into a conversation whose bytes are forwarded.

#include "chat/request.h"
#include "json/members.h"
#include "json/splice.h"

#include <span>
#include <string_view>

namespace sluice::dialect::openai_chat {

/// Adds to `splice`, whose original is the checked request `body` with the top-level `members`, a
/// member `field` for each assistant message that has neither that nor its other name (reasoning,
/// reasoning_content) as a text: the Thinking of the same message in `request`, else "".
/// `request` was read from `body`, and may have got more Thinking since.
void add_reasoning(std::string_view body, std::span<const json::Member> members,
                   const chat::Request& request, std::string_view field, json::Splice& splice);

}  // namespace sluice::dialect::openai_chat
