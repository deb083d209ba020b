#include "dialect/anthropic_messages/write_messages.h"

#include "dialect/repair.h"
#include "json/reader.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::dialect::anthropic_messages {
namespace {

using chat::Part;

constexpr std::string_view kSpace = " \t\r\n";

bool is_blank_text(const Part& part) noexcept {
    const auto* const text = part.as<chat::Text>();
    return text != nullptr && is_blank(text->text);
}

/// A message to be written.
struct Turn {
    chat::Role role = chat::Role::user;
    std::vector<const Part*> parts;
};

bool is_result(const Part* part) noexcept {
    return part->as<chat::ToolResult>() != nullptr;
}

void put_results_first(std::vector<const Part*>& parts) {
    std::vector<const Part*> ordered;
    ordered.reserve(parts.size());
    std::ranges::copy_if(parts, std::back_inserter(ordered), is_result);
    std::ranges::copy_if(parts, std::back_inserter(ordered), std::not_fn(is_result));
    parts = std::move(ordered);
}

/// Chooses what is written, message by message.
class Turns {
public:
    Turns(const chat::Request& request, const chat::Abilities& abilities, chat::Changes& changes)
        : request_(request),
          abilities_(abilities),
          changes_(changes) {}

    std::vector<Turn> take() {
        for (std::size_t i = 0; i < request_.messages.size(); ++i) add(i);
        for (Turn& turn : turns_) {
            if (turn.role == chat::Role::user) put_results_first(turn.parts);
        }
        return std::move(turns_);
    }

private:
    void add(std::size_t message) {
        const chat::Role role = role_of(message);
        std::vector<const Part*> parts;
        for (std::size_t i = 0; i < request_.messages[message].parts.size(); ++i) {
            const Part& part = request_.messages[message].parts[i];
            const std::string_view rule = objection_to(part, role);
            if (rule.empty()) {
                parts.push_back(&part);
            } else {
                note(rule, place(message) + ".content[" + std::to_string(i) + "]");
            }
        }
        if (parts.empty()) {
            note("drop.empty_message", place(message));
        } else if (turns_.empty() || turns_.back().role != role) {
            turns_.push_back({.role = role, .parts = std::move(parts)});
        } else {
            turns_.back().parts.insert(turns_.back().parts.end(), parts.begin(), parts.end());
        }
    }

    chat::Role role_of(std::size_t message) {
        const chat::Role role = request_.messages[message].role;
        if (role != chat::Role::system || abilities_.mid_system) return role;
        note("fold.system_message", place(message));
        return chat::Role::user;
    }

    /// The rule by which a part is left out; empty when it is written.
    [[nodiscard]] std::string_view objection_to(const Part& part, chat::Role role) const {
        if (is_blank_text(part)) return "drop.empty_text";
        const bool is_assistant = role == chat::Role::assistant;
        if (const auto* const thinking = part.as<chat::Thinking>()) {
            if (!is_assistant) return "drop.reasoning";
            return abilities_.signatures && thinking->signature.empty() ? "drop.unsigned_thinking"
                                                                        : "";
        }
        if (part.as<chat::RedactedThinking>() != nullptr && !is_assistant) {
            return "drop.redacted_thinking";
        }
        if (part.as<chat::Native>() != nullptr && request_.family != chat::Family::anthropic) {
            return "drop.native";
        }
        return "";
    }

    void note(std::string_view rule, std::string what) {
        changes_.push_back({.rule = rule, .what = std::move(what)});
    }

    static std::string place(std::size_t message) {
        return "messages[" + std::to_string(message) + "]";
    }

    const chat::Request& request_;
    const chat::Abilities& abilities_;
    chat::Changes& changes_;
    std::vector<Turn> turns_;
};

void write_source(json::Writer& json, const chat::Media& media) {
    const bool is_image = media.kind == chat::Media::Kind::image;
    const std::string_view usual_type = is_image ? "image/png" : "application/pdf";
    json.key("source").begin_object().key("type");
    switch (media.source) {
        case chat::Media::Source::base64:
            json.string("base64").key("media_type");
            json.string(media.media_type.empty() ? usual_type : media.media_type);
            json.key("data").string(media.data);
            break;
        case chat::Media::Source::url: json.string("url").key("url").string(media.data); break;
        case chat::Media::Source::file:
            json.string("file").key("file_id").string(media.data);
            break;
        case chat::Media::Source::text:
            json.string("text").key("media_type").string("text/plain");
            json.key("data").string(media.data);
            break;
    }
    json.end_object();
}

/// Writes the members of a part's block, within its braces.
class BlockWriter {
public:
    explicit BlockWriter(json::Writer& json) noexcept : json_(json) {}

    void operator()(const chat::Text& text) {
        json_.key("type").string("text").key("text").string(text.text);
    }

    void operator()(const chat::Media& media) {
        const bool is_image = media.kind == chat::Media::Kind::image;
        json_.key("type").string(is_image ? "image" : "document");
        write_source(json_, media);
        if (!media.title.empty() && !is_image) json_.key("title").string(media.title);
        if (!media.context.empty() && !is_image) json_.key("context").string(media.context);
    }

    void operator()(const chat::Thinking& thinking) {
        json_.key("type").string("thinking").key("thinking").string(thinking.text);
        json_.key("signature").string(thinking.signature);
    }

    void operator()(const chat::RedactedThinking& redacted) {
        json_.key("type").string("redacted_thinking").key("data").string(redacted.data);
    }

    void operator()(const chat::ToolUse& use) {
        json_.key("type").string("tool_use").key("id").string(use.id);
        json_.key("name").string(use.name).key("input");
        if (const auto input = repair_arguments(use.arguments)) {
            json_.raw(*input);
        } else {
            json_.begin_object().key("_raw").string(use.arguments).end_object();
        }
    }

    void operator()(const chat::ToolResult& result) {
        json_.key("type").string("tool_result").key("tool_use_id").string(result.id);
        write_result_content(result.content);
        if (result.is_error) json_.key("is_error").boolean(true);
    }

    void operator()(const chat::ToolReference& reference) {
        json_.key("type").string("tool_reference").key("tool_name").string(reference.name);
    }

    void operator()(const chat::Native& /*block*/) {}

private:
    void write_result_content(const std::vector<Part>& content);

    json::Writer& json_;
};

void write_block(json::Writer& json, const Part& part, bool mark) {
    if (const auto* const native = part.as<chat::Native>()) {
        json.raw(native->json);
        return;
    }
    json.begin_object();
    BlockWriter writer(json);
    std::visit(writer, part.value);
    if (!part.cache_control.empty()) {
        json.key("cache_control").raw(part.cache_control);
    } else if (mark) {
        json.key("cache_control").raw(kCacheMark);
    }
    json.end_object();
}

void BlockWriter::write_result_content(const std::vector<Part>& content) {
    std::vector<const Part*> parts;
    for (const Part& part : content) {
        if (!is_blank_text(part)) parts.push_back(&part);
    }
    if (parts.empty()) return;
    json_.key("content");
    const auto* const text = parts.front()->as<chat::Text>();
    if (parts.size() == 1 && text != nullptr && parts.front()->cache_control.empty()) {
        json_.string(text->text);
        return;
    }
    json_.begin_array();
    for (const Part* const part : parts) write_block(json_, *part, false);
    json_.end_array();
}

std::string_view name_of(chat::Role role) noexcept {
    switch (role) {
        case chat::Role::system: return "system";
        case chat::Role::user: return "user";
        case chat::Role::assistant: return "assistant";
    }
    return "user";
}

/// An assistant's message that the reply is to go on from must not end in white space.
void write_last_text(json::Writer& json, const Part& part) {
    const std::string& text = part.as<chat::Text>()->text;
    Part trimmed(chat::Text{text.substr(0, text.find_last_not_of(kSpace) + 1)});
    trimmed.cache_control = part.cache_control;
    write_block(json, trimmed, false);
}

/// The block that gets the mark; nullptr where none can.
const Part* block_to_mark(const std::vector<Turn>& turns) noexcept {
    const auto last =
        std::ranges::find(turns.rbegin(), turns.rend(), chat::Role::user, &Turn::role);
    if (last == turns.rend()) return nullptr;
    const auto part = std::ranges::find_if(
        last->parts.rbegin(), last->parts.rend(),
        [](const Part* candidate) { return candidate->as<chat::Native>() == nullptr; });
    return part == last->parts.rend() ? nullptr : *part;
}

}  // namespace

bool is_blank(std::string_view text) noexcept {
    return text.find_first_not_of(kSpace) == std::string_view::npos;
}

bool write_system(json::Writer& json, const std::vector<Part>& system, bool mark) {
    std::vector<const Part*> parts;
    for (const Part& part : system) {
        if (part.as<chat::Text>() != nullptr && !is_blank_text(part)) parts.push_back(&part);
    }
    if (parts.empty()) return false;
    json.key("system");
    if (parts.size() == 1 && parts.front()->cache_control.empty() && !mark) {
        json.string(parts.front()->as<chat::Text>()->text);
        return true;
    }
    json.begin_array();
    for (const Part* const part : parts) {
        write_block(json, *part, mark && part == parts.back());
    }
    json.end_array();
    return true;
}

void write_messages(json::Writer& json, const chat::Request& request,
                    const chat::Abilities& abilities, bool mark, chat::Changes& changes) {
    const std::vector<Turn> turns = Turns(request, abilities, changes).take();
    const Part* const marked = mark ? block_to_mark(turns) : nullptr;
    json.key("messages").begin_array();
    for (const Turn& turn : turns) {
        json.begin_object().key("role").string(name_of(turn.role)).key("content").begin_array();
        const bool is_prefix = &turn == &turns.back() && turn.role == chat::Role::assistant;
        for (const Part* const part : turn.parts) {
            if (is_prefix && part == turn.parts.back() && part->as<chat::Text>() != nullptr) {
                write_last_text(json, *part);
            } else {
                write_block(json, *part, part == marked);
            }
        }
        json.end_array().end_object();
    }
    json.end_array();
}

}  // namespace sluice::dialect::anthropic_messages
