#include "dialect/anthropic_messages/blocks.h"

#include "json/members.h"
#include "json/splice.h"

#include <algorithm>
#include <utility>

namespace sluice::dialect::anthropic_messages {
namespace {

using chat::Event;

constexpr std::size_t kMaxOpen = 128;
constexpr std::size_t kMaxCitations = 1024;  // that wait for their text

std::string_view inner(const json::Value& string) noexcept {
    return string.is(json::Kind::string) ? string.raw.substr(1, string.raw.size() - 2)
                                         : std::string_view();
}

std::string text_of(const json::Value& object, std::string_view name) {
    return json::to_string(json::find(object, name).value_or(json::Value{})).value_or("");
}

/// A native block with the input that was streamed after it.
std::string with_input(const std::string& block, const std::string& input) {
    if (json::find_error(input)) return block;
    std::vector<json::Member> members;
    json::read_members(block, {.offset = 0, .length = block.size()}, members);
    json::Splice splice(block);
    if (const json::Member* const member = json::find_member(members, block, "input")) {
        splice.replace(member->value, input);
    } else {
        splice.insert(block.size() - 1, (members.empty() ? R"("input":)" : R"(,"input":)") + input);
    }
    std::string merged;
    splice.append_to(merged);
    return merged;
}

/// What a delta brings. Its type says which of its members that is.
struct Delta {
    std::string_view type;
    json::Value text;
    json::Value thinking;
    json::Value signature;
    json::Value input;
    json::Value citation;
};

Delta read_delta(const json::Value& value) {
    Delta delta;
    if (!value.is(json::Kind::object)) return delta;
    json::Reader reader(value);
    while (reader.next()) {
        if (reader.key_is("type")) {
            delta.type = inner(reader.value());
        } else if (reader.key_is("text")) {
            delta.text = reader.value();
        } else if (reader.key_is("thinking")) {
            delta.thinking = reader.value();
        } else if (reader.key_is("signature")) {
            delta.signature = reader.value();
        } else if (reader.key_is("partial_json")) {
            delta.input = reader.value();
        } else if (reader.key_is("citation")) {
            delta.citation = reader.value();
        }
    }
    return delta;
}

}  // namespace

/// Without an index the newest is meant.
Blocks::Block* Blocks::find(const json::Value& index) noexcept {
    const auto number = json::to_uint64(index);
    if (!number) return open_.empty() ? nullptr : &open_.back();
    const auto found =
        std::ranges::find_if(open_, [&](const Block& block) { return block.index == number; });
    return found == open_.end() ? nullptr : &*found;
}

/// Tool calls may overlap; nothing else stays open when another block begins.
Blocks::Block& Blocks::open(Kind kind, const json::Value& index, chat::EventSink& sink) {
    if (!open_.empty() && open_.back().kind != Kind::tool) close_newest(sink);
    Block& block = open_.emplace_back();
    block.kind = kind;
    block.index = json::to_uint64(index);
    return block;
}

Result<void> Blocks::start(const json::Value& index, const json::Value& value,
                           chat::EventSink& sink) {
    if (index.is(json::Kind::number) && find(index) != nullptr) stop(index, sink);
    std::size_t held = value.raw.size();
    for (const Block& block : open_) held += block.json.size();
    if (open_.size() >= kMaxOpen || held > max_held_bytes_) {
        return fail(Errc::upstream_invalid_response,
                    "too many blocks of the upstream's stream are open at once");
    }
    const std::string type = text_of(value, "type");
    const auto member = [&](std::string_view name) {
        return json::find(value, name).value_or(json::Value{});
    };
    if (type == "text") {
        Block& block = open(Kind::text, index, sink);
        give(block, block.joiner.take(member("text")), sink);
        return cite_all(block, member("citations"), sink);
    } else if (type == "thinking") {
        Block& block = open(Kind::thinking, index, sink);
        give(block, block.joiner.take(member("thinking")), sink);
        give_signature(block, member("signature"), sink);
    } else if (type == "tool_use") {
        start_tool(open(Kind::tool, index, sink), value, sink);
    } else if (type == "redacted_thinking") {
        open(Kind::whole, index, sink);
        const std::string data = text_of(value, "data");
        sink.on_event({.kind = Event::Kind::redacted_thinking, .text = data});
    } else {
        Block& block = open(type.empty() ? Kind::whole : Kind::native, index, sink);
        block.json = value.raw;
    }
    return {};
}

void Blocks::start_tool(Block& block, const json::Value& value, chat::EventSink& sink) {
    const std::string id = text_of(value, "id");
    const std::string name = text_of(value, "name");
    const json::Value input = json::find(value, "input").value_or(json::Value{});
    if (!input.is(json::Kind::null) && !json::is_empty(input) && input.raw != R"("")") {
        block.json = input.raw;
    }
    block.tool = tools_++;
    sink.on_event({.kind = Event::Kind::tool_start, .id = id, .name = name, .tool = block.tool});
}

Result<void> Blocks::add(const json::Value& index, const json::Value& value,
                         chat::EventSink& sink) {
    const Delta delta = read_delta(value);
    Block* block = find(index);
    if (delta.type == "text_delta") {
        if (block == nullptr) block = &open(Kind::text, index, sink);
        if (block->kind == Kind::text) give(*block, block->joiner.take(delta.text), sink);
    } else if (delta.type == "thinking_delta") {
        if (block == nullptr) block = &open(Kind::thinking, index, sink);
        if (block->kind == Kind::thinking) give(*block, block->joiner.take(delta.thinking), sink);
    } else if (block == nullptr) {
        return {};
    } else if (delta.type == "signature_delta") {
        if (block->kind == Kind::thinking) give_signature(*block, delta.signature, sink);
    } else if (delta.type == "citations_delta") {
        if (block->kind == Kind::text) return cite(*block, delta.citation, sink);
    } else if (delta.type == "input_json_delta" && block->kind == Kind::tool) {
        give(*block, block->joiner.take(delta.input), sink);
    } else if (delta.type == "input_json_delta" && block->kind == Kind::native) {
        block->input += block->joiner.take(delta.input);
        if (block->input.size() > max_held_bytes_) {
            return fail(Errc::upstream_invalid_response,
                        "a block of the upstream's stream is too long");
        }
    }
    return {};
}

void Blocks::give(Block& block, std::string_view text, chat::EventSink& sink) {
    if (text.empty()) return;
    block.has_output = true;
    Event event{.kind = Event::Kind::text, .text = text, .tool = block.tool};
    if (block.kind == Kind::thinking) event.kind = Event::Kind::thinking;
    if (block.kind == Kind::tool) event.kind = Event::Kind::tool_arguments;
    sink.on_event(event);
    for (const std::string& citation : std::exchange(block.citations, {})) {
        sink.on_event({.kind = Event::Kind::citation, .text = citation});
    }
}

/// Anthropic's come before the text that they belong to, and wait for it.
Result<void> Blocks::cite(Block& block, const json::Value& citation, chat::EventSink& sink) {
    if (!citation.is(json::Kind::object)) return {};
    if (block.has_output) {
        sink.on_event({.kind = Event::Kind::citation, .text = citation.raw});
        return {};
    }
    std::size_t held = citation.raw.size();
    for (const std::string& earlier : block.citations) held += earlier.size();
    if (held > max_held_bytes_ || block.citations.size() >= kMaxCitations) {
        return fail(Errc::upstream_invalid_response,
                    "a block of the upstream's stream has too many citations");
    }
    block.citations.emplace_back(citation.raw);
    return {};
}

Result<void> Blocks::cite_all(Block& block, const json::Value& citations, chat::EventSink& sink) {
    if (!citations.is(json::Kind::array)) return {};
    json::Reader reader(citations);
    while (reader.next()) {
        auto cited = cite(block, reader.value(), sink);
        if (!cited) return cited;
    }
    return {};
}

void Blocks::give_signature(Block& block, const json::Value& value, chat::EventSink& sink) {
    give(block, block.joiner.flush(), sink);
    const std::string_view signature = block.joiner.take(value);
    if (signature.empty()) return;
    block.has_output = true;
    sink.on_event({.kind = Event::Kind::signature, .text = signature});
}

void Blocks::stop(const json::Value& index, chat::EventSink& sink) {
    Block* const block = find(index);
    if (block == nullptr) return;
    if (block == &open_.back()) {
        close_newest(sink);
    } else {
        close(*block,
              sink);  // a tool call that a newer one overlaps: block_end would be that one's
        open_.erase(open_.begin() + (block - open_.data()));
    }
}

void Blocks::stop_all(chat::EventSink& sink) {
    while (!open_.empty()) close_newest(sink);
}

void Blocks::close_newest(chat::EventSink& sink) {
    Block& block = open_.back();
    close(block, sink);
    const bool was_open = block.kind == Kind::tool || block.has_output;
    const bool is_newest = block.kind != Kind::tool || block.tool + 1 == tools_;
    open_.pop_back();
    if (was_open && is_newest) sink.on_event({.kind = Event::Kind::block_end});
}

/// What can only be told now.
void Blocks::close(Block& block, chat::EventSink& sink) {
    if (block.kind == Kind::native) {
        block.input += block.joiner.flush();
        const std::string merged =
            block.input.empty() ? std::move(block.json) : with_input(block.json, block.input);
        const std::string type = text_of(json::as_value(merged), "type");
        sink.on_event({.kind = Event::Kind::native, .text = merged, .name = type});
        return;
    }
    give(block, block.joiner.flush(), sink);
    if (block.kind == Kind::tool && !block.has_output) {
        give(block, block.json.empty() ? std::string_view("{}") : block.json, sink);
    }
}

}  // namespace sluice::dialect::anthropic_messages
