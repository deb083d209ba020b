#pragma once

/// A Messages request (also one to count_tokens) as the neutral model has it.

#include "base/error.h"
#include "chat/request.h"

#include <string_view>

namespace sluice::dialect::anthropic_messages {

/// `body` has passed read_head(). Unknown blocks become Native parts, unknown members `others`; the
/// arguments of a tool_use whose input is {"__unparsedToolInput":{"raw":...}} (Claude Code) are the
/// raw text. Errors: bad_request with `param` set, worded as Anthropic does
/// ("messages.1.content.0.type: ..."), only for what cannot be understood at all.
Result<chat::Request> read_request(std::string_view body);

}  // namespace sluice::dialect::anthropic_messages
