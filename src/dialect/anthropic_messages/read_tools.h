#pragma once

/// The tools of a request, and how they may be used. Internal to this folder.

#include "base/error.h"
#include "chat/request.h"
#include "dialect/anthropic_messages/place.h"
#include "json/reader.h"

#include <vector>

namespace sluice::dialect::anthropic_messages {

/// A type that is neither absent nor "custom" makes a server's tool, of which the whole JSON is
/// kept.
Result<std::vector<chat::Tool>> read_tools(const json::Value& tools, const Place& place);

/// Sets `tool_choice` and `parallel_tool_calls`; a type that nobody knows sets nothing.
Result<void> read_tool_choice(const json::Value& choice, const Place& place,
                              chat::Request& request);

}  // namespace sluice::dialect::anthropic_messages
