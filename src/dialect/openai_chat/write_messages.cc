#include "dialect/openai_chat/write_messages.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::dialect::openai_chat {
namespace {

/// Stands in every cached prefix: never to be changed.
constexpr std::string_view kJoiner = "\n\n";

std::string text_of_document(const chat::Media& document) {
    std::string text;
    for (const std::string* const line : {&document.title, &document.context}) {
        if (!line->empty()) text.append(*line).append("\n");
    }
    if (!text.empty()) text += '\n';
    return text + document.data;
}

/// What a part comes to where there is nothing but text; nullopt where that cannot be said.
std::optional<std::string> text_of(const chat::Part& part) {
    if (const auto* const text = part.as<chat::Text>()) return text->text;
    if (const auto* const tool = part.as<chat::ToolReference>()) {
        return "Tool " + tool->name + " loaded.";
    }
    if (const auto* const media = part.as<chat::Media>();
        media != nullptr && media->source == chat::Media::Source::text) {
        return text_of_document(*media);
    }
    return std::nullopt;
}

class MessageWriter {
public:
    MessageWriter(json::Writer& json, const chat::Request& request,
                  const chat::Abilities& abilities, bool has_tools, chat::Changes& changes)
        : json_(json),
          request_(request),
          abilities_(abilities),
          has_tools_(has_tools),
          changes_(changes) {}

    void write() {
        json_.begin_array();
        const std::string system = chat::text_of(request_.system, kJoiner);
        if (!system.empty()) write_plain(abilities_.system_role, system);
        for (const chat::Message& message : request_.messages) {
            switch (message.role) {
                case chat::Role::system: write_system(message); break;
                case chat::Role::user: write_user(message); break;
                case chat::Role::assistant: write_assistant(message); break;
            }
            ++index_;
        }
        json_.end_array();
    }

private:
    void note(std::string_view rule) {
        changes_.push_back({.rule = rule, .what = "messages[" + std::to_string(index_) + "]"});
    }

    /// What a part that this dialect has no place for is called among the changes.
    void leave_out(const chat::Part& part) {
        if (part.as<chat::Native>() != nullptr) note("drop.native");
        if (part.as<chat::RedactedThinking>() != nullptr) note("drop.redacted_thinking");
        if (part.as<chat::Thinking>() != nullptr) note("drop.thinking");
        if (const auto* const media = part.as<chat::Media>()) {
            note(media->kind == chat::Media::Kind::image ? "drop.image" : "drop.document");
        }
    }

    void write_plain(std::string_view role, std::string_view content) {
        json_.begin_object().key("role").string(role).key("content").string(content).end_object();
    }

    void write_system(const chat::Message& message) {
        const std::string text = joined(message.parts, kJoiner);
        if (!text.empty()) write_plain(abilities_.system_role, text);
    }

    /// The texts of the parts; the others are left out.
    std::string joined(const std::vector<chat::Part>& parts, std::string_view joiner) {
        std::string all;
        bool first = true;
        for (const chat::Part& part : parts) {
            const auto text = text_of(part);
            if (!text) {
                leave_out(part);
                continue;
            }
            if (!std::exchange(first, false)) all += joiner;
            all += *text;
        }
        return all;
    }

    void write_user(const chat::Message& message) {
        write_results(message);
        std::size_t results = 0;
        bool is_plain = true;
        for (const chat::Part& part : message.parts) {
            if (part.as<chat::ToolResult>() != nullptr) ++results;
            is_plain = is_plain && !is_content_part(part);
        }
        if (results != 0 && results == message.parts.size()) return;
        json_.begin_object().key("role").string("user").key("content");
        if (is_plain) {
            json_.string(joined(message.parts, kJoiner));
        } else {
            json_.begin_array();
            for (const chat::Part& part : message.parts) write_part(part);
            json_.end_array();
        }
        json_.end_object();
    }

    /// Whether a user's part is written as an element of a list of its own kind.
    [[nodiscard]] bool is_content_part(const chat::Part& part) const {
        if (part.as<chat::Native>() != nullptr) return request_.family == chat::Family::openai;
        const auto* const media = part.as<chat::Media>();
        if (media == nullptr) return false;
        switch (media->source) {
            case chat::Media::Source::base64: return true;
            case chat::Media::Source::url: return media->kind == chat::Media::Kind::image;
            case chat::Media::Source::file: return media->kind == chat::Media::Kind::document;
            case chat::Media::Source::text: return false;
        }
        return false;
    }

    void write_part(const chat::Part& part) {
        if (part.as<chat::ToolResult>() != nullptr) return;
        if (const auto text = text_of(part)) {
            json_.begin_object().key("type").string("text").key("text").string(*text).end_object();
        } else if (!is_content_part(part)) {
            leave_out(part);
        } else if (const auto* const native = part.as<chat::Native>()) {
            json_.raw(native->json);
        } else if (const auto* const media = part.as<chat::Media>()) {
            write_media(*media);
        }
    }

    void write_media(const chat::Media& media) {
        const bool is_image = media.kind == chat::Media::Kind::image;
        std::string data = media.data;
        if (media.source == chat::Media::Source::base64) {
            const std::string_view fallback = is_image ? "image/png" : "application/pdf";
            const std::string_view type = media.media_type.empty() ? fallback : media.media_type;
            data = std::string("data:").append(type).append(";base64,").append(media.data);
        }
        json_.begin_object();
        if (is_image) {
            json_.key("type").string("image_url");
            json_.key("image_url").begin_object().key("url").string(data).end_object();
        } else {
            json_.key("type").string("file").key("file").begin_object();
            if (media.source == chat::Media::Source::file) {
                json_.key("file_id").string(data);
            } else {
                json_.key("filename").string(media.title.empty() ? "document" : media.title);
                json_.key("file_data").string(data);
            }
            json_.end_object();
        }
        json_.end_object();
    }

    /// Tool messages follow the calls at once, in the order of the calls: clients send them in the
    /// order in which they were done.
    void write_results(const chat::Message& message) {
        std::vector<std::pair<std::size_t, std::size_t>> places;  // of its call, of its part
        for (std::size_t i = 0; i < message.parts.size(); ++i) {
            const auto* const result = message.parts[i].as<chat::ToolResult>();
            if (result == nullptr) continue;
            const auto call = std::ranges::find(calls_, result->id);
            places.emplace_back(static_cast<std::size_t>(call - calls_.begin()), i);
        }
        std::ranges::sort(places);
        for (const auto& [call, part] : places) {
            const auto* const result = message.parts[part].as<chat::ToolResult>();
            std::string text = joined(result->content, kJoiner);
            if (result->is_error && !text.starts_with("Error:")) text.insert(0, "Error: ");
            json_.begin_object().key("role").string("tool");
            json_.key("tool_call_id").string(result->id).key("content").string(text).end_object();
        }
    }

    void write_assistant(const chat::Message& message) {
        std::string text;
        std::string reasoning;
        std::vector<const chat::ToolUse*> calls;
        const bool keeps_reasoning = !reasoning_field().empty();
        for (const chat::Part& part : message.parts) {
            if (const auto* const use = part.as<chat::ToolUse>()) {
                calls.push_back(use);
            } else if (const auto* const thinking = part.as<chat::Thinking>();
                       thinking != nullptr && keeps_reasoning) {
                reasoning += thinking->text;
            } else if (const auto more = text_of(part)) {
                text += *more;  // what one reply said in pieces
            } else {
                leave_out(part);
            }
        }
        json_.begin_object().key("role").string("assistant").key("content").string(text);
        const bool is_required = abilities_.reasoning_required && has_tools_;
        if (keeps_reasoning && (is_required || !reasoning.empty())) {
            json_.key(reasoning_field()).string(reasoning);
        }
        write_calls(calls);
        if (message.is_prefix && abilities_.prefix) json_.key("prefix").boolean(true);
        json_.end_object();
    }

    [[nodiscard]] std::string_view reasoning_field() const {
        switch (abilities_.reasoning_history) {
            case chat::ReasoningHistory::reasoning_content: return "reasoning_content";
            case chat::ReasoningHistory::reasoning: return "reasoning";
            case chat::ReasoningHistory::drop:
            case chat::ReasoningHistory::blocks: break;
        }
        return {};
    }

    void write_calls(const std::vector<const chat::ToolUse*>& calls) {
        calls_.clear();
        if (calls.empty()) return;
        json_.key("tool_calls").begin_array();
        for (const chat::ToolUse* const call : calls) {
            calls_.emplace_back(call->id);
            const std::string_view kind = call->is_custom ? "custom" : "function";
            json_.begin_object().key("id").string(call->id).key("type").string(kind);
            json_.key(kind).begin_object().key("name").string(call->name);
            if (call->is_custom) {
                json_.key("input").string(call->arguments);
            } else {
                json_.key("arguments").string(call->arguments.empty() ? "{}" : call->arguments);
            }
            json_.end_object().end_object();
        }
        json_.end_array();
    }

    json::Writer& json_;
    const chat::Request& request_;
    const chat::Abilities& abilities_;
    bool has_tools_;
    chat::Changes& changes_;
    std::vector<std::string_view> calls_;  // ids of the newest assistant message's
    std::size_t index_ = 0;                // of the message at hand
};

}  // namespace

void write_messages(json::Writer& json, const chat::Request& request,
                    const chat::Abilities& abilities, bool has_tools, chat::Changes& changes) {
    MessageWriter(json, request, abilities, has_tools, changes).write();
}

}  // namespace sluice::dialect::openai_chat
