#include "gateway/test_gateway.h"

#include <gtest/gtest.h>

#include <optional>

namespace sluice::gateway {
namespace {

using namespace std::chrono_literals;
using testing::TestGateway;

config::Config checked(std::chrono::milliseconds interval) {
    auto config = testing::embedded_config();
    config::HealthCheck& check = config.upstreams.at("local").health_check;
    check.enabled = true;
    check.interval = interval;
    return config;
}

/// Where nobody listens.
config::Config checked_and_gone() {
    auto config = checked(20ms);
    config::Upstream& upstream = config.upstreams.at("local");
    upstream.kind = config::UpstreamKind::openai;
    upstream.base_url.host = "127.0.0.1";
    upstream.base_url.port = 1;
    upstream.breaker.consecutive_failures = 2;
    upstream.breaker.open_for = 1h;
    return config;
}

std::optional<net::Clock::time_point> last_checked(TestGateway& gateway) {
    return gateway.record("local").last_word.read().since;
}

TEST(HealthCheckTest, AnUpstreamIsAskedAtOnceAndAgainAfterEachInterval) {
    TestGateway gateway(checked(20ms));
    ASSERT_TRUE(gateway.run_until([&] { return last_checked(gateway).has_value(); }));
    const auto first = *last_checked(gateway);

    EXPECT_TRUE(gateway.run_until([&] { return *last_checked(gateway) > first; }));

    EXPECT_TRUE(gateway.record("local").last_word.read().up);
    EXPECT_GE(*last_checked(gateway) - first, 10ms) << "the timers' precision is 10 ms";
    EXPECT_EQ(gateway.record("local").breaker.state(net::Clock::now()),
              routing::BreakerState::closed);
}

TEST(HealthCheckTest, AnAnswerOfAnyKindIsASignOfLife) {
    auto config = checked(20ms);
    config.upstreams.at("local").health_check.path = "/nowhere";
    TestGateway gateway(std::move(config));

    ASSERT_TRUE(gateway.run_until([&] { return last_checked(gateway).has_value(); }));

    EXPECT_TRUE(gateway.record("local").last_word.read().up);
}

TEST(HealthCheckTest, AnUpstreamThatDoesNotAnswerOpensItsBreakerWithoutARequest) {
    TestGateway gateway(checked_and_gone());

    EXPECT_TRUE(gateway.run_until([&] {
        return gateway.record("local").breaker.state(net::Clock::now()) ==
               routing::BreakerState::open;
    }));

    EXPECT_FALSE(gateway.record("local").last_word.read().up);
    EXPECT_TRUE(gateway.shared.metrics.text().contains(
        "sluice_upstream_breaker_changes_total{state=\"open\",upstream=\"local\"} 1"))
        << gateway.shared.metrics.text();
}

TEST(HealthCheckTest, AnUpstreamWithoutACheckIsNotAsked) {
    TestGateway gateway;

    gateway.worker.io().run();

    EXPECT_FALSE(last_checked(gateway));
}

TEST(HealthCheckTest, AChecksEndComesWithTheConfigurationThatTurnsItOff) {
    TestGateway gateway(checked(20ms));
    ASSERT_TRUE(gateway.run_until([&] { return last_checked(gateway).has_value(); }));

    gateway.use(testing::embedded_config());
    gateway.worker.io().restart();
    gateway.worker.io().run();

    SUCCEED() << "nothing is left to do";
}

TEST(HealthCheckTest, AReloadDuringACheckIsNoTrouble) {
    auto config = checked_and_gone();
    TestGateway gateway(config);
    for (int i = 0; i < 20; ++i) {
        gateway.worker.io().restart();
        gateway.worker.io().poll_one();
        gateway.use(config);
    }
    config.upstreams.at("local").health_check.enabled = false;
    gateway.use(config);
    gateway.worker.io().restart();

    gateway.worker.io().run();

    SUCCEED() << "nothing is left to do";
}

}  // namespace
}  // namespace sluice::gateway
