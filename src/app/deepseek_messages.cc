#include "app/deserializer.h"

#include <functional>

namespace sluice::app {
namespace {

using json::Kind;
using json::Value;
using Role = DeepSeekMessage::Role;
using Done = Deserializer::Read<void>;

Role role_named(std::string_view name) {
    if (name == "system") return Role::system;
    if (name == "assistant") return Role::assistant;
    if (name == "tool") return Role::tool;
    return Role::user;
}

/// What stands for an image in a prompt: the same for the same one.
std::string image_text(std::string_view raw) {
    return "<image " + std::to_string(std::hash<std::string_view>{}(raw)) + ">";
}

Done read_part(const Deserializer& read, const Value& part, const std::string& path,
               DeepSeekMessage& message) {
    if (!part.is(Kind::object)) return read.wrong_type(path, "a map", part);
    if (!find_value(part, "type")) return read.missing(path, "type", part);
    const bool user = message.role == Role::user;
    const auto type = user ? read.word(part, path, "type", {"text", "image_url", "file"})
                           : read.word(part, path, "type", {"text"});
    if (!type) return std::unexpected(type.error());
    if (*type == "text") {
        const auto text = read.string(part, path, "text");
        if (!text) return std::unexpected(text.error());
        if (!message.text.empty()) message.text += "\n\n";
        message.text += *text;
        return {};
    }
    const auto source = find_value(part, *type);
    if (!source) return read.missing(path, *type, part);
    if (!source->is(Kind::object)) {
        return read.wrong_type(member_path(path, *type), "a map", *source);
    }
    ++message.images;
    message.text += image_text(source->raw);
    return {};
}

Done read_content(const Deserializer& read, const Value& object, const std::string& path,
                  DeepSeekMessage& message) {
    const auto content = json::find(object, "content");
    if (!content) return read.missing(path, "content", object);
    const std::string here = member_path(path, "content");
    if (content->is(Kind::null) && message.role == Role::assistant) return {};
    message.has_text = true;
    if (auto text = json::to_string(*content)) {
        message.text = *std::move(text);
        return {};
    }
    if (!content->is(Kind::array)) {
        return read.fail(here,
                         "data did not match any variant of untagged enum "
                         "ChatCompletionRequestContent",
                         *content);
    }
    json::Reader parts(*content);
    for (std::size_t i = 0; parts.next(); ++i) {
        auto part = read_part(read, parts.value(), element_path(here, i), message);
        if (!part) return part;
    }
    return {};
}

Deserializer::Read<DeepSeekCall> read_call(const Deserializer& read, const Value& value,
                                           const std::string& path) {
    auto id = read.string(value, path, "id");
    if (!id) return std::unexpected(id.error());
    if (!find_value(value, "type")) return read.missing(path, "type", value);
    const auto type = read.word(value, path, "type", {"function"});
    if (!type) return std::unexpected(type.error());
    const auto function = find_value(value, "function");
    if (!function) return read.missing(path, "function", value);
    const std::string inner = member_path(path, "function");
    auto name = read.string(*function, inner, "name");
    if (!name) return std::unexpected(name.error());
    auto arguments = read.string(*function, inner, "arguments");
    if (!arguments) return std::unexpected(arguments.error());
    return DeepSeekCall{
        .id = *std::move(id), .name = *std::move(name), .arguments = *std::move(arguments)};
}

Done read_calls(const Deserializer& read, const Value& object, const std::string& path,
                DeepSeekMessage& message) {
    const auto list = find_value(object, "tool_calls");
    if (!list) return {};
    const std::string here = member_path(path, "tool_calls");
    if (!list->is(Kind::array)) return read.wrong_type(here, "a sequence", *list);
    message.has_calls = true;
    json::Reader calls(*list);
    for (std::size_t i = 0; calls.next(); ++i) {
        auto call = read_call(read, calls.value(), element_path(here, i));
        if (!call) return std::unexpected(call.error());
        message.calls.push_back(*std::move(call));
    }
    return {};
}

Done read_assistant(const Deserializer& read, const Value& object, const std::string& path,
                    DeepSeekMessage& message) {
    if (const auto reasoning = find_value(object, "reasoning_content")) {
        message.reasoning = json::to_string(*reasoning);
        if (!message.reasoning) {
            return read.wrong_type(member_path(path, "reasoning_content"), "a string", *reasoning);
        }
    }
    return read_calls(read, object, path, message);
}

Deserializer::Read<DeepSeekMessage> read_message(const Deserializer& read, const Value& object,
                                                 const std::string& path) {
    if (!object.is(Kind::object)) return read.wrong_type(path, "a map", object);
    if (!find_value(object, "role")) return read.missing(path, "role", object);
    const auto role = read.word(object, path, "role", {"system", "user", "assistant", "tool"});
    if (!role) return std::unexpected(role.error());
    DeepSeekMessage message;
    message.role = role_named(*role);
    if (auto content = read_content(read, object, path, message); !content) {
        return std::unexpected(content.error());
    }
    Done rest;
    if (message.role == Role::assistant) rest = read_assistant(read, object, path, message);
    if (!rest) return std::unexpected(rest.error());
    if (message.role == Role::tool) {
        auto id = read.string(object, path, "tool_call_id");
        if (!id) return std::unexpected(id.error());
        message.tool_call_id = *std::move(id);
    }
    return message;
}

}  // namespace

Deserializer::Read<std::vector<DeepSeekMessage>> read_deepseek_messages(const Deserializer& read,
                                                                        const Value& list) {
    if (!list.is(Kind::array)) return read.wrong_type("messages", "a sequence", list);
    std::vector<DeepSeekMessage> messages;
    json::Reader reader(list);
    for (std::size_t i = 0; reader.next(); ++i) {
        auto message = read_message(read, reader.value(), element_path("messages", i));
        if (!message) return std::unexpected(message.error());
        messages.push_back(*std::move(message));
    }
    return messages;
}

}  // namespace sluice::app
