#include "routing/latency.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;

constexpr Latency::TimePoint kStart = Latency::TimePoint{} + 1h;

double to_ms(Latency::Duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

TEST(Latency, KnowsNothingAtFirst) {
    Latency latency;

    EXPECT_EQ(latency.expected(kStart), 0ns);
    EXPECT_EQ(latency.p95(kStart), std::nullopt);
}

TEST(Latency, JumpsUpAtOnce) {
    Latency latency;
    for (int i = 0; i < 100; ++i) latency.record(10ms, kStart + i * 1ms);

    latency.record(800ms, kStart + 100ms);

    EXPECT_NEAR(to_ms(latency.expected(kStart + 100ms)), 800, 0.01);
}

TEST(Latency, ComesDownByHalfInFiveSeconds) {
    Latency latency;
    latency.record(800ms, kStart);

    EXPECT_NEAR(to_ms(latency.expected(kStart + 5s)), 400, 0.01);
    EXPECT_NEAR(to_ms(latency.expected(kStart + 10s)), 200, 0.01);

    latency.record(10ms, kStart + 5s);
    EXPECT_NEAR(to_ms(latency.expected(kStart + 5s)), 405, 0.01);
}

TEST(Latency, FollowsASteadyUpstream) {
    Latency latency;
    latency.record(5s, kStart);
    for (int i = 1; i <= 600; ++i) latency.record(100ms, kStart + i * 100ms);

    EXPECT_NEAR(to_ms(latency.expected(kStart + 60s)), 100, 5);
}

TEST(Latency, AnOlderReadingOfTheClockDoesNoHarm) {
    Latency latency;
    latency.record(100ms, kStart);

    latency.record(50ms, kStart - 1s);

    EXPECT_NEAR(to_ms(latency.expected(kStart - 1s)), 100, 0.01);
}

TEST(Latency, NamesNoPercentileOfLessThanTwenty) {
    Latency latency;
    for (int i = 0; i < 19; ++i) latency.record(100ms, kStart);
    EXPECT_EQ(latency.p95(kStart), std::nullopt);

    latency.record(100ms, kStart);
    ASSERT_TRUE(latency.p95(kStart));
    EXPECT_NEAR(to_ms(*latency.p95(kStart)), 100, 10);
}

TEST(Latency, ThePercentileLeavesATwentiethOut) {
    Latency latency;
    for (int i = 0; i < 95; ++i) latency.record(10ms, kStart);
    for (int i = 0; i < 5; ++i) latency.record(1s, kStart);
    EXPECT_NEAR(to_ms(*latency.p95(kStart)), 10, 1);

    latency.record(1s, kStart);
    EXPECT_NEAR(to_ms(*latency.p95(kStart)), 1000, 100);
}

TEST(Latency, ThePercentileIsExactToATenth) {
    std::mt19937 random(7);
    for (int round = 0; round < 200; ++round) {
        Latency latency;
        std::vector<Latency::Duration> values;
        const double middle = std::uniform_real_distribution<double>(-2.5, 9)(random);
        std::lognormal_distribution<double> distribution(middle, 1);  // of milliseconds
        for (int i = 0; i < 500; ++i) {
            const double ms = std::clamp(distribution(random), 0.01, 3.6e6);
            values.emplace_back(static_cast<Latency::Duration::rep>(ms * 1e6));
            latency.record(values.back(), kStart);
        }
        std::ranges::sort(values);
        const double expected = to_ms(values[474]);

        EXPECT_NEAR(to_ms(*latency.p95(kStart)), expected, expected * 0.1);
    }
}

TEST(Latency, ExtremesAreKeptWithinBounds) {
    Latency latency;
    for (int i = 0; i < 20; ++i) latency.record(-5ns, kStart);
    EXPECT_EQ(latency.p95(kStart), 500ns);

    for (int i = 0; i < 20; ++i) latency.record(Latency::Duration::max(), kStart);
    EXPECT_GT(*latency.p95(kStart), 1h);
}

TEST(Latency, ThePercentileForgetsAfterAMinute) {
    Latency latency;
    for (int i = 0; i < 50; ++i) latency.record(1s, kStart);
    EXPECT_TRUE(latency.p95(kStart + 49s));
    for (int i = 0; i < 50; ++i) latency.record(10ms, kStart + 49s);

    EXPECT_NEAR(to_ms(*latency.p95(kStart + 60s)), 10, 1);
    EXPECT_EQ(latency.p95(kStart + 110s), std::nullopt);
}

}  // namespace
}  // namespace sluice::routing
