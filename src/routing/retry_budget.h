#pragma once

/// Keeps an outage from multiplying traffic: retries at an upstream are bounded by its requests of
/// the last ten seconds (OV-8).

#include "config/upstream.h"

#include <chrono>
#include <cstddef>

namespace sluice::routing {

/// Thread-safe. Exact over every window of ten seconds, not only over aligned ones.
class RetryBudget {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    explicit RetryBudget(const config::Retry& settings);
    void configure(const config::Retry& settings);

    /// A request reaches the upstream for the first time, as its first choice or by fallback.
    void count_request(TimePoint now);

    /// Whether one more retry fits; counts it if so.
    [[nodiscard]] bool take_retry(TimePoint now);
};

}  // namespace sluice::routing
