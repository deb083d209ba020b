#include "dialect/openai_chat/read_tools.h"

#include "dialect/request.h"
#include "dialect/walk.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::dialect::openai_chat {
namespace {

/// Reads name, description, parameters and strict.
Result<chat::Tool> read_function(const json::Value& function, const std::string& at) {
    chat::Tool tool;
    Walk walk(function.raw);
    if (!walk.enter_object()) return refuse_type(at, "an object");
    while (walk.next_member()) {
        const json::Value value = walk.take();
        if (walk.key_is("name")) {
            tool.name = json::to_string(value).value_or("");
        } else if (walk.key_is("description")) {
            tool.description = json::to_string(value);
        } else if (walk.key_is("parameters")) {
            if (value.is(json::Kind::object)) tool.schema = value.raw;
        } else if (walk.key_is("strict")) {
            if (value.is(json::Kind::boolean)) tool.strict = value.is_true();
        }
    }
    if (tool.name.empty()) return refuse_type(at + ".name", "a string");
    return tool;
}

Result<chat::Tool> read_tool(const json::Value& value, const std::string& at) {
    if (!value.is(json::Kind::object)) return refuse_type(at, "an object");
    const std::string type = text_of_member(value, "type");
    const auto function = member_of(value, "function");
    if (type.empty() || type == "function") {
        if (function) return read_function(*function, at + ".function");
        return read_function(value, at);  // the Responses API's flat form
    }
    chat::Tool tool;
    tool.json = value.raw;
    if (type == "custom") {
        tool.kind = chat::Tool::Kind::custom;
        const json::Value definition = member_of(value, "custom").value_or(value);
        tool.name = text_of_member(definition, "name");
        if (auto text = text_of_member(definition, "description"); !text.empty()) {
            tool.description = std::move(text);
        }
        if (tool.name.empty()) return refuse_type(at + ".custom.name", "a string");
        return tool;
    }
    tool.kind = chat::Tool::Kind::server;
    tool.type = type;
    tool.name = text_of_member(value, "name");
    if (tool.name.empty()) tool.name = type;
    return tool;
}

/// The name in `{"type":"function","function":{"name":...}}`, also in its flat form.
std::string name_in(const json::Value& choice) {
    for (const std::string_view kind : {"function", "custom"}) {
        if (const auto named = member_of(choice, kind)) return text_of_member(*named, "name");
    }
    return text_of_member(choice, "name");
}

bool read_mode(std::string_view word, chat::ToolChoice& choice) {
    using Kind = chat::ToolChoice::Kind;
    if (word == "auto") {
        choice.kind = Kind::automatic;
    } else if (word == "none") {
        choice.kind = Kind::none;
    } else if (word == "required" || word == "any") {
        choice.kind = Kind::required;
    } else {
        return false;
    }
    return true;
}

Result<void> read_allowed(const json::Value& value, chat::Request& request) {
    constexpr std::string_view kPlace = "tool_choice.allowed_tools";
    const json::Value allowed = member_of(value, "allowed_tools").value_or(value);
    const auto tools = member_of(allowed, "tools");
    if (!tools || !tools->is(json::Kind::array)) {
        return refuse_type(std::string(kPlace) + ".tools", "a list");
    }
    std::vector<std::string> names;
    Walk walk(tools->raw);
    if (!walk.enter_array()) return {};
    while (walk.next_element()) names.push_back(name_in(walk.take()));
    std::erase_if(request.tools, [&names](const chat::Tool& tool) {
        return std::ranges::find(names, tool.name) == names.end();
    });
    chat::ToolChoice choice;
    if (!read_mode(text_of_member(allowed, "mode"), choice)) {
        return refuse_type(std::string(kPlace) + ".mode", "'auto' or 'required'");
    }
    request.tool_choice = std::move(choice);
    return {};
}

}  // namespace

Result<void> read_tools(const json::Value& tools, bool legacy, chat::Request& request) {
    const std::string name = legacy ? "functions" : "tools";
    if (tools.is(json::Kind::null)) return {};
    Walk walk(tools.raw);
    if (!walk.enter_array()) return refuse_type(name, "a list");
    std::size_t index = 0;
    while (walk.next_element()) {
        const json::Value value = walk.take();
        const std::string at = name + "[" + std::to_string(index++) + "]";
        auto tool = legacy ? read_function(value, at) : read_tool(value, at);
        if (!tool) return std::unexpected(std::move(tool.error()));
        request.tools.push_back(*std::move(tool));
    }
    return {};
}

Result<void> read_tool_choice(const json::Value& value, bool legacy, chat::Request& request) {
    const std::string place = legacy ? "function_call" : "tool_choice";
    chat::ToolChoice choice;
    switch (value.kind) {
        case json::Kind::null: return {};
        case json::Kind::string:
            if (!read_mode(json::to_string(value).value_or(""), choice)) {
                return refuse_type(place, "'none', 'auto', 'required' or a tool");
            }
            break;
        case json::Kind::object:
            if (text_of_member(value, "type") == "allowed_tools")
                return read_allowed(value, request);
            choice.kind = chat::ToolChoice::Kind::named;
            choice.name = name_in(value);
            if (choice.name.empty()) return refuse(place, "'" + place + "' must name a tool");
            break;
        case json::Kind::array:
        case json::Kind::number:
        case json::Kind::boolean: return refuse_type(place, "'none', 'auto', 'required' or a tool");
    }
    request.tool_choice = std::move(choice);
    return {};
}

}  // namespace sluice::dialect::openai_chat
