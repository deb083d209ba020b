#include "context/count.h"

#include "context/json_text.h"
#include "context/prompt.h"

namespace sluice::context {
namespace {

// OpenAI's cookbook tells the first two; the rest are near what its models report.
constexpr std::uint64_t kMessage = 3;
constexpr std::uint64_t kReply = 3;
constexpr std::uint64_t kTools = 12;
constexpr std::uint64_t kTool = 8;
constexpr std::uint64_t kCall = 8;
constexpr std::uint64_t kResponseFormat = 12;
constexpr std::uint64_t kImage = 765;
constexpr std::uint64_t kDocument = 3000;

/// A text that stands by itself.
void add(Prompt& prompt, std::string_view text, std::uint64_t around = 0) {
    prompt.text() += text;
    prompt.special(around);
}

void add_tool(Prompt& prompt, const chat::Tool& tool) {
    add(prompt, tool.name, kTool);
    if (tool.description) add(prompt, *tool.description);
    add(prompt, tool.kind == chat::Tool::Kind::function ? tool.schema : tool.json);
}

class Parts {
public:
    Parts(Prompt& prompt, const chat::Request& request) : prompt_(prompt), request_(request) {}

    void operator()(const chat::Text& text) { add(prompt_, text.text); }
    void operator()(const chat::Media& media) { add_media(prompt_, media, kImage); }
    void operator()(const chat::Native& native) { add(prompt_, native.json); }
    void operator()(const chat::Thinking& /*unused*/) {}
    void operator()(const chat::RedactedThinking& /*unused*/) {}
    void operator()(const chat::ToolUse& use) {
        add(prompt_, use.name, kCall);
        add(prompt_, use.arguments);
    }
    void operator()(const chat::ToolReference& reference) {
        if (const chat::Tool* const tool = find_tool(request_, reference.name)) {
            add_tool(prompt_, *tool);
        }
    }
    /// A message of its own. What it holds are never results, so this goes one step down at most.
    void operator()(const chat::ToolResult& result) {
        prompt_.special(kMessage);
        for (const chat::Part& part : result.content) {
            if (part.as<chat::ToolResult>() == nullptr) std::visit(*this, part.value);
        }
    }

private:
    Prompt& prompt_;
    const chat::Request& request_;
};

void add_prompt(Prompt& prompt, const chat::Request& request) {
    Parts parts(prompt, request);
    if (!request.system.empty()) add(prompt, chat::text_of(request.system, "\n\n"), kMessage);
    for (const chat::Message& message : request.messages) {
        prompt.special(kMessage);
        for (const chat::Part& part : message.parts) std::visit(parts, part.value);
    }
    bool has_tools = false;
    for (const chat::Tool& tool : request.tools) {
        if (tool.deferred) continue;
        add_tool(prompt, tool);
        has_tools = true;
    }
    if (has_tools) prompt.special(kTools);
    if (request.response_format && !request.response_format->schema.empty()) {
        add(prompt, request.response_format->schema, kResponseFormat);
    }
    prompt.special(kReply);
}

}  // namespace

void add_media(Prompt& prompt, const chat::Media& media, std::uint64_t image_tokens) {
    if (media.kind == chat::Media::Kind::image) {
        prompt.special(image_tokens);
    } else if (media.source == chat::Media::Source::text) {
        prompt.text() += media.title;
        prompt.text() += media.context;
        prompt.text() += media.data;
    } else {
        prompt.special(kDocument);
    }
}

const chat::Tool* find_tool(const chat::Request& request, std::string_view name) {
    for (const chat::Tool& tool : request.tools) {
        if (tool.name == name) return &tool;
    }
    return nullptr;
}

void append_definition(std::string& out, const chat::Tool& tool) {
    if (tool.kind != chat::Tool::Kind::function) return append_spaced_json(out, tool.json);
    out += R"({"name": )";
    append_json_string(out, tool.name);
    if (tool.description) {
        out += R"(, "description": )";
        append_json_string(out, *tool.description);
    }
    if (!tool.schema.empty()) {
        out += R"(, "parameters": )";
        append_spaced_json(out, tool.schema);
    }
    out += '}';
}

std::uint64_t count_tokens(const chat::Request& request, Vocabulary vocabulary) {
    Prompt prompt(vocabulary);
    switch (vocabulary) {
        case Vocabulary::deepseek: add_deepseek_prompt(prompt, request); break;
        case Vocabulary::o200k:
        case Vocabulary::cl100k: add_prompt(prompt, request); break;
    }
    return prompt.tokens();
}

}  // namespace sluice::context
