#include "gateway/endpoint.h"
#include "gateway/handle.h"
#include "observe/memory.h"

namespace sluice::gateway {
namespace {

constexpr std::chrono::seconds kAskAgain{1};
constexpr std::uint64_t kLargeBody = 64UL * 1024;

/// What operators look at stays there to be looked at.
bool is_status_page(Access access) {
    switch (access) {
        case Access::everyone:
        case Access::metrics: return true;
        case Access::key:
        case Access::pass_through: return false;
    }
    return false;
}

/// Whether there is room for the request. Between two looks of the watch a few large bodies could
/// take more than there is: their size counts before it is taken.
bool has_room(const Exchange& exchange) {
    const auto& budget = exchange.snapshot->config.limits.memory_bytes;
    if (!budget) return true;
    if (exchange.gateway.shared().pressure.load(std::memory_order_relaxed) == Pressure::refuse) {
        return false;
    }
    const std::uint64_t size = exchange.client.body_size().value_or(0);
    if (size < kLargeBody) return true;
    return pressure_of(observe::resident_bytes() + size, *budget) != Pressure::refuse;
}

}  // namespace

Result<void> admit(Exchange& exchange) {
    if (is_status_page(exchange.endpoint->access) || has_room(exchange)) return {};
    Error full(Errc::overloaded,
               "the gateway has no memory left for more requests; ask again soon");
    full.retry_after = kAskAgain;
    return std::unexpected(std::move(full));
}

}  // namespace sluice::gateway
