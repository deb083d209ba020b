#pragma once

/// How soon an upstream's replies begin, as seen of late.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
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
    [[nodiscard]] std::optional<Duration> p95(TimePoint now);

private:
    static constexpr std::size_t kBuckets = 8UL * 31;  // eight for each doubling, up to two hours
    static constexpr std::size_t kSlices = 6;
    using Counts = std::array<std::uint32_t, kBuckets>;

    [[nodiscard]] static std::size_t bucket_of(Duration value);
    [[nodiscard]] static Duration middle_of(std::size_t bucket);
    [[nodiscard]] double decay(TimePoint now) const;
    void advance(TimePoint now);

    mutable std::mutex mutex_;
    double average_ = 0;  // nanoseconds; this and all below by mutex_
    TimePoint as_of_;
    std::array<Counts, kSlices> slices_{};
    Counts counts_{};  // the sum of the slices
    std::size_t total_ = 0;
    std::size_t slice_ = 0;  // the one being filled
    TimePoint slice_end_;
};

}  // namespace sluice::routing
