#include "routing/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;
using config::Balance;
using config::FailureKind;

constexpr Clock::time_point kStart = Clock::time_point{} + 1h;

struct Wanted {
    std::string name;
    std::size_t tier = 0;
    std::size_t weight = 1;
    std::size_t keys = 1;
};

/// A route to upstreams that are known by their names.
class Site {
public:
    Site(Balance balance, const std::vector<Wanted>& wanted) {
        route_.balance = balance;
        for (const Wanted& one : wanted) {
            config::Upstream& upstream = upstreams_.emplace_back();
            upstream.name = one.name;
            upstream.breaker.consecutive_failures = 1;
            for (std::size_t i = 0; i < one.keys; ++i) {
                upstream.api_keys.emplace_back(one.name + std::to_string(i));
            }
            route_.targets.push_back(
                {.upstream = one.name, .model = "*", .tier = one.tier, .weight = one.weight});
        }
        std::vector<Destination> destinations;
        destinations.reserve(upstreams_.size());
        for (std::size_t i = 0; i < upstreams_.size(); ++i) {
            destinations.push_back({.target = &route_.targets[i],
                                    .upstream = &upstreams_[i],
                                    .record = &board_.record(upstreams_[i])});
        }
        plan_.emplace(route_, std::move(destinations));
    }

    UpstreamRecord& record(std::size_t index) { return *plan_->destinations()[index].record; }
    const Plan& plan() { return *plan_; }

    void open_breaker(std::size_t index) {
        Breaker& breaker = record(index).breaker;
        breaker.report(false, breaker.ask(kStart), kStart);
    }

    void occupy(std::size_t index, int places) {
        for (int i = 0; i < places; ++i) (void)record(index).in_flight.enter(nobody_);
    }

    /// `a0 b0`: upstreams with the index of the key, first to last.
    std::string order(std::uint64_t random = 0, std::string_view identity = {},
                      Clock::time_point now = kStart) {
        plan_->order({.now = now, .random = random, .identity = identity}, candidates_);
        std::string text;
        for (const Candidate& candidate : candidates_) {
            if (!text.empty()) text += ' ';
            text += candidate.destination->upstream->name + std::to_string(candidate.key);
        }
        return text;
    }

    std::string orders(int count) {
        std::string firsts;
        for (int i = 0; i < count; ++i) firsts += order().at(0);
        return firsts;
    }

private:
    struct Nobody final : InFlight::Waiter {
        void on_admitted() override {}
    };

    config::Route route_;
    std::deque<config::Upstream> upstreams_;
    Board board_;
    std::optional<Plan> plan_;
    std::vector<Candidate> candidates_;
    Nobody nobody_;
};

TEST(Plan, ALoneDestinationIsTheOnlyCandidateWhateverItsState) {
    Site site(Balance::round_robin, {{.name = "a"}});
    EXPECT_EQ(site.order(), "a0");

    site.open_breaker(0);
    EXPECT_EQ(site.order(), "a0");
}

TEST(Plan, AnUpstreamWithoutKeysIsOneCandidate) {
    Site site(Balance::round_robin,
              {{.name = "a", .keys = 0}, {.name = "b", .tier = 1, .keys = 0}});

    EXPECT_EQ(site.order(), "a0 b0");
}

TEST(Plan, LowerTiersComeFirst) {
    Site site(Balance::round_robin,
              {{.name = "c", .tier = 7}, {.name = "a", .tier = 0}, {.name = "b", .tier = 1}});

    EXPECT_EQ(site.order(), "a0 b0 c0");
}

TEST(Plan, RoundRobinIsSmoothByWeight) {
    Site site(Balance::round_robin,
              {{.name = "a", .weight = 5}, {.name = "b", .weight = 1}, {.name = "c", .weight = 1}});

    EXPECT_EQ(site.orders(14), "aabacaaaabacaa");
}

TEST(Plan, WeightsWithACommonDivisorMakeTheSameCycle) {
    Site site(Balance::round_robin,
              {{.name = "a", .weight = 2'000}, {.name = "b", .weight = 1'000}});

    EXPECT_EQ(site.orders(6), "abaaba");
}

TEST(Plan, HugeWeightsKeepTheirProportion) {
    Site site(Balance::round_robin,
              {{.name = "a", .weight = 999'983}, {.name = "b", .weight = 499'979}});

    const std::string firsts = site.orders(30'000);

    EXPECT_NEAR(static_cast<double>(std::ranges::count(firsts, 'a')), 20'000, 100);
}

TEST(Plan, EveryoneElseFollowsWhoseTurnItIs) {
    Site site(Balance::round_robin, {{.name = "a"}, {.name = "b"}, {.name = "c"}});

    EXPECT_EQ(site.order(), "a0 b0 c0");
    EXPECT_EQ(site.order(), "b0 a0 c0");
    EXPECT_EQ(site.order(), "c0 a0 b0");
    EXPECT_EQ(site.order(), "a0 c0 b0");
}

TEST(Plan, WhatFallsBackIsSpreadOverTheOthers) {
    Site site(Balance::round_robin,
              {{.name = "a", .weight = 4}, {.name = "b", .weight = 1}, {.name = "c", .weight = 1}});
    site.open_breaker(0);

    const std::string firsts = site.orders(600);

    EXPECT_EQ(std::ranges::count(firsts, 'a'), 0);
    EXPECT_NEAR(static_cast<double>(std::ranges::count(firsts, 'b')), 300, 2);
}

TEST(Plan, ThreadsTogetherHoldTheWeights) {
    Site site(Balance::round_robin, {{.name = "a", .weight = 3}, {.name = "b", .weight = 1}});
    std::atomic<int> first = 0;
    {
        std::vector<std::jthread> threads;
        threads.reserve(4);
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                std::vector<Candidate> candidates;
                for (int step = 0; step < 1'000; ++step) {
                    site.plan().order({.now = kStart}, candidates);
                    if (candidates[0].destination->upstream->name == "a") ++first;
                }
            });
        }
    }

    EXPECT_EQ(first, 3'000);
}

TEST(Plan, WeightZeroComesAfterTheOthersOfItsTier) {
    Site site(Balance::round_robin,
              {{.name = "a", .weight = 0}, {.name = "b", .weight = 1}, {.name = "c", .tier = 1}});
    EXPECT_EQ(site.order(), "b0 a0 c0");

    site.open_breaker(1);
    EXPECT_EQ(site.order(), "a0 b0 c0");
}

TEST(Plan, ATierOfNothingButWeightZeroIsAskedInOrder) {
    Site site(Balance::split, {{.name = "a", .weight = 0}, {.name = "b", .weight = 0}});

    EXPECT_EQ(site.order(), "a0 b0");
}

TEST(Plan, LeastOutstandingTakesWhoHasTheFewestByWeight) {
    Site site(Balance::least_outstanding,
              {{.name = "a", .weight = 1}, {.name = "b", .weight = 4}, {.name = "c", .weight = 1}});
    site.occupy(0, 2);
    site.occupy(1, 4);
    site.occupy(2, 3);
    EXPECT_EQ(site.order(), "b0 a0 c0");

    site.occupy(1, 8);
    EXPECT_TRUE(site.order() == "a0 b0 c0" || site.order() == "a0 c0 b0");
}

TEST(Plan, LeastOutstandingTakesTurnsAmongTheIdle) {
    Site site(Balance::least_outstanding, {{.name = "a", .weight = 2}, {.name = "b", .weight = 1}});

    EXPECT_EQ(site.orders(6), "abaaba");
}

TEST(Plan, PeakEwmaTakesTheBetterOfTwo) {
    Site site(Balance::peak_ewma, {{.name = "a"}, {.name = "b"}, {.name = "c"}});
    site.record(0).latency.record(30ms, kStart);
    site.record(1).latency.record(20ms, kStart);
    site.record(2).latency.record(10ms, kStart);
    std::mt19937_64 random(3);
    std::map<char, int> firsts;

    for (int i = 0; i < 3'000; ++i) ++firsts[site.order(random()).at(0)];

    EXPECT_EQ(firsts['a'], 0);  // never the better of two
    EXPECT_NEAR(firsts['b'], 1'000, 100);
    EXPECT_NEAR(firsts['c'], 2'000, 100);
}

TEST(Plan, PeakEwmaCountsWhoIsUnderWayAndTheWeight) {
    Site site(Balance::peak_ewma, {{.name = "a", .weight = 2}, {.name = "b", .weight = 1}});
    for (const std::size_t i : {0UL, 1UL}) site.record(i).latency.record(100ms, kStart);
    EXPECT_EQ(site.order(1), "a0 b0");

    site.occupy(0, 2);  // 3 / 2 against 1
    EXPECT_EQ(site.order(1), "b0 a0");
    EXPECT_EQ(site.order(1ULL << 32), "b0 a0");

    site.occupy(1, 1);  // 3 / 2 against 2
    EXPECT_EQ(site.order(1), "a0 b0");
}

TEST(Plan, PeakEwmaTriesANewcomer) {
    Site site(Balance::peak_ewma, {{.name = "a"}, {.name = "b"}});
    site.record(0).latency.record(1ms, kStart);

    EXPECT_EQ(site.order(0), "b0 a0");
}

TEST(Plan, EveryDestinationIsThereOnceWhateverTheBalanceAndTheDice) {
    std::mt19937_64 random(5);
    for (const Balance balance :
         {Balance::round_robin, Balance::least_outstanding, Balance::peak_ewma, Balance::split}) {
        Site site(balance, {{.name = "a", .weight = 3},
                            {.name = "b", .weight = 1, .keys = 2},
                            {.name = "c", .weight = 7},
                            {.name = "d", .weight = 2},
                            {.name = "e", .weight = 0},
                            {.name = "f", .tier = 1}});
        site.open_breaker(2);
        for (int i = 0; i < 200; ++i) {
            const std::string order = site.order(random(), std::to_string(i));
            ASSERT_EQ(order.size(), 20U);
            for (const char* one : {"a0", "b0", "b1", "c0", "d0", "e0"}) {
                ASSERT_TRUE(order.contains(one)) << order;
            }
            ASSERT_TRUE(order.ends_with("e0 c0 f0")) << order;
        }
    }
}

TEST(Plan, ASplitIsStableAndFollowsTheWeights) {
    Site site(Balance::split, {{.name = "a", .weight = 7}, {.name = "b", .weight = 3}});
    int first = 0;
    for (int i = 0; i < 10'000; ++i) {
        const std::string identity = "session-" + std::to_string(i);
        const std::string order = site.order(static_cast<std::uint64_t>(i), identity);
        EXPECT_EQ(site.order(99, identity), order);
        const bool in_first = place_of(identity) * 10 < 7;
        EXPECT_EQ(order, in_first ? "a0 b0" : "b0 a0");
        first += in_first ? 1 : 0;
    }
    EXPECT_NEAR(first, 7'000, 150);
}

TEST(Plan, ASplitWithoutIdentityIsByChance) {
    Site site(Balance::split, {{.name = "a"}, {.name = "b"}, {.name = "c"}});

    EXPECT_EQ(site.order(0), "a0 b0 c0");
    EXPECT_EQ(site.order(1ULL << 63), "b0 c0 a0");
    EXPECT_EQ(site.order(~0ULL), "c0 a0 b0");
}

TEST(PlaceOf, IsTheSameInEveryVersion) {
    EXPECT_DOUBLE_EQ(place_of(""), 0.93676944839044);
    EXPECT_DOUBLE_EQ(place_of("a"), 0.5102945176565711);
    EXPECT_DOUBLE_EQ(place_of("session-1"), 0.9468943893855518);
}

TEST(PlaceOf, SpreadsNeighboursEvenly) {
    std::array<int, 10> tenths{};
    for (int i = 0; i < 10'000; ++i) {
        const double place = place_of("user" + std::to_string(i));
        ASSERT_GE(place, 0);
        ASSERT_LT(place, 1);
        ++tenths.at(static_cast<std::size_t>(place * 10));
    }
    for (const int count : tenths) EXPECT_NEAR(count, 1'000, 130);
}

TEST(Plan, TheKeysOfADestinationTakeTurnsAndStandTogether) {
    Site site(Balance::round_robin,
              {{.name = "a", .keys = 3}, {.name = "b", .tier = 1, .keys = 2}});

    EXPECT_EQ(site.order(), "a0 a1 a2 b0 b1");
    EXPECT_EQ(site.order(), "a1 a2 a0 b1 b0");
    EXPECT_EQ(site.order(), "a2 a0 a1 b0 b1");
}

TEST(Plan, ALoneDestinationWithKeysTakesThemInTurn) {
    Site site(Balance::round_robin, {{.name = "a", .keys = 2}});

    EXPECT_EQ(site.order(), "a0 a1");
    EXPECT_EQ(site.order(), "a1 a0");
}

TEST(Plan, CoolingKeysComeAfterAllThatIsUsableInTheTier) {
    Site site(Balance::split, {{.name = "a", .keys = 3}, {.name = "b"}, {.name = "c", .tier = 1}});
    site.record(0).keys.cool(1, FailureKind::rate_limited, 20s, kStart);

    EXPECT_EQ(site.order(), "a0 a2 b0 a1 c0");
    site.record(0).keys.cool(0, FailureKind::rate_limited, 10s, kStart);
    site.record(0).keys.cool(2, FailureKind::rate_limited, 30s, kStart);
    EXPECT_EQ(site.order(), "b0 a0 a1 a2 c0");

    site.record(1).keys.cool(0, FailureKind::unauthorized, 0s, kStart);
    EXPECT_EQ(site.order(), "a0 a1 a2 b0 c0");
}

TEST(Plan, AnOpenBreakerMovesADestinationBehindItsTierUntilItMayBeProbed) {
    Site site(Balance::split, {{.name = "a", .keys = 2}, {.name = "b"}, {.name = "c", .tier = 1}});
    site.open_breaker(0);

    EXPECT_EQ(site.order(), "b0 a0 a1 c0");
    EXPECT_EQ(site.order(0, {}, kStart + 5s), "a1 a0 b0 c0");
}

TEST(Plan, AKeyThatOnlyAReloadKnowsIsLeftOut) {
    Site site(Balance::round_robin, {{.name = "a", .keys = 2}});
    config::Upstream more = *site.plan().destinations()[0].upstream;
    more.api_keys.emplace_back("new");

    site.record(0).configure(more);

    EXPECT_EQ(site.order(), "a0 a1");
    EXPECT_EQ(site.order(), "a1 a0");
}

}  // namespace
}  // namespace sluice::routing
