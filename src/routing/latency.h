#pragma once

/// How soon an upstream's replies begin, as seen of late.

#include <chrono>
#include <optional>

namespace sluice::routing {

/// Thread-safe.
class Latency {
public:
    using TimePoint = std::chrono::steady_clock::time_point;
    using Duration = std::chrono::nanoseconds;

    /// A reply began `first_byte` after it was asked for.
    void record(Duration first_byte, TimePoint now);

    /// Peak EWMA: jumps up with a slow reply at once, and comes down by half every few seconds.
    /// Zero where nothing is known yet, so that newcomers are tried.
    [[nodiscard]] Duration expected(TimePoint now) const;

    /// The 95th percentile of the replies of about the last minute, to within 10 %; nullopt below
    /// 20 of them.
    [[nodiscard]] std::optional<Duration> p95(TimePoint now) const;
};

}  // namespace sluice::routing
