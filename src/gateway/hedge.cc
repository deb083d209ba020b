#include "gateway/hedge.h"

#include "gateway/exchange.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <optional>
#include <utility>

namespace sluice::gateway {
namespace {

constexpr std::size_t kBytesPerToken = 4;
constexpr std::uint64_t kUsualOutput = 4096;

/// Input by its size, output by what is allowed: an estimate, made to keep dear requests single.
std::uint64_t cost_in_tokens(const Exchange& exchange) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
    const std::uint64_t output =
        std::min(exchange.head.max_output_tokens.value_or(kUsualOutput), kMost);
    return exchange.body.size / kBytesPerToken + output * std::min(exchange.head.choices, kMost);
}

/// Once the attempt was called off, `exchange` may be gone.
net::Task<> run(Exchange& exchange, Runner runner) {
    const std::shared_ptr<Attempt> attempt = runner.attempt;
    std::exception_ptr bug;
    try {
        co_await attempt->run(runner.question);
    } catch (...) {
        bug = std::current_exception();
    }
    if (attempt->is_called_off()) co_return;
    if (bug) attempt->end_after_bug();
    exchange.wake();
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
