#include "dialect/anthropic_messages/read_tools.h"

#include "dialect/walk.h"

#include <string>
#include <utility>

namespace sluice::dialect::anthropic_messages {
namespace {

struct Definition {
    json::Value type;
    json::Value name;
    json::Value description;
    json::Value input_schema;
    json::Value strict;
    json::Value defer_loading;
    json::Value cache_control;
};

Definition read_definition(const json::Value& object) {
    Definition found;
    Walk walk(object.raw);
    if (!walk.enter_object()) return found;
    while (walk.next_member()) {
        const json::Value value = walk.take();
        if (walk.key_is("type")) found.type = value;
        if (walk.key_is("name")) found.name = value;
        if (walk.key_is("description")) found.description = value;
        if (walk.key_is("input_schema")) found.input_schema = value;
        if (walk.key_is("strict")) found.strict = value;
        if (walk.key_is("defer_loading")) found.defer_loading = value;
        if (walk.key_is("cache_control")) found.cache_control = value;
    }
    return found;
}

/// What only functions have.
Result<void> read_function(const Definition& found, const Place& place, chat::Tool& tool) {
    auto name = read_required_string(found.name, Place(place, "name"));
    if (!name) return std::unexpected(std::move(name.error()));
    tool.name = *std::move(name);
    if (!found.description.is(json::Kind::null)) {
        auto description = read_string(found.description, Place(place, "description"));
        if (!description) return std::unexpected(std::move(description.error()));
        tool.description = *std::move(description);
    }
    if (!found.input_schema.is(json::Kind::null)) {
        auto ok = require_object(found.input_schema, Place(place, "input_schema"));
        if (!ok) return ok;
        tool.schema = found.input_schema.raw;
    }
    if (!found.strict.is(json::Kind::null)) {
        const auto strict = read_bool(found.strict, Place(place, "strict"));
        if (!strict) return std::unexpected(strict.error());
        tool.strict = *strict;
    }
    return {};
}

Result<chat::Tool> read_tool(const json::Value& value, const Place& place) {
    if (auto ok = require_object(value, place); !ok) return std::unexpected(std::move(ok.error()));
    const Definition found = read_definition(value);
    auto type = read_string(found.type, Place(place, "type"));
    if (!type) return std::unexpected(std::move(type.error()));
    const auto deferred = read_bool(found.defer_loading, Place(place, "defer_loading"));
    if (!deferred) return std::unexpected(deferred.error());
    chat::Tool tool;
    tool.deferred = *deferred;
    if (!found.cache_control.is(json::Kind::null)) tool.cache_control = found.cache_control.raw;
    if (type->empty() || *type == "custom") {
        if (auto ok = read_function(found, place, tool); !ok) {
            return std::unexpected(std::move(ok.error()));
        }
    } else {
        tool.kind = chat::Tool::Kind::server;
        tool.type = *std::move(type);
        tool.name = json::to_string(found.name).value_or("");
        tool.json = value.raw;
    }
    return tool;
}

}  // namespace

Result<std::vector<chat::Tool>> read_tools(const json::Value& tools, const Place& place) {
    std::vector<chat::Tool> list;
    if (tools.is(json::Kind::null)) return list;
    if (auto ok = require_list(tools, place); !ok) return std::unexpected(std::move(ok.error()));
    Walk walk(tools.raw);
    if (!walk.enter_array()) return list;
    for (std::size_t i = 0; walk.next_element(); ++i) {
        auto tool = read_tool(walk.take(), Place(place, i));
        if (!tool) return std::unexpected(std::move(tool.error()));
        list.push_back(*std::move(tool));
    }
    return list;
}

Result<void> read_tool_choice(const json::Value& choice, const Place& place,
                              chat::Request& request) {
    using Kind = chat::ToolChoice::Kind;
    if (choice.is(json::Kind::null)) return {};
    if (auto ok = require_object(choice, place); !ok) return ok;
    const json::Value one_at_a_time =
        member_of(choice, "disable_parallel_tool_use").value_or(json::Value());
    const auto word = read_required_string(member_of(choice, "type").value_or(json::Value()),
                                           Place(place, "type"));
    if (!word) return std::unexpected(word.error());
    if (*word == "auto") request.tool_choice = chat::ToolChoice{};
    if (*word == "any") request.tool_choice = chat::ToolChoice{.kind = Kind::required, .name = {}};
    if (*word == "none") request.tool_choice = chat::ToolChoice{.kind = Kind::none, .name = {}};
    if (*word == "tool") {
        auto named = read_required_string(member_of(choice, "name").value_or(json::Value()),
                                          Place(place, "name"));
        if (!named) return std::unexpected(std::move(named.error()));
        request.tool_choice = chat::ToolChoice{.kind = Kind::named, .name = *std::move(named)};
    }
    const auto disabled = read_bool(one_at_a_time, Place(place, "disable_parallel_tool_use"));
    if (!disabled) return std::unexpected(disabled.error());
    if (!one_at_a_time.is(json::Kind::null)) request.parallel_tool_calls = !*disabled;
    return {};
}

}  // namespace sluice::dialect::anthropic_messages
