#include "dialect/anthropic_messages/read_parts.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::dialect::anthropic_messages {
namespace {

/// What blocks and their sources have, by name; null what is not there.
struct Members {
    json::Value type;
    json::Value text;
    json::Value source;
    json::Value title;
    json::Value context;
    json::Value thinking;
    json::Value signature;
    json::Value data;
    json::Value media_type;
    json::Value url;
    json::Value file_id;
    json::Value id;
    json::Value name;
    json::Value input;
    json::Value tool_use_id;
    json::Value tool_name;
    json::Value content;
    json::Value is_error;
    json::Value cache_control;
};

constexpr std::array<std::pair<std::string_view, json::Value Members::*>, 19> kMembers{{
    {"type", &Members::type},
    {"text", &Members::text},
    {"source", &Members::source},
    {"title", &Members::title},
    {"context", &Members::context},
    {"thinking", &Members::thinking},
    {"signature", &Members::signature},
    {"data", &Members::data},
    {"media_type", &Members::media_type},
    {"url", &Members::url},
    {"file_id", &Members::file_id},
    {"id", &Members::id},
    {"name", &Members::name},
    {"input", &Members::input},
    {"tool_use_id", &Members::tool_use_id},
    {"tool_name", &Members::tool_name},
    {"content", &Members::content},
    {"is_error", &Members::is_error},
    {"cache_control", &Members::cache_control},
}};

Members read_members(const json::Value& object) {
    Members members;
    Walk walk(object.raw);
    if (!walk.enter_object()) return members;
    while (walk.next_member()) {
        const json::Value value = walk.take();
        for (const auto& [name, member] : kMembers) {
            if (!walk.key_is(name)) continue;
            members.*member = value;
            break;
        }
    }
    return members;
}

/// What the model wrote, where Claude Code could not parse it and sends it back as
/// {"__unparsedToolInput":{"raw":"...","len":44}}.
std::optional<std::string> unparsed_input(const json::Value& input) {
    Walk walk(input.raw);
    if (!walk.enter_object() || !walk.next_member() || !walk.key_is("__unparsedToolInput")) {
        return std::nullopt;
    }
    const auto raw = member_of(walk.take(), "raw");
    if (!raw || walk.next_member()) return std::nullopt;
    return json::to_string(*raw);
}

using Parts = std::vector<chat::Part>;

/// Where blocks stand: each holds fewer kinds of them than the one before.
enum class Within : std::uint8_t { message, tool_result, document };

Result<Parts> read_blocks(Walk& walk, Within within, const Place& place);

// The readers of single blocks add what they read to `parts`; false where it is to be kept whole.

Result<bool> read_text(const Members& block, const Place& place, Parts& parts) {
    auto text = read_required_string(block.text, Place(place, "text"));
    if (!text) return std::unexpected(std::move(text.error()));
    parts.emplace_back(chat::Text{*std::move(text)});
    return true;
}

/// The blocks that a document is made of: runs of text under its title, and images.
Result<bool> read_made_document(const json::Value& content, const chat::Media& document,
                                const Place& place, Parts& parts) {
    Walk walk(content.raw);
    auto blocks = read_blocks(walk, Within::document, place);
    if (!blocks) return std::unexpected(std::move(blocks.error()));
    for (const chat::Part& block : *blocks) {
        if (block.as<chat::Native>() != nullptr) return false;
    }
    chat::Media* open = nullptr;
    for (chat::Part& block : *blocks) {
        auto* const text = block.as<chat::Text>();
        if (text == nullptr) {
            parts.push_back(std::move(block));
            open = nullptr;
        } else if (open != nullptr) {
            open->data.append("\n\n").append(text->text);
        } else {
            open = parts.emplace_back(document).as<chat::Media>();
            open->source = chat::Media::Source::text;
            open->data = std::move(text->text);
        }
    }
    return true;
}

/// Where a source of this type has its data, and what that is called; nullopt for other types.
struct DataMember {
    chat::Media::Source source = chat::Media::Source::base64;
    std::string_view name;
    json::Value Members::* member = nullptr;
};

std::optional<DataMember> data_member(std::string_view type, chat::Media::Kind kind) {
    using Source = chat::Media::Source;
    const auto in = [](Source source, std::string_view name, json::Value Members::* member) {
        return DataMember{.source = source, .name = name, .member = member};
    };
    if (type == "base64") return in(Source::base64, "data", &Members::data);
    if (type == "url") return in(Source::url, "url", &Members::url);
    if (type == "file") return in(Source::file, "file_id", &Members::file_id);
    const bool is_document = kind == chat::Media::Kind::document;
    if (type == "text" && is_document) return in(Source::text, "data", &Members::data);
    return std::nullopt;
}

chat::Media media_of(chat::Media::Kind kind) {
    chat::Media media;
    media.kind = kind;
    return media;
}

Result<bool> read_media(chat::Media media, const Members& block, const Place& place, Parts& parts) {
    const Place at(place, "source");
    if (auto ok = require_object(block.source, at); !ok) {
        return std::unexpected(std::move(ok.error()));
    }
    const Members source = read_members(block.source);
    const auto type = read_required_string(source.type, Place(at, "type"));
    if (!type) return std::unexpected(type.error());
    auto title = read_string(block.title, Place(place, "title"));
    if (!title) return std::unexpected(std::move(title.error()));
    media.title = *std::move(title);
    auto context = read_string(block.context, Place(place, "context"));
    if (!context) return std::unexpected(std::move(context.error()));
    media.context = *std::move(context);
    if (*type == "content" && media.kind == chat::Media::Kind::document) {
        return read_made_document(source.content, media, Place(at, "content"), parts);
    }
    const auto where = data_member(*type, media.kind);
    if (!where) return false;
    auto media_type = read_string(source.media_type, Place(at, "media_type"));
    if (!media_type) return std::unexpected(std::move(media_type.error()));
    auto data = read_required_string(source.*(where->member), Place(at, where->name));
    if (!data) return std::unexpected(std::move(data.error()));
    media.source = where->source;
    media.media_type = *std::move(media_type);
    media.data = *std::move(data);
    parts.emplace_back(std::move(media));
    return true;
}

Result<bool> read_tool_reference(const Members& block, const Place& place, Parts& parts) {
    auto name = read_required_string(block.tool_name, Place(place, "tool_name"));
    if (!name) return std::unexpected(std::move(name.error()));
    parts.emplace_back(chat::ToolReference{*std::move(name)});
    return true;
}

Result<bool> read_thinking(const Members& block, const Place& place, Parts& parts) {
    auto text = read_required_string(block.thinking, Place(place, "thinking"));
    if (!text) return std::unexpected(std::move(text.error()));
    auto signature = read_string(block.signature, Place(place, "signature"));
    if (!signature) return std::unexpected(std::move(signature.error()));
    parts.emplace_back(
        chat::Thinking{.text = *std::move(text), .signature = *std::move(signature)});
    return true;
}

Result<bool> read_redacted_thinking(const Members& block, const Place& place, Parts& parts) {
    auto data = read_required_string(block.data, Place(place, "data"));
    if (!data) return std::unexpected(std::move(data.error()));
    parts.emplace_back(chat::RedactedThinking{*std::move(data)});
    return true;
}

Result<bool> read_tool_use(const Members& block, const Place& place, Parts& parts) {
    chat::ToolUse use;
    auto id = read_required_string(block.id, Place(place, "id"));
    if (!id) return std::unexpected(std::move(id.error()));
    use.id = *std::move(id);
    auto name = read_required_string(block.name, Place(place, "name"));
    if (!name) return std::unexpected(std::move(name.error()));
    use.name = *std::move(name);
    if (block.input.is(json::Kind::null)) {
        use.arguments = "{}";
    } else if (!block.input.is(json::Kind::object)) {
        return Place(place, "input").refuse("Input should be a valid dictionary");
    } else if (auto raw = unparsed_input(block.input)) {
        use.arguments = *std::move(raw);
    } else {
        use.arguments = block.input.raw;
    }
    parts.emplace_back(std::move(use));
    return true;
}

Result<bool> read_tool_result(const Members& block, const Place& place, Parts& parts) {
    chat::ToolResult result;
    auto id = read_required_string(block.tool_use_id, Place(place, "tool_use_id"));
    if (!id) return std::unexpected(std::move(id.error()));
    result.id = *std::move(id);
    if (!block.content.is(json::Kind::null)) {
        Walk walk(block.content.raw);
        auto content = read_blocks(walk, Within::tool_result, Place(place, "content"));
        if (!content) return std::unexpected(std::move(content.error()));
        result.content = *std::move(content);
    }
    const auto is_error = read_bool(block.is_error, Place(place, "is_error"));
    if (!is_error) return std::unexpected(is_error.error());
    result.is_error = *is_error;
    parts.emplace_back(std::move(result));
    return true;
}

Result<bool> read_known(std::string_view type, const Members& block, Within within,
                        const Place& place, Parts& parts) {
    using Kind = chat::Media::Kind;
    if (type == "text") return read_text(block, place, parts);
    if (type == "image") return read_media(media_of(Kind::image), block, place, parts);
    if (within == Within::document) return false;
    if (type == "document") return read_media(media_of(Kind::document), block, place, parts);
    if (type == "tool_reference") return read_tool_reference(block, place, parts);
    if (within == Within::tool_result) return false;
    if (type == "thinking") return read_thinking(block, place, parts);
    if (type == "redacted_thinking") return read_redacted_thinking(block, place, parts);
    if (type == "tool_use") return read_tool_use(block, place, parts);
    if (type == "tool_result") return read_tool_result(block, place, parts);
    return false;
}

Result<void> read_block(const json::Value& block, Within within, const Place& place, Parts& parts) {
    if (auto ok = require_object(block, place); !ok) return ok;
    const Members members = read_members(block);
    auto type = read_required_string(members.type, Place(place, "type"));
    if (!type) return std::unexpected(std::move(type.error()));
    const std::size_t before = parts.size();
    const auto known = read_known(*type, members, within, Place(place, *type), parts);
    if (!known) return std::unexpected(known.error());
    if (!*known) {
        parts.emplace_back(chat::Native{.type = *std::move(type), .json = std::string(block.raw)});
    } else if (parts.size() > before && !members.cache_control.is(json::Kind::null)) {
        parts.back().cache_control = members.cache_control.raw;
    }
    return {};
}

Result<Parts> read_blocks(Walk& walk, Within within, const Place& place) {
    Parts parts;
    if (walk.enter_array()) {
        for (std::size_t i = 0; walk.next_element(); ++i) {
            auto ok = read_block(walk.take(), within, Place(place, i), parts);
            if (!ok) return std::unexpected(std::move(ok.error()));
        }
        return parts;
    }
    const json::Value content = walk.take();
    auto text = json::to_string(content);
    if (!text) {
        auto wrong = require_list(content, place);
        return std::unexpected(std::move(wrong.error()));
    }
    parts.emplace_back(chat::Text{*std::move(text)});
    return parts;
}

}  // namespace

Result<std::vector<chat::Part>> read_content(Walk& walk, const Place& place) {
    return read_blocks(walk, Within::message, place);
}

Result<std::vector<chat::Part>> read_system(const json::Value& system, const Place& place) {
    Walk walk(system.raw);
    auto parts = read_blocks(walk, Within::document, place);
    if (parts) {
        std::erase_if(*parts,
                      [](const chat::Part& part) { return part.as<chat::Text>() == nullptr; });
    }
    return parts;
}

}  // namespace sluice::dialect::anthropic_messages
