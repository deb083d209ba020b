#include "app/scripted_turn.h"
#include "json/writer.h"
#include "upstream/embedded/token_text.h"
#include "upstream/embedded/wire.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::app {
namespace {

using upstream::embedded::estimate_tokens;
using upstream::embedded::TokenText;
using upstream::embedded::WireScript;

constexpr std::size_t kArgumentBytes = 4;
constexpr std::string_view kFingerprint = "fp_sluice";

/// One reply: what the rule says, for the request that it answers.
class Turn {
public:
    Turn(const ScriptedTurn& turn, const DeepSeekRequest& request, const TurnContext& context)
        : turn_(turn),
          request_(request),
          context_(context),
          reasoning_(request.thinking ? turn.reasoning : std::string()) {}

    [[nodiscard]] std::string whole() const;
    [[nodiscard]] std::vector<std::string> events() const;

private:
    void begin(json::Writer& json, std::string_view object) const;
    void write_usage(json::Writer& json) const;
    void write_calls(json::Writer& json) const;
    [[nodiscard]] std::string finish() const;
    [[nodiscard]] std::string id_of(std::size_t call) const;
    /// `delta` without its braces.
    [[nodiscard]] std::string event(std::string_view delta, bool last) const;
    [[nodiscard]] std::string text_delta(std::string_view field, std::string_view text) const;
    void append_text(std::string_view field, const std::string& text,
                     std::vector<std::string>& events) const;
    void append_call(std::size_t index, std::vector<std::string>& events) const;

    const ScriptedTurn& turn_;
    const DeepSeekRequest& request_;
    const TurnContext& context_;
    std::string reasoning_;
};

void Turn::begin(json::Writer& json, std::string_view object) const {
    json.begin_object().key("id").string("ds-" + std::to_string(context_.number));
    json.key("object").string(object).key("created").number(context_.created);
    json.key("model").string(request_.model).key("system_fingerprint").string(kFingerprint);
}

std::string Turn::finish() const {
    if (!turn_.finish_reason.empty()) return turn_.finish_reason;
    return turn_.calls.empty() ? "stop" : "tool_calls";
}

/// As they look there: `call_00_` and what is different each time.
std::string Turn::id_of(std::size_t call) const {
    const std::string& stated = turn_.calls[call].id;
    if (!stated.empty()) return stated;
    const std::string number = (call < 10 ? "0" : "") + std::to_string(call);
    return "call_" + number + "_sluice" + std::to_string(context_.number);
}

void Turn::write_usage(json::Writer& json) const {
    const std::uint64_t reasoning = estimate_tokens(reasoning_.size());
    std::uint64_t completion = reasoning + estimate_tokens(turn_.content.size());
    for (const ScriptedCall& call : turn_.calls) {
        completion += estimate_tokens(call.name.size()) + estimate_tokens(call.arguments.size());
    }
    const PromptUsage& prompt = context_.prompt;
    json.begin_object().key("prompt_tokens").number(prompt.tokens);
    json.key("completion_tokens").number(completion);
    json.key("total_tokens").number(prompt.tokens + completion);
    json.key("prompt_tokens_details").begin_object().key("cached_tokens").number(prompt.cached);
    json.end_object();
    if (request_.thinking) {
        json.key("completion_tokens_details").begin_object();
        json.key("reasoning_tokens").number(reasoning).end_object();
    }
    json.key("prompt_cache_hit_tokens").number(prompt.cached);
    json.key("prompt_cache_miss_tokens").number(prompt.tokens - prompt.cached).end_object();
}

void Turn::write_calls(json::Writer& json) const {
    json.key("tool_calls").begin_array();
    for (std::size_t i = 0; i < turn_.calls.size(); ++i) {
        json.begin_object().key("index").number(i).key("id").string(id_of(i));
        json.key("type").string("function").key("function").begin_object();
        json.key("name").string(turn_.calls[i].name);
        json.key("arguments").string(turn_.calls[i].arguments).end_object().end_object();
    }
    json.end_array();
}

std::string Turn::whole() const {
    std::string body;
    json::Writer json(body);
    begin(json, "chat.completion");
    json.key("choices").begin_array().begin_object().key("index").number(0);
    json.key("message").begin_object().key("role").string("assistant");
    json.key("content").string(turn_.content);
    if (request_.thinking) json.key("reasoning_content").string(reasoning_);
    if (!turn_.calls.empty()) write_calls(json);
    json.end_object().key("logprobs").null().key("finish_reason").string(finish());
    json.end_object().end_array().key("usage");
    write_usage(json);
    json.end_object();
    return body;
}

std::string Turn::event(std::string_view delta, bool last) const {
    std::string data;
    json::Writer json(data);
    begin(json, "chat.completion.chunk");
    json.key("choices").begin_array().begin_object().key("index").number(0);
    json.key("delta").raw("{" + std::string(delta) + "}").key("logprobs").null();
    json.key("finish_reason");
    last ? json.string(finish()) : json.null();
    json.end_object().end_array().key("usage");
    if (last) {
        write_usage(json);
    } else {
        json.null();
    }
    json.end_object();
    return "data: " + data + "\n\n";
}

/// A thinking model names both fields each time, the other one as null.
std::string Turn::text_delta(std::string_view field, std::string_view text) const {
    std::string quoted;
    json::append_string(quoted, text);
    if (!request_.thinking) return "\"content\":" + quoted;
    const bool content = field == "content";
    return "\"content\":" + (content ? quoted : "null") +
           ",\"reasoning_content\":" + (content ? "null" : quoted);
}

void Turn::append_text(std::string_view field, const std::string& text,
                       std::vector<std::string>& events) const {
    const TokenText tokens = TokenText::of(text);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        events.push_back(event(text_delta(field, tokens.piece(i)), false));
    }
}

void Turn::append_call(std::size_t index, std::vector<std::string>& events) const {
    const ScriptedCall& call = turn_.calls[index];
    std::string opening;
    json::Writer json(opening);
    json.begin_object().key("index").number(index).key("id").string(id_of(index));
    json.key("type").string("function").key("function").begin_object();
    json.key("name").string(call.name).key("arguments").string("").end_object().end_object();
    events.push_back(event("\"tool_calls\":[" + opening + "]", false));
    for (std::string_view rest = call.arguments; !rest.empty();) {
        std::string_view piece = upstream::embedded::utf8_prefix(rest, kArgumentBytes);
        if (piece.empty()) piece = rest.substr(0, 1);
        rest.remove_prefix(piece.size());
        std::string quoted;
        json::append_string(quoted, piece);
        events.push_back(event(R"("tool_calls":[{"index":)" + std::to_string(index) +
                                   R"(,"function":{"arguments":)" + quoted + "}}]",
                               false));
    }
}

std::vector<std::string> Turn::events() const {
    std::vector<std::string> events;
    events.push_back(event(request_.thinking
                               ? R"("role":"assistant","content":null,"reasoning_content":"")"
                               : R"("role":"assistant","content":"")",
                           false));
    append_text("reasoning_content", reasoning_, events);
    append_text("content", turn_.content, events);
    for (std::size_t i = 0; i < turn_.calls.size(); ++i) append_call(i, events);
    events.push_back(event(text_delta("content", ""), true));
    events.emplace_back(upstream::embedded::kDoneEvent);
    return events;
}

WireScript write_stream(const ScriptedTurn& turn, const std::vector<std::string>& events) {
    using upstream::embedded::chunk;
    using upstream::embedded::send_times;
    WireScript wire;
    wire.push_back(send_times(std::string(upstream::embedded::kStatusLine) +
                                  "content-type: text/event-stream; charset=utf-8\r\n"
                                  "cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n",
                              1, turn.delay));
    if (turn.keep_alives > 0) {
        wire.push_back(send_times(chunk(": keep-alive\n\n"), turn.keep_alives, turn.interval));
    }
    const std::size_t count = std::min(turn.cut_after.value_or(events.size()), events.size());
    for (std::size_t i = 0; i < count; ++i) {
        wire.push_back(
            send_times(chunk(events[i]), 1, i == 0 ? std::chrono::milliseconds(0) : turn.interval));
    }
    wire.push_back(turn.cut_after
                       ? turn.cut
                       : upstream::embedded::send(std::string(upstream::embedded::kLastChunk)));
    return wire;
}

WireScript write_whole(const ScriptedTurn& turn, const std::string& body) {
    // While it waits for its turn, DeepSeek sends empty lines.
    const std::string lines(turn.keep_alives, '\n');
    const std::string sized =
        upstream::embedded::sized_response("200 OK", "application/json", "", lines + body);
    const bool cut = turn.cut_after && *turn.cut_after != SIZE_MAX;
    const std::string_view sent =
        std::string_view(sized).substr(0, sized.size() - (cut ? body.size() / 2 : 0));
    WireScript wire;
    wire.push_back(upstream::embedded::send_times(std::string(sent), 1, turn.delay));
    if (turn.cut_after) wire.push_back(turn.cut);
    return wire;
}

std::string_view error_type(std::uint64_t status) {
    switch (status) {
        case 401: return "authentication_error";
        case 402: return "unknown_error";
        case 429: return "rate_limit_reached_error";
        case 500: return "server_error";
        case 503: return "service_unavailable_error";
        default: return "invalid_request_error";
    }
}

}  // namespace

WireScript write_deepseek_error(std::uint64_t status, std::string_view message) {
    std::string body;
    json::Writer json(body);
    json.begin_object().key("error").begin_object().key("message").string(message);
    json.key("type").string(error_type(status)).key("param").null();
    json.key("code").string("invalid_request_error").end_object().end_object();
    return {upstream::embedded::send(upstream::embedded::sized_response(
        std::to_string(status) + " Refused", "application/json", "", body))};
}

WireScript write_turn(const ScriptedTurn& turn, const DeepSeekRequest& request,
                      const TurnContext& context) {
    if (turn.status != 0) {
        WireScript wire = write_deepseek_error(turn.status, turn.message);
        wire.front().wait = turn.delay;
        return wire;
    }
    const Turn told(turn, request, context);
    return request.stream ? write_stream(turn, told.events()) : write_whole(turn, told.whole());
}

}  // namespace sluice::app
