#pragma once

/// What the tests of adapt() share: requests are built part by part, and compared in words.

#include "shaping/adapt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::shaping {

inline chat::Part text(std::string words) {
    return chat::Text{std::move(words)};
}

inline chat::Part call(std::string id, std::string name = "Bash", std::string arguments = "{}") {
    return chat::ToolUse{.id = std::move(id),
                         .name = std::move(name),
                         .arguments = std::move(arguments),
                         .is_custom = false};
}

template <typename... Parts>
std::vector<chat::Part> parts(Parts... of) {
    std::vector<chat::Part> all;
    (all.push_back(std::move(of)), ...);
    return all;
}

template <typename... Parts>
chat::Part result(std::string_view id, Parts... content) {
    return chat::ToolResult{
        .id = std::string(id), .content = parts(std::move(content)...), .is_error = false};
}

inline chat::Part image(std::string data = "AAAA") {
    chat::Media media;
    media.media_type = "image/png";
    media.data = std::move(data);
    return media;
}

inline chat::Part document(chat::Media::Source source, std::string data, std::string title = {}) {
    chat::Media media;
    media.kind = chat::Media::Kind::document;
    media.source = source;
    media.data = std::move(data);
    media.title = std::move(title);
    return media;
}

inline chat::Part thinking(std::string words, std::string signature = {}) {
    return chat::Thinking{.text = std::move(words), .signature = std::move(signature)};
}

inline chat::Part native(std::string type, std::string json) {
    return chat::Native{.type = std::move(type), .json = std::move(json)};
}

inline chat::Part reference(std::string tool) {
    return chat::ToolReference{std::move(tool)};
}

inline chat::Tool tool(std::string name, bool deferred = false) {
    chat::Tool made;
    made.name = std::move(name);
    made.schema = R"({"type":"object"})";
    made.deferred = deferred;
    return made;
}

/// "text(hi)", "result(id: text(ok))".
inline std::string show(const chat::Part& part);

inline std::string show(const std::vector<chat::Part>& all) {
    std::string shown;
    for (const chat::Part& part : all) {
        if (!shown.empty()) shown += ' ';
        shown += show(part);
    }
    return shown;
}

struct Show {
    std::string operator()(const chat::Text& part) const { return "text(" + part.text + ")"; }
    std::string operator()(const chat::Media& part) const {
        const bool is_image = part.kind == chat::Media::Kind::image;
        return (is_image ? "image(" : "document(") + part.data + ")";
    }
    std::string operator()(const chat::Thinking& part) const {
        return "thinking(" + part.text + (part.signature.empty() ? "" : ", ") + part.signature +
               ")";
    }
    std::string operator()(const chat::RedactedThinking& part) const {
        return "redacted(" + part.data + ")";
    }
    std::string operator()(const chat::ToolUse& part) const {
        return "call(" + part.id + (part.is_custom ? ", custom " : ", ") + part.arguments + ")";
    }
    std::string operator()(const chat::ToolResult& part) const {
        return (part.is_error ? "error(" : "result(") + part.id + ": " + show(part.content) + ")";
    }
    std::string operator()(const chat::ToolReference& part) const {
        return "reference(" + part.name + ")";
    }
    std::string operator()(const chat::Native& part) const { return "native(" + part.type + ")"; }
};

inline std::string show(const chat::Part& part) {
    return std::visit(Show(), part.value);
}

class AdaptTest : public testing::Test {
protected:
    /// A provider like Anthropic itself.
    static chat::Abilities anthropic() {
        chat::Abilities abilities;
        abilities.thinking = chat::ThinkingControl::anthropic;
        abilities.reasoning_history = chat::ReasoningHistory::blocks;
        abilities.documents = true;
        abilities.max_stop = 100;
        abilities.forced_tools_when_thinking = false;
        abilities.signatures = true;
        abilities.server_tools = true;
        abilities.service_tier = true;
        abilities.family = chat::Family::anthropic;
        abilities.deferred_tools = true;
        abilities.billing_header = true;
        return abilities;
    }

    static chat::Abilities deepseek() {
        chat::Abilities abilities;
        abilities.thinking = chat::ThinkingControl::deepseek;
        abilities.reasoning_history = chat::ReasoningHistory::reasoning_content;
        abilities.reasoning_required = true;
        abilities.forced_tools_when_thinking = false;
        abilities.max_stop = 16;
        abilities.max_tools = 128;
        abilities.json_schema = false;
        abilities.parallel_tool_calls = false;
        abilities.user_field = "user_id";
        return abilities;
    }

    /// DeepSeek's endpoint for Anthropic's dialect.
    static chat::Abilities deepseek_anthropic() {
        chat::Abilities abilities = anthropic();
        abilities.documents = false;
        abilities.images = false;
        abilities.mid_system = false;
        abilities.signatures = false;
        abilities.service_tier = false;
        abilities.deferred_tools = false;
        abilities.billing_header = false;
        return abilities;
    }

    AdaptTest() { request_.family = chat::Family::anthropic; }

    void say(chat::Role role, std::vector<chat::Part> said) {
        request_.messages.push_back({.role = role, .parts = std::move(said), .is_prefix = false});
    }
    template <typename... Parts>
    void user(Parts... said) {
        say(chat::Role::user, parts(std::move(said)...));
    }
    template <typename... Parts>
    void assistant(Parts... said) {
        say(chat::Role::assistant, parts(std::move(said)...));
    }
    void system(std::string words) { say(chat::Role::system, parts(text(std::move(words)))); }

    /// What is asked is adapted for; it must succeed.
    void run(const chat::Abilities& abilities) {
        changes_.clear();
        const auto adapted = adapt(request_, abilities, changes_);
        EXPECT_TRUE(adapted) << (adapted ? "" : adapted.error().message);
    }

    /// "rule what", in the order of the changes.
    [[nodiscard]] std::vector<std::string> changes() const {
        std::vector<std::string> all;
        for (const chat::Change& change : changes_) {
            all.push_back(std::string(change.rule) + " " + change.what);
        }
        return all;
    }

    /// "user: text(hi)".
    [[nodiscard]] std::vector<std::string> messages() const {
        std::vector<std::string> all;
        for (const chat::Message& message : request_.messages) {
            switch (message.role) {
                case chat::Role::system: all.emplace_back("system: "); break;
                case chat::Role::user: all.emplace_back("user: "); break;
                case chat::Role::assistant: all.emplace_back("assistant: "); break;
            }
            all.back() += show(message.parts);
        }
        return all;
    }

    [[nodiscard]] std::vector<std::string> tools() const {
        std::vector<std::string> names;
        names.reserve(request_.tools.size());
        for (const chat::Tool& tool : request_.tools) {
            names.push_back(tool.name + (tool.deferred ? " (deferred)" : ""));
        }
        return names;
    }

    chat::Request request_;
    chat::Changes changes_;
};

}  // namespace sluice::shaping
