/// Properties: how the bytes are cut does not change the events; they come in the order that
/// chat::EventSink promises; no text in them is cut within a character. The first byte chooses the
/// cut, its high bit the shape. The same bytes are read as a whole reply too.

#include "chat/event.h"
#include "dialect/openai_chat/read_stream.h"
#include "json/reader.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using sluice::chat::Event;
using sluice::dialect::openai_chat::Shape;

void check(bool holds) {
    if (!holds) std::abort();
}

/// Writes down all events, and checks their order.
class Judge final : public sluice::chat::EventSink {
public:
    void on_event(const Event& event) override {
        check(!ended_);
        check(sluice::json::is_valid_utf8(event.text));
        switch (event.kind) {
            case Event::Kind::start: check(!started_ && (started_ = true)); break;
            case Event::Kind::tool_start:
                check(started_ && event.tool == tools_.size() && !event.name.empty());
                tools_.push_back(true);
                break;
            case Event::Kind::tool_arguments: check(event.tool < tools_.size()); break;
            case Event::Kind::text:
            case Event::Kind::thinking:
            case Event::Kind::refusal: check(started_ && !finished_ && !event.text.empty()); break;
            case Event::Kind::finish: check(started_ && !finished_ && (finished_ = true)); break;
            case Event::Kind::end: check(finished_ && (ended_ = true)); break;
            case Event::Kind::error: check(event.error != nullptr && (ended_ = true)); break;
            case Event::Kind::block_end:
            case Event::Kind::usage:
            case Event::Kind::ping: break;
            case Event::Kind::signature:
            case Event::Kind::redacted_thinking:
            case Event::Kind::citation:
            case Event::Kind::native: check(false);
        }
        seen +=
            std::to_string(static_cast<int>(event.kind)) + ":" + std::to_string(event.tool) + ":";
        seen.append(event.text).append(event.id).append(event.name);
        if (event.error != nullptr) seen += event.error->message;
        seen += std::to_string(event.usage.total) + "\n";
    }

    std::string seen;

private:
    std::vector<bool> tools_;
    bool started_ = false;
    bool finished_ = false;
    bool ended_ = false;
};

std::string read(std::string_view bytes, std::size_t size, Shape shape) {
    const auto reader = sluice::dialect::openai_chat::make_stream_reader(shape, 4096);
    Judge judge;
    bool ok = true;
    while (ok && !bytes.empty()) {
        const std::string piece(bytes.substr(0, size));  // its own, so that ASan sees a late view
        ok = reader->feed(piece, judge).has_value();
        bytes.remove_prefix(std::min(size, bytes.size()));
    }
    if (ok) ok = reader->end(judge).has_value();
    return judge.seen + (ok ? "whole" : "broken");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const Shape shape = (data[0] & 0x80U) != 0 ? Shape::text : Shape::chat;
    const std::size_t piece = std::size_t{data[0]} % 64 % 37 + 1;
    check(read(bytes, piece, shape) == read(bytes, bytes.size() + 1, shape));
    Judge judge;
    static_cast<void>(sluice::dialect::openai_chat::read_events(bytes, judge, shape));
    return 0;
}
