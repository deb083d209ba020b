#include "dialect/openai_chat/write_reply.h"

#include "dialect/openai_chat/write_stream.h"
#include "dialect/repair.h"

#include <algorithm>
#include <vector>

namespace sluice::dialect::openai_chat {
namespace {

struct Message {
    std::string text;
    std::string reasoning;
    std::vector<const chat::ToolUse*> calls;
};

Message message_of(const chat::Reply& reply) {
    Message message;
    for (const chat::Part& part : reply.parts) {
        if (const auto* const text = part.as<chat::Text>()) message.text += text->text;
        if (const auto* const thinking = part.as<chat::Thinking>()) {
            message.reasoning += thinking->text;
        }
        if (const auto* const use = part.as<chat::ToolUse>()) message.calls.push_back(use);
    }
    return message;
}

void write_calls(json::Writer& json, const std::vector<const chat::ToolUse*>& calls,
                 std::string_view reply_id) {
    std::vector<std::string> ids;
    json.begin_array();
    for (const chat::ToolUse* const call : calls) {
        const bool is_usable = !call->id.empty() && std::ranges::find(ids, call->id) == ids.end();
        ids.push_back(is_usable ? call->id : mint_call_id(reply_id, ids.size()));
        json.begin_object().key("id").string(ids.back()).key("type").string("function");
        json.key("function").begin_object().key("name").string(call->name);
        json.key("arguments");
        json.string(repair_arguments(call->arguments).value_or(call->arguments));
        json.end_object().end_object();
    }
    json.end_array();
}

void write_message(json::Writer& json, const chat::Reply& reply, std::string_view reply_id) {
    const Message message = message_of(reply);
    const bool has_nothing = message.text.empty() && message.calls.empty() && reply.refusal.empty();
    json.begin_object().key("role").string("assistant").key("content");
    if (has_nothing) {
        json.string("");
    } else {
        json.string_or_null(message.text);
    }
    json.key("refusal").string_or_null(reply.refusal);
    if (!message.reasoning.empty()) json.key("reasoning_content").string(message.reasoning);
    if (!message.calls.empty()) {
        json.key("tool_calls");
        write_calls(json, message.calls, reply_id);
    }
    json.end_object();
}

chat::FinishReason finish_of(const chat::Reply& reply) {
    if (reply.finish_reason) return *reply.finish_reason;
    const bool has_calls = std::ranges::any_of(
        reply.parts, [](const chat::Part& part) { return part.as<chat::ToolUse>() != nullptr; });
    return has_calls ? chat::FinishReason::tool_calls : chat::FinishReason::stop;
}

}  // namespace

std::string_view finish_word(chat::FinishReason reason) noexcept {
    switch (reason) {
        case chat::FinishReason::stop:
        case chat::FinishReason::stop_sequence:
        case chat::FinishReason::pause:
        case chat::FinishReason::other: return "stop";
        case chat::FinishReason::length:
        case chat::FinishReason::context_window: return "length";
        case chat::FinishReason::tool_calls: return "tool_calls";
        case chat::FinishReason::content_filter: return "content_filter";
    }
    return "stop";
}

void write_usage(json::Writer& json, const chat::Usage& usage) {
    json.begin_object().key("prompt_tokens").number(usage.input);
    json.key("completion_tokens").number(usage.output);
    json.key("total_tokens").number(usage.total != 0 ? usage.total : usage.input + usage.output);
    if (usage.cached_input != 0 || usage.cache_write != 0) {
        json.key("prompt_tokens_details").begin_object();
        json.key("cached_tokens").number(usage.cached_input);
        if (usage.cache_write != 0) json.key("cache_write_tokens").number(usage.cache_write);
        json.end_object();
    }
    if (usage.reasoning != 0) {
        json.key("completion_tokens_details").begin_object();
        json.key("reasoning_tokens").number(usage.reasoning).end_object();
    }
    json.end_object();
}

std::string mint_call_id(std::string_view reply_id, std::size_t call) {
    const std::size_t dash = reply_id.find_first_of("-_");
    if (dash != std::string_view::npos) reply_id.remove_prefix(dash + 1);
    return "call_" + std::string(reply_id) + "_" + std::to_string(call);
}

std::string write_reply(const chat::Reply& reply, const ReplyIdentity& identity) {
    const bool is_chat = identity.shape == Shape::chat;
    const std::string& id = identity.id.empty() ? reply.id : identity.id;
    std::string out;
    json::Writer json(out);
    json.begin_object().key("id").string(id);
    json.key("object").string(is_chat ? "chat.completion" : "text_completion");
    json.key("created").number(identity.created);
    json.key("model").string(reply.model.empty() ? identity.model : reply.model);
    json.key("choices").begin_array().begin_object().key("index").number(0);
    if (is_chat) {
        json.key("message");
        write_message(json, reply, id);
    } else {
        json.key("text").string(message_of(reply).text + reply.refusal);
    }
    json.key("logprobs").null();
    json.key("finish_reason").string(finish_word(finish_of(reply)));
    json.end_object().end_array();
    if (reply.usage.known) {
        json.key("usage");
        write_usage(json, reply.usage);
    }
    json.end_object();
    return out;
}

}  // namespace sluice::dialect::openai_chat
