#pragma once

/// A request that is to be translated, made into one that its upstream can express. Whatever is
/// dropped, folded or downgraded on the way is noted (docs/dialects.md has every rule).

#include "base/error.h"
#include "chat/abilities.h"
#include "chat/change.h"
#include "chat/request.h"

#include <array>
#include <string_view>

namespace sluice::shaping {

/// Every rule of chat::Change, the dialects' writers' included.
inline constexpr auto kChangeRules = std::to_array<std::string_view>({
    // system
    "drop.billing_header",
    "fold.system_message",
    // thinking
    "add.thinking",
    "default.thinking",
    "downgrade.effort",
    "downgrade.thinking",
    "downgrade.thinking_for_forced_tool",
    "drop.effort",
    "drop.reasoning",
    "drop.redacted_thinking",
    "drop.thinking",
    "drop.unsigned_thinking",
    // tools
    "drop.custom_tool",
    "drop.deferred_tool",
    "drop.parallel_tool_calls",
    "drop.server_tool",
    "drop.strict",
    "drop.tool",
    "drop.tool_choice",
    "fold.custom_tool",
    "fold.tool_reference",
    "move.loaded_tool",
    "pass.tool_name",
    // tool calls and their results
    "add.tool_result",
    "fold.orphan_tool_result",
    "fold.tool_result_document",
    "fold.tool_result_image",
    "rename.tool_id",
    "sort.tool_results",
    // other parts of messages
    "drop.cache_control",
    "drop.document",
    "drop.empty_message",
    "drop.empty_text",
    "drop.image",
    "drop.native",
    "drop.prefix",
    "fold.document",
    "fold.native",
    // parameters
    "clamp.max_tokens",
    "clamp.temperature",
    "default.max_tokens",
    "downgrade.service_tier",
    "drop.field",
    "drop.sampling",
    "drop.service_tier",
    "drop.stop",
    "drop.top_k",
    "drop.user",
    "fold.json_object",
    "fold.json_schema",
});

/// What the signatures begin with that the gateway gives to thinking which has none of its
/// provider's. No provider knows them.
inline constexpr std::string_view kSignaturePrefix = "sluice1.";

/// Without a look at anything but the request: the same conversation, one turn longer, is adapted
/// to the same and more, so that the upstream's prefix cache keeps serving. Of what a rule has
/// changed in many places the first few are named and the rest are counted.
/// Errors: bad_request, with `param`, for what must not be done by halves (n > 1 where the upstream
/// speaks Anthropic's dialect).
Result<void> adapt(chat::Request& request, const chat::Abilities& abilities,
                   chat::Changes& changes);

}  // namespace sluice::shaping
