#include "dialect/openai_chat/write_request.h"

#include "dialect/openai_chat/write_messages.h"
#include "json/writer.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace sluice::dialect::openai_chat {
namespace {

/// Members that are written from the request's own, never from its others.
constexpr std::array<std::string_view, 7> kOwn = {"model",    "messages",       "tools", "stream",
                                                  "thinking", "stream_options", "stop"};

class RequestWriter {
public:
    RequestWriter(std::string& out, const chat::Request& request, const chat::Abilities& abilities,
                  chat::Changes& changes)
        : json_(out),
          request_(request),
          abilities_(abilities),
          changes_(changes),
          has_tools_(std::ranges::any_of(
              request.tools, [this](const chat::Tool& tool) { return is_written(tool); })) {}

    /// The messages stand last, so that a conversation that goes on leaves the bytes before alone.
    void write() {
        json_.begin_object().key("model").string(request_.model);
        if (request_.stream) {
            json_.key("stream").boolean(true).key("stream_options");
            json_.begin_object().key("include_usage").boolean(true).end_object();
        }
        write_limits();
        write_sampling();
        write_thinking();
        write_response_format();
        write_tools();
        write_tool_choice();
        write_rest();
        json_.key("messages");
        write_messages(json_, request_, abilities_, has_tools_, changes_);
        json_.end_object();
    }

private:
    [[nodiscard]] bool is_written(const chat::Tool& tool) const {
        switch (tool.kind) {
            case chat::Tool::Kind::function: return !tool.deferred;
            case chat::Tool::Kind::custom: return !tool.json.empty() && abilities_.custom_tools;
            case chat::Tool::Kind::server:
                return !tool.json.empty() && request_.family == chat::Family::openai;
        }
        return false;
    }

    void write_limits() {
        if (request_.max_output_tokens && !abilities_.output_limit_field.empty()) {
            json_.key(abilities_.output_limit_field).number(*request_.max_output_tokens);
        }
        if (request_.choices != 1) json_.key("n").number(request_.choices);
        if (request_.stop.empty()) return;
        json_.key("stop").begin_array();
        for (const std::string& stop : request_.stop) json_.string(stop);
        json_.end_array();
    }

    void write_sampling() {
        if (!abilities_.sampling) return;
        if (!request_.temperature.empty()) json_.key("temperature").raw(request_.temperature);
        if (!request_.top_p.empty()) json_.key("top_p").raw(request_.top_p);
        if (!request_.top_k.empty()) json_.key("top_k").raw(request_.top_k);
    }

    [[nodiscard]] bool is_thinking_disabled() const {
        return request_.thinking.kind == chat::ThinkingMode::Kind::disabled ||
               request_.effort == chat::Effort::none;
    }

    void write_thinking() {
        switch (abilities_.thinking) {
            case chat::ThinkingControl::none:
            case chat::ThinkingControl::anthropic: return;
            case chat::ThinkingControl::effort:
                if (is_thinking_disabled()) {
                    write_effort(chat::Effort::none);
                } else if (request_.effort) {
                    write_effort(*request_.effort);
                }
                return;
            case chat::ThinkingControl::deepseek: write_deepseek_thinking(); return;
        }
    }

    void write_effort(chat::Effort effort) {
        json_.key("reasoning_effort").string(chat::to_string(effort));
    }

    /// An effort beside `disabled` is refused by DeepSeek.
    void write_deepseek_thinking() {
        const bool is_disabled = is_thinking_disabled();
        if (is_disabled || request_.thinking.kind != chat::ThinkingMode::Kind::unset) {
            json_.key("thinking").begin_object().key("type");
            json_.string(is_disabled ? "disabled" : "enabled").end_object();
        }
        if (is_disabled || !request_.effort) return;
        switch (*request_.effort) {
            case chat::Effort::none: return;
            case chat::Effort::minimal:
            case chat::Effort::low: write_effort(chat::Effort::low); return;
            case chat::Effort::medium:
            case chat::Effort::high:
            case chat::Effort::xhigh: write_effort(chat::Effort::high); return;
            case chat::Effort::max: write_effort(chat::Effort::max); return;
        }
    }

    void write_response_format() {
        if (!request_.response_format) return;
        const chat::ResponseFormat& format = *request_.response_format;
        json_.key("response_format").begin_object().key("type");
        switch (format.kind) {
            case chat::ResponseFormat::Kind::text: json_.string("text"); break;
            case chat::ResponseFormat::Kind::json_object: json_.string("json_object"); break;
            case chat::ResponseFormat::Kind::json_schema:
                json_.string("json_schema").key("json_schema").begin_object();
                json_.key("name").string(format.name.empty() ? "response" : format.name);
                if (!format.schema.empty()) json_.key("schema").raw(format.schema);
                if (format.strict) json_.key("strict").boolean(*format.strict);
                json_.end_object();
                break;
        }
        json_.end_object();
    }

    void write_tools() {
        if (has_tools_) json_.key("tools").begin_array();
        std::size_t index = 0;
        for (const chat::Tool& tool : request_.tools) {
            const std::size_t at = index++;
            if (is_written(tool)) {
                write_tool(tool);
            } else if (tool.kind != chat::Tool::Kind::function) {
                changes_.push_back({.rule = tool.kind == chat::Tool::Kind::custom
                                                ? "drop.custom_tool"
                                                : "drop.server_tool",
                                    .what = "tools[" + std::to_string(at) + "]"});
            }
        }
        if (has_tools_) json_.end_array();
    }

    void write_tool(const chat::Tool& tool) {
        if (tool.kind != chat::Tool::Kind::function) {
            json_.raw(tool.json);
            return;
        }
        json_.begin_object().key("type").string("function").key("function").begin_object();
        json_.key("name").string(tool.name);
        if (tool.description) json_.key("description").string(*tool.description);
        if (!tool.schema.empty()) json_.key("parameters").raw(tool.schema);
        if (tool.strict && abilities_.strict_tools) json_.key("strict").boolean(*tool.strict);
        json_.end_object().end_object();
    }

    /// Both are refused where there are no tools.
    void write_tool_choice() {
        if (!has_tools_) return;
        if (request_.tool_choice) {
            json_.key("tool_choice");
            switch (request_.tool_choice->kind) {
                case chat::ToolChoice::Kind::automatic: json_.string("auto"); break;
                case chat::ToolChoice::Kind::none: json_.string("none"); break;
                case chat::ToolChoice::Kind::required: json_.string("required"); break;
                case chat::ToolChoice::Kind::named: write_named(request_.tool_choice->name); break;
            }
        }
        if (request_.parallel_tool_calls && abilities_.parallel_tool_calls) {
            json_.key("parallel_tool_calls").boolean(*request_.parallel_tool_calls);
        }
    }

    void write_named(std::string_view name) {
        const bool is_custom = std::ranges::any_of(request_.tools, [name](const chat::Tool& tool) {
            return tool.kind == chat::Tool::Kind::custom && tool.name == name;
        });
        const std::string_view kind = is_custom ? "custom" : "function";
        json_.begin_object().key("type").string(kind);
        json_.key(kind).begin_object().key("name").string(name).end_object().end_object();
    }

    void write_rest() {
        if (!request_.user.empty() && !abilities_.user_field.empty()) {
            json_.key(abilities_.user_field).string(request_.user);
        }
        if (!request_.service_tier.empty() && abilities_.service_tier) {
            json_.key("service_tier").string(request_.service_tier);
        }
        if (request_.family != chat::Family::openai) return;
        for (const chat::Field& field : request_.others) {
            const bool is_own = std::ranges::find(kOwn, field.name) != kOwn.end();
            // A word that only the client knows would come beside the one written above.
            const bool is_effort = field.name == "reasoning_effort" &&
                                   abilities_.thinking != chat::ThinkingControl::effort;
            if (!is_own && !is_effort) json_.key(field.name).raw(field.json);
        }
    }

    json::Writer json_;
    const chat::Request& request_;
    const chat::Abilities& abilities_;
    chat::Changes& changes_;
    bool has_tools_;
};

std::size_t size_of(const chat::Request& request) {
    std::size_t size = 1024;
    for (const chat::Tool& tool : request.tools) size += tool.schema.size() + 256;
    for (const chat::Message& message : request.messages) {
        for (const chat::Part& part : message.parts) {
            size += 128;
            if (const auto* const text = part.as<chat::Text>()) size += text->text.size();
            if (const auto* const media = part.as<chat::Media>()) size += media->data.size();
        }
    }
    return size;
}

}  // namespace

std::string write_request(const chat::Request& request, const chat::Abilities& abilities,
                          chat::Changes& changes) {
    std::string out;
    out.reserve(size_of(request));
    RequestWriter(out, request, abilities, changes).write();
    return out;
}

}  // namespace sluice::dialect::openai_chat
