#include "dialect/openai_chat/read_messages.h"

#include "dialect/openai_chat/read_content.h"
#include "dialect/request.h"
#include "dialect/walk.h"

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::dialect::openai_chat {
namespace {

/// One message as it stands in the list.
struct Members {
    json::Value role;
    json::Value content;
    json::Value reasoning_content;
    json::Value reasoning;
    json::Value refusal;
    json::Value tool_calls;
    json::Value function_call;
    json::Value tool_call_id;
    json::Value audio;
    bool is_prefix = false;
};

Members read_members(const json::Value& message) {
    Members out;
    Walk walk(message.raw);
    if (!walk.enter_object()) return out;
    while (walk.next_member()) {
        const json::Value value = walk.take();
        if (walk.key_is("role")) {
            out.role = value;
        } else if (walk.key_is("content")) {
            out.content = value;
        } else if (walk.key_is("reasoning_content")) {
            out.reasoning_content = value;
        } else if (walk.key_is("reasoning")) {
            out.reasoning = value;
        } else if (walk.key_is("refusal")) {
            out.refusal = value;
        } else if (walk.key_is("tool_calls")) {
            out.tool_calls = value;
        } else if (walk.key_is("function_call")) {
            out.function_call = value;
        } else if (walk.key_is("tool_call_id")) {
            out.tool_call_id = value;
        } else if (walk.key_is("audio")) {
            out.audio = value;
        } else if (walk.key_is("prefix")) {
            out.is_prefix = value.is_true();
        }
    }
    return out;
}

void append(std::vector<chat::Part>& to, std::vector<chat::Part> parts) {
    for (chat::Part& part : parts) to.push_back(std::move(part));
}

class MessagesReader {
public:
    explicit MessagesReader(chat::Request& request) : request_(request) {}

    Result<void> read(const json::Value& messages) {
        Walk walk(messages.raw);
        if (!walk.enter_array()) return refuse_type("messages", "a list");
        std::size_t index = 0;
        while (walk.next_element()) {
            place_ = "messages[" + std::to_string(index++) + "]";
            if (auto ok = read_message(walk.take()); !ok) return ok;
        }
        return {};
    }

private:
    Result<void> read_message(const json::Value& message) {
        if (!message.is(json::Kind::object)) return refuse_type(place_, "an object");
        const Members members = read_members(message);
        const auto role = json::to_string(members.role);
        if (!role) return refuse_type(place_ + ".role", "a string");
        if (*role == "system" || *role == "developer") return read_system(members);
        if (*role == "user") return read_user(members);
        if (*role == "assistant") return read_assistant(members);
        if (*role == "tool" || *role == "function") return read_result(members, *role == "tool");
        return refuse(place_ + ".role", "'" + *role + "' is no role of a message");
    }

    Result<void> read_parts(const json::Value& content, std::vector<chat::Part>& parts) const {
        return read_content(content, place_ + ".content", parts);
    }

    Result<void> read_system(const Members& members) {
        in_results_ = false;
        std::vector<chat::Part> parts;
        if (auto ok = read_parts(members.content, parts); !ok) return ok;
        if (request_.messages.empty()) {
            append(request_.system, std::move(parts));
        } else if (!parts.empty()) {
            add(chat::Role::system, std::move(parts));
        }
        return {};
    }

    Result<void> read_user(const Members& members) {
        std::vector<chat::Part> parts;
        if (auto ok = read_parts(members.content, parts); !ok) return ok;
        if (std::exchange(in_results_, false)) {
            append(request_.messages.back().parts, std::move(parts));
        } else {
            add(chat::Role::user, std::move(parts));
        }
        return {};
    }

    Result<void> read_assistant(const Members& members) {
        in_results_ = false;
        std::vector<chat::Part> parts;
        auto thoughts = json::to_string(members.reasoning_content);
        if (!thoughts || thoughts->empty()) thoughts = json::to_string(members.reasoning);
        if (thoughts && !thoughts->empty()) {
            parts.emplace_back(chat::Thinking{.text = *std::move(thoughts), .signature = {}});
        }
        if (auto ok = read_parts(members.content, parts); !ok) return ok;
        if (auto refusal = json::to_string(members.refusal); refusal && !refusal->empty()) {
            parts.emplace_back(chat::Text{*std::move(refusal)});
        }
        if (members.audio.is(json::Kind::object)) {
            parts.emplace_back(
                chat::Native{.type = "audio", .json = std::string(members.audio.raw)});
        }
        if (auto ok = read_calls(members.tool_calls, parts); !ok) return ok;
        if (members.function_call.is(json::Kind::object)) {
            const std::string at = place_ + ".function_call";
            chat::ToolUse use;
            use.id = legacy_id(++legacy_calls_);
            if (auto ok = read_function(members.function_call, at, use); !ok) return ok;
            parts.emplace_back(std::move(use));
        }
        add(chat::Role::assistant, std::move(parts)).is_prefix = members.is_prefix;
        return {};
    }

    Result<void> read_calls(const json::Value& calls, std::vector<chat::Part>& parts) const {
        Walk walk(calls.raw);
        if (!walk.enter_array()) return {};
        std::size_t index = 0;
        while (walk.next_element()) {
            const std::string at = place_ + ".tool_calls[" + std::to_string(index++) + "]";
            const json::Value call = walk.take();
            chat::ToolUse use;
            use.id = text_of_member(call, "id");
            if (use.id.empty()) return refuse_type(at + ".id", "a string");
            const auto custom = member_of(call, "custom");
            use.is_custom = custom && custom->is(json::Kind::object);
            const auto function = use.is_custom ? custom : member_of(call, "function");
            const std::string in = at + (use.is_custom ? ".custom" : ".function");
            if (!function) return refuse_type(in, "an object");
            if (auto ok = read_function(*function, in, use); !ok) return ok;
            parts.emplace_back(std::move(use));
        }
        return {};
    }

    /// `{"name":..., "arguments":...}`, or `input` where the tool is a custom one.
    static Result<void> read_function(const json::Value& function, const std::string& at,
                                      chat::ToolUse& use) {
        use.name = text_of_member(function, "name");
        if (use.name.empty()) return refuse_type(at + ".name", "a string");
        const std::string member = use.is_custom ? "input" : "arguments";
        const auto value = member_of(function, member);
        if (!value || value->is(json::Kind::null)) return {};
        auto text = json::to_string(*value);
        if (!text) return refuse_type(at + "." + member, "a string");
        use.arguments = *std::move(text);
        return {};
    }

    Result<void> read_result(const Members& members, bool is_tool) {
        chat::ToolResult result;
        if (is_tool) {
            result.id = json::to_string(members.tool_call_id).value_or("");
            if (result.id.empty()) return refuse_type(place_ + ".tool_call_id", "a string");
        } else {
            result.id = legacy_id(++legacy_results_);
        }
        if (auto ok = read_parts(members.content, result.content); !ok) return ok;
        if (!std::exchange(in_results_, true)) add(chat::Role::user, {});
        request_.messages.back().parts.emplace_back(std::move(result));
        return {};
    }

    /// Calls of before there were ids are answered one by one, in their order.
    static std::string legacy_id(std::size_t number) {
        return "call_function_" + std::to_string(number);
    }

    chat::Message& add(chat::Role role, std::vector<chat::Part> parts) {
        chat::Message& message = request_.messages.emplace_back();
        message.role = role;
        message.parts = std::move(parts);
        return message;
    }

    chat::Request& request_;
    std::string place_;        // of the message at hand
    bool in_results_ = false;  // the last message is made of tool messages only, so far
    std::size_t legacy_calls_ = 0;
    std::size_t legacy_results_ = 0;
};

}  // namespace

Result<void> read_messages(const json::Value& messages, chat::Request& request) {
    return MessagesReader(request).read(messages);
}

}  // namespace sluice::dialect::openai_chat
