#include "dialect/anthropic_messages/read_request.h"

#include "dialect/anthropic_messages/head.h"
#include "dialect/anthropic_messages/place.h"
#include "dialect/anthropic_messages/read_parts.h"
#include "dialect/anthropic_messages/read_tools.h"
#include "dialect/walk.h"
#include "json/reader.h"

#include <array>
#include <cstddef>
#include <string>
#include <utility>

namespace sluice::dialect::anthropic_messages {
namespace {

using chat::Request;

/// Null where there is none.
json::Value member(const json::Value& object, std::string_view name) {
    return member_of(object, name).value_or(json::Value());
}

Result<chat::Role> read_role(const json::Value& value, const Place& place) {
    const auto word = read_required_string(value, place);
    if (!word) return std::unexpected(word.error());
    if (*word == "user") return chat::Role::user;
    if (*word == "assistant") return chat::Role::assistant;
    if (*word == "system") return chat::Role::system;
    return place.refuse("Input should be 'user', 'assistant' or 'system'");
}

// Messages are nearly all of a request, so they are walked into rather than passed over first.

Result<chat::Message> read_message(Walk& walk, const Place& place) {
    chat::Message message;
    const Place content_place(place, "content");
    json::Value role;
    bool has_content = false;
    if (!walk.enter_object()) {
        auto wrong = require_object(walk.take(), place);
        return std::unexpected(std::move(wrong.error()));
    }
    while (walk.next_member()) {
        if (walk.key_is("content")) {
            auto parts = read_content(walk, content_place);
            if (!parts) return std::unexpected(std::move(parts.error()));
            message.parts = *std::move(parts);
            has_content = true;
        } else {
            const json::Value value = walk.take();
            if (walk.key_is("role")) role = value;
        }
    }
    const auto known = read_role(role, Place(place, "role"));
    if (!known) return std::unexpected(known.error());
    message.role = *known;
    if (!has_content) return content_place.refuse("Field required");
    return message;
}

Result<void> read_messages(Walk& walk, Request& request) {
    const Place place("messages");
    if (!walk.enter_array()) return require_list(walk.take(), place);
    for (std::size_t i = 0; walk.next_element(); ++i) {
        auto message = read_message(walk, Place(place, i));
        if (!message) return std::unexpected(std::move(message.error()));
        request.messages.push_back(*std::move(message));
    }
    return {};
}

Result<void> read_model(const json::Value& value, const Place& place, Request& request) {
    const auto model = read_string(value, place);
    if (!model) return std::unexpected(model.error());
    request.model = without_window_mark(*model);
    return {};
}

Result<void> read_system_blocks(const json::Value& value, const Place& place, Request& request) {
    if (value.is(json::Kind::null)) return {};
    auto parts = read_system(value, place);
    if (!parts) return std::unexpected(std::move(parts.error()));
    request.system = *std::move(parts);
    return {};
}

Result<void> read_tool_list(const json::Value& value, const Place& place, Request& request) {
    auto tools = read_tools(value, place);
    if (!tools) return std::unexpected(std::move(tools.error()));
    request.tools = *std::move(tools);
    return {};
}

Result<void> read_max_tokens(const json::Value& value, const Place& place, Request& request) {
    if (!value.is(json::Kind::number) && !value.is(json::Kind::null)) {
        return place.refuse("Input should be a valid integer");
    }
    request.max_output_tokens = json::to_uint64(value);
    return {};
}

Result<void> read_stop_sequences(const json::Value& value, const Place& place, Request& request) {
    request.stop.clear();
    if (value.is(json::Kind::null)) return {};
    if (auto ok = require_list(value, place); !ok) return ok;
    Walk walk(value.raw);
    if (!walk.enter_array()) return {};
    for (std::size_t i = 0; walk.next_element(); ++i) {
        auto text = read_required_string(walk.take(), Place(place, i));
        if (!text) return std::unexpected(std::move(text.error()));
        request.stop.push_back(*std::move(text));
    }
    return {};
}

template <std::string Request::* Member>
Result<void> read_number(const json::Value& value, const Place& place, Request& request) {
    if (value.is(json::Kind::null)) return {};
    if (!value.is(json::Kind::number)) return place.refuse("Input should be a valid number");
    request.*Member = value.raw;
    return {};
}

/// A kind of thinking that nobody knows leaves the model to decide.
chat::ThinkingMode::Kind read_thinking_kind(std::string_view word) noexcept {
    using Kind = chat::ThinkingMode::Kind;
    if (word == "disabled") return Kind::disabled;
    if (word == "enabled") return Kind::enabled;
    if (word == "between_tools") return Kind::between_tools;
    return Kind::adaptive;
}

Result<void> read_thinking(const json::Value& value, const Place& place, Request& request) {
    if (value.is(json::Kind::null)) return {};
    if (auto ok = require_object(value, place); !ok) return ok;
    const auto word = read_required_string(member(value, "type"), Place(place, "type"));
    if (!word) return std::unexpected(word.error());
    const json::Value budget = member(value, "budget_tokens");
    if (!budget.is(json::Kind::number) && !budget.is(json::Kind::null)) {
        return Place(place, "budget_tokens").refuse("Input should be a valid integer");
    }
    auto shown = read_string(member(value, "display"), Place(place, "display"));
    if (!shown) return std::unexpected(std::move(shown.error()));
    request.thinking = {.kind = read_thinking_kind(*word),
                        .budget_tokens = json::to_uint64(budget),
                        .display = *std::move(shown)};
    return {};
}

/// Of a format's type that nobody knows nothing is taken over.
Result<void> read_format(const json::Value& value, const Place& place, Request& request) {
    if (value.is(json::Kind::null)) return {};
    if (auto ok = require_object(value, place); !ok) return ok;
    const auto word = read_required_string(member(value, "type"), Place(place, "type"));
    if (!word) return std::unexpected(word.error());
    if (*word != "json_schema") return {};
    const json::Value schema = member(value, "schema");
    if (auto ok = require_object(schema, Place(place, "schema")); !ok) return ok;
    request.response_format = chat::ResponseFormat{.kind = chat::ResponseFormat::Kind::json_schema,
                                                   .name = text_of_member(value, "name"),
                                                   .schema = std::string(schema.raw),
                                                   .strict = true};
    return {};
}

Result<void> read_output_config(const json::Value& value, const Place& place, Request& request) {
    if (value.is(json::Kind::null)) return {};
    if (auto ok = require_object(value, place); !ok) return ok;
    const auto effort = read_string(member(value, "effort"), Place(place, "effort"));
    if (!effort) return std::unexpected(effort.error());
    request.effort = chat::read_effort(*effort);
    return read_format(member(value, "format"), Place(place, "format"), request);
}

Result<void> read_metadata(const json::Value& value, const Place& place, Request& request) {
    if (value.is(json::Kind::null)) return {};
    if (auto ok = require_object(value, place); !ok) return ok;
    auto text = read_string(member(value, "user_id"), Place(place, "user_id"));
    if (!text) return std::unexpected(std::move(text.error()));
    request.user = *std::move(text);
    return {};
}

Result<void> read_service_tier(const json::Value& value, const Place& place, Request& request) {
    auto tier = read_string(value, place);
    if (!tier) return std::unexpected(std::move(tier.error()));
    request.service_tier = *std::move(tier);
    return {};
}

Result<void> read_stream(const json::Value& value, const Place& place, Request& request) {
    const auto stream = read_bool(value, place);
    if (!stream) return std::unexpected(stream.error());
    request.stream = *stream;
    return {};
}

struct Field {
    std::string_view name;
    Result<void> (*read)(const json::Value& value, const Place& place, Request& request) = nullptr;
};

constexpr std::array<Field, 15> kFields{{
    {.name = "model", .read = read_model},
    {.name = "system", .read = read_system_blocks},
    {.name = "tools", .read = read_tool_list},
    {.name = "tool_choice", .read = read_tool_choice},
    {.name = "max_tokens", .read = read_max_tokens},
    {.name = "stop_sequences", .read = read_stop_sequences},
    {.name = "temperature", .read = read_number<&Request::temperature>},
    {.name = "top_p", .read = read_number<&Request::top_p>},
    {.name = "top_k", .read = read_number<&Request::top_k>},
    {.name = "thinking", .read = read_thinking},
    {.name = "output_config", .read = read_output_config},
    {.name = "output_format", .read = read_format},
    {.name = "metadata", .read = read_metadata},
    {.name = "service_tier", .read = read_service_tier},
    {.name = "stream", .read = read_stream},
}};

Result<void> read_member(Walk& walk, Request& request) {
    const json::Value value = walk.take();
    for (const Field& field : kFields) {
        if (walk.key_is(field.name)) return field.read(value, Place(field.name), request);
    }
    const std::string_view key = walk.raw_key();
    const json::Value quoted{.raw = {key.data() - 1, key.size() + 2}, .kind = json::Kind::string};
    request.others.push_back(
        {.name = json::to_string(quoted).value_or(""), .json = std::string(value.raw)});
    return {};
}

}  // namespace

Result<chat::Request> read_request(std::string_view body) {
    Walk walk(body);
    if (!walk.enter_object()) return fail(Errc::bad_request, "the body must be a JSON object");
    Request request;
    request.family = chat::Family::anthropic;
    while (walk.next_member()) {
        auto ok =
            walk.key_is("messages") ? read_messages(walk, request) : read_member(walk, request);
        if (!ok) return std::unexpected(std::move(ok.error()));
    }
    if (!request.messages.empty()) {
        chat::Message& last = request.messages.back();
        last.is_prefix = last.role == chat::Role::assistant;
    }
    return request;
}

}  // namespace sluice::dialect::anthropic_messages
