#include "config/load_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class ReliabilityTest : public LoadTest {
protected:
    Upstream upstream_with(const std::string& keys) {
        file("upstreams:\n  a: {base_url: http://h, " + keys + "}\n");
        return loaded().upstreams["a"];
    }
    std::vector<std::string> problems_with(const std::string& keys) {
        return problems_of("upstreams:\n  a: {base_url: http://h, " + keys + "}\n");
    }
};

TEST_F(ReliabilityTest, EveryKeyOfRetryIsRead) {
    const Retry retry = upstream_with(
                            "retry: {max_retries: 0, base_delay: 250ms, max_delay: 4, "
                            "rate_limit_wait: 5, max_wait: 6, on: [429, 5xx], budget: 0.5, "
                            "budget_floor: 7}")
                            .retry;

    EXPECT_EQ(retry.max_retries, 0U);
    EXPECT_EQ(retry.base_delay, Milliseconds(250));
    EXPECT_EQ(retry.max_delay, Milliseconds(4000));
    EXPECT_EQ(retry.rate_limit_wait, Milliseconds(5000));
    EXPECT_EQ(retry.max_wait, Milliseconds(6000));
    EXPECT_EQ(retry.budget, 0.5);
    EXPECT_EQ(retry.budget_floor, 7U);
    EXPECT_TRUE(retry.on.has(429));
    EXPECT_TRUE(retry.on.has(500));
    EXPECT_TRUE(retry.on.has(599));
    EXPECT_FALSE(retry.on.has(408));
    EXPECT_EQ(retry.on.statuses.count(), 101U);
}

TEST_F(ReliabilityTest, NothingStatedIsTheDefault) {
    const Upstream upstream = upstream_with("retry: {}, breaker: {}, concurrency: ~");

    EXPECT_EQ(upstream.retry.max_retries, 5U);
    EXPECT_EQ(upstream.retry.on, default_retry_statuses());
    EXPECT_TRUE(upstream.breaker.enabled);
    EXPECT_EQ(upstream.concurrency.kind, Concurrency::Kind::unlimited);
    EXPECT_FALSE(upstream.health_check.enabled);
}

TEST_F(ReliabilityTest, NoStatusAtAllMayBeRetried) {
    EXPECT_EQ(upstream_with("retry: {on: []}").retry.on, StatusSet{});
    EXPECT_EQ(upstream_with("retry: {on: 4xx}").retry.on.statuses.count(), 100U);
}

TEST_F(ReliabilityTest, StatusThatIsNoFailureIsRefused) {
    for (const char* on : {"200", "600", "3xx", "50x", "all"}) {
        EXPECT_THAT(problems_with("retry: {on: [" + std::string(on) + "]}"),
                    ElementsAre(HasSubstr("expected a status from 400 to 599, 4xx or 5xx")));
    }
}

TEST_F(ReliabilityTest, LongestDelayIsNotShorterThanTheFirst) {
    EXPECT_THAT(problems_with("retry: {base_delay: 2, max_delay: 1}"),
                ElementsAre(HasSubstr("`upstreams.a.retry.max_delay` is shorter than")));
}

TEST_F(ReliabilityTest, EveryKeyOfTheBreakerIsRead) {
    const Breaker breaker = upstream_with(
                                "breaker: {enabled: false, consecutive_failures: 1, error_rate: "
                                "0.25, min_requests: 2, window: 3, open_for: 4, probes: 5}")
                                .breaker;

    EXPECT_FALSE(breaker.enabled);
    EXPECT_EQ(breaker.consecutive_failures, 1U);
    EXPECT_EQ(breaker.error_rate, 0.25);
    EXPECT_EQ(breaker.min_requests, 2U);
    EXPECT_EQ(breaker.window, Milliseconds(3000));
    EXPECT_EQ(breaker.open_for, Milliseconds(4000));
    EXPECT_EQ(breaker.probes, 5U);
}

TEST_F(ReliabilityTest, AWordSwitchesOnAndOff) {
    EXPECT_FALSE(upstream_with("breaker: off").breaker.enabled);
    EXPECT_TRUE(upstream_with("breaker: on").breaker.enabled);
    EXPECT_TRUE(upstream_with("health_check: on").health_check.enabled);
    EXPECT_FALSE(upstream_with("health_check: off").health_check.enabled);
    EXPECT_THAT(problems_with("breaker: sometimes"),
                ElementsAre(HasSubstr("`upstreams.a.breaker` is `sometimes`")));
    EXPECT_THAT(problems_with("breaker: [off]"), ElementsAre(HasSubstr("expected a map of keys")));
}

TEST_F(ReliabilityTest, ConcurrencyIsUnlimitedFixedOrAdaptive) {
    const Concurrency fixed =
        upstream_with("concurrency: {limit: 8, queue: 0, queue_time: 2}").concurrency;
    EXPECT_EQ(fixed.kind, Concurrency::Kind::fixed);
    EXPECT_EQ(fixed.limit, 8U);
    EXPECT_EQ(fixed.queue, 0U);
    EXPECT_EQ(fixed.queue_time, Milliseconds(2000));

    const Concurrency adaptive =
        upstream_with("concurrency: {limit: adaptive, start: 3, max_limit: 9}").concurrency;
    EXPECT_EQ(adaptive.kind, Concurrency::Kind::adaptive);
    EXPECT_EQ(adaptive.limit, 3U);
    EXPECT_EQ(adaptive.max_limit, 9U);

    EXPECT_EQ(upstream_with("concurrency: {limit: none}").concurrency.kind,
              Concurrency::Kind::unlimited);
    EXPECT_EQ(upstream_with("concurrency: {limit: adaptive}").concurrency.limit, 20U);
    EXPECT_EQ(upstream_with("concurrency: {limit: adaptive, max_limit: 4}").concurrency.limit, 4U);
}

TEST_F(ReliabilityTest, WhatAnAdaptiveLimitNeedsStandsOnlyThere) {
    EXPECT_THAT(problems_with("concurrency: {limit: 8, max_limit: 9}"),
                ElementsAre(HasSubstr("without `limit: adaptive`")));
    EXPECT_THAT(problems_with("concurrency: {start: 8}"),
                ElementsAre(HasSubstr("without `limit: adaptive`")));
    EXPECT_THAT(problems_with("concurrency: {limit: adaptive, start: 8, max_limit: 7}"),
                ElementsAre(HasSubstr("from 1 to 7")));
    EXPECT_THAT(problems_with("concurrency: {limit: 0}"),
                ElementsAre(HasSubstr("expected none, adaptive or")));
}

TEST_F(ReliabilityTest, AMapOfTheHealthCheckSwitchesItOn) {
    const HealthCheck check =
        upstream_with("health_check: {path: /health, interval: 1, timeout: 500ms}").health_check;
    EXPECT_TRUE(check.enabled);
    EXPECT_EQ(check.path, "/health");
    EXPECT_EQ(check.interval, Milliseconds(1000));
    EXPECT_EQ(check.timeout, Milliseconds(500));
    EXPECT_FALSE(upstream_with("health_check: {enabled: false, path: /x}").health_check.enabled);
}

TEST_F(ReliabilityTest, PathsAreBelowTheAddress) {
    const Paths paths =
        upstream_with(
            "paths: {chat: /c, completions: /beta/completions, embeddings: /e, models: /m}")
            .paths;
    EXPECT_EQ(paths.chat, "/c");
    EXPECT_EQ(paths.completions, "/beta/completions");
    EXPECT_EQ(paths.embeddings, "/e");
    EXPECT_EQ(paths.models, "/m");
    for (const char* path : {"models", "'/a b'", "/a?b", "/a//b", "/../a", "/a/.."}) {
        EXPECT_THAT(problems_with("paths: {models: " + std::string(path) + "}"), SizeIs(1)) << path;
    }
}

TEST_F(ReliabilityTest, VariablesChangeTheRetriesOfEveryProvider) {
    environment_["MAX_RETRIES"] = "3";
    environment_["BASE_RETRY_DELAY"] = "45.5";
    environment_["RATE_LIMIT_WAIT"] = "20";

    const Retry retry = upstream_with("retry: {max_retries: 9, max_wait: 7}").retry;

    EXPECT_EQ(retry.max_retries, 3U);
    EXPECT_EQ(retry.base_delay, Milliseconds(45'500));
    EXPECT_EQ(retry.max_delay, Milliseconds(45'500));
    EXPECT_EQ(retry.rate_limit_wait, Milliseconds(20'000));
    EXPECT_EQ(retry.max_wait, Milliseconds(7000));
}

TEST_F(ReliabilityTest, WrongRetryVariablesAreReported) {
    environment_["MAX_RETRIES"] = "-1";
    environment_["BASE_RETRY_DELAY"] = "soon";
    environment_["RATE_LIMIT_WAIT"] = "1e3";
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("environment: `BASE_RETRY_DELAY` is `soon`"),
                                        HasSubstr("environment: `MAX_RETRIES` is `-1`"),
                                        HasSubstr("environment: `RATE_LIMIT_WAIT` is `1e3`")));
}

TEST_F(ReliabilityTest, TheResponderInsideHasThemToo) {
    file("upstreams: {e: {kind: embedded, retry: {max_retries: 1}, breaker: off}}\n");
    const Config config = loaded();
    EXPECT_EQ(config.upstreams.at("e").retry.max_retries, 1U);
    EXPECT_FALSE(config.upstreams.at("e").breaker.enabled);
}

}  // namespace
}  // namespace sluice::config
