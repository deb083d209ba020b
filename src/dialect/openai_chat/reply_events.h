#pragma once

/// What chunks, or one whole completion, say, made into events. Knows nothing of server-sent
/// events. Internal to read_stream.

#include "base/error.h"
#include "chat/event.h"
#include "chat/finish_reason.h"
#include "chat/usage.h"
#include "dialect/openai_chat/shape.h"
#include "dialect/openai_chat/tool_call_events.h"
#include "dialect/split_text.h"
#include "dialect/walk.h"
#include "json/reader.h"

#include <optional>
#include <string>
#include <string_view>

namespace sluice::dialect::openai_chat {

class ReplyEvents {
public:
    explicit ReplyEvents(Shape shape) noexcept : shape_(shape) {}

    /// A checked object: a chunk, or a whole completion. May end the reply with Event::error.
    Result<void> take(std::string_view checked, bool whole, chat::EventSink& sink);

    /// An error event's payload, which need not be JSON.
    void take_error(std::string_view payload, chat::EventSink& sink);

    /// The reply is at its end: what was held back, its finish, its end.
    Result<void> finish(chat::EventSink& sink);

    /// Event::start has been given.
    [[nodiscard]] bool started() const noexcept { return started_; }
    /// A choice has come.
    [[nodiscard]] bool has_choice() const noexcept { return has_choice_; }
    [[nodiscard]] bool has_finish() const noexcept { return finish_.has_value(); }
    /// Event::error or Event::end has been given.
    [[nodiscard]] bool ended() const noexcept { return ended_; }

private:
    /// What the first choice says, all of it as it stands in the chunk.
    struct Choice {
        json::Value content;
        json::Value reasoning_content;
        json::Value reasoning;
        json::Value refusal;
        json::Value tool_calls;
        json::Value function_call;
        json::Value finish_reason;
    };

    void read_choices(Walk& walk, std::optional<Choice>& out) const;
    void read_choice(Walk& walk, std::optional<Choice>& out) const;
    static void read_message(Walk& walk, Choice& out);
    Result<void> take_choice(const Choice& choice, bool whole, chat::EventSink& sink);
    void take_content(const json::Value& content, chat::EventSink& sink);
    void take_part(const json::Value& part, chat::EventSink& sink);
    void add(chat::Event::Kind kind, const json::Value& piece, chat::EventSink& sink);
    void close_text(chat::EventSink& sink);
    void start(chat::EventSink& sink);
    void give_error(const Error& error, chat::EventSink& sink);

    Shape shape_;
    ToolCallEvents calls_;
    TextJoiner joiner_;
    std::optional<chat::Event::Kind> open_;  // text, thinking or refusal
    std::string id_;
    std::string model_;
    std::optional<chat::FinishReason> finish_;
    bool started_ = false;
    bool has_choice_ = false;
    bool ended_ = false;
};

/// The error that an upstream's `error` member, or its whole body, tells of: its words, and a code
/// by the status that they stand for.
[[nodiscard]] Error read_error(const json::Value& error);

}  // namespace sluice::dialect::openai_chat
