#include "dialect/anthropic_messages/stream_filter.h"

#include "dialect/anthropic_messages/message.h"
#include "dialect/anthropic_messages/read_stream.h"
#include "dialect/upstream_error.h"
#include "json/writer.h"

#include <algorithm>
#include <utility>

namespace sluice::dialect::anthropic_messages {
namespace {

constexpr std::string_view kMessageStop =
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
/// After so many events in which no content was seen it is taken to be in them unrecognised.
constexpr std::uint64_t kMaxEmptyEvents = 16;

std::unexpected<Error> refuse(std::string message) {
    return fail(Errc::upstream_invalid_response, std::move(message));
}

/// The JSON may have come in several lines; between its tokens a space does as well.
std::string write_event(std::string_view name, std::string_view json) {
    std::string text = "event: ";
    text.append(name).append("\ndata: ");
    const std::size_t begin = text.size();
    text += json;
    std::ranges::replace_if(
        text.begin() + static_cast<std::ptrdiff_t>(begin), text.end(),
        [](char c) { return c == '\n' || c == '\r'; }, ' ');
    return text + "\n\n";
}

bool is_nothing(const json::Value& value) {
    return value.is(json::Kind::null) || value.raw == R"("")" || json::is_empty(value);
}

/// Of a delta, or of a block that begins with some of its text: anything to show.
bool has_content_in(const json::Value& value) {
    if (!value.is(json::Kind::object)) return false;
    json::Reader reader(value);
    while (reader.next()) {
        const bool is_shown = !reader.key_is("type") && !reader.key_is("signature") &&
                              !reader.key_is("estimated_tokens");
        if (is_shown && !is_nothing(reader.value())) return true;
    }
    return false;
}

}  // namespace

StreamFilter::StreamFilter(Options options)
    : options_(std::move(options)),
      frames_(options_.max_event_bytes) {}

Result<void> StreamFilter::feed(std::string_view bytes, Pieces& out) {
    if (facts_.done || facts_.has_error) return {};
    kept_.clear();
    frames_.feed(bytes);
    while (!facts_.done && !facts_.has_error) {
        const auto frame = frames_.next();
        if (!frame) break;
        auto taken = take(*frame, true, out);
        if (!taken) return taken;
    }
    if (frames_.failed()) return refuse("an event of the upstream's stream is too long");
    return {};
}

Result<void> StreamFilter::end(Pieces& out) {
    if (facts_.done) return {};
    if (!facts_.has_error) {
        kept_.clear();
        if (const auto frame = frames_.last()) {
            auto taken = take(*frame, false, out);
            if (!taken || facts_.done) return taken;
        }
    }
    if (facts_.has_error) return fail(Errc::upstream_status, "the upstream reported an error");
    if (!facts_.finish_reason) {
        return fail(Errc::upstream_truncated, "the upstream's stream ended before its end");
    }
    out.push_back(kMessageStop);
    facts_.done = true;
    return {};
}

Result<void> StreamFilter::take(const Frame& frame, bool is_whole, Pieces& out) {
    if (frame.data.empty()) {  // a comment, a blank line, or fields without data
        pass(frame.event, out);
        return {};
    }
    const bool had_start = has_start_;
    const auto type = observe(frame);
    if (!type) return std::unexpected(type.error());
    // Clients fail on a second one.
    if (*type == EventType::message_start && had_start) return {};
    add(frame, *type, is_whole, out);
    return {};
}

/// Nearly every event is only checked; the few that matter are read in the same pass.
Result<EventType> StreamFilter::observe(const Frame& frame) {
    const auto seen = peek_type(frame.data);
    const bool is_plain = seen == EventType::block_stop || seen == EventType::ping ||
                          (seen == EventType::block_delta && facts_.has_content);
    if (!is_plain || frame.name == "error") return observe_payload(frame);
    if (const auto error = json::find_error(frame.data)) {
        return refuse("an event of the upstream's stream is not JSON: " + *error);
    }
    if (seen != EventType::ping) ++facts_.chunks;
    return *seen;
}

Result<EventType> StreamFilter::observe_payload(const Frame& frame) {
    const auto payload = read_payload(frame);
    if (!payload) return std::unexpected(payload.error());
    switch (payload->type) {
        case EventType::message_start: observe_start(payload->message); break;
        case EventType::block_start: observe_block(payload->block); break;
        case EventType::block_delta: facts_.has_content |= has_content_in(payload->delta); break;
        case EventType::message_delta:
            read_usage(payload->usage, facts_.usage);
            if (const auto reason = read_stop_reason(
                    json::find(payload->delta, "stop_reason").value_or(json::Value{}))) {
                facts_.finish_reason = reason;
                facts_.has_content = true;  // an end without content is an answer too
            }
            break;
        case EventType::message_stop:
            if (facts_.chunks == 0) return refuse("the upstream's stream is empty");
            return payload->type;
        case EventType::error:
        case EventType::ping:
        case EventType::unknown: return payload->type;
        case EventType::block_stop: break;
    }
    facts_.has_content |= ++facts_.chunks > kMaxEmptyEvents;
    return payload->type;
}

void StreamFilter::observe_start(const json::Value& message) {
    has_start_ = true;
    if (!message.is(json::Kind::object)) return;
    json::Reader reader(message);
    while (reader.next()) {
        if (reader.key_is("model") && facts_.model.empty()) {
            facts_.model = json::to_string(reader.value()).value_or("");
        } else if (reader.key_is("usage")) {
            read_usage(reader.value(), facts_.usage);
        }
    }
}

void StreamFilter::observe_block(const json::Value& block) {
    const json::Value type = json::find(block, "type").value_or(json::Value{});
    const bool is_tool = type.raw == R"("tool_use")";
    facts_.has_tool_calls |= is_tool;
    facts_.has_content |= is_tool || has_content_in(block);
}

void StreamFilter::add(const Frame& frame, EventType type, bool is_whole, Pieces& out) {
    const std::string_view name = frame.name.empty() ? to_string(type) : frame.name;
    bool is_changed = !is_whole || (frame.name.empty() && !name.empty());
    std::string_view json = frame.data;
    switch (type) {
        case EventType::message_start:
        case EventType::block_start:
        case EventType::block_delta:
        case EventType::block_stop:
        case EventType::message_delta:
            if (options_.rewrite && options_.rewrite(json, rewritten_json_)) {
                json = rewritten_json_;
                is_changed = true;
            }
            break;
        case EventType::message_stop:
            if (!facts_.finish_reason) out.push_back(keep(write_finish()));
            facts_.done = true;
            break;
        case EventType::error: add_error(frame, out); return;
        case EventType::ping:
        case EventType::unknown: break;
    }
    pass(is_changed ? keep(write_event(name, json)) : frame.event, out);
}

void StreamFilter::add_error(const Frame& frame, Pieces& out) {
    const std::vector<std::string_view> secrets(options_.secrets.begin(), options_.secrets.end());
    error_ = read_error(frame, secrets);
    facts_.has_error = true;
    facts_.out_of_resources = error_->code == Errc::overloaded && !facts_.has_content;
    out.push_back(keep(write_event("error", redact(frame.data, secrets))));
}

/// Events that stand side by side leave as one piece.
void StreamFilter::pass(std::string_view event, Pieces& out) {
    if (!out.empty() && out.back().data() + out.back().size() == event.data()) {
        out.back() = {out.back().data(), out.back().size() + event.size()};
    } else {
        out.push_back(event);
    }
}

std::string_view StreamFilter::keep(std::string text) {
    return *kept_.emplace_back(std::make_unique<std::string>(std::move(text)));
}

/// The message_delta that the upstream left out.
std::string StreamFilter::write_finish() {
    using enum chat::FinishReason;
    facts_.finish_reason = facts_.has_tool_calls ? tool_calls : stop;
    std::string text;
    json::Writer json(text);
    json.begin_object().key("type").string("message_delta");
    json.key("delta").begin_object();
    json.key("stop_reason").string(facts_.has_tool_calls ? "tool_use" : "end_turn");
    json.key("stop_sequence").null().end_object();
    json.key("usage").begin_object().key("output_tokens").number(facts_.usage.output).end_object();
    json.end_object();
    return write_event("message_delta", text);
}

Result<ReplyFacts> read_reply(std::string_view body) {
    const auto message = read_message(body);
    if (!message) return std::unexpected(message.error());
    ReplyFacts facts;
    read_usage(message->usage, facts.usage);
    facts.finish_reason = read_stop_reason(message->stop_reason);
    facts.model = json::to_string(message->model).value_or("");
    facts.is_error = message->is_error;
    return facts;
}

}  // namespace sluice::dialect::anthropic_messages
