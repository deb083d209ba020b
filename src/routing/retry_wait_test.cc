#include "routing/backoff.h"

#include <gtest/gtest.h>

#include <locale>
#include <string>

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;
using config::Milliseconds;

/// 2026-11-07 12:00:00 UTC, a Saturday; 1794052800 in Unix seconds.
constexpr auto kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 7) + 12h;
static_assert(kNow.time_since_epoch() == 1'794'052'800s);

std::optional<Milliseconds> read(std::string_view fields) {
    return read_retry_wait(fields, kNow);
}

std::optional<Milliseconds> read_retry_after(std::string_view value) {
    return read("retry-after: " + std::string(value) + "\r\n");
}

std::optional<Milliseconds> read_reset(std::string_view value) {
    return read("x-ratelimit-reset-requests: " + std::string(value) + "\r\n");
}

TEST(RetryWait, RetryAfterCountsSeconds) {
    EXPECT_EQ(read_retry_after("7"), 7s);
    EXPECT_EQ(read_retry_after("0"), 0ms);
    EXPECT_EQ(read_retry_after("1.5"), 1500ms);
    EXPECT_EQ(read_retry_after("0.0001"), 1ms);  // rounded up
    EXPECT_EQ(read_retry_after("007"), 7s);
    EXPECT_EQ(read_retry_after("86400"), 24h);
}

TEST(RetryWait, RetryAfterMayBeADateInAnyOfTheThreeForms) {
    EXPECT_EQ(read_retry_after("Sat, 07 Nov 2026 12:00:30 GMT"), 30s);
    EXPECT_EQ(read_retry_after("Saturday, 07-Nov-26 12:01:00 GMT"), 60s);
    EXPECT_EQ(read_retry_after("Sat Nov  7 12:00:05 2026"), 5s);
    EXPECT_EQ(read_retry_after("Tue Nov 17 12:00:00 2026"), 240h);
    EXPECT_EQ(read_retry_after("Fri, 31 Dec 2027 23:59:60 GMT"), 420 * 24h - 12h);
}

TEST(RetryWait, ADateThatIsOverIsNoWait) {
    EXPECT_EQ(read_retry_after("Sun, 06 Nov 1994 08:49:37 GMT"), 0ms);
    EXPECT_EQ(read_retry_after("Sunday, 06-Nov-94 08:49:37 GMT"), 0ms);  // not 2094
    EXPECT_EQ(read_retry_after("Sun Nov  6 08:49:37 1994"), 0ms);
    EXPECT_EQ(read_retry_after("Sat, 07 Nov 2026 12:00:00 GMT"), 0ms);
    EXPECT_EQ(read_reset("1700000000"), 0ms);
    EXPECT_EQ(read_reset("2020-01-01T00:00:00Z"), 0ms);
}

TEST(RetryWait, AYearOfTwoDigitsIsAtMostFiftyYearsAhead) {
    const auto days_until = [](int year) {
        return std::chrono::sys_days(std::chrono::year(year) / 11 / 7) + 12h - kNow;
    };
    EXPECT_EQ(read_retry_after("Saturday, 07-Nov-76 12:00:00 GMT"), days_until(2076));
    EXPECT_EQ(read_retry_after("Monday, 07-Nov-77 12:00:00 GMT"), 0ms);
    EXPECT_EQ(read_retry_after("Tuesday, 07-Nov-00 12:00:00 GMT"), 0ms);
}

TEST(RetryWait, WhatIsNoDateIsNotRead) {
    for (const char* value : {
             "Sat, 07 Nov 2026 12:00:30",
             "Sat, 7 Nov 2026 12:00:30 GMT",
             "Sat, 07 Nov 2026 24:00:00 GMT",
             "Sat, 07 Nov 2026 12:60:00 GMT",
             "Sat, 31 Feb 2026 12:00:30 GMT",
             "Sat, 00 Nov 2026 12:00:30 GMT",
             "Sat, 07 Foo 2026 12:00:30 GMT",
             "Xxx, 07 Nov 2026 12:00:30 GMT",
             "Sat, 07 Nov 2026 12:00:30 GMT x",
             "Sat, 07 Nov 2026 12:00:30 CET",
             "Saturday, 07 Nov 2026 12:00:30 GMT",
             "Sat Nov 7 12:00:05 2026",
             "Sat Nov  7 12:00:05 26",
             "2026-11-07",
             "2026-11-07T12:00:30",
             "2026-13-07T12:00:30Z",
             "2026-11-07T12:00:30.Z",
             "2026-11-07T12:00:30+0100",
             "2026-11-07T12:00:30Zjunk",
             "2026-11-07T12:00Z",
         }) {
        EXPECT_EQ(read_retry_after(value), std::nullopt) << value;
    }
}

TEST(RetryWait, GarbageSaysNothing) {
    for (const char* value : {"",
                              " ",
                              "-",
                              "-1",
                              "-1.5",
                              "+5",
                              "soon",
                              "5 seconds",
                              "5x",
                              "1..5",
                              "1.",
                              ".5",
                              "1e3",
                              "0x10",
                              "inf",
                              "nan",
                              "1,000",
                              "1m2",
                              "m",
                              "s",
                              "1m-2s",
                              "\x80\xff",
                              "٣",
                              "99999999999999999999",
                              "100000000000000",
                              "18446744073709551616",
                              "999999999999999999999999999h",
                              "999999999999h",
                              "99999999999999999d",
                              "1d1d1x"}) {
        EXPECT_EQ(read_retry_after(value), std::nullopt) << value;
        EXPECT_EQ(read_reset(value), std::nullopt) << value;
        EXPECT_EQ(read("retry-after-ms: " + std::string(value)), std::nullopt) << value;
    }
}

TEST(RetryWait, MillisecondsComeFirst) {
    EXPECT_EQ(read("retry-after: 3\r\nretry-after-ms: 1234\r\n"), 1234ms);
    EXPECT_EQ(read("retry-after-ms: 0.5\r\n"), 1ms);
    EXPECT_EQ(read("retry-after-ms: 0\r\n"), 0ms);
    EXPECT_EQ(read("retry-after-ms: 99999999999999999\r\nretry-after: 3\r\n"), 3s);
    EXPECT_EQ(read("retry-after-ms: -7\r\nretry-after: 3\r\n"), 3s);
}

TEST(RetryWait, ResetsAreReadByTheirShape) {
    EXPECT_EQ(read_reset("1794052860"), 60s);          // Unix seconds (Venice)
    EXPECT_EQ(read_reset("1794052860.25"), 60'250ms);  // with a fraction
    EXPECT_EQ(read_reset("1794052800123"), 123ms);     // Unix milliseconds (OpenRouter)
    EXPECT_EQ(read_reset("60"), 60s);                  // seconds (Venice's tokens, Azure)
    EXPECT_EQ(read_reset("0.25"), 250ms);
    EXPECT_EQ(read_reset("6s"), 6s);  // OpenAI
    EXPECT_EQ(read_reset("12ms"), 12ms);
    EXPECT_EQ(read_reset("6m0s"), 6min);
    EXPECT_EQ(read_reset("1m2.5s"), 62'500ms);
    EXPECT_EQ(read_reset("1h30m0.001s"), 90min + 1ms);
    EXPECT_EQ(read_reset("2d1h"), 49h);
    EXPECT_EQ(read_reset("7.66s"), 7660ms);
    EXPECT_EQ(read_reset("1.5h"), 90min);
    EXPECT_EQ(read_reset("500us"), 1ms);
    EXPECT_EQ(read_reset("1s1ns"), 1001ms);
    EXPECT_EQ(read_reset("2026-11-07T12:00:09Z"), 9s);  // Anthropic
    EXPECT_EQ(read_reset("2026-11-07t12:00:09.0001z"), 9001ms);
    EXPECT_EQ(read_reset("2026-11-07T14:00:09+02:00"), 9s);
    EXPECT_EQ(read_reset("2026-11-07T06:30:09-05:30"), 9s);
    EXPECT_EQ(read_reset("Sat, 07 Nov 2026 12:00:30 GMT"), 30s);
}

TEST(RetryWait, TheShapesMeetWithoutAGap) {
    EXPECT_EQ(read_reset("999999999"), 999'999'999s);
    EXPECT_EQ(read_reset("1000000000"), 0ms);  // 2001
    EXPECT_EQ(read_reset("99999999999"), 99'999'999'999s - kNow.time_since_epoch());
    EXPECT_EQ(read_reset("100000000000"), 0ms);  // 1973
    EXPECT_EQ(read_reset("99999999999999"), 99'999'999'999'999ms - kNow.time_since_epoch());
    EXPECT_EQ(read_reset("100000000000000"), std::nullopt);
    EXPECT_EQ(read_reset("9999-12-31T23:59:59Z"), 253'402'300'799s - kNow.time_since_epoch());
}

TEST(RetryWait, NothingLeftToWaitForInAResetSaysNothing) {
    EXPECT_EQ(read_reset("0"), std::nullopt);
    EXPECT_EQ(read_reset("-1"), std::nullopt);
    EXPECT_EQ(read_reset("0s"), std::nullopt);
    EXPECT_EQ(read_reset("0m0.0s"), std::nullopt);
    EXPECT_EQ(read("x-ratelimit-reset-requests: 0\r\nretry-after: 2\r\n"), 2s);
}

TEST(RetryWait, RetryAfterComesBeforeResets) {
    EXPECT_EQ(read("x-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-requests: 60\r\n"
                   "retry-after: 5\r\n"),
              5s);
    EXPECT_EQ(read("x-ratelimit-reset-requests: 60\r\nretry-after: soon\r\n"), 60s);
}

TEST(RetryWait, TheLimitThatIsUsedUpDecides) {
    EXPECT_EQ(read("x-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-requests: 60s\r\n"
                   "x-ratelimit-remaining-tokens: 100\r\nx-ratelimit-reset-tokens: 5s\r\n"),
              60s);
    EXPECT_EQ(read("x-ratelimit-reset-requests: 60s\r\nx-ratelimit-reset-tokens: 5s\r\n"
                   "x-ratelimit-remaining-requests: 10\r\nx-ratelimit-remaining-tokens: 0\r\n"),
              5s);
    EXPECT_EQ(read("x-ratelimit-remaining: 0\r\nx-ratelimit-reset: 1794052801000\r\n"
                   "x-ratelimit-reset-tokens: 7\r\n"),
              1s);
}

TEST(RetryWait, OfTwoLimitsThatAreUsedUpTheLaterOneDecides) {
    EXPECT_EQ(read("x-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-requests: 60s\r\n"
                   "x-ratelimit-remaining-tokens: 0\r\nx-ratelimit-reset-tokens: 5s\r\n"),
              60s);
}

TEST(RetryWait, WhereNoLimitIsUsedUpTheShortestDecides) {
    EXPECT_EQ(read("x-ratelimit-reset-requests: 60s\r\nx-ratelimit-reset-tokens: 5s\r\n"), 5s);
    EXPECT_EQ(read("x-ratelimit-reset-requests: 60s\r\nx-ratelimit-reset-tokens: -1\r\n"), 60s);
}

TEST(RetryWait, AnthropicNamesItsLimitsTheOtherWayRound) {
    EXPECT_EQ(read("anthropic-ratelimit-requests-limit: 50\r\n"
                   "anthropic-ratelimit-requests-remaining: 49\r\n"
                   "anthropic-ratelimit-requests-reset: 2026-11-07T12:00:01Z\r\n"
                   "anthropic-ratelimit-tokens-remaining: 0\r\n"
                   "anthropic-ratelimit-tokens-reset: 2026-11-07T12:00:45Z\r\n"),
              45s);
    EXPECT_EQ(read("anthropic-ratelimit-unified-reset: 1794052830\r\n"), 30s);
}

TEST(RetryWait, TheFirstSensibleOfSeveralLinesCounts) {
    EXPECT_EQ(read("retry-after: soon\r\nretry-after: 4\r\nretry-after: 9\r\n"), 4s);
}

TEST(RetryWait, OnlyWholeNamesCount) {
    EXPECT_EQ(read(""), std::nullopt);
    EXPECT_EQ(read("\r\n\r\n"), std::nullopt);
    EXPECT_EQ(read("retry-after\r\n"), std::nullopt);
    EXPECT_EQ(read("x-retry-after: 4\r\nretry-afters: 4\r\nx-ratelimit-limit-requests: 4\r\n"),
              std::nullopt);
    EXPECT_EQ(read("content-type: text/plain\r\nretry-after:4"), 4s);
    EXPECT_EQ(read("retry-after: \t 4 \t\r\n"), 4s);
    EXPECT_EQ(read("anthropic-ratelimit-reset: 4\r\n"), std::nullopt);
}

TEST(RetryWait, TheLocaleHasNoSay) {
    struct Comma : std::numpunct<char> {
        char do_decimal_point() const override { return ','; }
        std::string do_grouping() const override { return "\3"; }
    };
    const std::locale before = std::locale::global(std::locale(std::locale(), new Comma));

    EXPECT_EQ(read_retry_after("1.5"), 1500ms);
    EXPECT_EQ(read_retry_after("1,5"), std::nullopt);

    std::locale::global(before);
}

TEST(Backoff, DoublesUpToItsLongest) {
    const config::Retry settings;
    constexpr double kAlmostOne = 0.999'999'999;

    EXPECT_EQ(backoff(settings, 0, 0), 0ms);
    EXPECT_EQ(backoff(settings, 0, 0.5), 500ms);
    EXPECT_EQ(backoff(settings, 0, kAlmostOne), 999ms);
    EXPECT_EQ(backoff(settings, 1, 0.5), 1s);
    EXPECT_EQ(backoff(settings, 4, 0.5), 8s);
    EXPECT_EQ(backoff(settings, 5, 0.5), 15s);  // 32 s would be longer than max_delay
    EXPECT_EQ(backoff(settings, 4'000'000'000, 0.5), 15s);
    EXPECT_EQ(backoff(settings, 63, kAlmostOne), 29'999ms);
}

TEST(Backoff, IsNothingWhereTheDelayIs) {
    config::Retry settings;
    settings.base_delay = 0ms;

    EXPECT_EQ(backoff(settings, 9, 0.9), 0ms);
}

}  // namespace
}  // namespace sluice::routing
