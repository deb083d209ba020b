#include "config/describe_text.h"

#include <ostream>

namespace sluice::config {
namespace {

std::string_view word(chat::ThinkingControl thinking) {
    switch (thinking) {
        case chat::ThinkingControl::none: return "none";
        case chat::ThinkingControl::effort: return "effort";
        case chat::ThinkingControl::deepseek: return "deepseek";
        case chat::ThinkingControl::anthropic: return "anthropic";
    }
    return "";
}

std::string_view word(chat::ReasoningHistory history) {
    switch (history) {
        case chat::ReasoningHistory::drop: return "drop";
        case chat::ReasoningHistory::reasoning_content: return "reasoning_content";
        case chat::ReasoningHistory::reasoning: return "reasoning";
        case chat::ReasoningHistory::blocks: return "blocks";
    }
    return "";
}

std::string tokens(const std::optional<std::uint64_t>& count) {
    return count ? std::to_string(*count) : "none";
}

}  // namespace

void write_abilities(std::ostream& out, const chat::Abilities& abilities) {
    const std::string user = abilities.user_field.empty() ? "none" : abilities.user_field;
    out << "    abilities:\n"
        << "      thinking: " << word(abilities.thinking) << '\n'
        << "      reasoning_history: " << word(abilities.reasoning_history) << '\n'
        << "      reasoning_required: " << truth(abilities.reasoning_required) << '\n'
        << "      forced_tools_when_thinking: " << truth(abilities.forced_tools_when_thinking)
        << '\n'
        << "      output_limit_field: " << abilities.output_limit_field << '\n'
        << "      max_output_tokens: " << tokens(abilities.max_output_tokens) << '\n'
        << "      default_output_tokens: " << tokens(abilities.default_output_tokens) << '\n'
        << "      max_stop: " << abilities.max_stop << '\n'
        << "      max_tools: " << abilities.max_tools << '\n'
        << "      images: " << truth(abilities.images) << '\n'
        << "      documents: " << truth(abilities.documents) << '\n'
        << "      json_schema: " << truth(abilities.json_schema) << '\n'
        << "      mid_system: " << truth(abilities.mid_system) << '\n'
        << "      system_role: " << abilities.system_role << '\n'
        << "      user_field: " << user << '\n'
        << "      parallel_tool_calls: " << truth(abilities.parallel_tool_calls) << '\n'
        << "      strict_tools: " << truth(abilities.strict_tools) << '\n'
        << "      sampling: " << truth(abilities.sampling) << '\n'
        << "      service_tier: " << truth(abilities.service_tier) << '\n'
        << "      signatures: " << truth(abilities.signatures) << '\n'
        << "      server_tools: " << truth(abilities.server_tools) << '\n'
        << "      count_tokens: " << truth(abilities.count_tokens) << '\n'
        << "      deferred_tools: " << truth(abilities.deferred_tools) << '\n'
        << "      billing_header: " << truth(abilities.billing_header) << '\n'
        << "      custom_tools: " << truth(abilities.custom_tools) << '\n'
        << "      prefix: " << truth(abilities.prefix) << '\n';
}

}  // namespace sluice::config
