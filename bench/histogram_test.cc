#include "histogram.h"

#include <gtest/gtest.h>

namespace sluice::bench {
namespace {

TEST(Histogram, PercentilesAreWithinABucketOfTheTruth) {
    Histogram histogram;
    for (std::int64_t value = 1; value <= 1'000'000; ++value) histogram.record(value);
    EXPECT_EQ(histogram.count(), 1'000'000U);
    EXPECT_EQ(histogram.max(), 1'000'000);
    EXPECT_NEAR(static_cast<double>(histogram.percentile(0.5)), 500'000, 500'000 * 0.016);
    EXPECT_NEAR(static_cast<double>(histogram.percentile(0.99)), 990'000, 990'000 * 0.016);
    EXPECT_EQ(histogram.percentile(1.0), 1'000'000);
}

TEST(Histogram, SmallAndExtremeDurationsHaveABucket) {
    Histogram histogram;
    histogram.record(-5);
    EXPECT_EQ(histogram.percentile(0.5), 0);
    histogram.record(INT64_MAX);
    EXPECT_EQ(histogram.max(), INT64_MAX);
    EXPECT_EQ(histogram.percentile(0.9), INT64_MAX);
}

TEST(Histogram, AnEmptyOneAnswersZero) {
    EXPECT_EQ(Histogram().percentile(0.99), 0);
}

}  // namespace
}  // namespace sluice::bench
