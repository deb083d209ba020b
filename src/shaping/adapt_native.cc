#include "json/reader.h"
#include "shaping/adapt_steps.h"

namespace sluice::shaping {
namespace {

std::string member(const json::Value& object, std::string_view name) {
    const auto value = json::find(object, name);
    return value ? json::to_string(*value).value_or("") : "";
}

void add_line(std::string& text, std::string_view line) {
    if (line.empty()) return;
    if (!text.empty()) text += '\n';
    text += line;
}

/// {"type":"search_result","title","source","content":[{"type":"text","text"}]}
std::string search_result_text(const json::Value& block) {
    std::string text;
    add_line(text, member(block, "title"));
    add_line(text, member(block, "source"));
    const auto content = json::find(block, "content");
    if (!content || !content->is(json::Kind::array)) return text;
    json::Reader reader(*content);
    while (reader.next()) add_line(text, member(reader.value(), "text"));
    return text;
}

/// The content is a list of {"type":"web_search_result","title","url"}, or an error.
std::string web_search_text(const json::Value& block) {
    const auto content = json::find(block, "content");
    if (!content) return {};
    if (content->is(json::Kind::object)) {
        return "The web search failed: " + member(*content, "error_code");
    }
    if (!content->is(json::Kind::array)) return {};
    std::string text = "Results of the web search:";
    json::Reader reader(*content);
    while (reader.next()) {
        add_line(text, "- " + member(reader.value(), "title"));
        add_line(text, member(reader.value(), "url"));
    }
    return text;
}

}  // namespace

std::optional<std::string> changed_tool(const chat::Native& native) {
    if (native.type != "tool_addition" && native.type != "tool_removal") return std::nullopt;
    const auto tool = json::find(json::as_value(native.json), "tool");
    if (!tool) return std::nullopt;
    std::string name = member(*tool, "name");
    if (name.empty()) name = member(*tool, "tool_name");
    if (name.empty()) return std::nullopt;
    return name;
}

std::optional<std::string> native_text(const chat::Native& native) {
    std::string text;
    if (const auto tool = changed_tool(native)) {
        text = native.type == "tool_addition" ? loaded_text(*tool)
                                              : "Tool " + *tool + " is no longer available.";
    } else if (native.type == "search_result") {
        text = search_result_text(json::as_value(native.json));
    } else if (native.type == "web_search_tool_result") {
        text = web_search_text(json::as_value(native.json));
    }
    if (text.empty()) return std::nullopt;
    return text;
}

}  // namespace sluice::shaping
