#include "app/deepseek_request.h"

#include "app/deserializer.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace sluice::app {
namespace {

using json::Kind;
using json::Value;
using Done = Deserializer::Read<void>;

constexpr std::array<std::string_view, 21> kListed{"model",
                                                   "messages",
                                                   "thinking",
                                                   "reasoning_effort",
                                                   "max_tokens",
                                                   "response_format",
                                                   "stop",
                                                   "stream",
                                                   "stream_options",
                                                   "temperature",
                                                   "top_p",
                                                   "presence_penalty",
                                                   "frequency_penalty",
                                                   "tools",
                                                   "tool_choice",
                                                   "logprobs",
                                                   "top_logprobs",
                                                   "user_id",
                                                   "prefix",
                                                   "echo",
                                                   "suffix"};

Done read_number(const Deserializer& read, const Value& body, std::string_view name,
                 std::optional<double>& out) {
    const auto value = find_value(body, name);
    if (!value) return {};
    double number = 0;
    const std::string_view text = value->raw;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = error == std::errc{} && end == text.data() + text.size();
    if (!value->is(Kind::number) || !whole) {
        return read.wrong_type(std::string(name), "a number", *value);
    }
    out = number;
    return {};
}

Done read_thinking(const Deserializer& read, const Value& body, DeepSeekRequest& request) {
    if (const auto thinking = find_value(body, "thinking")) {
        if (!thinking->is(Kind::object)) return read.wrong_type("thinking", "a map", *thinking);
        if (!find_value(*thinking, "type")) return read.missing("thinking", "type", *thinking);
        const auto type = read.word(*thinking, "thinking", "type", {"enabled", "disabled"});
        if (!type) return std::unexpected(type.error());
        request.thinking = *type == "enabled";
    }
    auto effort = read.word(body, "", "reasoning_effort",
                            {"minimal", "low", "medium", "high", "xhigh", "max"});
    if (!effort) return std::unexpected(effort.error());
    request.effort = *std::move(effort);
    return {};
}

Deserializer::Read<DeepSeekTool> read_tool(const Deserializer& read, const Value& value,
                                           const std::string& path) {
    if (!value.is(Kind::object)) return read.wrong_type(path, "a map", value);
    if (!find_value(value, "type")) return read.missing(path, "type", value);
    const auto type = read.word(value, path, "type", {"function"});
    if (!type) return std::unexpected(type.error());
    const auto function = find_value(value, "function");
    if (!function) return read.missing(path, "function", value);
    const std::string inner = member_path(path, "function");
    auto name = read.string(*function, inner, "name");
    if (!name) return std::unexpected(name.error());
    const auto parameters = find_value(*function, "parameters");
    if (parameters && !parameters->is(Kind::object)) {
        return read.wrong_type(member_path(inner, "parameters"), "a map", *parameters);
    }
    DeepSeekTool tool{.name = *std::move(name), .json = {}};
    append_canonical(tool.json, *function);
    return tool;
}

Done read_tools(const Deserializer& read, const Value& body, DeepSeekRequest& request) {
    const auto list = find_value(body, "tools");
    if (!list) return {};
    if (!list->is(Kind::array)) return read.wrong_type("tools", "a sequence", *list);
    json::Reader tools(*list);
    for (std::size_t i = 0; tools.next(); ++i) {
        auto tool = read_tool(read, tools.value(), element_path("tools", i));
        if (!tool) return std::unexpected(tool.error());
        request.tools.push_back(*std::move(tool));
    }
    return {};
}

/// A word, or `{"type":"function","function":{"name":...}}`.
Done read_tool_choice(const Deserializer& read, const Value& body, DeepSeekRequest& request) {
    using Choice = DeepSeekRequest::ToolChoice;
    const auto choice = find_value(body, "tool_choice");
    if (!choice) return {};
    const auto word = json::to_string(*choice);
    const auto function = find_value(*choice, "function");
    const auto type = find_value(*choice, "type");
    const bool named =
        function && find_value(*function, "name") && type && json::to_string(*type) == "function";
    if (word == "auto") {
        request.tool_choice = Choice::automatic;
    } else if (word == "none") {
        request.tool_choice = Choice::none;
    } else if (word == "required" || named) {
        request.tool_choice = Choice::forced;
    } else {
        return read.fail("tool_choice",
                         "data did not match any variant of untagged enum "
                         "ChatCompletionToolChoiceOption",
                         *choice);
    }
    return {};
}

Done read_stop(const Deserializer& read, const Value& body, DeepSeekRequest& request) {
    const auto stop = find_value(body, "stop");
    if (!stop) return {};
    request.stops = 1;
    if (stop->is(Kind::string)) return {};
    if (!stop->is(Kind::array)) {
        return read.wrong_type("stop", "a string or a sequence of strings", *stop);
    }
    request.stops = 0;
    json::Reader items(*stop);
    for (; items.next(); ++request.stops) {
        if (items.value().is(Kind::string)) continue;
        return read.wrong_type(element_path("stop", request.stops), "a string", items.value());
    }
    return {};
}

Done read_response_format(const Deserializer& read, const Value& body, DeepSeekRequest& request) {
    const auto format = find_value(body, "response_format");
    if (!format) return {};
    if (!format->is(Kind::object)) return read.wrong_type("response_format", "a map", *format);
    if (!find_value(*format, "type")) return read.missing("response_format", "type", *format);
    auto type =
        read.word(*format, "response_format", "type", {"text", "json_object", "json_schema"});
    if (!type) return std::unexpected(type.error());
    request.response_format = *std::move(type);
    return {};
}

Done read_rest(const Deserializer& read, const Value& body, DeepSeekRequest& request) {
    if (const auto stream = find_value(body, "stream")) {
        if (!stream->is(Kind::boolean)) return read.wrong_type("stream", "a boolean", *stream);
        request.stream = stream->is_true();
    }
    request.has_stream_options = find_value(body, "stream_options").has_value();
    if (find_value(body, "user_id")) {
        auto user = read.string(body, "", "user_id");
        if (!user) return std::unexpected(user.error());
        request.user_id = *std::move(user);
    }
    // What Anthropic's API has in its place is a list, or else it would be lost without a word.
    if (const auto system = find_value(body, "system"); system && system->is(Kind::array)) {
        return read.wrong_type("system", "a string", *system);
    }
    Done done = read_number(read, body, "max_tokens", request.max_tokens);
    if (done) done = read_number(read, body, "temperature", request.temperature);
    if (done) done = read_number(read, body, "top_p", request.top_p);
    return done;
}

void note_ignored(const Value& body, DeepSeekRequest& request) {
    json::Reader members(body);
    while (members.next()) {
        if (std::ranges::find(kListed, members.raw_key()) != kListed.end()) continue;
        request.ignored.emplace_back(members.raw_key());
    }
}

}  // namespace

std::expected<DeepSeekRequest, DeepSeekViolation> read_deepseek_request(std::string_view body) {
    const auto malformed = json::find_error(body);
    const Value root = malformed ? Value{} : json::as_value(body);
    if (!root.is(Kind::object)) {
        return std::unexpected(DeepSeekViolation{
            .rule = "deserialize",
            .message = "Failed to parse the request body as JSON: " +
                       malformed.value_or("expected a map") + " at line 1 column 1"});
    }
    const Deserializer read(body);
    DeepSeekRequest request;
    auto model = read.string(root, "", "model");
    if (!model) return std::unexpected(model.error());
    request.model = *std::move(model);
    const auto list = json::find(root, "messages");
    if (!list) return read.missing("", "messages", root);
    auto messages = read_deepseek_messages(read, *list);
    if (!messages) return std::unexpected(messages.error());
    request.messages = *std::move(messages);
    for (const auto member : {read_thinking, read_tools, read_tool_choice, read_stop,
                              read_response_format, read_rest}) {
        if (auto done = member(read, root, request); !done) return std::unexpected(done.error());
    }
    note_ignored(root, request);
    return request;
}

}  // namespace sluice::app
