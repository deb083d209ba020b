#include "gateway/handle.h"

#include "gateway/respond.h"

#include <utility>

namespace sluice::gateway {
namespace {

constexpr std::uint64_t kMaxUnusedBody = 64UL * 1024;

/// Only POST has a use for a body. Another one's is read to its end all the same: a message whose
/// framing is broken is refused, not answered well.
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
        if (result && exchange.method != "POST") result = co_await read_unused_body(exchange);
        if (result) result = co_await exchange.endpoint->answer(exchange);
    }
    if (!result) respond_error(exchange, std::move(result.error()));
    conclude(exchange);
}

net::Task<Result<void>> complete_chat(Exchange& exchange) {
    auto result = co_await read_request(exchange);
    if (result) result = route(exchange);
    if (result) result = co_await open(exchange);
    if (result) result = co_await relay(exchange);
    exchange.land();
    co_return result;
}

net::Task<> Frontend::handle(net::Transaction& transaction) {
    gateway_.shared().metrics.request_started();
    Exchange exchange(gateway_, table_, transaction);
    const net::http1::RequestHead& head = transaction.head();
    exchange.method = head.method;
    exchange.path = head.path;
    if (!exchange.snapshot->config.cors.allow_origins.empty()) {
        exchange.origin = head.find("origin").value_or("");
    }
    co_await gateway::handle(exchange);
}

net::Task<> Frontend::refuse(net::Transaction& transaction, Error why) {
    gateway_.shared().metrics.request_started();
    gateway_.shared().metrics.http_refused(to_string(why.code));
    Exchange exchange(gateway_, table_, transaction);
    respond_error(exchange, std::move(why));
    conclude(exchange);
    co_return;
}

}  // namespace sluice::gateway
