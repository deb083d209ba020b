#include "context/json_text.h"
#include "context/prompt.h"

#include <algorithm>

namespace sluice::context {
namespace {

// Measured with the vocabulary on the template of V4, special tokens included. The preamble of
// thinking mode is what a recorded reply reports beyond its prompt.
constexpr std::uint64_t kThinkingPreamble = 79;
constexpr std::uint64_t kToolsSection = 222;
constexpr std::uint64_t kResponseFormat = 20;
constexpr std::uint64_t kCalls = 13;
constexpr std::uint64_t kCall = 12;
constexpr std::uint64_t kParameter = 12;  // more than it is as a member of the JSON object
constexpr std::uint64_t kImage = 384;

class DeepseekPrompt {
public:
    DeepseekPrompt(Prompt& prompt, const chat::Request& request)
        : prompt_(prompt),
          request_(request),
          thinks_(request.thinking.kind != chat::ThinkingMode::Kind::disabled),
          has_tools_(!std::ranges::all_of(request.tools, &chat::Tool::deferred)) {}

    void add() {
        prompt_.special();  // begin of sentence
        add_system();
        const std::size_t last = last_user();
        for (std::size_t i = 0; i < request_.messages.size(); ++i) {
            const chat::Message& message = request_.messages[i];
            switch (message.role) {
                case chat::Role::assistant: add_assistant(message, has_tools_ || i > last); break;
                case chat::Role::system:
                case chat::Role::user: add_user(message); break;
            }
        }
        const bool goes_on = !request_.messages.empty() && request_.messages.back().is_prefix;
        if (!goes_on) prompt_.special(2);  // <｜Assistant｜> and <think> or </think>
    }

private:
    [[nodiscard]] std::size_t last_user() const {
        std::size_t last = 0;
        for (std::size_t i = 0; i < request_.messages.size(); ++i) {
            if (request_.messages[i].role != chat::Role::assistant) last = i;
        }
        return last;
    }

    void add_system() {
        if (thinks_) prompt_.special(kThinkingPreamble);
        if (!request_.system.empty() || has_tools_) prompt_.special();
        prompt_.text() += chat::text_of(request_.system, "\n\n");
        if (has_tools_) prompt_.special(kToolsSection);
        for (const chat::Tool& tool : request_.tools) {
            if (tool.deferred) continue;
            append_definition(prompt_.text(), tool);
            prompt_.text() += '\n';
        }
        if (request_.response_format && !request_.response_format->schema.empty()) {
            prompt_.special(kResponseFormat);
            append_spaced_json(prompt_.text(), request_.response_format->schema);
        }
    }

    void add_user(const chat::Message& message) {
        prompt_.special();
        bool is_first = true;
        for (const chat::Part& part : message.parts) {
            if (!is_first) prompt_.text() += "\n\n";
            is_first = false;
            if (const auto* const result = part.as<chat::ToolResult>()) {
                prompt_.text() += "<tool_result>";
                for (const chat::Part& inner : result->content) add_content(inner);
                prompt_.text() += "</tool_result>";
            } else {
                add_content(part);
            }
        }
    }

    /// What is neither thinking nor a call nor a result.
    void add_content(const chat::Part& part) {
        if (const auto* const text = part.as<chat::Text>()) {
            prompt_.text() += text->text;
        } else if (const auto* const media = part.as<chat::Media>()) {
            add_media(prompt_, *media, kImage);
        } else if (const auto* const native = part.as<chat::Native>()) {
            prompt_.text() += native->json;
        } else if (const auto* const reference = part.as<chat::ToolReference>()) {
            const chat::Tool* const tool = find_tool(request_, reference->name);
            if (tool != nullptr) append_definition(prompt_.text(), *tool);
        }
    }

    void add_assistant(const chat::Message& message, bool keeps_thinking) {
        prompt_.special(2);  // <｜Assistant｜> and <think> or </think>
        if (thinks_ && keeps_thinking) {
            for (const chat::Part& part : message.parts) {
                if (const auto* const thinking = part.as<chat::Thinking>()) {
                    prompt_.text() += thinking->text;
                }
            }
            prompt_.special();  // </think>
        }
        for (const chat::Part& part : message.parts) add_content(part);
        add_calls(message);
        if (!message.is_prefix) prompt_.special();  // end of sentence
    }

    void add_calls(const chat::Message& message) {
        bool is_first = true;
        for (const chat::Part& part : message.parts) {
            const auto* const use = part.as<chat::ToolUse>();
            if (use == nullptr) continue;
            if (is_first) prompt_.special(kCalls);
            is_first = false;
            prompt_.text() += use->name;
            prompt_.special(kCall + kParameter * count_members(use->arguments));
            prompt_.text() += use->arguments;
            prompt_.special(0);
        }
    }

    Prompt& prompt_;
    const chat::Request& request_;
    bool thinks_;
    bool has_tools_;
};

}  // namespace

void add_deepseek_prompt(Prompt& prompt, const chat::Request& request) {
    DeepseekPrompt(prompt, request).add();
}

}  // namespace sluice::context
