#include "dialect/anthropic_messages/reply_fields.h"
#include "dialect/anthropic_messages/write_stream.h"
#include "json/reader.h"
#include "json/writer.h"

#include <algorithm>

namespace sluice::dialect::anthropic_messages {
namespace {

using chat::Part;

bool is_object(std::string_view text) {
    return !json::find_error(text) && json::as_value(text).is(json::Kind::object);
}

/// Arguments that are no object take the form that Claude Code gives them, and read_request() makes
/// of it what the model wrote.
void write_input(json::Writer& json, std::string_view arguments) {
    if (is_white_space(arguments) || json::as_value(arguments).raw == "null") {
        json.begin_object().end_object();
    } else if (is_object(arguments)) {
        json.raw(json::as_value(arguments).raw);
    } else {
        json.begin_object().key("__unparsedToolInput").begin_object();
        json.key("raw").string(arguments).key("len").number(arguments.size());
        json.end_object().end_object();
    }
}

void write_text(json::Writer& json, std::string_view text) {
    json.begin_object().key("type").string("text").key("text").string(text).end_object();
}

/// Text, and more than white space, or a tool call: beside it white space alone is no block.
bool is_answer(const Part& part) {
    const auto* const text = part.as<chat::Text>();
    return text != nullptr
               ? !is_white_space(text->text)
               : part.as<chat::ToolUse>() != nullptr || part.as<chat::Native>() != nullptr;
}

/// The content of one message.
class Content {
public:
    Content(json::Writer& json, const ReplyIdentity& identity)
        : json_(json),
          identity_(identity),
          ids_(identity.id) {}

    void write(const chat::Reply& reply) {
        const bool has_answer =
            !reply.refusal.empty() || std::ranges::any_of(reply.parts, is_answer);
        for (const Part& part : reply.parts) {
            if (const auto* const text = part.as<chat::Text>()) {
                const bool is_shown = has_answer ? is_answer(part) : !text->text.empty();
                if (is_shown) write_text(json_, text->text);
            } else {
                write(part);
            }
        }
        if (!reply.refusal.empty()) write_text(json_, reply.refusal);
    }

    [[nodiscard]] bool has_tool_calls() const noexcept { return has_tool_calls_; }

private:
    void write(const Part& part) {
        if (const auto* const thinking = part.as<chat::Thinking>()) write(*thinking);
        if (const auto* const call = part.as<chat::ToolUse>()) write(*call);
        if (const auto* const redacted = part.as<chat::RedactedThinking>()) {
            json_.begin_object().key("type").string("redacted_thinking");
            json_.key("data").string(redacted->data).end_object();
        }
        const auto* const native = part.as<chat::Native>();
        if (native != nullptr && is_object(native->json) &&
            json::find(json::as_value(native->json), "type")) {
            json_.raw(json::as_value(native->json).raw);
        }
    }

    void write(const chat::Thinking& thinking) {
        if (thinking.text.empty() && thinking.signature.empty()) return;
        const bool is_signed = !thinking.signature.empty() || !identity_.sign;
        json_.begin_object().key("type").string("thinking");
        json_.key("thinking").string(thinking.text);
        json_.key("signature")
            .string(is_signed ? thinking.signature : identity_.sign(thinking.text.size()));
        json_.end_object();
    }

    void write(const chat::ToolUse& call) {
        has_tool_calls_ = true;
        json_.begin_object().key("type").string("tool_use").key("id").string(ids_.take(call.id));
        json_.key("name").string(call.name).key("input");
        write_input(json_, call.arguments);
        json_.end_object();
    }

    json::Writer& json_;
    const ReplyIdentity& identity_;
    ToolIds ids_;
    bool has_tool_calls_ = false;
};

}  // namespace

std::string write_reply(const chat::Reply& reply, const ReplyIdentity& identity) {
    std::string out;
    json::Writer json(out);
    json.begin_object().key("id").string(identity.id).key("type").string("message");
    json.key("role").string("assistant").key("model").string(identity.model);
    json.key("content").begin_array();
    Content content(json, identity);
    content.write(reply);
    json.end_array();
    write_ending(json, {.reason = reply.finish_reason,
                        .stop_sequence = reply.stop_sequence,
                        .has_tool_calls = content.has_tool_calls(),
                        .has_refusal = !reply.refusal.empty()});
    write_usage(json, reply.usage, identity.input_tokens);
    json.end_object();
    return out;
}

}  // namespace sluice::dialect::anthropic_messages
