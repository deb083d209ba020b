#include "routing/in_flight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <random>
#include <thread>
#include <vector>

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;
using Entry = InFlight::Entry;
using Outcome = InFlight::Outcome;
using Kind = config::Concurrency::Kind;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr InFlight::TimePoint kStart{};

config::Concurrency settings(Kind kind, std::size_t limit, std::size_t queue = 256) {
    config::Concurrency settings;
    settings.kind = kind;
    settings.limit = limit;
    settings.queue = queue;
    return settings;
}

/// Writes down who was admitted.
class Guest final : public InFlight::Waiter {
public:
    Guest(int number, std::vector<int>& admitted) : number_(number), admitted_(&admitted) {}
    void on_admitted() override { admitted_->push_back(number_); }

private:
    int number_;
    std::vector<int>* admitted_;
};

/// Guests with the numbers from 0.
struct Guests {
    explicit Guests(int count) {
        for (int i = 0; i < count; ++i) guests.emplace_back(i, admitted);
    }
    Guest& operator[](std::size_t i) { return guests[i]; }

    std::vector<int> admitted;
    std::deque<Guest> guests;
};

void leave(InFlight& in_flight) {
    in_flight.leave(Outcome::unknown, 0ns, kStart);
}

TEST(InFlight, UnlimitedOnlyCounts) {
    InFlight in_flight(settings(Kind::unlimited, 0, 0));
    Guests guests(1);

    for (int i = 0; i < 1'000; ++i) ASSERT_EQ(in_flight.enter(guests[0]), Entry::admitted);
    EXPECT_EQ(in_flight.active(), 1'000U);
    EXPECT_EQ(in_flight.limit(), 0U);

    for (int i = 0; i < 1'000; ++i) leave(in_flight);
    EXPECT_EQ(in_flight.active(), 0U);
    EXPECT_THAT(guests.admitted, IsEmpty());
}

TEST(InFlight, WhoComesFirstIsAdmittedFirst) {
    InFlight in_flight(settings(Kind::fixed, 2));
    Guests guests(5);
    EXPECT_EQ(in_flight.enter(guests[0]), Entry::admitted);
    EXPECT_EQ(in_flight.enter(guests[1]), Entry::admitted);
    for (std::size_t i = 2; i < 5; ++i) EXPECT_EQ(in_flight.enter(guests[i]), Entry::waiting);
    EXPECT_EQ(in_flight.waiting(), 3U);

    leave(in_flight);
    EXPECT_THAT(guests.admitted, ElementsAre(2));
    leave(in_flight);
    leave(in_flight);
    EXPECT_THAT(guests.admitted, ElementsAre(2, 3, 4));

    EXPECT_EQ(in_flight.active(), 2U);
    EXPECT_EQ(in_flight.waiting(), 0U);
}

TEST(InFlight, AFullLineTakesNoMore) {
    InFlight in_flight(settings(Kind::fixed, 1, 1));
    Guests guests(3);
    ASSERT_EQ(in_flight.enter(guests[0]), Entry::admitted);
    ASSERT_EQ(in_flight.enter(guests[1]), Entry::waiting);

    EXPECT_EQ(in_flight.enter(guests[2]), Entry::full);

    ASSERT_TRUE(in_flight.abandon(guests[1]));
    EXPECT_EQ(in_flight.enter(guests[2]), Entry::waiting);
}

TEST(InFlight, WithoutALineItIsFullAtTheLimit) {
    InFlight in_flight(settings(Kind::fixed, 1, 0));
    Guests guests(2);
    ASSERT_EQ(in_flight.enter(guests[0]), Entry::admitted);

    EXPECT_EQ(in_flight.enter(guests[1]), Entry::full);
}

TEST(InFlight, WhoAbandonsTheLineIsPassedOver) {
    InFlight in_flight(settings(Kind::fixed, 1));
    Guests guests(5);
    ASSERT_EQ(in_flight.enter(guests[0]), Entry::admitted);
    for (std::size_t i = 1; i < 5; ++i) ASSERT_EQ(in_flight.enter(guests[i]), Entry::waiting);

    EXPECT_TRUE(in_flight.abandon(guests[4]));  // the last, the first and one between
    EXPECT_TRUE(in_flight.abandon(guests[1]));
    EXPECT_TRUE(in_flight.abandon(guests[2]));
    EXPECT_FALSE(in_flight.abandon(guests[2]));

    leave(in_flight);
    EXPECT_THAT(guests.admitted, ElementsAre(3));
    EXPECT_FALSE(in_flight.abandon(guests[3]));
    EXPECT_EQ(in_flight.waiting(), 0U);
}

TEST(InFlight, AGrowingLimitAdmitsInTheSameOrder) {
    InFlight in_flight(settings(Kind::fixed, 1));
    Guests guests(6);
    for (std::size_t i = 0; i < 5; ++i) (void)in_flight.enter(guests[i]);

    in_flight.configure(settings(Kind::fixed, 3));
    EXPECT_THAT(guests.admitted, ElementsAre(1, 2));
    EXPECT_EQ(in_flight.enter(guests[5]), Entry::waiting);

    in_flight.configure(settings(Kind::unlimited, 0));
    EXPECT_THAT(guests.admitted, ElementsAre(1, 2, 3, 4, 5));
    EXPECT_EQ(in_flight.active(), 6U);
}

TEST(InFlight, AShrinkingLimitAdmitsNobodyUntilEnoughHaveLeft) {
    InFlight in_flight(settings(Kind::fixed, 3));
    Guests guests(4);
    for (std::size_t i = 0; i < 4; ++i) (void)in_flight.enter(guests[i]);

    in_flight.configure(settings(Kind::fixed, 1));
    leave(in_flight);
    leave(in_flight);
    EXPECT_THAT(guests.admitted, IsEmpty());
    leave(in_flight);
    EXPECT_THAT(guests.admitted, ElementsAre(3));
}

TEST(InFlight, AWaiterMayEnterAgainAsSoonAsItIsTold) {
    struct Returning final : InFlight::Waiter {
        explicit Returning(InFlight& where) : in_flight(&where) {}
        void on_admitted() override {
            if (++admitted < 3) entry = in_flight->enter(*this);
        }
        InFlight* in_flight;
        int admitted = 0;
        Entry entry = Entry::full;
    };
    InFlight in_flight(settings(Kind::fixed, 1));
    Guests guests(1);
    Returning returning(in_flight);
    ASSERT_EQ(in_flight.enter(guests[0]), Entry::admitted);
    ASSERT_EQ(in_flight.enter(returning), Entry::waiting);

    leave(in_flight);
    EXPECT_EQ(returning.admitted, 1);
    EXPECT_EQ(returning.entry, Entry::waiting);
    leave(in_flight);
    leave(in_flight);

    EXPECT_EQ(returning.admitted, 3);
    EXPECT_EQ(in_flight.active(), 1U);
}

/// A run of requests at an adaptive limit: all places taken, each reply after `latency`.
class Load {
public:
    explicit Load(const config::Concurrency& settings) : in_flight_(settings) {}

    void run(std::chrono::nanoseconds latency, int rounds, Outcome outcome = Outcome::ok) {
        for (int round = 0; round < rounds; ++round) {
            while (in_flight_.active() < in_flight_.limit()) {
                ASSERT_EQ(in_flight_.enter(guests_[0]), Entry::admitted);
            }
            now_ += latency;
            for (std::size_t i = in_flight_.active(); i > 0; --i) {
                in_flight_.leave(outcome, latency, now_);
            }
        }
    }

    void run_one_by_one(std::chrono::nanoseconds latency, int requests) {
        for (int i = 0; i < requests; ++i) {
            ASSERT_EQ(in_flight_.enter(guests_[0]), Entry::admitted);
            now_ += latency;
            in_flight_.leave(Outcome::ok, latency, now_);
        }
    }

    [[nodiscard]] std::size_t limit() const { return in_flight_.limit(); }

private:
    InFlight in_flight_;
    Guests guests_{1};
    InFlight::TimePoint now_ = kStart;
};

TEST(AdaptiveLimit, StartsWhereItIsTold) {
    EXPECT_EQ(InFlight(settings(Kind::adaptive, 0)).limit(), 32U);
    EXPECT_EQ(InFlight(settings(Kind::adaptive, 7)).limit(), 7U);

    config::Concurrency low = settings(Kind::adaptive, 0);
    low.max_limit = 5;
    EXPECT_EQ(InFlight(low).limit(), 5U);
}

TEST(AdaptiveLimit, GrowsToItsMaximumWhileLatencyStays) {
    config::Concurrency adaptive = settings(Kind::adaptive, 4);
    adaptive.max_limit = 100;
    Load load(adaptive);

    load.run(200ms, 20);
    EXPECT_GT(load.limit(), 4U);
    load.run(200ms, 500);

    EXPECT_EQ(load.limit(), 100U);
}

TEST(AdaptiveLimit, StaysWhileItIsNotHalfUsed) {
    Load load(settings(Kind::adaptive, 20));

    load.run_one_by_one(200ms, 500);

    EXPECT_EQ(load.limit(), 20U);
}

TEST(AdaptiveLimit, ShrinksWhenLatencyRises) {
    Load load(settings(Kind::adaptive, 100));
    load.run(200ms, 40);
    const std::size_t before = load.limit();

    load.run(2s, 10);

    EXPECT_LT(load.limit(), before / 2);
    EXPECT_GE(load.limit(), 1U);
}

TEST(AdaptiveLimit, FindsAnUpstreamsCapacity) {
    Load load(settings(Kind::adaptive, 10));
    for (int round = 0; round < 200; ++round) {
        // Forty at once are served in 200 ms, more of them queue up.
        const auto requests = static_cast<std::int64_t>(load.limit());
        load.run(std::max<std::chrono::nanoseconds>(200ms, 200ms * requests / 40), 1);
    }

    EXPECT_GE(load.limit(), 30U);
    EXPECT_LE(load.limit(), 120U);
}

TEST(AdaptiveLimit, AnOverloadShrinksItOnceHoweverManyAreTold) {
    Load load(settings(Kind::adaptive, 100));

    load.run(600ms, 1, Outcome::overloaded);
    EXPECT_EQ(load.limit(), 80U);
    load.run(600ms, 1, Outcome::overloaded);
    EXPECT_EQ(load.limit(), 64U);
}

TEST(AdaptiveLimit, NeverGoesBelowOne) {
    Load load(settings(Kind::adaptive, 100));

    load.run(600ms, 200, Outcome::overloaded);

    EXPECT_EQ(load.limit(), 1U);
}

TEST(AdaptiveLimit, WhatIsNotKnownDoesNotMoveIt) {
    Load load(settings(Kind::adaptive, 16));

    load.run(600ms, 200, Outcome::unknown);

    EXPECT_EQ(load.limit(), 16U);
}

TEST(AdaptiveLimit, AReloadKeepsWhatWasLearned) {
    InFlight in_flight(settings(Kind::adaptive, 100));
    Guests guests(1);
    (void)in_flight.enter(guests[0]);
    in_flight.leave(Outcome::overloaded, 0ns, kStart + 1s);
    ASSERT_EQ(in_flight.limit(), 80U);

    in_flight.configure(settings(Kind::adaptive, 100));

    EXPECT_EQ(in_flight.limit(), 80U);
}

/// Threads come, wait, give up and leave: a place is given to exactly one, and none is lost.
TEST(InFlight, ThreadsNeverLoseOrDoubleAPlace) {
    class Visitor final : public InFlight::Waiter {
    public:
        void on_admitted() override { admitted.store(true, std::memory_order_release); }
        std::atomic<bool> admitted = false;
    };
    constexpr std::size_t kLimit = 2;
    InFlight in_flight(settings(Kind::fixed, kLimit, 3));
    std::atomic<std::size_t> inside = 0;
    std::atomic<bool> crowded = false;
    std::array<std::atomic<std::size_t>, 4> ways{};

    const auto visit = [&](std::mt19937& random) {
        Visitor visitor;
        const Entry entry = in_flight.enter(visitor);
        if (entry == Entry::full) {
            ++ways[0];
            return;
        }
        if (entry == Entry::waiting) {
            for (std::size_t i = random() % 64; i > 0 && !visitor.admitted.load(); --i) {
                std::this_thread::yield();
            }
            if (in_flight.abandon(visitor)) {
                ++ways[1];
                return;
            }
            while (!visitor.admitted.load(std::memory_order_acquire)) std::this_thread::yield();
            ++ways[2];
        } else {
            ++ways[3];
        }
        if (++inside > kLimit) crowded = true;
        if (random() % 2 == 0) std::this_thread::yield();
        --inside;
        in_flight.leave(Outcome::unknown, 0ns, kStart);
    };
    {
        std::vector<std::jthread> threads;
        threads.reserve(6);
        for (unsigned seed = 0; seed < 6; ++seed) {
            threads.emplace_back([&, seed] {
                std::mt19937 random(seed);
                for (int i = 0; i < 4'000; ++i) visit(random);
            });
        }
    }

    EXPECT_FALSE(crowded);
    EXPECT_EQ(in_flight.active(), 0U);
    EXPECT_EQ(in_flight.waiting(), 0U);
    EXPECT_EQ(ways[0] + ways[1] + ways[2] + ways[3], 24'000U);
    EXPECT_GT(ways[2], 0U);
}

}  // namespace
}  // namespace sluice::routing
