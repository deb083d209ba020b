#include "routing/retry_budget.h"

#include "routing/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>
#include <vector>

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;
using TimePoint = RetryBudget::TimePoint;

constexpr TimePoint kStart{};

config::Retry settings(double budget, std::size_t floor) {
    config::Retry settings;
    settings.budget = budget;
    settings.budget_floor = floor;
    return settings;
}

std::size_t take_all(RetryBudget& budget, TimePoint now) {
    std::size_t taken = 0;
    while (taken < 10'000 && budget.take_retry(now)) ++taken;
    return taken;
}

/// How many of `times` are within `length` before `end`, `end` included.
std::size_t within(const std::vector<TimePoint>& times, TimePoint end, TimePoint::duration length) {
    const auto first = std::ranges::upper_bound(times, end - length);
    const auto last = std::ranges::upper_bound(times, end);
    return static_cast<std::size_t>(last - first);
}

TEST(RetryBudget, ARetryIsRefusedWhenTheBudgetIsUsedUp) {
    RetryBudget budget(settings(0.2, 0));
    for (int i = 0; i < 35; ++i) budget.count_request(kStart);

    EXPECT_EQ(take_all(budget, kStart), 7);
}

TEST(RetryBudget, APartThatIsNotWholeIsRoundedDown) {
    RetryBudget budget(settings(0.29, 0));
    for (int i = 0; i < 99; ++i) budget.count_request(kStart);
    EXPECT_EQ(take_all(budget, kStart), 28);

    budget.count_request(kStart);
    EXPECT_EQ(take_all(budget, kStart), 1);  // 0.29 * 100 is a little below 29 as a double
}

TEST(RetryBudget, TheRetriesOfALoneUserAlwaysHappen) {
    RetryBudget budget(settings(0.2, 10));

    for (int second = 0; second < 60; ++second) {
        EXPECT_EQ(take_all(budget, kStart + second * 1s), 10);
    }
}

TEST(RetryBudget, TheFloorHoldsForEverySecondNotOnlyForWholeOnes) {
    RetryBudget budget(settings(0, 2));
    ASSERT_TRUE(budget.take_retry(kStart + 900ms));
    ASSERT_TRUE(budget.take_retry(kStart + 950ms));

    EXPECT_FALSE(budget.take_retry(kStart + 1'899ms));
    EXPECT_TRUE(budget.take_retry(kStart + 1'900ms));
    EXPECT_FALSE(budget.take_retry(kStart + 1'949ms));
    EXPECT_TRUE(budget.take_retry(kStart + 1'950ms));
}

TEST(RetryBudget, RequestsCountForTenSeconds) {
    RetryBudget budget(settings(1, 0));
    budget.count_request(kStart);
    budget.count_request(kStart);

    EXPECT_TRUE(budget.take_retry(kStart + 9'899ms));
    EXPECT_FALSE(budget.take_retry(kStart + 10'000ms));
    EXPECT_FALSE(budget.take_retry(kStart + 1h));
}

TEST(RetryBudget, WithoutBudgetAndFloorNothingIsRetried) {
    RetryBudget budget(settings(0, 0));
    for (int i = 0; i < 1'000; ++i) budget.count_request(kStart);

    EXPECT_FALSE(budget.take_retry(kStart));
}

TEST(RetryBudget, AChangedFloorKeepsWhatWasTaken) {
    RetryBudget budget(settings(0, 4));
    ASSERT_EQ(take_all(budget, kStart), 4);

    budget.configure(settings(0, 6));
    EXPECT_EQ(take_all(budget, kStart), 2);
    budget.configure(settings(0, 3));
    EXPECT_EQ(take_all(budget, kStart + 999ms), 0);
    EXPECT_EQ(take_all(budget, kStart + 1s), 3);
}

/// Bursts and lulls, with retries asked for all the time.
TEST(RetryBudget, HoldsInEveryWindowWhateverTheTraffic) {
    constexpr double kBudget = 0.2;
    constexpr std::size_t kFloor = 3;
    std::mt19937 random(20261107);
    for (int round = 0; round < 20; ++round) {
        RetryBudget budget(settings(kBudget, kFloor));
        std::vector<TimePoint> requests;
        std::vector<TimePoint> retries;
        TimePoint now = kStart + std::chrono::milliseconds(random() % 1000);
        std::size_t by_budget = 0;
        std::size_t refused = 0;
        for (int step = 0; step < 20'000; ++step) {
            const auto pause = random() % 1000 == 0 ? random() % 12'000'000 : random() % 20'000;
            now += std::chrono::microseconds(pause);
            if (random() % 2 == 0) {
                budget.count_request(now);
                requests.push_back(now);
                continue;
            }
            const bool floor_allows = within(retries, now, 1s) < kFloor;
            if (!budget.take_retry(now)) {
                ASSERT_FALSE(floor_allows);
                ++refused;
                continue;
            }
            retries.push_back(now);
            if (floor_allows) continue;
            ++by_budget;
            ASSERT_LE(static_cast<double>(within(retries, now, 10s)),
                      kBudget * static_cast<double>(within(requests, now, 10s)) + 1e-6);
        }
        EXPECT_GT(by_budget, 100U);
        EXPECT_GT(refused, 100U);
    }
}

TEST(RetryBudget, ThreadsTogetherTakeNoMoreThanThereIs) {
    RetryBudget budget(settings(0.1, 0));
    std::atomic<std::size_t> taken = 0;
    {
        std::vector<std::jthread> threads;
        threads.reserve(4);
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                for (int step = 0; step < 1'000; ++step) {
                    budget.count_request(kStart);
                    if (budget.take_retry(kStart)) ++taken;
                }
            });
        }
    }
    taken += take_all(budget, kStart);

    EXPECT_EQ(taken, 400U);
}

TEST(HedgeShare, AllowsTheFirstAndThenItsShare) {
    HedgeShare hedges;
    hedges.count_request(kStart);
    EXPECT_TRUE(hedges.take(0.05, kStart));
    EXPECT_FALSE(hedges.take(0.05, kStart));

    for (int i = 1; i < 39; ++i) hedges.count_request(kStart + 1s);
    EXPECT_FALSE(hedges.take(0.05, kStart + 1s));
    hedges.count_request(kStart + 1s);
    EXPECT_TRUE(hedges.take(0.05, kStart + 1s));  // 2 of 40
    EXPECT_FALSE(hedges.take(0.05, kStart + 1s));
}

TEST(HedgeShare, ForgetsAfterTenSeconds) {
    HedgeShare hedges;
    ASSERT_TRUE(hedges.take(0.05, kStart));

    EXPECT_FALSE(hedges.take(0.05, kStart + 9'999ms));
    EXPECT_TRUE(hedges.take(0.05, kStart + 10'100ms));
}

TEST(HedgeShare, AllowsNothingWhereItIsNothing) {
    HedgeShare hedges;
    hedges.count_request(kStart);

    EXPECT_FALSE(hedges.take(0, kStart));
}

}  // namespace
}  // namespace sluice::routing
