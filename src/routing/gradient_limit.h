#pragma once

/// A limit on requests under way that finds itself: while replies begin as soon as they usually do
/// it grows by the square root of itself, when they begin later it shrinks in proportion. What has
/// lasted for many minutes has become usual: an upstream that only ever gets slower is not
/// throttled for good, one that says that it is overloaded is.

#include <chrono>
#include <cstddef>

namespace sluice::routing {

/// Not thread-safe: its owner locks.
class GradientLimit {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    /// `start` 0: the default.
    void configure(std::size_t start, std::size_t max);

    /// A reply began after `first_byte`; `active` requests were under way, itself included.
    void record(std::chrono::nanoseconds first_byte, std::size_t active, TimePoint now);

    /// The upstream said that it is overloaded. What many requests are told at once counts once.
    void shrink(TimePoint now);

    /// From 1 to the maximum.
    [[nodiscard]] std::size_t value() const noexcept { return static_cast<std::size_t>(limit_); }

private:
    void update(double latency);
    void set(double limit);

    double limit_ = 0;  // 0: not configured yet
    double max_ = 1;
    double usual_ = 0;  // nanoseconds: what latency has been in the long run
    std::size_t updates_ = 0;
    double sum_ = 0;  // nanoseconds: of the present samples
    std::size_t samples_ = 0;
    std::size_t peak_ = 0;  // requests under way during the present samples
    TimePoint since_;       // of the present samples
    TimePoint shrink_from_;
};

}  // namespace sluice::routing
