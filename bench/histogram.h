#pragma once

/// Durations counted in buckets of at most 1.6 % width: constant memory, however many are recorded.

#include <array>
#include <cstdint>
#include <string>

namespace sluice::bench {

class Histogram {
public:
    /// Negative durations (clock reads that crossed) count as 0.
    void record(std::int64_t nanoseconds) noexcept;

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] std::int64_t max() const noexcept { return max_; }
    /// The upper edge of the bucket that holds this share (0..1) of the durations; 0 when empty.
    [[nodiscard]] std::int64_t percentile(double share) const noexcept;

    /// `{"count":N,"p50_us":..,"p99_us":..,"p999_us":..,"max_us":..}`
    [[nodiscard]] std::string json() const;

private:
    static constexpr int kBits = 6;
    static constexpr std::size_t kBuckets = (64 - kBits + 1) << kBits;

    [[nodiscard]] static std::size_t bucket_of(std::uint64_t value) noexcept;
    [[nodiscard]] static std::int64_t upper_edge(std::size_t bucket) noexcept;

    std::array<std::uint64_t, kBuckets> buckets_{};
    std::uint64_t count_ = 0;
    std::int64_t max_ = 0;
};

}  // namespace sluice::bench
