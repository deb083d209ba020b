#pragma once

/// A Chat Completions request, or a legacy one for plain text, as the neutral model has it.

#include "base/error.h"
#include "chat/request.h"
#include "dialect/openai_chat/shape.h"

#include <string_view>

namespace sluice::dialect::openai_chat {

/// `body` has passed read_head(). Leading system and developer messages become `system`, later ones
/// stay in place; a run of tool messages and the user message after it become one user message. A
/// legacy prompt becomes one user message. Errors: bad_request with `param` set, for what cannot be
/// understood (a message without a role, arguments that are no string); what is merely unknown is
/// kept in `others`, or as a Native part.
Result<chat::Request> read_request(std::string_view body, Shape shape = Shape::chat);

}  // namespace sluice::dialect::openai_chat
