#include "app/prompt_cache.h"

#include "app/deserializer.h"
#include "upstream/embedded/token_text.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

namespace sluice::app {
namespace {

using Role = DeepSeekMessage::Role;
using Messages = std::span<const DeepSeekMessage>;

constexpr std::size_t kMostPrompts = 256;
constexpr std::size_t kMostBytes = 64UL * 1024 * 1024;
constexpr std::uint64_t kUnit = 64;

std::string canonical_arguments(const std::string& text) {
    if (json::find_error(text)) return text;
    std::string out;
    append_canonical(out, json::as_value(text));
    return out;
}

void append_assistant(std::string& prompt, const DeepSeekMessage& message, bool with_reasoning) {
    prompt += "<|Assistant|>";
    if (with_reasoning) prompt.append("<think>").append(message.reasoning.value_or(""));
    prompt.append("</think>").append(message.text);
    for (const DeepSeekCall& call : message.calls) {
        prompt.append("\n\n<call ").append(call.name).append(">");
        prompt.append(canonical_arguments(call.arguments));
    }
    prompt += "<|end|>";
}

/// In the order of the calls, whatever order they came in. How many there were.
std::size_t append_results(std::string& prompt, const DeepSeekMessage& caller, Messages rest) {
    const auto end = std::ranges::find_if(
        rest, [](const DeepSeekMessage& message) { return message.role != Role::tool; });
    const auto count = static_cast<std::size_t>(end - rest.begin());
    const auto place = [&](const DeepSeekMessage& result) {
        return std::ranges::find(caller.calls, result.tool_call_id, &DeepSeekCall::id) -
               caller.calls.begin();
    };
    std::vector<std::pair<std::ptrdiff_t, std::string_view>> results;
    for (const DeepSeekMessage& message : rest.first(count)) {
        results.emplace_back(place(message), message.text);
    }
    std::ranges::sort(results);
    if (count > 0) prompt += "<|User|>";
    for (const auto& [at, text] : results) {
        prompt.append("<tool_result>").append(text).append("</tool_result>");
    }
    return count;
}

/// The leading system messages and the tools; how many messages that were.
std::size_t append_head(std::string& prompt, const DeepSeekRequest& request) {
    prompt += "<|begin|><|System|>";
    if (request.thinking) {
        prompt += "Reasoning Effort: " + (request.effort.empty() ? "high" : request.effort) + "\n";
    }
    std::size_t index = 0;
    for (; index < request.messages.size(); ++index) {
        const DeepSeekMessage& message = request.messages[index];
        if (message.role != Role::system) break;
        prompt.append(index > 0 ? "\n\n" : "").append(message.text);
    }
    if (!request.tools.empty()) prompt += "\n\n## Tools\n";
    for (const DeepSeekTool& tool : request.tools) prompt.append(tool.json).append("\n");
    if (request.response_format != "text") prompt += request.response_format;
    return index;
}

std::size_t common_prefix(std::string_view a, std::string_view b) {
    const auto ends = std::ranges::mismatch(a, b);
    return static_cast<std::size_t>(ends.in1 - a.begin());
}

}  // namespace

std::string render_prompt(const DeepSeekRequest& request) {
    std::string prompt;
    const Messages messages = request.messages;
    // Without tools the template drops what was thought before the last user message.
    const bool keep_reasoning = request.thinking && !request.tools.empty();
    for (std::size_t i = append_head(prompt, request); i < messages.size(); ++i) {
        const DeepSeekMessage& message = messages[i];
        switch (message.role) {
            case Role::system: prompt.append("<|System|>").append(message.text); break;
            case Role::user: {
                const bool goes_on = i > 0 && (messages[i - 1].role == Role::tool ||
                                               messages[i - 1].role == Role::user);
                prompt.append(goes_on ? "\n\n" : "<|User|>").append(message.text);
                break;
            }
            case Role::assistant:
                append_assistant(prompt, message, keep_reasoning);
                i += append_results(prompt, message, messages.subspan(i + 1));
                break;
            case Role::tool: break;
        }
    }
    return prompt;
}

PromptUsage PromptCache::add(std::string_view user, std::string prompt) {
    PromptUsage usage{.tokens = upstream::embedded::estimate_tokens(prompt.size()),
                      .bytes = prompt.size()};
    for (const Entry& entry : entries_) {
        if (entry.user != user) continue;
        const std::size_t common = common_prefix(entry.prompt, prompt);
        usage.common_bytes = std::max(usage.common_bytes, common);
        usage.extends |= common == entry.prompt.size();
    }
    usage.cached = usage.common_bytes / 4 / kUnit * kUnit;
    bytes_ += prompt.size();
    entries_.push_back({.user = std::string(user), .prompt = std::move(prompt)});
    while (entries_.size() > kMostPrompts || (bytes_ > kMostBytes && entries_.size() > 1)) {
        bytes_ -= entries_.front().prompt.size();
        entries_.pop_front();
    }
    return usage;
}

}  // namespace sluice::app
