/// POST /embeddings: the client gets the format that it asked for, whatever the upstream has, and
/// more inputs than an upstream takes at once are asked for in parts.

#include "dialect/openai_embeddings/joiner.h"
#include "gateway/handle.h"
#include "gateway/respond.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace sluice::gateway {
namespace {

namespace dialect = dialect::openai_embeddings;

net::Task<Result<void>> read_embeddings_request(Exchange& exchange, EmbeddingsPart& asked) {
    auto read = co_await read_body(exchange);
    if (!read) co_return read;
    auto head =
        dialect::read_head(exchange.body.view(), exchange.body.capacity - exchange.body.size);
    if (!head) co_return std::unexpected(std::move(head.error()));
    exchange.head.model = head->model;
    asked.head = std::move(*head);
    co_return Result<void>();
}

/// What every candidate takes at once.
std::size_t max_batch(const routing::Plan& plan) {
    std::size_t batch = std::numeric_limits<std::size_t>::max();
    for (const routing::Destination& destination : plan.destinations()) {
        batch = std::min(batch, destination.upstream->embeddings.max_batch);
    }
    return batch;
}

/// Asks for one part. True where it was refused: the refusal is the answer.
net::Task<Result<bool>> ask_for_part(Exchange& exchange, const dialect::Part& part,
                                     dialect::Joiner& joiner) {
    auto opened = co_await open(exchange);
    if (!opened) co_return std::unexpected(std::move(opened.error()));
    Attempt& attempt = *exchange.attempt;
    if (attempt.failure) co_return true;
    auto added = joiner.add(std::move(attempt.first), part.inputs);
    exchange.resign(attempt);
    attempt.release();
    if (!added) co_return std::unexpected(std::move(added.error()));
    co_return false;
}

}  // namespace

net::Task<Result<void>> embed(Exchange& exchange) {
    exchange.operation = Operation::embeddings;
    EmbeddingsPart& asked = exchange.embeddings.emplace();
    auto result = co_await read_embeddings_request(exchange, asked);
    if (result) result = route(exchange);
    if (!result) co_return result;
    const dialect::Head& head = asked.head;
    dialect::Joiner joiner(head.format);
    const auto parts =
        dialect::split_inputs(exchange.body.view(), head, max_batch(exchange.plan->plan));
    for (const dialect::Part& part : parts) {
        asked.part = part;
        const auto refused = co_await ask_for_part(exchange, part, joiner);
        if (!refused) co_return std::unexpected(refused.error());
        if (*refused) co_return co_await relay(exchange);
    }
    exchange.usage = joiner.usage();
    exchange.reply_model = joiner.model();
    const std::string body = joiner.finish();
    respond(exchange, 200, "application/json", body,
            reply_fields(exchange, exchange.attempt->reply().fields));
    co_return Result<void>();
}

}  // namespace sluice::gateway
