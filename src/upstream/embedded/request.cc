#include "upstream/embedded/request.h"

#include "dialect/openai_chat/head.h"
#include "json/reader.h"
#include "upstream/embedded/token_text.h"

#include <algorithm>
#include <charconv>

namespace sluice::upstream::embedded {
namespace {

using json::Kind;
using json::Value;

constexpr std::size_t kMaxRoles = 8;
constexpr std::size_t kMaxRoleBytes = 32;
constexpr std::uint64_t kTokensAroundMessage = 4;
constexpr double kMaxTokensPerSecond = 1e6;

std::unexpected<Error> refuse(std::string_view param, std::string message) {
    Error error(Errc::bad_request, std::move(message));
    error.param = param;
    return std::unexpected(std::move(error));
}

std::string text_of(const std::optional<Value>& value) {
    return value ? json::to_string(*value).value_or("") : "";
}

/// One message, as far as it matters here.
struct Message {
    std::string role;
    std::string text;
    std::size_t other_parts = 0;
    std::string called_tool;
};

Result<void> read_parts(const Value& parts, Message& message) {
    json::Reader reader(parts.raw);
    while (reader.next()) {
        const Value& part = reader.value();
        if (!part.is(Kind::object)) return refuse("messages", "a content part must be an object");
        const auto text = json::find(part, "text");
        if (text && text->is(Kind::string)) {
            message.text += text_of(text);
        } else {
            ++message.other_parts;
        }
    }
    return {};
}

Result<Message> read_message(const Value& value) {
    if (!value.is(Kind::object)) return refuse("messages", "each message must be an object");
    Message message;
    json::Reader reader(value.raw);
    while (reader.next()) {
        const Value& member = reader.value();
        if (reader.key_is("role")) {
            message.role = text_of(member);
        } else if (reader.key_is("content")) {
            if (member.is(Kind::string)) {
                message.text = text_of(member);
            } else if (member.is(Kind::array)) {
                if (auto ok = read_parts(member, message); !ok) {
                    return std::unexpected(std::move(ok.error()));
                }
            } else if (!member.is(Kind::null)) {
                return refuse("messages", "'content' must be a string or a list of parts");
            }
        } else if (reader.key_is("tool_calls") && member.is(Kind::array)) {
            json::Reader calls(member.raw);
            if (calls.next()) {
                const auto function = json::find(calls.value(), "function");
                if (function) message.called_tool = text_of(json::find(*function, "name"));
            }
        }
    }
    if (message.role.empty()) return refuse("messages", "each message must have a role");
    message.role = utf8_prefix(message.role, kMaxRoleBytes);
    return message;
}

void count_role(Request& request, const std::string& role) {
    const auto found =
        std::ranges::find(request.roles, role, &std::pair<std::string, std::size_t>::first);
    if (found != request.roles.end()) {
        ++found->second;
    } else if (request.roles.size() < kMaxRoles) {
        request.roles.emplace_back(role, 1);
    }
}

Result<void> read_messages(const Value& list, Request& request) {
    json::Reader reader(list.raw);
    while (reader.next()) {
        auto message = read_message(reader.value());
        if (!message) return std::unexpected(std::move(message.error()));
        ++request.messages;
        count_role(request, message->role);
        request.text_bytes += message->text.size();
        request.other_parts += message->other_parts;
        request.prompt_tokens += kTokensAroundMessage + estimate_tokens(message->text.size());
        if (!message->called_tool.empty()) request.last_called_tool = message->called_tool;
        if (message->role == "user") request.last_user_text = message->text;
        request.last_role = std::move(message->role);
        request.last_text = std::move(message->text);
    }
    if (request.messages == 0) return refuse("messages", "'messages' must not be empty");
    return {};
}

Result<void> read_tools(const Value& list, Request& request) {
    if (list.is(Kind::null)) return {};
    if (!list.is(Kind::array)) return refuse("tools", "'tools' must be a list");
    request.prompt_tokens += estimate_tokens(list.raw.size());
    json::Reader reader(list.raw);
    while (reader.next() && request.tools.size() < Request::kMaxTools) {
        const auto function = json::find(reader.value(), "function");
        if (!function) continue;
        Tool tool;
        tool.name = text_of(json::find(*function, "name"));
        if (tool.name.empty()) return refuse("tools", "each function must have a name");
        const auto parameters = json::find(*function, "parameters");
        if (parameters && parameters->is(Kind::object)) tool.parameters = parameters->raw;
        request.tools.push_back(std::move(tool));
    }
    return {};
}

Result<void> read_tool_choice(const Value& value, Request& request) {
    if (value.is(Kind::null)) return {};
    if (const auto word = json::to_string(value)) {
        if (*word == "none") request.tool_use = ToolUse::none;
        if (*word == "required") request.tool_use = ToolUse::required;
        return {};
    }
    const auto function = json::find(value, "function");
    if (!function) return {};
    request.tool_use = ToolUse::named;
    request.named_tool = text_of(json::find(*function, "name"));
    return {};
}

Result<void> read_member(const json::Reader& reader, Request& request) {
    const Value& value = reader.value();
    if (reader.key_is("messages")) return read_messages(value, request);
    if (reader.key_is("tools")) return read_tools(value, request);
    if (reader.key_is("tool_choice")) return read_tool_choice(value, request);
    if (reader.key_is("sluice_tokens_per_second")) {
        auto rate = read_rate(value);
        if (!rate) return std::unexpected(std::move(rate.error()));
        request.tokens_per_second = *rate;
        return {};
    }
    if (reader.key_is("parallel_tool_calls")) {
        request.parallel_tool_calls = value.raw != "false";
    } else if (reader.key_is("thinking")) {
        request.reasoning |= text_of(json::find(value, "type")) == "enabled";
    } else if (reader.key_is("reasoning_effort")) {
        const std::string effort = text_of(value);
        request.reasoning |= !effort.empty() && effort != "none";
    }
    return {};
}

Result<void> check_tool_choice(const Request& request) {
    const bool named = request.tool_use == ToolUse::named;
    if (!named && request.tool_use != ToolUse::required) return {};
    if (request.tools.empty()) {
        return refuse("tool_choice", "'tool_choice' asks for a tool, but there are no 'tools'");
    }
    if (named &&
        std::ranges::find(request.tools, request.named_tool, &Tool::name) == request.tools.end()) {
        return refuse("tool_choice", "'tool_choice' names a tool that is not in 'tools'");
    }
    return {};
}

}  // namespace

Result<double> read_rate(const Value& value) {
    double rate = 0;
    const std::string_view text = value.raw;
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), rate);
    const bool read = error == std::errc() && at == text.data() + text.size();
    if (!value.is(Kind::number) || !read || rate < 0 || rate > kMaxTokensPerSecond) {
        return refuse("sluice_tokens_per_second",
                      "'sluice_tokens_per_second' must be a number from 0 to 1000000");
    }
    return rate;
}

Result<Request> read_request(std::string_view body) {
    auto head = dialect::openai_chat::read_head(body);
    if (!head) return std::unexpected(std::move(head.error()));
    if (head->choices != 1) return refuse("n", "the embedded models give one choice");
    if (head->max_output_tokens == 0) {
        return refuse("max_tokens", "'max_tokens' must be at least 1");
    }
    Request request;
    request.model = std::move(head->model);
    request.stream = head->stream;
    request.include_usage = head->include_usage;
    request.max_tokens = head->max_output_tokens;
    request.prompt_tokens = 3;
    json::Reader reader(body);
    while (reader.next()) {
        if (auto ok = read_member(reader, request); !ok) {
            return std::unexpected(std::move(ok.error()));
        }
    }
    if (auto ok = check_tool_choice(request); !ok) return std::unexpected(std::move(ok.error()));
    return request;
}

}  // namespace sluice::upstream::embedded
