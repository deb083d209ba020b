#pragma once

/// Tools and the choice among them, in today's and in the legacy form. Internal to read_request.

#include "base/error.h"
#include "chat/request.h"
#include "json/reader.h"

namespace sluice::dialect::openai_chat {

/// `tools`, or with `legacy` `functions`. Null is nothing.
Result<void> read_tools(const json::Value& tools, bool legacy, chat::Request& request);

/// `tool_choice`, or with `legacy` `function_call`. What only allows some of the tools takes the
/// others out of the request, so the tools must have been read.
Result<void> read_tool_choice(const json::Value& choice, bool legacy, chat::Request& request);

}  // namespace sluice::dialect::openai_chat
