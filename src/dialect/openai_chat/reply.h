#pragma once

/// A whole (not streamed) completion of either shape: checked to its end, and what the gateway must
/// know of it.

#include "base/error.h"
#include "chat/finish_reason.h"
#include "chat/usage.h"
#include "json/reader.h"

#include <optional>
#include <string>
#include <string_view>

namespace sluice::dialect::openai_chat {

struct ReplyFacts {
    chat::Usage usage;
    std::optional<chat::FinishReason> finish_reason;  ///< the first choice's
    std::string model;
    bool is_error = false;  ///< an "error" and no choices, whatever the status said
    /// The first choice was broken off because the upstream (DeepSeek) ran out of resources: to be
    /// treated as an overload, at least when there is no content.
    bool out_of_resources = false;
    bool has_content = true;  ///< in the first choice; told only when it is out of resources
};

/// What one choice says, whole or streamed, of either shape.
struct ChoiceFacts {
    std::optional<chat::FinishReason> finish_reason;
    bool out_of_resources = false;
    bool has_content = false;  ///< anything to show: text, reasoning, a refusal, a tool call
};

/// Does not look for content unless `seek_content`.
[[nodiscard]] ChoiceFacts read_choice(const json::Value& choice, bool seek_content);

/// upstream_invalid_response unless `body` is one well-formed JSON object in UTF-8.
Result<ReplyFacts> read_reply(std::string_view body);

/// Reads a `usage` object, DeepSeek's names included. Not known unless it is an object with at
/// least one count in it.
[[nodiscard]] chat::Usage read_usage(const json::Value& usage);

/// nullopt for null and whatever is no string.
[[nodiscard]] std::optional<chat::FinishReason> read_finish_reason(const json::Value& value);

}  // namespace sluice::dialect::openai_chat
