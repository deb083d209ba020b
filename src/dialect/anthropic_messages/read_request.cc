#include "dialect/anthropic_messages/read_request.h"

#include "dialect/anthropic_messages/head.h"
#include "dialect/anthropic_messages/place.h"
#include "dialect/anthropic_messages/read_parts.h"
#include "dialect/anthropic_messages/read_tools.h"
#include "json/reader.h"

#include <array>
#include <cstddef>
#include <string>
#include <utility>

namespace sluice::dialect::anthropic_messages {
namespace {

using chat::Request;

Result<chat::Message> read_message(const json::Value& value, const Place& place) {
    if (auto ok = require_object(value, place); !ok) return std::unexpected(std::move(ok.error()));
    json::Value role;
    json::Value content;
    json::Reader reader(value);
    while (reader.next()) {
        if (reader.key_is("role")) role = reader.value();
        if (reader.key_is("content")) content = reader.value();
    }
    const Place role_place(place, "role");
    const auto word = read_required_string(role, role_place);
    if (!word) return std::unexpected(word.error());
    chat::Message message;
    if (*word == "assistant") {
        message.role = chat::Role::assistant;
    } else if (*word == "system") {
        message.role = chat::Role::system;
    } else if (*word != "user") {
        return role_place.refuse("Input should be 'user', 'assistant' or 'system'");
    }
    auto parts = read_content(content, Place(place, "content"));
    if (!parts) return std::unexpected(std::move(parts.error()));
    message.parts = *std::move(parts);
    return message;
}

Result<void> read_messages(const json::Value& value, const Place& place, Request& request) {
    request.messages.clear();
    if (auto ok = require_list(value, place); !ok) return ok;
    json::Reader reader(value);
    for (std::size_t i = 0; reader.next(); ++i) {
        auto message = read_message(reader.value(), Place(place, i));
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
    json::Reader reader(value);
    for (std::size_t i = 0; reader.next(); ++i) {
        auto text = read_required_string(reader.value(), Place(place, i));
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
    json::Value type;
    json::Value budget;
    json::Value display;
    json::Reader reader(value);
    while (reader.next()) {
        if (reader.key_is("type")) type = reader.value();
        if (reader.key_is("budget_tokens")) budget = reader.value();
        if (reader.key_is("display")) display = reader.value();
    }
    const auto word = read_required_string(type, Place(place, "type"));
    if (!word) return std::unexpected(word.error());
    if (!budget.is(json::Kind::number) && !budget.is(json::Kind::null)) {
        return Place(place, "budget_tokens").refuse("Input should be a valid integer");
    }
    auto shown = read_string(display, Place(place, "display"));
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
    json::Value type;
    json::Value name;
    json::Value schema;
    json::Reader reader(value);
    while (reader.next()) {
        if (reader.key_is("type")) type = reader.value();
        if (reader.key_is("name")) name = reader.value();
        if (reader.key_is("schema")) schema = reader.value();
    }
    const auto word = read_required_string(type, Place(place, "type"));
    if (!word) return std::unexpected(word.error());
    if (*word != "json_schema") return {};
    if (auto ok = require_object(schema, Place(place, "schema")); !ok) return ok;
    request.response_format = chat::ResponseFormat{.kind = chat::ResponseFormat::Kind::json_schema,
                                                   .name = json::to_string(name).value_or(""),
                                                   .schema = std::string(schema.raw),
                                                   .strict = true};
    return {};
}

Result<void> read_output_config(const json::Value& value, const Place& place, Request& request) {
    if (value.is(json::Kind::null)) return {};
    if (auto ok = require_object(value, place); !ok) return ok;
    json::Reader reader(value);
    while (reader.next()) {
        if (reader.key_is("effort")) {
            const auto word = read_string(reader.value(), Place(place, "effort"));
            if (!word) return std::unexpected(word.error());
            request.effort = chat::read_effort(*word);
        } else if (reader.key_is("format")) {
            auto ok = read_format(reader.value(), Place(place, "format"), request);
            if (!ok) return ok;
        }
    }
    return {};
}

Result<void> read_metadata(const json::Value& value, const Place& place, Request& request) {
    if (value.is(json::Kind::null)) return {};
    if (auto ok = require_object(value, place); !ok) return ok;
    const auto user = json::find(value, "user_id");
    if (!user) return {};
    auto text = read_string(*user, Place(place, "user_id"));
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

constexpr std::array<Field, 16> kFields{{
    {.name = "model", .read = read_model},
    {.name = "messages", .read = read_messages},
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

Result<void> read_member(const json::Reader& reader, Request& request) {
    for (const Field& field : kFields) {
        if (reader.key_is(field.name)) {
            return field.read(reader.value(), Place(field.name), request);
        }
    }
    const std::string_view key = reader.raw_key();
    const json::Value quoted{.raw = {key.data() - 1, key.size() + 2}, .kind = json::Kind::string};
    request.others.push_back(
        {.name = json::to_string(quoted).value_or(""), .json = std::string(reader.value().raw)});
    return {};
}

}  // namespace

Result<chat::Request> read_request(std::string_view body) {
    Request request;
    request.family = chat::Family::anthropic;
    json::Reader reader(body);
    while (reader.next()) {
        if (auto ok = read_member(reader, request); !ok) {
            return std::unexpected(std::move(ok.error()));
        }
    }
    if (reader.failed() || reader.kind() != json::Kind::object) {
        return fail(Errc::bad_request, "the body is not valid JSON: " + reader.failure());
    }
    if (!request.messages.empty()) {
        chat::Message& last = request.messages.back();
        last.is_prefix = last.role == chat::Role::assistant;
    }
    return request;
}

}  // namespace sluice::dialect::anthropic_messages
