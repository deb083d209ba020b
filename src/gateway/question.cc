#include "gateway/question.h"

#include "gateway/deadline.h"
#include "shaping/request.h"

#include <algorithm>
#include <utility>

namespace sluice::gateway {
namespace {

std::string_view path_of(Operation operation, const config::Paths& paths) {
    switch (operation) {
        case Operation::none: return {};
        case Operation::chat: return paths.chat;
        case Operation::text_completion: return paths.completions;
        case Operation::embeddings: return paths.embeddings;
    }
    return {};
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

/// The two sets of edits may meet in one place, so the second is made in what the first has left.
Result<Question> shape_embeddings(Exchange& exchange, const config::Upstream& upstream,
                                  const config::ModelAlias* alias, Question question) {
    std::string text;
    question.body.append_to(text);
    question.rewritten = std::make_unique<const std::string>(std::move(text));
    const std::string_view body = *question.rewritten;
    const auto head = dialect::openai_embeddings::read_head(body);
    if (!head) return std::unexpected(head.error());
    question.body = json::Splice(body);
    auto changes = shaping::shape(body, head->members, upstream.transforms, alias, question.body);
    if (!changes) return std::unexpected(std::move(changes.error()));
    note_dropped(exchange, upstream, std::move(changes->dropped), question);
    return question;
}

}  // namespace

Result<Question> ask_for(Exchange& exchange, const Attempt& attempt) {
    const config::Upstream& upstream = attempt.upstream();
    const std::string& target = attempt.candidate.destination->target->model;
    const std::string_view body = exchange.body.view();
    Question question{.body = json::Splice(body)};
    question.path = path_of(exchange.operation, upstream.paths);
    question.model = target == "*" ? exchange.head.model : target;
    question.stream = exchange.head.stream;
    question.hide_usage = exchange.head.stream && !exchange.head.include_usage;
    question.request_id = exchange.request_id;
    if (upstream.timeouts.total) question.deadline = exchange.started + *upstream.timeouts.total;
    if (upstream.concurrency.kind != config::Concurrency::Kind::unlimited) {
        question.patience = deadline_of(exchange, upstream);
    }
    if (upstream.auth == config::Auth::passthrough)
        question.credential = exchange.client_credential;

    const config::ModelAlias* const alias =
        shaping::find_alias(upstream.transforms, question.model);
    if (alias != nullptr) question.model = alias->model;
    if (exchange.embeddings) {
        auto patched = patch_embeddings(*exchange.embeddings, upstream.embeddings, question);
        if (!patched) return std::unexpected(std::move(patched.error()));
    } else {
        dialect::openai_chat::patch_request(body, exchange.head, question.model,
                                            question.hide_usage, question.body);
    }
    if (alias == nullptr && upstream.transforms.empty()) return question;
    if (exchange.embeddings)
        return shape_embeddings(exchange, upstream, alias, std::move(question));
    auto changes =
        shaping::shape(body, exchange.head.members, upstream.transforms, alias, question.body);
    if (!changes) return std::unexpected(std::move(changes.error()));
    note_dropped(exchange, upstream, std::move(changes->dropped), question);
    return question;
}

}  // namespace sluice::gateway
