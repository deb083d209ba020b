#pragma once

/// The members of a whole message, where they stand in its body. Internal to this folder.

#include "base/error.h"
#include "json/reader.h"

#include <string_view>

namespace sluice::dialect::anthropic_messages {

/// What is not there is null.
struct Message {
    json::Value id;
    json::Value model;
    json::Value content;
    json::Value stop_reason;
    json::Value stop_sequence;
    json::Value usage;
    bool is_error = false;  ///< {"type":"error"}, or an error and no content
};

/// Checks `body` to its end; upstream_invalid_response unless it is one JSON object in UTF-8.
Result<Message> read_message(std::string_view body);

}  // namespace sluice::dialect::anthropic_messages
