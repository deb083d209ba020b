#include "routing/latency.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace sluice::routing {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr Seconds kHalfLife{5};
constexpr std::chrono::seconds kSlice{10};
constexpr std::size_t kEnough = 20;

}  // namespace

void Latency::record(Duration first_byte, TimePoint now) {
    const std::lock_guard lock(mutex_);
    const auto sample = static_cast<double>(std::max(first_byte, Duration{1}).count());
    const double kept = decay(now);
    average_ = std::max(sample, average_ * kept + sample * (1 - kept));
    as_of_ = std::max(as_of_, now);

    advance(now);
    const std::size_t bucket = bucket_of(first_byte);
    ++slices_[slice_][bucket];
    ++counts_[bucket];
    ++total_;
}

Latency::Duration Latency::expected(TimePoint now) const {
    const std::lock_guard lock(mutex_);
    return Duration(static_cast<Duration::rep>(average_ * decay(now)));
}

std::optional<Latency::Duration> Latency::p95(TimePoint now) {
    const std::lock_guard lock(mutex_);
    advance(now);
    if (total_ < kEnough) return std::nullopt;
    std::size_t above = total_ / 20;  // a twentieth may take longer
    std::size_t bucket = kBuckets - 1;
    while (counts_[bucket] <= above && bucket > 0) {
        above -= counts_[bucket];
        --bucket;
    }
    return middle_of(bucket);
}

/// Below 16 us one bucket for each microsecond, above that eight for each doubling: none is wider
/// than an eighth of its values.
std::size_t Latency::bucket_of(Duration value) {
    const auto count = std::chrono::duration_cast<std::chrono::microseconds>(value).count();
    const auto micros = static_cast<std::uint64_t>(std::max<std::int64_t>(count, 0));
    const int shift = std::max(0, static_cast<int>(std::bit_width(micros)) - 4);
    const std::uint64_t bucket = static_cast<std::uint64_t>(shift) * 8 + (micros >> shift);
    return std::min<std::size_t>(bucket, kBuckets - 1);
}

Latency::Duration Latency::middle_of(std::size_t bucket) {
    const std::size_t shift = bucket < 16 ? 0 : bucket / 8 - 1;
    const std::size_t begin = (bucket - shift * 8) << shift;
    return std::chrono::microseconds(begin) +
           Duration(std::chrono::microseconds(std::size_t{1} << shift)) / 2;
}

double Latency::decay(TimePoint now) const {
    if (now <= as_of_) return 1;
    return std::exp2(-(Seconds(now - as_of_) / kHalfLife));
}

void Latency::advance(TimePoint now) {
    if (now < slice_end_) return;
    const auto passed = static_cast<std::size_t>((now - slice_end_) / kSlice) + 1;
    slice_end_ += passed * kSlice;
    for (std::size_t i = std::min(passed, kSlices); i > 0; --i) {
        slice_ = (slice_ + 1) % kSlices;
        for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
            counts_[bucket] -= slices_[slice_][bucket];
            total_ -= slices_[slice_][bucket];
        }
        slices_[slice_].fill(0);
    }
}

}  // namespace sluice::routing
