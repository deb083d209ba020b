#pragma once

/// Keeps an outage from multiplying traffic: retries at an upstream are bounded by its requests of
/// the last ten seconds (OV-8).

#include "config/upstream.h"
#include "routing/window.h"

#include <chrono>
#include <cstddef>
#include <mutex>
#include <vector>

namespace sluice::routing {

/// Thread-safe. Whenever a retry is let through, those of the ten seconds before are at most
/// `budget` times the requests of the same time, or those of the second before are at most
/// `budget_floor`. Exact at every moment, not only over aligned windows.
class RetryBudget {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    explicit RetryBudget(const config::Retry& settings);
    void configure(const config::Retry& settings);

    /// A request reaches the upstream for the first time, as its first choice or by fallback.
    void count_request(TimePoint now);

    /// Whether one more retry fits; counts it if so.
    [[nodiscard]] bool take_retry(TimePoint now);

private:
    void set(const config::Retry& settings);

    std::mutex mutex_;
    Window window_;  // this and all below by mutex_
    double budget_ = 0;
    std::vector<TimePoint> latest_;  // of the last retries, as many as the floor allows; a ring
    std::size_t oldest_ = 0;         // index in latest_
};

}  // namespace sluice::routing
