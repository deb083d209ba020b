#include "dialect/anthropic_messages/read_stream.h"

#include "dialect/anthropic_messages/blocks.h"
#include "dialect/anthropic_messages/frames.h"
#include "dialect/anthropic_messages/message.h"

#include <array>
#include <string>
#include <utility>

namespace sluice::dialect::anthropic_messages {
namespace {

using chat::Event;

json::Value member(const json::Value& object, std::string_view name) {
    return json::find(object, name).value_or(json::Value{});
}

/// Of a reply that names none.
chat::FinishReason likely_finish(const Blocks& blocks) noexcept {
    return blocks.has_tools() ? chat::FinishReason::tool_calls : chat::FinishReason::stop;
}

class Reader final : public StreamReader {
public:
    explicit Reader(std::size_t max_event_bytes)
        : frames_(max_event_bytes),
          blocks_(max_event_bytes) {}

    Result<void> feed(std::string_view bytes, chat::EventSink& sink) override;
    Result<void> end(chat::EventSink& sink) override;

private:
    enum class State : std::uint8_t { before, begun, ended, failed };

    [[nodiscard]] bool is_over() const noexcept {
        return state_ == State::ended || state_ == State::failed;
    }
    Result<void> take(const Frame& frame, chat::EventSink& sink);
    void start(const json::Value& message, chat::EventSink& sink);
    void give_usage(const json::Value& usage, chat::EventSink& sink);
    void give_finish(const json::Value& delta, chat::EventSink& sink);
    Result<void> finish(chat::EventSink& sink);
    void give_error(const Frame& frame, chat::EventSink& sink);

    Frames frames_;
    Blocks blocks_;
    chat::Usage usage_;
    State state_ = State::before;
    bool has_finish_ = false;
};

Result<void> Reader::feed(std::string_view bytes, chat::EventSink& sink) {
    if (is_over()) return {};
    frames_.feed(bytes);
    while (!is_over()) {
        const auto frame = frames_.next();
        if (!frame) break;
        auto taken = take(*frame, sink);
        if (!taken) return taken;
    }
    if (frames_.failed()) {
        return fail(Errc::upstream_invalid_response,
                    "an event of the upstream's stream is too long");
    }
    return {};
}

Result<void> Reader::end(chat::EventSink& sink) {
    if (is_over()) return {};
    if (const auto frame = frames_.last()) {
        auto taken = take(*frame, sink);
        if (!taken || is_over()) return taken;
    }
    if (has_finish_) return finish(sink);
    return fail(Errc::upstream_truncated, "the upstream's stream ended before its end");
}

Result<void> Reader::take(const Frame& frame, chat::EventSink& sink) {
    if (frame.data.empty()) return {};  // a comment, or fields without data
    const auto payload = read_payload(frame);
    if (!payload) return std::unexpected(payload.error());
    switch (payload->type) {
        case EventType::message_start: start(payload->message, sink); return {};
        case EventType::block_start:
            state_ = State::begun;
            return blocks_.start(payload->index, payload->block, sink);
        case EventType::block_delta:
            state_ = State::begun;
            return blocks_.add(payload->index, payload->delta, sink);
        case EventType::block_stop: blocks_.stop(payload->index, sink); return {};
        case EventType::message_delta:
            state_ = State::begun;
            give_usage(payload->usage, sink);
            give_finish(payload->delta, sink);
            return {};
        case EventType::message_stop: return finish(sink);
        case EventType::ping:
            if (state_ == State::begun) sink.on_event({.kind = Event::Kind::ping});
            return {};
        case EventType::error: give_error(frame, sink); return {};
        case EventType::unknown: return {};
    }
    return {};
}

/// One that comes late, or again, only tells more of the usage.
void Reader::start(const json::Value& message, chat::EventSink& sink) {
    if (std::exchange(state_, State::begun) == State::before) {
        const std::string id = json::to_string(member(message, "id")).value_or("");
        const std::string model = json::to_string(member(message, "model")).value_or("");
        sink.on_event({.kind = Event::Kind::start, .id = id, .name = model});
    }
    give_usage(member(message, "usage"), sink);
}

void Reader::give_usage(const json::Value& usage, chat::EventSink& sink) {
    if (!usage.is(json::Kind::object)) return;
    read_usage(usage, usage_);
    if (usage_.known) sink.on_event({.kind = Event::Kind::usage, .usage = usage_});
}

void Reader::give_finish(const json::Value& delta, chat::EventSink& sink) {
    const auto reason = read_stop_reason(member(delta, "stop_reason"));
    if (!reason || std::exchange(has_finish_, true)) return;
    blocks_.stop_all(sink);
    const std::string sequence = json::to_string(member(delta, "stop_sequence")).value_or("");
    sink.on_event({.kind = Event::Kind::finish, .text = sequence, .finish = *reason});
}

Result<void> Reader::finish(chat::EventSink& sink) {
    if (state_ == State::before) {
        return fail(Errc::upstream_invalid_response, "the upstream's stream is empty");
    }
    blocks_.stop_all(sink);
    if (!has_finish_) {
        sink.on_event({.kind = Event::Kind::finish, .finish = likely_finish(blocks_)});
    }
    sink.on_event({.kind = Event::Kind::end});
    state_ = State::ended;
    return {};
}

void Reader::give_error(const Frame& frame, chat::EventSink& sink) {
    const Error error = read_error(frame, {});
    sink.on_event({.kind = Event::Kind::error, .error = &error});
    state_ = State::failed;
}

}  // namespace

std::unique_ptr<StreamReader> make_stream_reader(std::size_t max_event_bytes) {
    return std::make_unique<Reader>(max_event_bytes);
}

Result<void> read_events(std::string_view body, chat::EventSink& sink) {
    const auto message = read_message(body);
    if (!message) return std::unexpected(message.error());
    if (message->is_error || !message->content.is(json::Kind::array)) {
        return fail(Errc::upstream_invalid_response, "the upstream's reply is no message");
    }
    const std::string id = json::to_string(message->id).value_or("");
    const std::string model = json::to_string(message->model).value_or("");
    sink.on_event({.kind = Event::Kind::start, .id = id, .name = model});
    Blocks blocks(body.size());
    json::Reader content(message->content);
    while (content.next()) {
        auto started = blocks.start({}, content.value(), sink);
        if (!started) return started;
        blocks.stop_all(sink);
    }
    chat::Usage usage;
    read_usage(message->usage, usage);
    if (usage.known) sink.on_event({.kind = Event::Kind::usage, .usage = usage});
    const std::string sequence = json::to_string(message->stop_sequence).value_or("");
    const auto reason = read_stop_reason(message->stop_reason);
    sink.on_event({.kind = Event::Kind::finish,
                   .text = sequence,
                   .finish = reason.value_or(likely_finish(blocks))});
    sink.on_event({.kind = Event::Kind::end});
    return {};
}

void read_usage(const json::Value& usage, chat::Usage& so_far) {
    if (!usage.is(json::Kind::object)) return;
    std::uint64_t fresh = so_far.input - so_far.cached_input - so_far.cache_write;
    const auto update = [&so_far](std::uint64_t& count, const json::Value& value) {
        const auto number = json::to_uint64(value);
        if (!number) return;
        count = *number;
        so_far.known = true;
    };
    json::Reader reader(usage);
    while (reader.next()) {
        const json::Value& value = reader.value();
        if (reader.key_is("input_tokens")) {
            update(fresh, value);
        } else if (reader.key_is("cache_read_input_tokens")) {
            update(so_far.cached_input, value);
        } else if (reader.key_is("cache_creation_input_tokens")) {
            update(so_far.cache_write, value);
        } else if (reader.key_is("output_tokens")) {
            update(so_far.output, value);
        } else if (reader.key_is("output_tokens_details")) {
            update(so_far.reasoning, member(value, "thinking_tokens"));
        }
    }
    so_far.input = fresh + so_far.cached_input + so_far.cache_write;
    so_far.total = so_far.input + so_far.output;
}

std::optional<chat::FinishReason> read_stop_reason(const json::Value& value) {
    using enum chat::FinishReason;
    static constexpr std::array<std::pair<std::string_view, chat::FinishReason>, 7> kWords{{
        {"\"end_turn\"", stop},
        {"\"stop_sequence\"", stop_sequence},
        {"\"max_tokens\"", length},
        {"\"model_context_window_exceeded\"", context_window},
        {"\"tool_use\"", tool_calls},
        {"\"refusal\"", content_filter},
        {"\"pause_turn\"", pause},
    }};
    if (!value.is(json::Kind::string) || value.raw == R"("")") return std::nullopt;
    for (const auto& [word, reason] : kWords) {
        if (value.raw == word) return reason;
    }
    return other;
}

}  // namespace sluice::dialect::anthropic_messages
