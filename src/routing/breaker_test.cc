#include "routing/breaker.h"

#include <gtest/gtest.h>

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;

constexpr Clock::time_point kStart{};
constexpr auto kClosed = BreakerState::closed;
constexpr auto kOpen = BreakerState::open;
constexpr auto kHalfOpen = BreakerState::half_open;

/// Three failures in a row, or half of at least ten requests within ten seconds; open for five.
config::Breaker settings() {
    config::Breaker settings;
    settings.consecutive_failures = 3;
    settings.min_requests = 10;
    return settings;
}

std::optional<BreakerState> pass(Breaker& breaker, bool ok, Clock::time_point now) {
    const Breaker::Leave leave = breaker.ask(now);
    EXPECT_NE(leave, Breaker::Leave::no);
    return breaker.report(ok, leave, now);
}

void open(Breaker& breaker, Clock::time_point now) {
    for (int i = 0; i < 3; ++i) pass(breaker, false, now);
    ASSERT_EQ(breaker.state(now), kOpen);
}

TEST(Breaker, OpensOnFailuresInARow) {
    Breaker breaker(settings());

    EXPECT_EQ(pass(breaker, false, kStart), std::nullopt);
    EXPECT_EQ(pass(breaker, false, kStart), std::nullopt);
    EXPECT_EQ(breaker.ask(kStart), Breaker::Leave::yes);
    EXPECT_EQ(pass(breaker, false, kStart), kOpen);

    EXPECT_EQ(breaker.ask(kStart), Breaker::Leave::no);
    EXPECT_EQ(breaker.closed_until(kStart), kStart + 5s);
}

TEST(Breaker, ASuccessEndsTheRow) {
    Breaker breaker(settings());

    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(pass(breaker, false, kStart), std::nullopt);
        EXPECT_EQ(pass(breaker, true, kStart), std::nullopt);
        EXPECT_EQ(pass(breaker, true, kStart), std::nullopt);
    }

    EXPECT_EQ(breaker.state(kStart), kClosed);
    EXPECT_EQ(breaker.closed_until(kStart), kStart);
}

TEST(Breaker, OpensOnTheErrorRateOnceThereAreEnoughRequests) {
    Breaker breaker(settings());

    for (int i = 0; i < 9; ++i) {
        ASSERT_EQ(pass(breaker, i % 2 == 0, kStart + i * 100ms), std::nullopt) << i;
    }

    EXPECT_EQ(pass(breaker, false, kStart + 900ms), kOpen);  // 5 of 10
}

TEST(Breaker, WhatIsOlderThanTheWindowNoLongerCounts) {
    Breaker breaker(settings());
    for (int i = 0; i < 4; ++i) {
        pass(breaker, false, kStart);
        pass(breaker, true, kStart);
    }

    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(pass(breaker, true, kStart + 10s), std::nullopt);
        EXPECT_EQ(pass(breaker, false, kStart + 10s), std::nullopt);
    }
    EXPECT_EQ(breaker.state(kStart + 10s), kClosed);

    EXPECT_EQ(pass(breaker, true, kStart + 18s), std::nullopt);
    EXPECT_EQ(pass(breaker, false, kStart + 18s), kOpen);  // 5 of the 10 since the tenth second
}

TEST(Breaker, ASuccessfulProbeClosesItAndForgetsThePast) {
    Breaker breaker(settings());
    open(breaker, kStart);
    EXPECT_EQ(breaker.ask(kStart + 5s - 1ms), Breaker::Leave::no);
    EXPECT_EQ(breaker.state(kStart + 5s), kHalfOpen);

    const Breaker::Leave probe = breaker.ask(kStart + 5s);
    EXPECT_EQ(probe, Breaker::Leave::probe);
    EXPECT_EQ(breaker.ask(kStart + 5s), Breaker::Leave::no);
    EXPECT_EQ(breaker.report(true, probe, kStart + 6s), kClosed);

    EXPECT_EQ(pass(breaker, false, kStart + 6s), std::nullopt);
    EXPECT_EQ(pass(breaker, false, kStart + 6s), std::nullopt);
    EXPECT_EQ(pass(breaker, false, kStart + 6s), kOpen);
}

TEST(Breaker, AFailedProbeOpensItForAsLongAgain) {
    Breaker breaker(settings());
    open(breaker, kStart);

    const Breaker::Leave probe = breaker.ask(kStart + 5s);
    EXPECT_EQ(breaker.report(false, probe, kStart + 7s), kOpen);

    EXPECT_EQ(breaker.closed_until(kStart + 7s), kStart + 12s);
    EXPECT_EQ(breaker.ask(kStart + 12s - 1ms), Breaker::Leave::no);
    EXPECT_EQ(breaker.ask(kStart + 12s), Breaker::Leave::probe);
}

TEST(Breaker, LetsAsManyProbesThroughAtOnceAsConfigured) {
    config::Breaker two_probes = settings();
    two_probes.probes = 2;
    Breaker breaker(two_probes);
    open(breaker, kStart);

    const Breaker::Leave probe = breaker.ask(kStart + 5s);
    EXPECT_EQ(breaker.ask(kStart + 5s), Breaker::Leave::probe);
    EXPECT_EQ(breaker.ask(kStart + 5s), Breaker::Leave::no);

    breaker.forget(probe, kStart + 5s);
    EXPECT_EQ(breaker.ask(kStart + 5s), Breaker::Leave::probe);
}

TEST(Breaker, AForgottenProbeGivesItsPlaceFree) {
    Breaker breaker(settings());
    open(breaker, kStart);
    const Breaker::Leave probe = breaker.ask(kStart + 5s);
    ASSERT_EQ(breaker.ask(kStart + 5s), Breaker::Leave::no);

    breaker.forget(probe, kStart + 6s);

    EXPECT_EQ(breaker.state(kStart + 6s), kHalfOpen);
    EXPECT_EQ(breaker.ask(kStart + 6s), Breaker::Leave::probe);
}

TEST(Breaker, ALateReportNeitherClosesAnOpenBreakerNorOpensOneThatHasClosed) {
    Breaker breaker(settings());
    const Breaker::Leave early = breaker.ask(kStart);
    open(breaker, kStart);

    EXPECT_EQ(breaker.report(true, early, kStart + 1s), std::nullopt);
    EXPECT_EQ(breaker.state(kStart + 1s), kOpen);
    EXPECT_EQ(breaker.report(false, early, kStart + 4s), std::nullopt);
    EXPECT_EQ(breaker.closed_until(kStart + 4s), kStart + 5s);

    const Breaker::Leave probe = breaker.ask(kStart + 5s);
    EXPECT_EQ(breaker.report(false, early, kStart + 5s), std::nullopt);
    EXPECT_EQ(breaker.report(true, early, kStart + 5s), std::nullopt);
    EXPECT_EQ(breaker.state(kStart + 5s), kHalfOpen);

    ASSERT_EQ(breaker.report(true, probe, kStart + 5s), kClosed);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(breaker.report(false, early, kStart + 6s), std::nullopt);
    }
    EXPECT_EQ(breaker.state(kStart + 6s), kClosed);
}

TEST(Breaker, AProbeOfAnEarlierTrialDoesNotDecideTheNextOne) {
    config::Breaker two_probes = settings();
    two_probes.probes = 2;
    Breaker breaker(two_probes);
    open(breaker, kStart);
    const Breaker::Leave slow = breaker.ask(kStart + 5s);
    ASSERT_EQ(breaker.report(false, breaker.ask(kStart + 5s), kStart + 5s), kOpen);
    ASSERT_EQ(breaker.ask(kStart + 10s), Breaker::Leave::probe);

    EXPECT_EQ(breaker.report(true, slow, kStart + 10s), std::nullopt);
    breaker.forget(slow, kStart + 10s);

    EXPECT_EQ(breaker.state(kStart + 10s), kHalfOpen);
    EXPECT_EQ(breaker.ask(kStart + 10s), Breaker::Leave::probe);
    EXPECT_EQ(breaker.ask(kStart + 10s), Breaker::Leave::no);
}

TEST(Breaker, SaysYesToAllWhenItIsDisabled) {
    config::Breaker disabled = settings();
    disabled.enabled = false;
    Breaker breaker(disabled);

    for (int i = 0; i < 100; ++i) EXPECT_EQ(pass(breaker, false, kStart), std::nullopt);

    EXPECT_EQ(breaker.ask(kStart), Breaker::Leave::yes);
    EXPECT_EQ(breaker.state(kStart), kClosed);
}

TEST(Breaker, ClosesWhenItIsDisabled) {
    Breaker breaker(settings());
    open(breaker, kStart);
    config::Breaker disabled = settings();
    disabled.enabled = false;

    breaker.configure(disabled);

    EXPECT_EQ(breaker.ask(kStart), Breaker::Leave::yes);
}

TEST(Breaker, KeepsWhatItHasCountedWhenItsSettingsChange) {
    Breaker breaker(settings());
    pass(breaker, false, kStart);
    pass(breaker, false, kStart);
    config::Breaker patient = settings();
    patient.consecutive_failures = 4;

    breaker.configure(patient);

    EXPECT_EQ(pass(breaker, false, kStart), std::nullopt);
    EXPECT_EQ(pass(breaker, false, kStart), kOpen);
}

}  // namespace
}  // namespace sluice::routing
