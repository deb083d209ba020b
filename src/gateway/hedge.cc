#include "gateway/hedge.h"

#include "gateway/exchange.h"

#include <optional>
#include <utility>

namespace sluice::gateway {
namespace {

constexpr std::size_t kBytesPerToken = 4;
constexpr std::uint64_t kUsualOutput = 4096;

/// Input by its size, output by what is allowed: an estimate, made to keep dear requests single.
std::uint64_t cost_in_tokens(const Exchange& exchange) {
    return exchange.body.size / kBytesPerToken +
           exchange.head.max_output_tokens.value_or(kUsualOutput) * exchange.head.choices;
}

/// Once the attempt was called off, `exchange` may be gone.
net::Task<> run(Exchange& exchange, Runner runner) {
    const std::shared_ptr<Attempt> attempt = runner.attempt;
    co_await attempt->run(std::move(runner.question));
    if (attempt->done) exchange.wake();
}

}  // namespace

std::optional<net::Clock::duration> hedge_delay(const Exchange& exchange, const Attempt& first) {
    const config::Hedge& settings = exchange.plan->plan.route().hedge;
    if (!settings.enabled || cost_in_tokens(exchange) > settings.max_tokens) return std::nullopt;
    if (settings.after) return *settings.after;
    return first.record().latency.p95(net::Clock::now());
}

void start(Exchange& exchange, Runner runner) {
    exchange.gateway.worker().spawn(run(exchange, std::move(runner)));
}

}  // namespace sluice::gateway
