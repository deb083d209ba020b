#include "dialect/anthropic_messages/write_request.h"

#include "dialect/anthropic_messages/write_messages.h"
#include "json/reader.h"
#include "json/writer.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace sluice::dialect::anthropic_messages {
namespace {

constexpr std::uint64_t kDefaultMaxTokens = 8192;
constexpr std::string_view kNoParameters = R"({"type":"object","properties":{}})";

bool has_mark(const std::vector<chat::Part>& parts) {
    return std::ranges::any_of(parts, [](const chat::Part& part) {
        const auto* const result = part.as<chat::ToolResult>();
        return !part.cache_control.empty() || (result != nullptr && has_mark(result->content));
    });
}

bool has_mark(const chat::Request& request) {
    return has_mark(request.system) ||
           std::ranges::any_of(
               request.messages,
               [](const chat::Message& message) { return has_mark(message.parts); }) ||
           std::ranges::any_of(request.tools,
                               [](const chat::Tool& tool) { return !tool.cache_control.empty(); });
}

/// Anthropic wants the type said, even where there are no parameters.
std::string schema_of(const chat::Tool& tool) {
    const json::Value schema = json::as_value(tool.schema);
    if (!schema.is(json::Kind::object) || json::is_empty(schema)) {
        return std::string(kNoParameters);
    }
    if (json::find(schema, "type")) return tool.schema;
    return R"({"type":"object",)" + std::string(schema.raw.substr(1));
}

class RequestWriter {
public:
    RequestWriter(std::string& out, const chat::Request& request, const chat::Abilities& abilities,
                  chat::Changes& changes)
        : json_(out),
          request_(request),
          abilities_(abilities),
          changes_(changes),
          marks_(request.family == chat::Family::openai && !has_mark(request)) {
        for (std::size_t i = 0; i < request.tools.size(); ++i) {
            if (is_written(request.tools[i])) {
                tools_.push_back(&request.tools[i]);
            } else {
                note("drop.tool", "tools[" + std::to_string(i) + "]");
            }
        }
    }

    /// In the order in which Claude Code writes.
    void write() {
        json_.begin_object().key("model").string(request_.model);
        write_messages(json_, request_, abilities_, marks_, changes_);
        const bool has_system = write_system(json_, request_.system, marks_);
        write_tools(marks_ && !has_system);
        write_tool_choice();
        if (!request_.user.empty() && !abilities_.user_field.empty()) {
            json_.key("metadata").begin_object();
            json_.key("user_id").string(request_.user).end_object();
        }
        write_limits();
        write_sampling();
        write_thinking();
        if (request_.family == chat::Family::anthropic) {
            for (const chat::Field& field : request_.others) json_.key(field.name).raw(field.json);
        }
        write_output_config();
        if (!request_.service_tier.empty() && abilities_.service_tier) {
            json_.key("service_tier").string(request_.service_tier);
        }
        if (request_.stream) json_.key("stream").boolean(true);
        json_.end_object();
    }

private:
    /// A custom tool's format, and OpenAI's own tools, are unknown here.
    [[nodiscard]] bool is_written(const chat::Tool& tool) const {
        switch (tool.kind) {
            case chat::Tool::Kind::function: return true;
            case chat::Tool::Kind::custom: return false;
            case chat::Tool::Kind::server:
                return !tool.json.empty() && request_.family == chat::Family::anthropic;
        }
        return false;
    }

    void write_tools(bool mark) {
        if (tools_.empty()) return;
        json_.key("tools").begin_array();
        for (const chat::Tool* const tool : tools_) {
            if (tool->kind == chat::Tool::Kind::server) {
                json_.raw(tool->json);
            } else {
                write_function(*tool, mark && tool == tools_.back());
            }
        }
        json_.end_array();
    }

    void write_function(const chat::Tool& tool, bool mark) {
        json_.begin_object().key("name").string(tool.name);
        if (tool.description) json_.key("description").string(*tool.description);
        json_.key("input_schema").raw(schema_of(tool));
        if (tool.strict && abilities_.strict_tools) json_.key("strict").boolean(*tool.strict);
        if (tool.deferred && abilities_.deferred_tools) json_.key("defer_loading").boolean(true);
        if (!tool.cache_control.empty()) {
            json_.key("cache_control").raw(tool.cache_control);
        } else if (mark) {
            json_.key("cache_control").raw(kCacheMark);
        }
        json_.end_object();
    }

    void write_tool_choice() {
        using Kind = chat::ToolChoice::Kind;
        const bool one_at_a_time =
            request_.parallel_tool_calls == false && abilities_.parallel_tool_calls;
        if (!request_.tool_choice && !one_at_a_time) return;
        if (tools_.empty()) {
            if (request_.tool_choice) note("drop.tool_choice", "tool_choice");
            return;
        }
        const chat::ToolChoice choice = request_.tool_choice.value_or(chat::ToolChoice{});
        json_.key("tool_choice").begin_object().key("type");
        switch (choice.kind) {
            case Kind::automatic: json_.string("auto"); break;
            case Kind::none: json_.string("none"); break;
            case Kind::required: json_.string("any"); break;
            case Kind::named: json_.string("tool").key("name").string(choice.name); break;
        }
        if (one_at_a_time && choice.kind != Kind::none) {
            json_.key("disable_parallel_tool_use").boolean(true);
        }
        json_.end_object();
    }

    void write_limits() {
        const std::uint64_t usual = abilities_.default_output_tokens.value_or(kDefaultMaxTokens);
        if (!request_.max_output_tokens) note("default.max_tokens", std::to_string(usual));
        json_.key("max_tokens").number(request_.max_output_tokens.value_or(usual));
        std::vector<std::string_view> stop;
        for (std::size_t i = 0; i < request_.stop.size(); ++i) {
            if (is_blank(request_.stop[i])) {
                note("drop.stop", "stop[" + std::to_string(i) + "]");
            } else {
                stop.emplace_back(request_.stop[i]);
            }
        }
        if (stop.empty()) return;
        json_.key("stop_sequences").begin_array();
        for (const std::string_view text : stop) json_.string(text);
        json_.end_array();
    }

    void write_sampling() {
        if (!abilities_.sampling) return;
        if (!request_.temperature.empty()) {
            const bool too_hot = std::strtod(request_.temperature.c_str(), nullptr) > 1;
            if (too_hot) note("clamp.temperature", request_.temperature);
            json_.key("temperature").raw(too_hot ? "1" : request_.temperature);
        }
        if (!request_.top_p.empty()) json_.key("top_p").raw(request_.top_p);
        if (!request_.top_k.empty()) json_.key("top_k").raw(request_.top_k);
    }

    void write_thinking() {
        using Kind = chat::ThinkingMode::Kind;
        const chat::ThinkingMode& mode = request_.thinking;
        if (abilities_.thinking != chat::ThinkingControl::anthropic || mode.kind == Kind::unset) {
            return;
        }
        json_.key("thinking").begin_object().key("type");
        switch (mode.kind) {
            case Kind::unset:
            case Kind::disabled: json_.string("disabled"); break;
            case Kind::enabled: json_.string("enabled"); break;
            case Kind::adaptive: json_.string("adaptive"); break;
            case Kind::between_tools: json_.string("between_tools"); break;
        }
        if (mode.budget_tokens) json_.key("budget_tokens").number(*mode.budget_tokens);
        if (!mode.display.empty()) json_.key("display").string(mode.display);
        json_.end_object();
    }

    void write_output_config() {
        const bool has_effort = request_.effort && request_.effort != chat::Effort::none &&
                                abilities_.thinking == chat::ThinkingControl::anthropic;
        const auto& format = request_.response_format;
        const bool has_format = format && format->kind == chat::ResponseFormat::Kind::json_schema &&
                                !format->schema.empty() && abilities_.json_schema;
        if (!has_effort && !has_format) return;
        json_.key("output_config").begin_object();
        if (has_effort) {
            const bool is_minimal = request_.effort == chat::Effort::minimal;
            json_.key("effort").string(is_minimal ? "low" : chat::to_string(*request_.effort));
        }
        if (has_format) {
            json_.key("format").begin_object().key("type").string("json_schema");
            json_.key("schema").raw(format->schema).end_object();
        }
        json_.end_object();
    }

    void note(std::string_view rule, std::string what) {
        changes_.push_back({.rule = rule, .what = std::move(what)});
    }

    json::Writer json_;
    const chat::Request& request_;
    const chat::Abilities& abilities_;
    chat::Changes& changes_;
    bool marks_;  // the gateway sets cache marks
    std::vector<const chat::Tool*> tools_;
};

}  // namespace

std::string write_request(const chat::Request& request, const chat::Abilities& abilities,
                          chat::Changes& changes) {
    std::string out;
    RequestWriter(out, request, abilities, changes).write();
    return out;
}

}  // namespace sluice::dialect::anthropic_messages
