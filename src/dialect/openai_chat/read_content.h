#pragma once

/// The content of a message of Chat Completions: a string or a list of parts. Internal to
/// read_request.

#include "base/error.h"
#include "chat/request.h"
#include "json/reader.h"

#include <string_view>
#include <vector>

namespace sluice::dialect::openai_chat {

/// Adds to `parts`. Parts of an unknown type become Native, empty texts are left out, null is
/// nothing. `place` names the content in an error ("messages[2].content").
Result<void> read_content(const json::Value& content, std::string_view place,
                          std::vector<chat::Part>& parts);

}  // namespace sluice::dialect::openai_chat
