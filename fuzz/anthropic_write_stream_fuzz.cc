/// The bytes are a script: of each event its kind, a tool's number, the length of its text, and the
/// text. Properties: whatever the events and their order, the stream is by the grammar; no text, no
/// thinking and no call gets lost; how texts are cut changes nothing; a whole reply is well-formed.

#include "dialect/anthropic_messages/anthropic_grammar.h"
#include "dialect/anthropic_messages/event_script.h"
#include "dialect/anthropic_messages/write_stream.h"

#include <cstdint>
#include <cstdlib>

namespace {

namespace anthropic = sluice::dialect::anthropic_messages;
using anthropic::CheckedBlock;
using anthropic::CheckedStream;
using anthropic::OwnEvent;
using anthropic::Script;
using Kind = sluice::chat::Event::Kind;

void check(bool holds) {
    if (!holds) std::abort();
}

class Bytes {
public:
    explicit Bytes(std::string_view bytes) : rest_(bytes) {}

    [[nodiscard]] bool empty() const { return rest_.empty(); }
    unsigned next() {
        if (rest_.empty()) return 0;
        const unsigned byte = static_cast<unsigned char>(rest_[0]);
        rest_.remove_prefix(1);
        return byte;
    }
    /// Each byte as a code point.
    std::string text() {
        std::string text;
        for (unsigned left = next() % 32; left > 0 && !empty(); --left) {
            const unsigned byte = next();
            if (byte < 0x80) {
                text += static_cast<char>(byte);
            } else {
                text += static_cast<char>(0xC0U | (byte >> 6U));
                text += static_cast<char>(0x80U | (byte & 0x3FU));
            }
        }
        return text;
    }

private:
    std::string_view rest_;
};

Script script_of(Bytes bytes) {
    Script script;
    std::size_t tools = 0;
    while (!bytes.empty()) {
        OwnEvent& event = script.emplace_back();
        event.kind = static_cast<Kind>(bytes.next() % (static_cast<unsigned>(Kind::end) + 1));
        event.tool = bytes.next() % 8;
        event.text = bytes.text();
        if (event.kind == Kind::tool_start) {
            event.tool = tools++;
            event.id.swap(event.text);
            event.name = "f";
        }
        event.finish = static_cast<sluice::chat::FinishReason>(event.tool);
        event.usage = {.known = true, .input = event.text.size(), .cached_input = event.tool};
        event.error.message = "broken";
    }
    script.push_back({.kind = Kind::end});
    return script;
}

CheckedStream written(const Script& script) {
    anthropic::ReplyIdentity who;
    who.id = "msg_1";
    who.model = "m";
    who.sign = [](std::uint64_t bytes) { return std::to_string(bytes); };
    std::string out;
    const auto writer = anthropic::make_stream_writer(who, out);
    give(script, *writer);
    check(!writer->failed());
    CheckedStream stream = anthropic::check_stream(out);
    check(stream.fault.empty());
    return stream;
}

std::string without_space(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n') out += c;
    }
    return out;
}

/// What the events up to the end say.
struct Content {
    std::string text;
    std::string thinking;
    std::size_t calls = 0;
    bool has_error = false;
};

Content content_of(const Script& script) {
    Content content;
    for (const OwnEvent& event : script) {
        if (event.kind == Kind::text || event.kind == Kind::refusal) content.text += event.text;
        if (event.kind == Kind::thinking) content.thinking += event.text;
        if (event.kind == Kind::tool_start) ++content.calls;
        content.has_error = event.kind == Kind::error;
        if (event.kind == Kind::end || content.has_error) break;
    }
    return content;
}

void check_same(const CheckedStream& a, const CheckedStream& b) {
    check(a.blocks.size() == b.blocks.size());
    for (std::size_t i = 0; i < a.blocks.size(); ++i) {
        const CheckedBlock& block = a.blocks[i];
        const CheckedBlock& other = b.blocks[i];
        check(block.json == other.json);
        check(block.text == other.text);
        check(block.signature == other.signature);
        check(block.citations == other.citations);
    }
    check(a.stop_reason == b.stop_reason);
    check(a.usage == b.usage);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 512) return 0;  // it would only be slow
    const Script script = script_of(Bytes({reinterpret_cast<const char*>(data), size}));
    const CheckedStream stream = written(script);
    const Content content = content_of(script);
    check(stream.is_whole == !content.has_error);
    if (stream.is_whole) {
        check(without_space(stream.text_of("text")) == without_space(content.text));
        check(stream.text_of("thinking") == content.thinking);
        const auto calls = std::ranges::count(stream.blocks, "tool_use", &CheckedBlock::type);
        check(static_cast<std::size_t>(calls) == content.calls);
    }
    std::mt19937 random(1);
    check_same(stream, written(cut(script, random)));

    sluice::chat::Fold fold(1UL * 1024 * 1024);
    give(script, fold);
    check(!sluice::json::find_error(anthropic::write_reply(fold.reply(), {})));
    return 0;
}
