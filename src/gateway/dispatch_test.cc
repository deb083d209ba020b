/// Retries, fallback and what ends them, from a client's request to its answer.

#include "gateway/test_gateway.h"

#include <gtest/gtest.h>

#include <charconv>
#include <map>
#include <string>

namespace sluice::gateway {
namespace {

using namespace std::chrono_literals;
using testing::chain_of;
using testing::chat_request;
using testing::TestGateway;
using testing::TestTransaction;

constexpr const char* kPath = "/v1/chat/completions";
constexpr auto kAtOnce = 3s;  // what a slow machine may take for what waits for nothing

TestTransaction chat(bool stream = false) {
    return {"POST", kPath, chat_request("any", stream)};
}

/// The same upstream answers at once, with 500, or asks for seven seconds of patience, with 429.
config::Config lone(const std::string& model, std::size_t max_retries) {
    auto config = chain_of({{"a", model}});
    config.upstreams.at("a").retry.max_retries = max_retries;
    config.upstreams.at("a").retry.base_delay = 1ms;
    return config;
}

int seconds_in(std::string_view text) {
    int seconds = -1;
    std::from_chars(text.data(), text.data() + text.size(), seconds);
    return seconds;
}

TEST(DispatchTest, WhatGoesWellAtOnceIsOneAttempt) {
    TestGateway gateway(chain_of({{"a", "echo"}, {"b", "echo"}}));
    for (const bool stream : {false, true}) {
        auto transaction = chat(stream);

        gateway.run(transaction);

        EXPECT_EQ(transaction.status, 200);
        EXPECT_EQ(transaction.field("x-sluice-attempts"), "a:200");
    }
}

TEST(DispatchTest, EachCandidateIsAskedInTurnUntilOneAnswers) {
    for (const bool stream : {false, true}) {
        TestGateway gateway(chain_of({{"a", "fault-401"},
                                      {"b", "fault-429"},
                                      {"c", "fault-close-before-head"},
                                      {"d", "fault-bad-json"},
                                      {"e", "echo"},
                                      {"f", "echo"}}));
        auto transaction = chat(stream);

        gateway.run(transaction);

        EXPECT_EQ(transaction.status, 200);
        EXPECT_EQ(transaction.field("x-sluice-attempts"),
                  "a:401, b:429, c:broken, d:invalid_reply, e:200");
        EXPECT_TRUE(gateway.shared.metrics.text().contains("sluice_upstream_fallbacks_total"));
    }
}

TEST(DispatchTest, OneIsAskedAgainOnlyWhenNobodyElseIsLeft) {
    auto config = chain_of({{"a", "fault-500"}, {"b", "fault-close-before-head"}});
    config.upstreams.at("a").retry.max_retries = 2;
    config.upstreams.at("a").retry.base_delay = 1ms;
    TestGateway gateway(std::move(config));
    auto transaction = chat();

    gateway.run(transaction);

    EXPECT_EQ(transaction.field("x-sluice-attempts"), "a:500, b:broken, a:500, a:500");
    EXPECT_EQ(transaction.status, 500) << "an upstream's own words come before ours";
    EXPECT_TRUE(transaction.reply.contains("The server had an error")) << transaction.reply;
}

TEST(DispatchTest, TheClientsOwnMistakeGoesToNobodyElse) {
    TestGateway gateway(chain_of({{"a", "echo"}, {"b", "echo"}}));
    TestTransaction transaction("POST", kPath,
                                R"({"model":"any","messages":[{"role":"user","content":"x"}],)"
                                R"("sluice_tokens_per_second":-1})");

    gateway.run(transaction);

    EXPECT_EQ(transaction.status, 400);
    EXPECT_EQ(transaction.field("x-sluice-attempts"), "a:400");
}

TEST(DispatchTest, WhichFailuresMoveOnIsTheOperatorsToSay) {
    auto config = chain_of({{"a", "fault-500"}, {"b", "echo"}});
    config.failures.rules.at(static_cast<std::size_t>(config::FailureKind::server_error)) = {};
    TestGateway gateway(std::move(config));
    auto transaction = chat();

    gateway.run(transaction);

    EXPECT_EQ(transaction.status, 500);
    EXPECT_EQ(transaction.field("x-sluice-attempts"), "a:500");
}

TEST(DispatchTest, AWaitLongerThanTheClientsPatienceIsToldInsteadOfWaited) {
    for (const bool stream : {false, true}) {
        TestGateway gateway(lone("fault-429", 5));
        auto transaction = chat(stream);
        transaction.with("x-stainless-timeout", "5");
        const auto start = net::Clock::now();

        gateway.run(transaction);

        EXPECT_LT(net::Clock::now() - start, kAtOnce);
        EXPECT_EQ(transaction.status, 429);
        EXPECT_EQ(transaction.field("retry-after"), "7");
        EXPECT_EQ(transaction.field("x-sluice-attempts"), "a:429");
    }
}

TEST(DispatchTest, AWaitLongerThanMaxWaitIsToldInsteadOfWaited) {
    auto config = lone("fault-429", 5);
    config.upstreams.at("a").retry.max_wait = 1s;
    TestGateway gateway(std::move(config));
    auto transaction = chat();
    const auto start = net::Clock::now();

    gateway.run(transaction);

    EXPECT_LT(net::Clock::now() - start, kAtOnce);
    EXPECT_EQ(transaction.status, 429);
    EXPECT_EQ(transaction.field("retry-after"), "7");
}

TEST(DispatchTest, ARetryThatTheBudgetHasNoRoomForIsNotMade) {  // OV-8
    auto config = lone("fault-500", 5);
    config.upstreams.at("a").retry.budget = 0;
    config.upstreams.at("a").retry.budget_floor = 2;
    TestGateway gateway(std::move(config));
    auto first = chat();
    auto second = chat();

    gateway.run(first);
    gateway.run(second);

    EXPECT_EQ(first.field("x-sluice-attempts"), "a:500, a:500, a:500");
    EXPECT_EQ(second.field("x-sluice-attempts"), "a:500") << "two retries a second, and no more";
    EXPECT_EQ(second.status, 500);
    EXPECT_TRUE(gateway.shared.metrics.text().contains("sluice_retry_budget_exhausted_total"));
}

TEST(DispatchTest, AnUpstreamThatKeepsFailingIsLeftAlone) {
    auto config = lone("fault-500", 0);
    config.upstreams.at("a").breaker.consecutive_failures = 2;
    config.upstreams.at("a").breaker.open_for = 60s;
    TestGateway gateway(std::move(config));
    for (int i = 0; i < 2; ++i) {
        auto failed = chat();
        gateway.run(failed);
        ASSERT_EQ(failed.status, 500);
    }
    auto refused = chat();
    TestTransaction health("GET", "/health");

    gateway.run(refused);
    gateway.run(health);

    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.field("x-sluice-attempts"), "") << "nobody was asked";
    EXPECT_GT(seconds_in(refused.field("retry-after")), 30);
    EXPECT_LE(seconds_in(refused.field("retry-after")), 60);
    EXPECT_EQ(health.status, 503) << health.reply;
    EXPECT_TRUE(health.reply.contains("open")) << health.reply;
}

TEST(DispatchTest, ACandidateWhoseBreakerIsOpenIsPassedOver) {
    auto config = chain_of({{"a", "fault-500"}, {"b", "echo"}});
    config.upstreams.at("a").breaker.consecutive_failures = 1;
    config.upstreams.at("a").breaker.open_for = 60s;
    TestGateway gateway(std::move(config));
    auto first = chat();
    auto second = chat();

    gateway.run(first);
    gateway.run(second);

    EXPECT_EQ(first.field("x-sluice-attempts"), "a:500, b:200");
    EXPECT_EQ(second.field("x-sluice-attempts"), "b:200");
}

TEST(DispatchTest, AClosedBreakerIsProbedWhenItsTimeIsOver) {
    auto config = lone("fault-500", 0);
    config.upstreams.at("a").breaker.consecutive_failures = 1;
    config.upstreams.at("a").breaker.open_for = 1ms;
    TestGateway gateway(config);
    auto failed = chat();
    gateway.run(failed);
    config.default_route.targets.at(0).model = "echo";
    gateway.use(config);
    const auto now = net::Clock::now();
    ASSERT_TRUE(gateway.run_until([&] { return net::Clock::now() > now + 2ms; }));
    auto probe = chat();

    gateway.run(probe);

    EXPECT_EQ(probe.status, 200);
    EXPECT_EQ(gateway.record("a").breaker.state(net::Clock::now()), routing::BreakerState::closed);
}

TEST(DispatchTest, AKeyThatIsRefusedCoolsAndTheNextOneIsAsked) {
    auto config = lone("fault-401", 0);
    config.upstreams.at("a").api_keys = {config::Secret("one"), config::Secret("two")};
    TestGateway gateway(std::move(config));
    auto transaction = chat();

    gateway.run(transaction);

    EXPECT_EQ(transaction.field("x-sluice-attempts"), "a:401, a:401");
    const auto now = net::Clock::now();
    for (const std::size_t key : {0U, 1U}) {
        EXPECT_GT(gateway.record("a").keys.cools_until(key, now), now + 1min) << key;
    }
}

TEST(DispatchTest, AClientThatHangsUpDuringABackoffEndsItsExchange) {
    for (const bool stream : {false, true}) {
        TestGateway gateway(lone("fault-429", 5));
        auto transaction = chat(stream);
        const auto start = net::Clock::now();
        gateway.begin(transaction);
        ASSERT_TRUE(gateway.run_until([&] { return gateway.record("a").last_word.read().up; }));

        transaction.hang_up();
        gateway.worker.io().run();

        EXPECT_LT(net::Clock::now() - start, kAtOnce) << "the wait is of 7 s";
        EXPECT_EQ(transaction.status, 0);
        EXPECT_TRUE(gateway.shared.metrics.text().contains("sluice_client_gone_total 1"));
    }
}

TEST(DispatchTest, AStopDuringABackoffIsToldToTheClient) {  // DR-3
    for (const bool stream : {false, true}) {
        TestGateway gateway(lone("fault-429", 5));
        auto transaction = chat(stream);
        const auto start = net::Clock::now();
        gateway.begin(transaction);
        ASSERT_TRUE(gateway.run_until([&] { return gateway.record("a").last_word.read().up; }));

        transaction.stop_server();
        gateway.worker.io().run();

        EXPECT_LT(net::Clock::now() - start, kAtOnce) << "the wait is of 7 s";
        EXPECT_EQ(transaction.status, 503);
        EXPECT_TRUE(transaction.reply.contains("the gateway is stopping")) << transaction.reply;
    }
}

TEST(DispatchTest, WhoCameBeforeTheLastReloadGoesOnToTheEnd) {
    auto config = lone("fault-500", 1);
    config.upstreams.at("a").retry.base_delay = 200ms;
    TestGateway gateway(config);
    auto transaction = chat();
    gateway.begin(transaction);
    ASSERT_TRUE(gateway.run_until([&] { return gateway.record("a").last_word.read().up; }));

    gateway.use(chain_of({{"b", "echo"}}));
    gateway.worker.io().run();

    EXPECT_EQ(transaction.status, 500);
    EXPECT_EQ(transaction.field("x-sluice-attempts"), "a:500, a:500");
}

/// One request at a time; `holder` has the place.
class InLineTest : public ::testing::Test {
protected:
    static config::Config config() {
        auto config = lone("lorem", 0);
        config::Upstream& upstream = config.upstreams.at("a");
        upstream.embedded.tokens_per_second = 0.1;
        upstream.concurrency.kind = config::Concurrency::Kind::fixed;
        upstream.concurrency.limit = 1;
        upstream.concurrency.queue = 1;
        upstream.concurrency.queue_time = 60s;
        return config;
    }

    void hold_place(config::Config config) {
        gateway_.use(std::move(config));
        gateway_.begin(holder_);
        ASSERT_TRUE(
            gateway_.run_until([&] { return gateway_.record("a").in_flight.active() == 1; }));
    }
    void wait_in_line(TestTransaction& waiter) {
        gateway_.begin(waiter);
        ASSERT_TRUE(
            gateway_.run_until([&] { return gateway_.record("a").in_flight.waiting() == 1; }));
    }
    void end() {
        holder_.hang_up();
        gateway_.worker.io().restart();
        gateway_.worker.io().run();
        EXPECT_EQ(gateway_.record("a").in_flight.active(), 0U);
        EXPECT_EQ(gateway_.record("a").in_flight.waiting(), 0U);
    }

    TestGateway gateway_;
    TestTransaction holder_ = chat();
};

TEST_F(InLineTest, AClientThatHangsUpLeavesTheLine) {
    hold_place(config());
    auto waiter = chat();
    wait_in_line(waiter);

    waiter.hang_up();

    EXPECT_TRUE(gateway_.run_until([&] { return gateway_.record("a").in_flight.waiting() == 0; }));
    EXPECT_TRUE(gateway_.run_until(
        [&] { return gateway_.shared.metrics.text().contains("sluice_client_gone_total 1"); }));
    EXPECT_EQ(waiter.status, 0);
    end();
}

TEST_F(InLineTest, AStopEmptiesTheLine) {
    hold_place(config());
    auto waiter = chat();
    wait_in_line(waiter);

    waiter.stop_server();

    EXPECT_TRUE(gateway_.run_until([&] { return waiter.finished; }));
    EXPECT_EQ(waiter.status, 503);
    EXPECT_TRUE(waiter.reply.contains("the gateway is stopping")) << waiter.reply;
    end();
}

TEST_F(InLineTest, WhoeverComesToAFullLineIsRefusedAtOnce) {  // OV-2
    hold_place(config());
    auto waiter = chat();
    wait_in_line(waiter);
    auto refused = chat();
    gateway_.begin(refused);

    EXPECT_TRUE(gateway_.run_until([&] { return refused.finished; }));

    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.field("retry-after"), "1");
    EXPECT_EQ(refused.field("x-sluice-attempts"), "") << "nobody was asked";
    waiter.hang_up();
    end();
}

TEST_F(InLineTest, WhoeverWaitsTooLongInLineIsRefused) {
    auto config = InLineTest::config();
    config.upstreams.at("a").concurrency.queue_time = 20ms;
    hold_place(std::move(config));
    auto waiter = chat();
    gateway_.begin(waiter);

    EXPECT_TRUE(gateway_.run_until([&] { return waiter.finished; }));

    EXPECT_EQ(waiter.status, 503);
    EXPECT_EQ(waiter.field("retry-after"), "1");
    end();
}

TEST_F(InLineTest, TheNextInLineGetsThePlaceOfWhoLeaves) {
    hold_place(config());
    TestTransaction waiter("POST", kPath,
                           R"({"model":"any","messages":[{"role":"user","content":"x"}],)"
                           R"("sluice_tokens_per_second":0})");
    wait_in_line(waiter);

    holder_.hang_up();

    EXPECT_TRUE(gateway_.run_until([&] { return waiter.finished; }));
    EXPECT_EQ(waiter.status, 200);
    end();
}

TEST_F(InLineTest, AnotherUpstreamIsAskedWhereTheLineIsFull) {
    auto config = InLineTest::config();
    config.upstreams.at("a").concurrency.queue = 0;
    auto more = chain_of({{"a", "lorem"}, {"b", "echo"}});
    more.upstreams.at("a") = config.upstreams.at("a");
    hold_place(std::move(more));
    auto transaction = chat();
    gateway_.begin(transaction);

    EXPECT_TRUE(gateway_.run_until([&] { return transaction.finished; }));

    EXPECT_EQ(transaction.status, 200);
    EXPECT_EQ(transaction.field("x-sluice-attempts"), "b:200");
    end();
}

class SplitTest : public ::testing::Test {
protected:
    SplitTest() {
        auto config = chain_of({{"a", "echo"}, {"b", "echo"}});
        config.default_route.balance = config::Balance::split;
        for (config::Target& target : config.default_route.targets) target.tier = 0;
        config.default_route.targets.at(0).variant = "old";
        config.keys.push_back({"alice", config::Secret("sk-alice"), "", {}, {}});
        config.keys.push_back({"bob", config::Secret("sk-bob"), "", {}, {}});
        gateway_.use(std::move(config));
    }

    std::string variant(std::string_view header, std::string_view value,
                        std::string_view credential = "Bearer sk-alice") {
        auto transaction = chat();
        transaction.with("authorization", credential);
        if (!header.empty()) transaction.with(header, value);
        gateway_.begin(transaction);
        EXPECT_TRUE(gateway_.run_until([&] { return transaction.finished; }));
        EXPECT_EQ(transaction.status, 200);
        return std::string(transaction.field("x-sluice-variant"));
    }

    TestGateway gateway_;
};

TEST_F(SplitTest, ASessionKeepsItsVariantAndBothVariantsAreChosen) {
    for (const std::string_view header :
         {"x-client-session", "x-claude-code-session-id", "session-id", "x-session-id"}) {
        std::map<std::string, int> chosen;
        for (int session = 0; session < 40; ++session) {
            const std::string name = "session" + std::to_string(session);
            const std::string first = variant(header, name);
            ++chosen[first];
            EXPECT_EQ(variant(header, name), first);
            EXPECT_EQ(variant(header, name, "Bearer sk-bob"), first) << "whoever's key it is";
        }
        EXPECT_EQ(chosen.size(), 2U) << header;
        EXPECT_GT(chosen["old"], 5) << header;
        EXPECT_GT(chosen["b/echo"], 5) << header;
    }
}

TEST_F(SplitTest, WithoutASessionAKeyKeepsItsVariant) {
    for (const std::string_view credential : {"Bearer sk-alice", "Bearer sk-bob"}) {
        const std::string first = variant("", "", credential);
        for (int i = 0; i < 5; ++i) EXPECT_EQ(variant("", "", credential), first);
    }
}

}  // namespace
}  // namespace sluice::gateway
