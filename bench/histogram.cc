#include "histogram.h"

#include <algorithm>
#include <bit>
#include <cstdio>

namespace sluice::bench {

// Values below 2^kBits have a bucket each; above, each power of two is cut in 2^kBits buckets.
std::size_t Histogram::bucket_of(std::uint64_t value) noexcept {
    const auto width = static_cast<int>(std::bit_width(value));
    if (width <= kBits) return static_cast<std::size_t>(value);
    const int shift = width - kBits - 1;
    const auto within = static_cast<std::size_t>(value >> shift) - (std::size_t{1} << kBits);
    return (static_cast<std::size_t>(shift + 1) << kBits) + within;
}

std::int64_t Histogram::upper_edge(std::size_t bucket) noexcept {
    const std::size_t row = bucket >> kBits;
    if (row == 0) return static_cast<std::int64_t>(bucket);
    const std::size_t within = bucket & ((std::size_t{1} << kBits) - 1);
    const std::size_t top = (std::size_t{1} << kBits) + within + 1;
    return static_cast<std::int64_t>((top << (row - 1)) - 1);
}

void Histogram::record(std::int64_t nanoseconds) noexcept {
    const std::int64_t value = std::max<std::int64_t>(nanoseconds, 0);
    ++buckets_[bucket_of(static_cast<std::uint64_t>(value))];
    ++count_;
    max_ = std::max(max_, value);
}

std::int64_t Histogram::percentile(double share) const noexcept {
    if (count_ == 0) return 0;
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(count_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
        seen += buckets_[i];
        if (seen > wanted) return std::min(upper_edge(i), max_);
    }
    return max_;
}

std::string Histogram::json() const {
    const auto microseconds = [](std::int64_t ns) { return static_cast<double>(ns) / 1000.0; };
    std::array<char, 200> text{};
    const int size = std::snprintf(
        text.data(), text.size(),
        R"({"count":%llu,"p50_us":%.1f,"p99_us":%.1f,"p999_us":%.1f,"max_us":%.1f})",
        static_cast<unsigned long long>(count_), microseconds(percentile(0.5)),
        microseconds(percentile(0.99)), microseconds(percentile(0.999)), microseconds(max_));
    return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace sluice::bench
