#include "json/reader.h"
#include "json/writer.h"
#include "shaping/adapt_steps.h"

#include <map>
#include <unordered_map>

namespace sluice::shaping {
namespace {

constexpr std::size_t kMaxNameBytes = 64;

/// Tools by the order in which the conversation first names them.
using Ranks = std::unordered_map<std::string, std::size_t>;

void rank(const std::vector<chat::Part>& parts, Ranks& ranks) {
    for (const chat::Part& part : parts) {
        if (const auto* const reference = part.as<chat::ToolReference>()) {
            ranks.emplace(reference->name, ranks.size());
        } else if (const auto* const result = part.as<chat::ToolResult>()) {
            rank(result->content, ranks);
        } else if (const auto* const native = part.as<chat::Native>()) {
            const auto name = changed_tool(*native);
            if (name && native->type == "tool_addition") ranks.emplace(*name, ranks.size());
        }
    }
}

bool is_portable(std::string_view name) {
    constexpr std::string_view kAllowed =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    return name.size() <= kMaxNameBytes &&
           name.find_first_not_of(kAllowed) == std::string_view::npos;
}

bool has_tool(const chat::Request& request, std::string_view name) {
    return std::ranges::any_of(request.tools,
                               [&](const chat::Tool& tool) { return tool.name == name; });
}

/// The definition's `custom` object, or the definition itself where it is flat.
json::Value custom_definition(const chat::Tool& tool) {
    const json::Value whole = json::as_value(tool.json);
    return json::find(whole, "custom").value_or(whole);
}

std::string custom_description(const chat::Tool& tool) {
    const auto text = [](const json::Value& object, std::string_view name) {
        const auto value = json::find(object, name);
        return value ? json::to_string(*value).value_or("") : std::string();
    };
    if (tool.json.empty()) return tool.description.value_or("");
    const json::Value definition = custom_definition(tool);
    std::string description = tool.description.value_or(text(definition, "description"));
    const auto format = json::find(definition, "format");
    const auto grammar = format ? json::find(*format, "grammar").value_or(*format) : json::Value();
    if (const std::string rules = text(grammar, "definition"); !rules.empty()) {
        if (!description.empty()) description += "\n\n";
        description += "The input follows this " + text(grammar, "syntax") + " grammar:\n" + rules;
    }
    return description;
}

chat::Tool as_function(const chat::Tool& tool) {
    chat::Tool function;
    function.name = tool.name;
    if (std::string text = custom_description(tool); !text.empty()) {
        function.description = std::move(text);
    }
    function.schema =
        R"({"type":"object","properties":{"input":{"type":"string"}},"required":["input"]})";
    function.cache_control = tool.cache_control;
    return function;
}

/// Anthropic's where they are executed; OpenAI's are for the upstream to judge.
bool knows_server_tools(const Adaptation& adaptation) {
    return adaptation.same_family() &&
           (!adaptation.to_anthropic() || adaptation.abilities.server_tools);
}

bool keep_tool(Adaptation& adaptation, chat::Tool& tool, std::size_t i) {
    switch (tool.kind) {
        case chat::Tool::Kind::server:
            if (knows_server_tools(adaptation)) return true;
            adaptation.notes.add("drop.server_tool", place("tools", i));
            return false;
        case chat::Tool::Kind::custom:
            if (!adaptation.abilities.custom_tools) {
                tool = as_function(tool);
                adaptation.notes.add("fold.custom_tool", place("tools", i));
            }
            break;
        case chat::Tool::Kind::function: break;
    }
    if (!is_portable(tool.name)) adaptation.notes.add("pass.tool_name", place("tools", i));
    return true;
}

void cut_tools(Adaptation& adaptation) {
    std::vector<chat::Tool>& tools = adaptation.request.tools;
    const std::size_t most = adaptation.abilities.max_tools;
    if (most == 0 || tools.size() <= most) return;
    for (std::size_t i = most; i < tools.size(); ++i) {
        adaptation.notes.add("drop.tool", place("tools", i));
    }
    tools.erase(tools.begin() + static_cast<std::ptrdiff_t>(most), tools.end());
}

void adapt_strict(Adaptation& adaptation) {
    std::vector<chat::Tool>& tools = adaptation.request.tools;
    const auto is_strict = [](const chat::Tool& tool) { return tool.strict.value_or(false); };
    // DeepSeek: all or none.
    const bool keep = adaptation.abilities.strict_tools &&
                      (adaptation.abilities.thinking != chat::ThinkingControl::deepseek ||
                       std::ranges::all_of(tools, is_strict));
    if (keep) return;
    for (std::size_t i = 0; i < tools.size(); ++i) {
        if (is_strict(tools[i])) adaptation.notes.add("drop.strict", place("tools", i));
        tools[i].strict.reset();
    }
}

void drop_choice(Adaptation& adaptation) {
    if (!adaptation.request.tool_choice) return;
    adaptation.request.tool_choice.reset();
    adaptation.notes.add("drop.tool_choice", "tool_choice");
}

void adapt_parallel(Adaptation& adaptation) {
    auto& parallel = adaptation.request.parallel_tool_calls;
    if (!parallel) return;
    if (adaptation.abilities.parallel_tool_calls && !adaptation.request.tools.empty()) return;
    // To allow it is every provider's default.
    if (!*parallel) adaptation.notes.add("drop.parallel_tool_calls", "parallel_tool_calls");
    parallel.reset();
}

}  // namespace

void load_deferred_tools(Adaptation& adaptation) {
    if (adaptation.abilities.deferred_tools) return;
    chat::Request& request = adaptation.request;
    Ranks ranks;
    for (const chat::Message& message : request.messages) rank(message.parts, ranks);
    std::multimap<std::size_t, chat::Tool> loaded;
    filter(request.tools, [&](chat::Tool& tool, std::size_t i) {
        if (const auto found = ranks.find(tool.name); found != ranks.end()) {
            tool.deferred = false;
            loaded.emplace(found->second, std::move(tool));
            adaptation.notes.add("move.loaded_tool", place("tools", i));
            return false;
        }
        if (tool.deferred) adaptation.notes.add("drop.deferred_tool", place("tools", i));
        return !tool.deferred;
    });
    for (auto& [first_named, tool] : loaded) request.tools.push_back(std::move(tool));
}

void adapt_tools(Adaptation& adaptation) {
    chat::Request& request = adaptation.request;
    const bool had_chosen = request.tool_choice &&
                            request.tool_choice->kind == chat::ToolChoice::Kind::named &&
                            has_tool(request, request.tool_choice->name);
    filter(request.tools,
           [&](chat::Tool& tool, std::size_t i) { return keep_tool(adaptation, tool, i); });
    cut_tools(adaptation);
    adapt_strict(adaptation);
    const bool lost = had_chosen && !has_tool(request, request.tool_choice->name);
    if (request.tools.empty() || lost) drop_choice(adaptation);
    adapt_parallel(adaptation);
}

}  // namespace sluice::shaping
