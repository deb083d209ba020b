#include "dialect/openai_chat/read_stream.h"

#include "dialect/openai_chat/reply_events.h"
#include "json/reader.h"
#include "sse/framer.h"
#include "sse/parser.h"

#include <optional>
#include <string>

namespace sluice::dialect::openai_chat {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kDone = "[DONE]";

std::unexpected<Error> refuse(std::string message) {
    return fail(Errc::upstream_invalid_response, std::move(message));
}

/// The payload of an event that is one data line, which nearly all are.
std::optional<std::string_view> single_data_line(std::string_view event) {
    constexpr std::string_view kData = "data:";
    if (!event.starts_with(kData)) return std::nullopt;
    event.remove_prefix(kData.size());
    while (event.ends_with('\n') || event.ends_with('\r')) event.remove_suffix(1);
    if (event.find('\n') != std::string_view::npos || event.find('\r') != std::string_view::npos) {
        return std::nullopt;
    }
    return json::as_value(event).raw;
}

class ChunkReader final : public StreamReader {
public:
    ChunkReader(Shape shape, std::size_t max_event_bytes)
        : framer_(max_event_bytes),
          events_(shape) {}

    Result<void> feed(std::string_view bytes, chat::EventSink& sink) override {
        if (events_.ended()) return {};
        framer_.feed(bytes);
        while (const auto event = framer_.next()) {
            if (auto ok = take(*event, sink); !ok) return ok;
            if (events_.ended()) return {};
        }
        if (framer_.failed()) return refuse("an event of the upstream's stream is too long");
        return {};
    }

    Result<void> end(chat::EventSink& sink) override {
        if (events_.ended()) return {};
        if (auto ok = take_rest(sink); !ok) return ok;
        if (events_.ended()) return {};
        if (events_.has_finish()) return events_.finish(sink);
        return fail(Errc::upstream_truncated, "the upstream's stream ended before its end");
    }

private:
    Result<void> take(std::string_view event, chat::EventSink& sink) {
        if (first_event_ && event.starts_with(kByteOrderMark)) {
            event.remove_prefix(kByteOrderMark.size());
        }
        first_event_ = false;
        if (const auto data = single_data_line(event)) return take_data(*data, false, sink);

        sse::Parser parser(event.size() + 1);
        parser.feed("\n");  // so that a mark in the middle of the stream is not taken for one
        if (!parser.next()) parser.feed(event);
        if (parser.next()) {
            return take_data(json::as_value(parser.event().data).raw,
                             parser.event().type == "error", sink);
        }
        if (event.starts_with(':')) sink.on_event({.kind = chat::Event::Kind::ping});
        return {};
    }

    Result<void> take_data(std::string_view data, bool named_error, chat::EventSink& sink) {
        if (data == kDone) {
            if (!events_.started()) return refuse("the upstream's stream is empty");
            return events_.finish(sink);
        }
        if (named_error) {
            events_.take_error(data, sink);
            return {};
        }
        if (!data.starts_with('{')) return refuse("an event of the upstream's stream is not JSON");
        if (const auto error = json::find_error(data)) {
            return refuse("an event of the upstream's stream is not JSON: " + *error);
        }
        return events_.take(data, false, sink);
    }

    /// The last event counts without its blank line too, if it is whole.
    Result<void> take_rest(chat::EventSink& sink) {
        const auto data = single_data_line(framer_.rest());
        if (!data || (*data != kDone && json::find_error(*data))) return {};
        return take_data(std::string(*data), false, sink);
    }

    sse::Framer framer_;
    ReplyEvents events_;
    bool first_event_ = true;
};

}  // namespace

std::unique_ptr<StreamReader> make_stream_reader(Shape shape, std::size_t max_event_bytes) {
    return std::make_unique<ChunkReader>(shape, max_event_bytes);
}

Result<void> read_events(std::string_view body, chat::EventSink& sink, Shape shape) {
    if (const auto error = json::find_error(body)) {
        return refuse("the upstream's reply is not JSON: " + *error);
    }
    ReplyEvents events(shape);
    if (auto ok = events.take(body, true, sink); !ok) return ok;
    if (events.ended()) return {};
    if (!events.has_choice()) return refuse("the upstream's reply is not a completion");
    return events.finish(sink);
}

}  // namespace sluice::dialect::openai_chat
