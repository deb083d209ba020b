#include "gateway/handle.h"

#include "gateway/respond.h"

#include <cstdint>
#include <utility>

namespace sluice::gateway {
namespace {

constexpr std::uint64_t kMaxUnusedBody = 64UL * 1024;

bool has_use_for_body(const Exchange& exchange) {
    return exchange.method == "POST" || exchange.endpoint->access == Access::pass_through;
}

/// Only POST, and what is handed on, has a use for a body. Another one's is read to its end all the
/// same: a message whose framing is broken is refused, not answered well.
net::Task<Result<void>> read_unused_body(Exchange& exchange) {
    const auto body = co_await exchange.client.read_body(kMaxUnusedBody);
    if (!body) co_return std::unexpected(body.error());
    co_return Result<void>();
}

}  // namespace

net::Task<> handle(Exchange& exchange) {
    auto result = answer_preflight(exchange);
    if (!exchange.client.started()) {
        result = exchange.table.find(exchange);
        if (result) result = identify(exchange);
        if (result) result = admit(exchange);
        if (result && !has_use_for_body(exchange)) result = co_await read_unused_body(exchange);
        if (result) result = co_await exchange.endpoint->answer(exchange);
    }
    if (!result) respond_error(exchange, std::move(result.error()));
    conclude(exchange);
}

net::Task<Result<void>> complete(Exchange& exchange) {
    auto result = co_await read_body(exchange);
    if (result) result = read_head(exchange);
    if (result) result = route(exchange);
    if (!result) co_return result;
    result = co_await open(exchange);
    if (result) {
        result = co_await relay(exchange);
    } else if (exchange.client.started()) {
        result = co_await fail_in_stream(exchange, std::move(result.error()));
    }
    if (exchange.attempt) exchange.resign(*exchange.attempt);
    exchange.attempt.reset();
    co_return result;
}

net::Task<Result<void>> complete_chat(Exchange& exchange) {
    exchange.operation = Operation::chat;
    return complete(exchange);
}

net::Task<Result<void>> complete_text(Exchange& exchange) {
    exchange.operation = Operation::text_completion;
    return complete(exchange);
}

net::Task<Result<void>> complete_message(Exchange& exchange) {
    exchange.operation = Operation::chat;
    return complete(exchange);
}

}  // namespace sluice::gateway
