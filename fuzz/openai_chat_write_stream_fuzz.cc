/// Properties: any run of events becomes server-sent events of JSON that our own reader reads; what
/// it reads is what was written. Each event is made of a byte for its kind, one for its tool, one
/// for the length of its text, and the text.

#include "chat/reply.h"
#include "dialect/openai_chat/read_stream.h"
#include "dialect/openai_chat/write_stream.h"
#include "json/reader.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

namespace chat = sluice::chat;
namespace openai_chat = sluice::dialect::openai_chat;
using chat::Event;

void check(bool holds) {
    if (!holds) std::abort();
}

/// The texts that a client is to see.
struct Expected {
    std::string text;
    std::string reasoning;
    std::string refusal;
    std::size_t tools = 0;
};

std::string texts_of(const chat::Reply& reply, bool reasoning) {
    std::string all;
    for (const chat::Part& part : reply.parts) {
        if (const auto* const text = part.as<chat::Text>(); text != nullptr && !reasoning) {
            all += text->text;
        }
        if (const auto* const thinking = part.as<chat::Thinking>();
            thinking != nullptr && reasoning) {
            all += thinking->text;
        }
    }
    return all;
}

/// Whether the event may be given, by chat::EventSink's promises.
bool is_due(const Event& event, const Expected& so_far) {
    switch (event.kind) {
        case Event::Kind::tool_start: return event.tool == so_far.tools;
        case Event::Kind::tool_arguments: return event.tool < so_far.tools;
        case Event::Kind::start:
        case Event::Kind::error:
        case Event::Kind::end: return false;
        default: return true;
    }
}

void note(const Event& event, Expected& expected) {
    if (event.kind == Event::Kind::text) expected.text += event.text;
    if (event.kind == Event::Kind::thinking) expected.reasoning += event.text;
    if (event.kind == Event::Kind::refusal) expected.refusal += event.text;
    if (event.kind == Event::Kind::tool_start) ++expected.tools;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    std::string out;
    openai_chat::ReplyIdentity identity;
    identity.id = "chatcmpl-1";
    const auto writer = openai_chat::make_stream_writer(identity, out);
    Expected expected;
    while (bytes.size() >= 3 && expected.tools < 200) {
        Event event;
        event.kind = static_cast<Event::Kind>(static_cast<unsigned char>(bytes[0]) %
                                              (static_cast<unsigned>(Event::Kind::end) + 1));
        event.tool = static_cast<unsigned char>(bytes[1]) % 4;
        const std::size_t length = static_cast<unsigned char>(bytes[2]);
        event.text = bytes.substr(3, length);
        bytes.remove_prefix(3 + event.text.size());
        if (!sluice::json::is_valid_utf8(event.text)) continue;
        event.id = event.text.substr(0, 0);
        if (event.kind == Event::Kind::tool_start) {
            event.tool = expected.tools;
            event.name = "f";
        }
        if (!is_due(event, expected)) continue;
        note(event, expected);
        writer->on_event(event);
    }
    writer->on_event({.kind = Event::Kind::end});
    check(!writer->failed());

    chat::Fold fold(1UL << 24U);
    const auto reader = openai_chat::make_stream_reader();
    check(reader->feed(out, fold).has_value());
    const chat::Reply& reply = fold.reply();
    check(reply.is_whole && !reply.error);
    check(texts_of(reply, false) == expected.text);
    check(texts_of(reply, true) == expected.reasoning);
    check(reply.refusal == expected.refusal);
    std::size_t tools = 0;
    for (const chat::Part& part : reply.parts) {
        const auto* const use = part.as<chat::ToolUse>();
        if (use == nullptr) continue;
        ++tools;
        check(!use->id.empty() && !use->arguments.empty());
    }
    check(tools == expected.tools);
    check(!sluice::json::find_error(openai_chat::write_reply(reply, identity)));
    return 0;
}
