#include "upstream/embedded/answer.h"

#include "base/text.h"
#include "upstream/embedded/schema_example.h"

#include <algorithm>
#include <utility>

namespace sluice::upstream::embedded {
namespace {

constexpr std::size_t kMaxCalls = 8;
constexpr std::size_t kMaxEchoBytes = 16UL * 1024;
constexpr std::size_t kMaxSearchBytes = 16UL * 1024;
constexpr std::size_t kMaxNamesShown = 16;
constexpr std::uint64_t kMaxLoremTokens = 1'000'000;

std::string count_of(std::size_t count, std::string_view noun) {
    return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

bool is_word_char(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/// `word` in lower case `text`, with no word character around it.
bool has_word(std::string_view text, std::string_view word) {
    for (std::size_t at = text.find(word); at != std::string_view::npos && !word.empty();
         at = text.find(word, at + 1)) {
        const std::size_t end = at + word.size();
        if (at > 0 && is_word_char(text[at - 1])) continue;
        if (end < text.size() && is_word_char(text[end])) continue;
        return true;
    }
    return false;
}

/// "call the tool", "use a function": a verb and a noun, anywhere.
bool asks_for_any_tool(std::string_view text) {
    const bool verb = has_word(text, "call") || has_word(text, "use");
    return verb &&
           (has_word(text, "tool") || has_word(text, "tools") || has_word(text, "function"));
}

std::vector<const Tool*> mentioned_tools(const Request& request, std::string_view text) {
    std::vector<const Tool*> found;
    for (const Tool& tool : request.tools) {
        if (found.size() == kMaxCalls) break;
        if (has_word(text, to_lower(tool.name))) found.push_back(&tool);
    }
    return found;
}

/// The tools that the answer calls.
std::vector<const Tool*> choose_tools(const Request& request) {
    if (request.tools.empty() || request.tool_use == ToolUse::none) return {};
    if (request.tool_use == ToolUse::named) {
        return {&*std::ranges::find(request.tools, request.named_tool, &Tool::name)};
    }
    const bool required = request.tool_use == ToolUse::required;
    if (!required && request.last_role != "user") return {};
    const std::string_view user_text = request.last_user_text;
    const std::string text =
        to_lower(user_text.substr(user_text.size() - std::min(user_text.size(), kMaxSearchBytes)));
    std::vector<const Tool*> tools = mentioned_tools(request, text);
    if (tools.empty() && (required || asks_for_any_tool(text))) {
        tools.push_back(&request.tools.front());
    }
    if (tools.size() > 1 && !request.parallel_tool_calls) tools.resize(1);
    return tools;
}

/// "2 messages (1 system, 1 user), 34 bytes of text, 1 tool (get_weather)".
std::string describe_arrival(const Request& request) {
    std::string text = count_of(request.messages, "message") + " (";
    for (const auto& [role, count] : request.roles) {
        if (!text.ends_with('(')) text += ", ";
        text += std::to_string(count) + " " + role;
    }
    text += "), " + count_of(request.text_bytes, "byte") + " of text";
    if (request.other_parts != 0) {
        text += ", " + count_of(request.other_parts, "part") + " other than text";
    }
    text += ", " + count_of(request.tools.size(), "tool");
    for (std::size_t i = 0; i < std::min(request.tools.size(), kMaxNamesShown); ++i) {
        text += (i == 0 ? " (" : ", ") + request.tools[i].name;
    }
    if (request.tools.size() > kMaxNamesShown) text += ", ...";
    if (!request.tools.empty()) text += ")";
    return text;
}

std::string echo_text(const Request& request) {
    std::string text;
    if (request.last_role == "tool" || request.last_role == "function") {
        text = request.last_called_tool.empty() ? "The tool" : request.last_called_tool;
        text += " answered: ";
    } else if (request.last_role == "user") {
        text = "You said: ";
    } else {
        text = "The last message, from " + request.last_role + ", says: ";
    }
    text += utf8_prefix(request.last_text, kMaxEchoBytes);
    if (request.last_text.size() > kMaxEchoBytes) text += "...";
    return text + "\n\nWhat arrived: " + describe_arrival(request) + ".";
}

std::string reasoning_text(const Request& request) {
    return "The last message is from " + request.last_role + " and holds " +
           count_of(request.last_text.size(), "byte") + ". The answer follows from it alone.";
}

TokenText lorem_text(const Request& request, const config::Embedded& settings) {
    const std::uint64_t wanted = request.max_tokens.value_or(settings.tokens);
    return TokenText::lorem(static_cast<std::size_t>(std::min(wanted, kMaxLoremTokens)));
}

std::uint64_t tokens_of(const std::vector<ToolCall>& calls) {
    std::uint64_t tokens = 0;
    for (const ToolCall& call : calls) {
        tokens += estimate_tokens(call.name.size()) + estimate_tokens(call.arguments.size());
    }
    return tokens;
}

/// The request's limit covers reasoning and content.
void apply_max_tokens(Answer& answer, std::uint64_t limit) {
    if (answer.reasoning.size() + answer.content.size() <= limit) return;
    answer.reasoning.truncate(limit);
    answer.content.truncate(limit - answer.reasoning.size());
    answer.finish = chat::FinishReason::length;
}

}  // namespace

Answer make_answer(const Request& request, const config::Embedded& settings,
                   std::string_view call_id) {
    Answer answer;
    answer.prompt_tokens = request.prompt_tokens;
    if (request.reasoning) answer.reasoning = TokenText::of(reasoning_text(request));
    for (const Tool* tool : choose_tools(request)) {
        answer.calls.emplace_back(std::string(call_id) + "_" + std::to_string(answer.calls.size()),
                                  tool->name, write_example_arguments(tool->parameters));
    }
    if (!answer.calls.empty()) {
        answer.finish = chat::FinishReason::tool_calls;
    } else {
        answer.content = request.model == "lorem" ? lorem_text(request, settings)
                                                  : TokenText::of(echo_text(request));
        if (request.max_tokens) apply_max_tokens(answer, *request.max_tokens);
    }
    answer.completion_tokens =
        answer.reasoning.size() + answer.content.size() + tokens_of(answer.calls);
    return answer;
}

}  // namespace sluice::upstream::embedded
