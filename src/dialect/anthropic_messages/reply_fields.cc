#include "dialect/anthropic_messages/reply_fields.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace sluice::dialect::anthropic_messages {
namespace {

constexpr std::string_view kRefusal = "refusal";

/// Several compatible servers say `stop` after tool calls, or `tool_calls` without any.
std::string_view stop_reason(const Ending& ending) noexcept {
    using chat::FinishReason;
    const std::string_view by_calls = ending.has_tool_calls ? "tool_use" : "end_turn";
    const std::string_view unless_refused = ending.has_refusal ? kRefusal : by_calls;
    switch (ending.reason.value_or(FinishReason::stop)) {
        case FinishReason::stop:
        case FinishReason::tool_calls:
        case FinishReason::other: return unless_refused;
        case FinishReason::length: return "max_tokens";
        case FinishReason::content_filter: return kRefusal;
        case FinishReason::stop_sequence: return "stop_sequence";
        case FinishReason::context_window: return "model_context_window_exceeded";
        case FinishReason::pause: return "pause_turn";
    }
    return by_calls;
}

}  // namespace

void write_ending(json::Writer& json, const Ending& ending) {
    const std::string_view reason = stop_reason(ending);
    json.key("stop_reason").string(reason);
    const bool has_sequence = ending.reason == chat::FinishReason::stop_sequence;
    json.key("stop_sequence").string_or_null(has_sequence ? ending.stop_sequence : "");
    if (reason == kRefusal) {
        json.key("stop_details").begin_object().key("type").string(kRefusal);
        json.key("category").null().key("explanation").null().end_object();
    }
}

void write_usage(json::Writer& json, const chat::Usage& usage, std::uint64_t input_tokens) {
    if (usage.known) {
        input_tokens = usage.input - std::min(usage.input, usage.cached_input);
        input_tokens -= std::min(input_tokens, usage.cache_write);
    }
    json.key("usage").begin_object();
    json.key("input_tokens").number(input_tokens);
    json.key("cache_creation_input_tokens").number(usage.cache_write);
    json.key("cache_read_input_tokens").number(usage.cached_input);
    json.key("output_tokens").number(usage.output);
    if (usage.reasoning > 0) {
        json.key("output_tokens_details").begin_object();
        json.key("thinking_tokens").number(usage.reasoning).end_object();
    }
    json.end_object();
}

std::size_t leading_white_space(std::string_view text) noexcept {
    return std::min(text.size(), text.find_first_not_of(" \t\r\n"));
}

bool is_white_space(std::string_view text) noexcept {
    return leading_white_space(text) == text.size();
}

bool ToolIds::is_taken(std::string_view id) const noexcept {
    return std::ranges::find(taken_, id) != taken_.end();
}

std::string_view ToolIds::take(std::string_view id) {
    std::string candidate(id);
    std::string stem(id);
    if (id.empty()) {
        constexpr std::string_view kPrefix = "msg_";
        stem = "toolu_";
        stem += reply_id_.substr(reply_id_.starts_with(kPrefix) ? kPrefix.size() : 0);
        candidate = stem + "_" + std::to_string(taken_.size());
    }
    for (std::size_t n = taken_.size(); is_taken(candidate); ++n) {
        candidate = stem + "_" + std::to_string(n);
    }
    return taken_.emplace_back(std::move(candidate));
}

}  // namespace sluice::dialect::anthropic_messages
