#include "gateway/question.h"

#include "base/text.h"
#include "dialect/anthropic_messages/head.h"
#include "dialect/request.h"
#include "gateway/deadline.h"
#include "net/transaction.h"
#include "shaping/request.h"

#include <algorithm>
#include <utility>

namespace sluice::gateway {
namespace {

std::string_view path_of(const Exchange& exchange, Dialect dialect, const config::Paths& paths) {
    switch (exchange.operation) {
        case Operation::none: return {};
        case Operation::embeddings: return paths.embeddings;
        case Operation::count_tokens: return paths.count_tokens;
        case Operation::chat:
        case Operation::text_completion: break;
    }
    switch (dialect) {
        case Dialect::openai_chat: return paths.chat;
        case Dialect::openai_text: return paths.completions;
        case Dialect::anthropic_messages: return paths.messages;
    }
    return {};
}

/// What an upstream of Anthropic's goes by beside the body, byte for byte as it came.
std::string anthropic_fields(const net::http1::RequestHead& head) {
    std::string fields;
    for (const auto& [name, value] : head.fields) {
        for (const std::string_view passed : {"anthropic-version", "anthropic-beta"}) {
            if (iequals(name, passed)) net::append_field(fields, passed, value);
        }
    }
    return fields;
}

void note_dropped(Exchange& exchange, const config::Upstream& upstream,
                  std::vector<std::string> dropped, Question& question) {
    for (const std::string& field : dropped) {
        exchange.gateway.shared().metrics.dropped_field(upstream.name, field);
    }
    question.dropped = std::move(dropped);
}

Result<void> patch_embeddings(const EmbeddingsPart& asked, const config::Embeddings& abilities,
                              Question& question) {
    if (asked.head.has_tokens() &&
        abilities.token_arrays == config::Embeddings::TokenArrays::refuse) {
        Error refused(Errc::bad_request,
                      "the upstream takes texts only; send 'input' as text, not as tokens");
        refused.param = "input";
        return std::unexpected(std::move(refused));
    }
    const bool numbers_only = abilities.encoding == config::Embeddings::Encoding::number_lists;
    dialect::openai_embeddings::patch_request(asked.head, question.model, numbers_only,
                                              question.body);
    dialect::openai_embeddings::keep_inputs(asked.head, asked.part, question.body);
    question.inputs = asked.part.inputs;
    return {};
}

/// The upstream's transforms of a body that was written anew.
Result<void> shape_rewritten(Exchange& exchange, const config::Upstream& upstream,
                             const config::ModelAlias* alias, Question& question) {
    const std::string_view body = *question.rewritten;
    std::vector<json::Member> members;
    json::read_members(body, {.offset = 0, .length = body.size()}, members);
    auto changes = shaping::shape(body, members, upstream.transforms, alias, question.body);
    if (!changes) return std::unexpected(std::move(changes.error()));
    note_dropped(exchange, upstream, std::move(changes->dropped), question);
    return {};
}

/// The edits so far become a body of their own, which can be edited anew.
void settle_body(Question& question) {
    std::string text;
    question.body.append_to(text);
    question.rewritten = std::make_unique<const std::string>(std::move(text));
    question.body = json::Splice(*question.rewritten);
}

/// The two sets of edits may meet in one place, so the second is made in what the first has left.
Result<void> shape_embeddings(Exchange& exchange, const config::Upstream& upstream,
                              const config::ModelAlias* alias, Question& question) {
    settle_body(question);
    return shape_rewritten(exchange, upstream, alias, question);
}

/// Whether a request that is of the upstream's dialect already must be adapted to it all the same:
/// for servers that speak the dialect by halves (DeepSeek's), and where thinking comes back that is
/// signed by us, which Anthropic would refuse.
bool must_adapt(const config::Upstream& upstream, std::string_view body) {
    return !upstream.abilities.signatures || body.contains("\"sluice1.");
}

/// Forwards the client's bytes, but for the model's name and the like.
Result<void> forward(Exchange& exchange, Attempt& attempt, Question& question) {
    const std::string_view body = exchange.body.view();
    if (attempt.lane.client == Dialect::anthropic_messages) {
        // An upstream that cannot count it as it is will say so, and it is counted here.
        const bool counts = exchange.operation == Operation::count_tokens;
        if (!counts && must_adapt(attempt.upstream(), body)) {
            return translate_request(exchange, attempt.upstream(), attempt.lane, question,
                                     attempt.tap);
        }
        dialect::anthropic_messages::Head head;
        head.model_value = exchange.head.model_value;
        head.members_begin = exchange.head.members_begin;
        dialect::anthropic_messages::patch_request(head, question.model, question.body);
        return {};
    }
    dialect::openai_chat::patch_request(body, exchange.head, question.model, question.hide_usage,
                                        question.body);
    const bool wants_reasoning =
        attempt.upstream().abilities.reasoning_required && exchange.head.has_tools;
    if (!wants_reasoning || attempt.lane.client != Dialect::openai_chat) return {};
    const std::size_t edits = question.body.edit_count();
    replay_reasoning(exchange, attempt.upstream(), question, attempt.tap);
    // Transforms may reach into the same messages.
    const bool meets = question.body.edit_count() != edits;
    if (meets && !attempt.upstream().transforms.empty()) settle_body(question);
    return {};
}

}  // namespace

Result<Question> ask_for(Exchange& exchange, Attempt& attempt) {
    const config::Upstream& upstream = attempt.upstream();
    const std::string& target = attempt.candidate.destination->target->model;
    const std::string_view body = exchange.body.view();
    Question question{.body = json::Splice(body)};
    question.path = path_of(exchange, attempt.lane.upstream, upstream.paths);
    question.model = target == "*" ? exchange.head.model : target;
    question.stream = exchange.head.stream;
    question.hide_usage = exchange.head.stream && !exchange.head.include_usage;
    question.request_id = exchange.request_id;
    exchange.estimate = {};
    const bool counts = exchange.operation == Operation::count_tokens;
    if (question.path.empty() || (counts && attempt.lane.translates())) {
        return dialect::refuse(
            "model", "the upstream " + upstream.name + " has no endpoint for this kind of request");
    }
    if (upstream.timeouts.total) question.deadline = exchange.started + *upstream.timeouts.total;
    if (upstream.concurrency.kind != config::Concurrency::Kind::unlimited) {
        question.patience = deadline_of(exchange, upstream);
    }
    if (upstream.auth == config::Auth::passthrough) {
        question.credential = exchange.client_credential;
    }
    if (attempt.lane.upstream == Dialect::anthropic_messages && !attempt.lane.translates()) {
        question.fields = anthropic_fields(exchange.client.head());
    }

    const config::ModelAlias* const alias =
        shaping::find_alias(upstream.transforms, question.model);
    if (alias != nullptr) question.model = alias->model;
    Result<void> asked;
    if (exchange.embeddings) {
        asked = patch_embeddings(*exchange.embeddings, upstream.embeddings, question);
    } else if (attempt.lane.translates()) {
        asked = translate_request(exchange, upstream, attempt.lane, question, attempt.tap);
    } else {
        asked = forward(exchange, attempt, question);
    }
    if (!asked) return std::unexpected(std::move(asked.error()));
    if (alias == nullptr && upstream.transforms.empty()) return question;
    if (exchange.embeddings) {
        asked = shape_embeddings(exchange, upstream, alias, question);
    } else if (question.rewritten) {
        asked = shape_rewritten(exchange, upstream, alias, question);
    } else {
        auto changes =
            shaping::shape(body, exchange.head.members, upstream.transforms, alias, question.body);
        if (!changes) return std::unexpected(std::move(changes.error()));
        note_dropped(exchange, upstream, std::move(changes->dropped), question);
    }
    if (!asked) return std::unexpected(std::move(asked.error()));
    return question;
}

}  // namespace sluice::gateway
