#include "gateway/translate.h"

#include "dialect/anthropic_messages/read_request.h"
#include "dialect/anthropic_messages/read_stream.h"
#include "dialect/anthropic_messages/write_request.h"
#include "dialect/anthropic_messages/write_stream.h"
#include "dialect/openai_chat/read_request.h"
#include "dialect/openai_chat/read_stream.h"
#include "dialect/openai_chat/replay.h"
#include "dialect/openai_chat/write_request.h"
#include "dialect/openai_chat/write_stream.h"
#include "dialect/request.h"
#include "dialect/translation.h"
#include "gateway/attempt.h"
#include "gateway/exchange.h"
#include "gateway/tokens.h"
#include "json/reader.h"
#include "net/digest.h"
#include "shaping/adapt.h"

#include <algorithm>
#include <utility>

namespace sluice::gateway {
namespace {

namespace anthropic = dialect::anthropic_messages;
namespace openai = dialect::openai_chat;

constexpr std::size_t kMaxDescription = 2048;
constexpr std::size_t kMaxWhat = 128;  // clients' own names are among them
constexpr std::size_t kMaxReplyContent = 64UL * 1024 * 1024;

Result<chat::Request> read_request(Dialect from, std::string_view body) {
    switch (from) {
        case Dialect::openai_chat: return openai::read_request(body);
        case Dialect::openai_text: return openai::read_request(body, openai::Shape::text);
        case Dialect::anthropic_messages: return anthropic::read_request(body);
    }
    return fail(Errc::internal);
}

std::string write_request(Dialect to, const chat::Request& request,
                          const chat::Abilities& abilities, chat::Changes& changes) {
    switch (to) {
        case Dialect::openai_chat:
        case Dialect::openai_text: return openai::write_request(request, abilities, changes);
        case Dialect::anthropic_messages:
            return anthropic::write_request(request, abilities, changes);
    }
    return {};
}

openai::ReplyIdentity openai_identity(Dialect to, const Rendering& rendering) {
    return {.shape = shape_of(to),
            .id = (to == Dialect::openai_text ? "cmpl-" : "chatcmpl-") +
                  rendering.request_id.substr(rendering.request_id.find('_') + 1),
            .model = rendering.model,
            .created = rendering.created,
            .include_usage = rendering.include_usage};
}

/// The mark by which thinking that is not Anthropic's own is known again (shaping::adapt).
anthropic::ReplyIdentity anthropic_identity(const Rendering& rendering) {
    const std::string unique = rendering.request_id.substr(rendering.request_id.find('_') + 1);
    return {.id = "msg_" + unique,
            .model = rendering.model,
            .sign = [signature = "sluice1." + unique](std::uint64_t) { return signature; }};
}

std::unique_ptr<dialect::StreamReader> make_reader(Dialect from) {
    switch (from) {
        case Dialect::openai_chat:
        case Dialect::openai_text: return openai::make_stream_reader(shape_of(from));
        case Dialect::anthropic_messages: return anthropic::make_stream_reader();
    }
    return nullptr;
}

/// What DeepSeek takes for a user_id (facts/deepseek-api.md 3), and the others too.
bool is_plain_name(std::string_view user) {
    constexpr std::size_t kMaxBytes = 512;
    return user.size() <= kMaxBytes && std::ranges::all_of(user, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '-' || c == '_';
           });
}

/// Claude Code's names are JSON with the ids of the device, the account and the session in it;
/// older ones end in the session's. It is left out: some upstreams keep their prefix caches apart
/// by the name, and sessions of one user have tens of kilobytes in common.
std::string without_session(std::string_view user) {
    constexpr std::string_view kSession = "_session_";
    if (!user.starts_with('{') || json::find_error(user)) {
        return std::string(user.substr(0, user.rfind(kSession)));
    }
    const json::Value ids = json::as_value(user);
    std::string steady;
    for (const std::string_view name : {"device_id", "account_uuid"}) {
        const auto id = json::find(ids, name);
        if (id) steady.append(id->raw).append(",");
    }
    return steady.empty() ? std::string(user) : steady;
}

/// The same for the same caller.
std::string pseudonym(std::string_view user) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const net::Digest digest = net::sha256(user);
    std::string text;
    text.reserve(2 * digest.size());
    for (const std::uint8_t byte : digest) {
        text += kDigits[byte >> 4U];
        text += kDigits[byte & 15U];
    }
    return text;
}

/// For clients that say nothing of it.
void fill_thinking(const std::optional<bool>& thinks, chat::ThinkingMode& mode) {
    using Kind = chat::ThinkingMode::Kind;
    if (!thinks || mode.kind != Kind::unset) return;
    mode.kind = *thinks ? Kind::enabled : Kind::disabled;
}

std::string_view tenant_of(const Exchange& exchange) {
    return exchange.tenant.empty() ? exchange.scope.key_name : std::string_view(exchange.tenant);
}

/// Restores what is missing, and prepares for what will come.
std::unique_ptr<ReasoningTap> tap_reasoning(Exchange& exchange, const chat::Abilities& abilities,
                                            chat::Request& request) {
    store::ReasoningStore* const store = exchange.gateway.reasoning();
    const bool wanted = abilities.reasoning_required && !request.tools.empty() && store != nullptr;
    if (!wanted) return nullptr;
    ConversationMark mark(tenant_of(exchange));
    const ReasoningFound found = restore_reasoning(request, *store, mark);
    exchange.gateway.shared().metrics.reasoning_replayed(found.hits, found.misses);
    return std::make_unique<ReasoningTap>(std::move(mark));
}

}  // namespace

Result<void> translate_request(Exchange& exchange, const config::Upstream& upstream, Lane lane,
                               Question& question, std::unique_ptr<ReasoningTap>& tap) {
    auto request = read_request(lane.client, exchange.body.view());
    if (!request) return std::unexpected(std::move(request.error()));
    if (request->choices > 1) {
        return dialect::refuse("n", "'n' must be 1: this upstream gives one answer at a time");
    }
    request->model = question.model;
    const chat::Abilities abilities = config::abilities_of(upstream, question.model);
    fill_thinking(upstream.default_thinking, request->thinking);
    request->user = without_session(request->user);
    if (!is_plain_name(request->user)) request->user = pseudonym(request->user);
    tap = tap_reasoning(exchange, abilities, *request);
    sample_estimate(exchange, upstream, *request);
    auto adapted = shaping::adapt(*request, abilities, question.changes);
    if (!adapted) return adapted;
    question.rewritten = std::make_unique<const std::string>(
        write_request(lane.upstream, *request, abilities, question.changes));
    question.body = json::Splice(*question.rewritten);
    question.hide_usage = false;
    return {};
}

void replay_reasoning(Exchange& exchange, const config::Upstream& upstream, Question& question,
                      std::unique_ptr<ReasoningTap>& tap) {
    // What we cannot read the upstream may well understand: then it is forwarded as it is.
    auto request = openai::read_request(exchange.body.view());
    if (!request || request->thinking.kind == chat::ThinkingMode::Kind::disabled) return;
    tap = tap_reasoning(exchange, upstream.abilities, *request);
    const bool by_other_name =
        upstream.abilities.reasoning_history == chat::ReasoningHistory::reasoning;
    openai::add_reasoning(exchange.body.view(), exchange.head.members, *request,
                          by_other_name ? "reasoning" : "reasoning_content", question.body);
}

std::unique_ptr<dialect::ReplyStream> make_translation(Lane lane, const Rendering& rendering,
                                                       std::vector<std::string> secrets,
                                                       ReasoningTap* tap) {
    dialect::Translation::Options options;
    options.secrets = std::move(secrets);
    options.tee = tap;
    const auto make_writer = [&](std::string& out) -> std::unique_ptr<dialect::StreamWriter> {
        switch (lane.client) {
            case Dialect::openai_chat:
            case Dialect::openai_text:
                return openai::make_stream_writer(openai_identity(lane.client, rendering), out);
            case Dialect::anthropic_messages:
                return anthropic::make_stream_writer(anthropic_identity(rendering), out);
        }
        return nullptr;
    };
    return std::make_unique<dialect::Translation>(make_reader(lane.upstream), make_writer,
                                                  std::move(options));
}

Result<chat::Reply> fold_reply(Lane lane, std::string_view body) {
    chat::Fold fold(kMaxReplyContent);
    Result<void> read;
    switch (lane.upstream) {
        case Dialect::openai_chat:
        case Dialect::openai_text:
            read = openai::read_events(body, fold, shape_of(lane.upstream));
            break;
        case Dialect::anthropic_messages: read = anthropic::read_events(body, fold); break;
    }
    if (!read) return std::unexpected(std::move(read.error()));
    const std::optional<Error>& told = fold.reply().error;
    if (told) return std::unexpected(*told);
    if (fold.is_full()) {
        return fail(Errc::upstream_invalid_response, "the upstream's reply is too large");
    }
    return fold.take();
}

std::string write_reply(Lane lane, const Rendering& rendering, const chat::Reply& reply) {
    switch (lane.client) {
        case Dialect::openai_chat:
        case Dialect::openai_text:
            return openai::write_reply(reply, openai_identity(lane.client, rendering));
        case Dialect::anthropic_messages:
            return anthropic::write_reply(reply, anthropic_identity(rendering));
    }
    return {};
}

std::string describe(const chat::Changes& changes) {
    std::string text;
    for (const chat::Change& change : changes) {
        const std::string_view what = std::string_view(change.what).substr(0, kMaxWhat);
        if (text.size() > kMaxDescription) {
            text += ", ...";
            break;
        }
        if (!text.empty()) text += ", ";
        text.append(change.rule);
        if (!what.empty()) text.append("(").append(what).append(")");
    }
    return text;
}

}  // namespace sluice::gateway
