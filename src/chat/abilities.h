#pragma once

/// What an upstream can express, and what it calls some of it: the part of a dialect in which
/// providers of the same dialect differ. The defaults are a cautious OpenAI-compatible server's.

#include "chat/family.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace sluice::chat {

/// How an upstream is told whether and how hard to think.
enum class ThinkingControl : std::uint8_t {
    none,       ///< nothing is sent
    effort,     ///< OpenAI: reasoning_effort
    deepseek,   ///< DeepSeek: thinking{type: enabled|disabled}, reasoning_effort low|high|max only
    anthropic,  ///< thinking{...} and output_config.effort
};

/// What becomes of the reasoning of earlier turns.
enum class ReasoningHistory : std::uint8_t {
    drop,
    reasoning_content,  ///< beside `content` of assistant messages
    reasoning,          ///< the same by the name that vLLM, Groq and OpenRouter have for it
    blocks,             ///< Anthropic's thinking blocks
};

struct Abilities {
    ThinkingControl thinking = ThinkingControl::effort;
    ReasoningHistory reasoning_history = ReasoningHistory::drop;
    /// Where tools are given, each assistant message must carry its reasoning, "" at least.
    bool reasoning_required = false;
    /// tool_choice `required` or a name while thinking.
    bool forced_tools_when_thinking = true;
    std::string output_limit_field = "max_tokens";       ///< or max_completion_tokens
    std::optional<std::uint64_t> max_output_tokens;      ///< more is cut down to it
    std::optional<std::uint64_t> default_output_tokens;  ///< where the client named no limit
    std::size_t max_stop = 4;
    std::size_t max_tools = 0;  ///< 0: any number
    bool images = true;
    bool documents = false;
    bool json_schema = true;             ///< response_format json_schema
    bool mid_system = true;              ///< system messages between others
    std::string system_role = "system";  ///< or developer
    std::string user_field = "user";     ///< empty: it is not told
    bool parallel_tool_calls = true;
    bool strict_tools = true;
    bool sampling = true;  ///< temperature, top_p (and top_k where the dialect has it)
    bool service_tier = false;
    bool signatures = false;    ///< its thinking blocks carry signatures that it checks
    bool server_tools = false;  ///< tools that the provider executes itself (Anthropic's)
    bool count_tokens = false;  ///< it has an endpoint that counts
    Family family = Family::openai;
    bool deferred_tools = false;  ///< it withholds Tool::deferred itself (Anthropic)
    bool billing_header = false;  ///< it wants Claude Code's x-anthropic-billing-header (Anthropic)
    bool custom_tools = false;    ///< tools that take free text (OpenAI)
    bool prefix = false;          ///< goes on with an assistant message marked as prefix (DeepSeek)
};

}  // namespace sluice::chat
