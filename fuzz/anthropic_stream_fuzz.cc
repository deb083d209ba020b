/// Properties of what reads an Anthropic upstream: how the bytes are cut changes neither the events
/// nor what a client of the same dialect is sent; events come by the contract of chat::EventSink.
/// The first byte chooses the cut, its high bit whether events are rewritten.

#include "chat/reply.h"
#include "dialect/anthropic_messages/read_stream.h"
#include "dialect/anthropic_messages/stream_filter.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <utility>

namespace {

using sluice::chat::Event;
using sluice::dialect::ReplyStream;
using sluice::dialect::anthropic_messages::StreamFilter;

void check(bool holds) {
    if (!holds) std::abort();
}

/// Writes the events down and checks their order.
class Recorder final : public sluice::chat::EventSink {
public:
    void on_event(const Event& event) override {
        check(!is_over_);
        if (event.kind == Event::Kind::start) check(std::exchange(is_first_, false));
        is_first_ = false;
        is_over_ = event.kind == Event::Kind::error || event.kind == Event::Kind::end;
        if (event.kind == Event::Kind::tool_start) check(event.tool == tools_++);
        if (event.kind == Event::Kind::tool_arguments) check(event.tool < tools_);
        if (event.kind == Event::Kind::finish) check(!std::exchange(has_finish_, true));
        if (event.kind == Event::Kind::end) check(has_finish_);
        text += std::to_string(static_cast<int>(event.kind)) + " " + std::to_string(event.tool);
        text.append(event.id).append(" ").append(event.name).append(" ").append(event.text);
        text += std::to_string(event.usage.total) + "\n";
    }

    std::string text;

private:
    bool is_first_ = true;
    bool is_over_ = false;
    bool has_finish_ = false;
    std::size_t tools_ = 0;
};

struct Outcome {
    std::string text;  // what was sent, or the events
    std::string facts;
    bool ok = true;
    bool ended = false;

    friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// Calls `feed` with pieces that do not outlive the call, until it says no.
template <typename Feed>
bool feed_pieces(std::string_view bytes, std::size_t size, Feed feed) {
    while (!bytes.empty()) {
        const std::string piece(bytes.substr(0, size));
        if (!feed(piece)) return false;
        bytes.remove_prefix(std::min(size, bytes.size()));
    }
    return true;
}

Outcome read(std::string_view bytes, std::size_t size) {
    const auto reader = sluice::dialect::anthropic_messages::make_stream_reader(1UL << 16U);
    Recorder recorder;
    Outcome outcome;
    outcome.ok = feed_pieces(bytes, size, [&](std::string_view piece) {
        return reader->feed(piece, recorder).has_value();
    });
    if (outcome.ok) outcome.ended = reader->end(recorder).has_value();
    outcome.text = std::move(recorder.text);
    return outcome;
}

Outcome filter(std::string_view bytes, std::size_t size, bool rewrite) {
    StreamFilter::Options options;
    options.max_event_bytes = 1UL << 16U;
    options.secrets = {"sk-1"};
    if (rewrite) {
        options.rewrite = [](std::string_view json, std::string& out) {
            out = std::string(json) + "\n";
            return json.size() % 2 != 0;
        };
    }
    StreamFilter stream(std::move(options));
    ReplyStream::Pieces pieces;
    Outcome outcome;
    const auto send = [&] {
        for (const std::string_view piece : pieces) outcome.text.append(piece);
        pieces.clear();
    };
    outcome.ok = feed_pieces(bytes, size, [&](std::string_view piece) {
        const bool fed = stream.feed(piece, pieces).has_value();
        send();
        return fed;
    });
    if (outcome.ok) {
        outcome.ended = stream.end(pieces).has_value();
        send();
    }
    const auto& facts = stream.facts();
    check((stream.error() != nullptr) == facts.has_error);
    check(outcome.ended == facts.done);
    outcome.facts = facts.model + " " + std::to_string(facts.usage.total) + " " +
                    std::to_string(facts.chunks) + (facts.has_content ? " content" : "") +
                    (facts.has_tool_calls ? " tools" : "") + (facts.has_error ? " error" : "") +
                    (facts.out_of_resources ? " out of resources" : "");
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::size_t piece = std::size_t{data[0]} % 64 % 37 + 1;
    const bool rewrite = (data[0] & 0x80U) != 0;
    const Outcome events = read(bytes, bytes.size() + 1);
    check(read(bytes, piece) == events);
    const Outcome sent = filter(bytes, bytes.size() + 1, rewrite);
    check(filter(bytes, piece, rewrite) == sent);
    // What is sent is read by others as it was read here.
    if (!rewrite && events.ended && sent.ended) {
        const Outcome again = read(sent.text, sent.text.size());
        check(again.ok && again.ended);
    }
    return 0;
}
