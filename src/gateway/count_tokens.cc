/// POST /messages/count_tokens: asked of an upstream that counts, else counted here.

#include "context/count.h"
#include "dialect/anthropic_messages/read_request.h"
#include "gateway/handle.h"
#include "gateway/respond.h"
#include "gateway/tokens.h"
#include "json/writer.h"
#include "observe/log.h"

#include <string>

namespace sluice::gateway {
namespace {

/// A larger body holds up its worker for too long; no model's window takes it anyway.
constexpr std::size_t kMaxCounted = 8UL * 1024 * 1024;
constexpr std::size_t kBytesPerToken = 4;

/// The candidate whose tokens are meant.
const routing::Destination& first_of(const routing::Plan& plan) {
    return plan.destinations().front();
}

bool counts_itself(const config::Upstream& upstream) {
    return upstream.kind == config::UpstreamKind::anthropic && upstream.abilities.count_tokens &&
           !upstream.paths.count_tokens.empty();
}

Result<void> count_here(Exchange& exchange) {
    const auto request = dialect::anthropic_messages::read_request(exchange.body.view());
    if (!request) return std::unexpected(request.error());
    exchange.gateway.shared().counts_tokens.store(true, std::memory_order_relaxed);
    const routing::Destination& first = first_of(exchange.plan->plan);
    const std::string& target = first.target->model;
    const std::string& model = target == "*" ? exchange.head.model : target;
    const std::uint64_t estimate =
        exchange.body.size > kMaxCounted
            ? exchange.body.size / kBytesPerToken
            : context::count_tokens(*request, vocabulary_for(*first.upstream, model));
    const std::uint64_t tokens = exchange.gateway.shared().calibration.apply(model, estimate);
    std::string body;
    json::Writer(body).begin_object().key("input_tokens").number(tokens).end_object();
    respond_json(exchange, 200, body);
    return {};
}

}  // namespace

net::Task<Result<void>> count_tokens(Exchange& exchange) {
    exchange.operation = Operation::count_tokens;
    auto result = co_await read_body(exchange);
    if (result) result = read_head(exchange);
    if (result) result = route(exchange);
    if (!result) co_return result;
    exchange.head.stream = false;
    if (counts_itself(*first_of(exchange.plan->plan).upstream)) {
        result = co_await open(exchange);
        if (result && !exchange.attempt->failure) {
            result = co_await relay(exchange);
            exchange.resign(*exchange.attempt);
            exchange.attempt.reset();
            co_return result;
        }
        if (exchange.is_over()) co_return fail(Errc::cancelled);
        observe::log_warn("an upstream could not count tokens; they are estimated",
                          {{"request_id", exchange.request_id}});
        exchange.attempt.reset();
        exchange.error.reset();
    }
    co_return count_here(exchange);
}

}  // namespace sluice::gateway
