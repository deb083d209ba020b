#include "app/deepseek_request.h"
#include "base/text.h"

#include <algorithm>
#include <set>

namespace sluice::app {
namespace {

using Role = DeepSeekMessage::Role;
using Found = std::optional<DeepSeekViolation>;
using Messages = std::vector<DeepSeekMessage>;

constexpr std::size_t kMostStops = 16;
constexpr std::size_t kMostTools = 128;
constexpr std::size_t kLongestName = 64;
constexpr std::size_t kLongestUser = 512;
constexpr double kMostTokens = 393'216;
constexpr double kHottest = 2;

Found violated(std::string rule, std::string message) {
    return DeepSeekViolation{.rule = std::move(rule), .message = std::move(message)};
}

bool is_name(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-';
    });
}

/// The flash models see; the names that older ones had were retired on 2026-07-24.
bool exists(std::string_view model) {
    return model.starts_with("deepseek-") && model != "deepseek-chat" &&
           model != "deepseek-reasoner";
}

bool sees(std::string_view model) {
    return model.contains("flash") || model.contains("vision");
}

Found check_model(const DeepSeekRequest& request) {
    if (!exists(request.model)) return violated("model", "Model Not Exist");
    const bool images = std::ranges::any_of(
        request.messages, [](const DeepSeekMessage& message) { return message.images > 0; });
    if (images && !sees(request.model))
        return violated("image", "This model does not support image");
    return std::nullopt;
}

Found check_thinking(const DeepSeekRequest& request) {
    if (!request.thinking && !request.effort.empty()) {
        return violated("reasoning_effort",
                        "thinking options type cannot be disabled when reasoning_effort is set");
    }
    if (request.thinking && request.tool_choice == DeepSeekRequest::ToolChoice::forced) {
        return violated("tool_choice", "Thinking mode does not support this tool_choice");
    }
    const bool required = request.thinking && !request.tools.empty();
    const bool missing = std::ranges::any_of(request.messages, [](const DeepSeekMessage& message) {
        return message.role == Role::assistant && !message.reasoning;
    });
    if (required && missing) {
        return violated(
            "reasoning_content",
            "The `reasoning_content` in the thinking mode must be passed back to the API.");
    }
    return std::nullopt;
}

Found too_long(const std::string& field, std::size_t most, std::size_t got) {
    return violated(field, "Invalid '" + field +
                               "': array too long. Expected an array with maximum length " +
                               std::to_string(most) + ", but got an array with length " +
                               std::to_string(got) + " instead.");
}

Found check_tools(const DeepSeekRequest& request) {
    if (request.tools.size() > kMostTools) {
        return too_long("tools", kMostTools, request.tools.size());
    }
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < request.tools.size(); ++i) {
        const std::string& name = request.tools[i].name;
        if (!is_name(name) || name.size() > kLongestName) {
            return violated("tools", "Invalid 'tools[" + std::to_string(i) +
                                         "].function.name': string does not match pattern. "
                                         "Expected a string that matches the pattern "
                                         "'^[a-zA-Z0-9_-]{1,64}$'.");
        }
        if (!names.insert(name).second) return violated("tools", "Tool names must be unique.");
    }
    return std::nullopt;
}

Found check_numbers(const DeepSeekRequest& request) {
    const auto outside = [](const std::optional<double>& number, double lowest, double highest) {
        return number && (*number < lowest || *number > highest);
    };
    if (outside(request.max_tokens, 1, kMostTokens)) {
        return violated("max_tokens",
                        "Invalid max_tokens value, the valid range of max_tokens is [1, 393216]");
    }
    if (outside(request.temperature, 0, kHottest)) {
        return violated("temperature",
                        "Invalid temperature value, the valid range of temperature is [0, 2.0]");
    }
    if (outside(request.top_p, 0, 1)) {
        return violated("top_p", "Invalid top_p value, the valid range of top_p is (0, 1.0]");
    }
    return std::nullopt;
}

Found check_rest(const DeepSeekRequest& request) {
    if (request.stops > kMostStops) return too_long("stop", kMostStops, request.stops);
    if (request.response_format == "json_schema") {
        return violated("response_format", "This response_format type is unavailable now");
    }
    const bool says_json = std::ranges::any_of(
        request.messages,
        [](const DeepSeekMessage& message) { return to_lower(message.text).contains("json"); });
    if (request.response_format == "json_object" && !says_json) {
        return violated("response_format",
                        "Prompt must contain the word 'json' in some form to use "
                        "'response_format' of type 'json_object'.");
    }
    if (request.has_stream_options && !request.stream) {
        return violated("stream_options", "stream_options should be set along with stream = true");
    }
    const auto& user = request.user_id;
    if (user && (!is_name(*user) || user->size() > kLongestUser)) {
        return violated("user_id",
                        "Invalid 'user_id': string does not match pattern. Expected a string "
                        "that matches the pattern '^[a-zA-Z0-9\\-_]+$'.");
    }
    return std::nullopt;
}

/// The messages of role tool that directly follow answer each call once and nothing else.
Found check_answers(const Messages& messages, std::size_t index) {
    std::set<std::string_view> open;
    for (const DeepSeekCall& call : messages[index].calls) {
        if (open.insert(call.id).second) continue;
        return violated("tool_calls", "Duplicate value for 'tool_call_id' of " + call.id +
                                          " in message[" + std::to_string(index) + "]");
    }
    for (std::size_t i = index + 1; i < messages.size() && messages[i].role == Role::tool; ++i) {
        if (open.erase(messages[i].tool_call_id) > 0) continue;
        return violated("tool_message",
                        "Messages with role 'tool' must be a response to a preceding message "
                        "with 'tool_calls'");
    }
    if (open.empty()) return std::nullopt;
    return violated("tool_pairing",
                    "An assistant message with 'tool_calls' must be followed by tool messages "
                    "responding to each 'tool_call_id'. (insufficient tool messages following "
                    "tool_calls message)");
}

Found check_messages(const Messages& messages) {
    if (messages.empty()) return violated("messages", "Empty input messages");
    bool after_calls = false;
    for (std::size_t i = 0; i < messages.size(); ++i) {
        const DeepSeekMessage& message = messages[i];
        if (message.role == Role::tool) {
            if (after_calls) continue;
            return violated("tool_message",
                            "Messages with role 'tool' must be a response to a preceding "
                            "message with 'tool_calls'");
        }
        after_calls = !message.calls.empty();
        if (message.role != Role::assistant) continue;
        if (message.has_calls && message.calls.empty()) {
            return violated("tool_calls", "Invalid 'messages[" + std::to_string(i) +
                                              "].tool_calls': empty array. Expected an array "
                                              "with minimum length 1.");
        }
        if (!message.has_text && !after_calls) {
            return violated("assistant",
                            "Invalid assistant message: content or tool_calls must be set");
        }
        if (auto found = check_answers(messages, i)) return found;
    }
    return std::nullopt;
}

}  // namespace

std::optional<DeepSeekViolation> find_violation(const DeepSeekRequest& request) {
    for (const auto check : {check_model, check_numbers, check_tools, check_rest, check_thinking}) {
        if (auto found = check(request)) return found;
    }
    return check_messages(request.messages);
}

}  // namespace sluice::app
