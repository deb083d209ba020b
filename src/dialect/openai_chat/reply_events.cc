#include "dialect/openai_chat/reply_events.h"

#include "dialect/openai_chat/reply.h"

namespace sluice::dialect::openai_chat {
namespace {

using Kind = chat::Event::Kind;

constexpr std::string_view kOutOfResources = R"("insufficient_system_resource")";

bool is_text(const json::Value& value) noexcept {
    return value.is(json::Kind::string) && value.raw.size() > 2;
}

bool tells_of_error(const json::Value& error) noexcept {
    return !error.raw.empty() && !error.is(json::Kind::null) && error.raw != "false" &&
           error.raw != R"("")";
}

/// Groq's, which stands beside the usual one or in its place.
chat::Usage usage_in_x_groq(const json::Value& x_groq) {
    const auto usage = member_of(x_groq, "usage");
    return usage ? read_usage(*usage) : chat::Usage{};
}

}  // namespace

Result<void> ReplyEvents::take(std::string_view checked, bool whole, chat::EventSink& sink) {
    std::optional<Choice> choice;
    json::Value error;
    chat::Usage usage;
    Walk walk(checked);
    if (!walk.enter_object()) return {};
    while (walk.next_member()) {
        if (walk.key_is("choices")) {
            read_choices(walk, choice);
            continue;
        }
        const json::Value value = walk.take();
        if (walk.key_is("usage")) {
            if (value.is(json::Kind::object)) usage = read_usage(value);
        } else if (walk.key_is("x_groq")) {
            if (!usage.known) usage = usage_in_x_groq(value);
        } else if (walk.key_is("error")) {
            error = value;
        } else if (!started_ && walk.key_is("id")) {
            id_ = json::to_string(value).value_or("");
        } else if (!started_ && walk.key_is("model")) {
            model_ = json::to_string(value).value_or("");
        }
    }
    if (tells_of_error(error)) {
        give_error(read_error(error), sink);
        return {};
    }
    if (choice || usage.known) start(sink);
    if (usage.known) sink.on_event({.kind = Kind::usage, .usage = usage});
    if (!choice) return {};
    has_choice_ = true;
    return take_choice(*choice, whole, sink);
}

void ReplyEvents::take_error(std::string_view payload, chat::EventSink& sink) {
    if (json::find_error(payload)) {
        give_error(Error(Errc::upstream_status, std::string(payload)), sink);
        return;
    }
    const json::Value document = json::as_value(payload);
    give_error(read_error(member_of(document, "error").value_or(document)), sink);
}

Result<void> ReplyEvents::finish(chat::EventSink& sink) {
    if (ended_) return {};
    close_text(sink);
    if (auto ok = calls_.finish(sink); !ok) return ok;
    // Agents go by the finish reason, and several servers say `stop` after tool calls.
    const bool has_calls = calls_.started() != 0;
    chat::FinishReason finish = finish_.value_or(chat::FinishReason::stop);
    if (has_calls && finish == chat::FinishReason::stop) finish = chat::FinishReason::tool_calls;
    if (!has_calls && finish == chat::FinishReason::tool_calls) finish = chat::FinishReason::stop;
    sink.on_event({.kind = Kind::finish, .finish = finish});
    ended_ = true;
    sink.on_event({.kind = Kind::end});
    return {};
}

void ReplyEvents::read_choices(Walk& walk, std::optional<Choice>& out) const {
    if (!walk.enter_array()) {
        walk.take();
        return;
    }
    while (walk.next_element()) read_choice(walk, out);
}

/// `out` becomes the choice, if it is the first one.
void ReplyEvents::read_choice(Walk& walk, std::optional<Choice>& out) const {
    if (!walk.enter_object()) {
        walk.take();
        return;
    }
    Choice choice;
    bool is_first = true;
    while (walk.next_member()) {
        if (shape_ == Shape::chat && (walk.key_is("delta") || walk.key_is("message"))) {
            read_message(walk, choice);
            continue;
        }
        const json::Value value = walk.take();
        if (walk.key_is("finish_reason")) {
            choice.finish_reason = value;
        } else if (walk.key_is("index")) {
            is_first = value.raw == "0" || !value.is(json::Kind::number);
        } else if (shape_ == Shape::text && walk.key_is("text")) {
            choice.content = value;
        }
    }
    if (is_first && !out) out = choice;
}

void ReplyEvents::read_message(Walk& walk, Choice& out) {
    if (!walk.enter_object()) {
        walk.take();
        return;
    }
    while (walk.next_member()) {
        const json::Value value = walk.take();
        if (walk.key_is("content")) {
            out.content = value;
        } else if (walk.key_is("reasoning_content")) {
            out.reasoning_content = value;
        } else if (walk.key_is("reasoning")) {
            out.reasoning = value;
        } else if (walk.key_is("refusal")) {
            out.refusal = value;
        } else if (walk.key_is("tool_calls")) {
            out.tool_calls = value;
        } else if (walk.key_is("function_call")) {
            out.function_call = value;
        }
    }
}

Result<void> ReplyEvents::take_choice(const Choice& choice, bool whole, chat::EventSink& sink) {
    const json::Value& reasoning =
        is_text(choice.reasoning_content) ? choice.reasoning_content : choice.reasoning;
    if (is_text(reasoning)) add(Kind::thinking, reasoning, sink);
    take_content(choice.content, sink);
    if (is_text(choice.refusal)) add(Kind::refusal, choice.refusal, sink);

    const bool has_calls =
        choice.tool_calls.is(json::Kind::array) && !json::is_empty(choice.tool_calls);
    if (has_calls || choice.function_call.is(json::Kind::object)) {
        close_text(sink);
        auto ok = has_calls ? calls_.take(choice.tool_calls, whole, sink)
                            : calls_.take_legacy(choice.function_call, sink);
        if (!ok) return ok;
    }
    if (!is_text(choice.finish_reason)) return {};
    if (choice.finish_reason.raw == kOutOfResources) {
        give_error(Error(Errc::overloaded, "the upstream ran out of resources"), sink);
        return {};
    }
    finish_ = read_finish_reason(choice.finish_reason);
    return {};
}

/// A string, or the list of parts that some servers send.
void ReplyEvents::take_content(const json::Value& content, chat::EventSink& sink) {
    if (is_text(content)) {
        add(Kind::text, content, sink);
        return;
    }
    if (!content.is(json::Kind::array)) return;
    Walk walk(content.raw);
    if (!walk.enter_array()) return;
    while (walk.next_element()) take_part(walk.take(), sink);
}

void ReplyEvents::take_part(const json::Value& part, chat::EventSink& sink) {
    Walk walk(part.raw);
    if (!walk.enter_object()) return;
    while (walk.next_member()) {
        const json::Value value = walk.take();
        if (walk.key_is("text")) {
            if (is_text(value)) add(Kind::text, value, sink);
        } else if (walk.key_is("refusal")) {
            if (is_text(value)) add(Kind::refusal, value, sink);
        } else if (walk.key_is("thinking")) {  // Mistral's: a string or a list of texts
            if (is_text(value)) add(Kind::thinking, value, sink);
            Walk thoughts(value.raw);
            if (!thoughts.enter_array()) continue;
            while (thoughts.next_element()) {
                const auto text = member_of(thoughts.take(), "text");
                if (text && is_text(*text)) add(Kind::thinking, *text, sink);
            }
        }
    }
}

void ReplyEvents::add(Kind kind, const json::Value& piece, chat::EventSink& sink) {
    if (open_ != kind) {
        close_text(sink);
        open_ = kind;
    }
    const std::string_view text = joiner_.take(piece);
    if (!text.empty()) sink.on_event({.kind = kind, .text = text});
}

void ReplyEvents::close_text(chat::EventSink& sink) {
    if (!open_) return;
    const std::string_view rest = joiner_.flush();
    if (!rest.empty()) sink.on_event({.kind = *open_, .text = rest});
    open_.reset();
    // Beside a tool call that is not whole it could be taken for that one's end.
    if (calls_.is_whole()) sink.on_event({.kind = Kind::block_end});
}

void ReplyEvents::start(chat::EventSink& sink) {
    if (started_) return;
    started_ = true;
    sink.on_event({.kind = Kind::start, .id = id_, .name = model_});
}

void ReplyEvents::give_error(const Error& error, chat::EventSink& sink) {
    ended_ = true;
    sink.on_event({.kind = Kind::error, .error = &error});
}

}  // namespace sluice::dialect::openai_chat
