#include "gateway/hedge.h"

#include "gateway/endpoint.h"
#include "gateway/test_gateway.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace sluice::gateway {
namespace {

using namespace std::chrono_literals;
using testing::chain_of;
using testing::TestGateway;
using testing::TestTransaction;

constexpr auto kLong = 5s;  // what a slow one would take

/// Of one token, so that what is slow is so from its first content on.
TestTransaction ask(bool stream = false, std::string_view more = R"(,"max_tokens":1)") {
    return {"POST", "/v1/chat/completions",
            R"({"model":"any","messages":[{"role":"user","content":"x"}],"stream":)" +
                std::string(stream ? "true" : "false") + std::string(more) + "}"};
}

/// A token comes after that time.
void slow_down(config::Config& config, const std::string& upstream,
               std::chrono::milliseconds time) {
    config.upstreams.at(upstream).embedded.tokens_per_second =
        1000.0 / static_cast<double>(time.count());
}

config::Config hedged(const std::vector<testing::Model>& models) {
    auto config = chain_of(models);
    config.default_route.hedge.enabled = true;
    config.default_route.hedge.after = 20ms;
    config.default_route.hedge.share = 1;
    return config;
}

config::Config slow_and_fast() {
    auto config = hedged({{"slow", "lorem"}, {"fast", "lorem"}});
    slow_down(config, "slow", kLong);
    return config;
}

/// How the attempts of such a request went.
std::string attempts(const config::Config& config) {
    TestGateway gateway(config);
    auto transaction = ask();
    gateway.run(transaction);
    EXPECT_EQ(transaction.status, 200) << transaction.reply;
    return std::string(transaction.field("x-sluice-attempts"));
}

TEST(HedgeTest, TheRivalAnswersWhereTheFirstTakesLong) {
    for (const bool stream : {false, true}) {
        TestGateway gateway(slow_and_fast());
        auto transaction = ask(stream);
        const auto start = net::Clock::now();

        gateway.run(transaction);

        EXPECT_LT(net::Clock::now() - start, kLong);
        EXPECT_EQ(transaction.status, 200);
        EXPECT_TRUE(transaction.finished);
        EXPECT_EQ(transaction.field("x-sluice-attempts"), "slow:cancelled, fast:200");
        const std::string metrics = gateway.shared.metrics.text();
        for (const char* const result : {"sent", "won"}) {
            const std::string line =
                std::string("sluice_hedges_total{result=\"") + result + "\",route=\"default\"} 1\n";
            EXPECT_TRUE(metrics.contains(line)) << line << metrics;
        }
        EXPECT_EQ(gateway.record("slow").in_flight.active(), 0U);
        EXPECT_EQ(gateway.record("fast").in_flight.active(), 0U);
    }
}

TEST(HedgeTest, WhoWasAskedFirstIsTakenWhereItAnswersFirst) {
    for (const bool stream : {false, true}) {
        auto config = hedged({{"first", "lorem"}, {"rival", "lorem"}});
        slow_down(config, "first", 200ms);
        slow_down(config, "rival", kLong);
        TestGateway gateway(std::move(config));
        auto transaction = ask(stream);
        const auto start = net::Clock::now();

        gateway.run(transaction);

        EXPECT_LT(net::Clock::now() - start, kLong);
        EXPECT_EQ(transaction.status, 200);
        EXPECT_EQ(transaction.field("x-sluice-attempts"), "rival:cancelled, first:200");
        EXPECT_EQ(gateway.record("rival").in_flight.active(), 0U);
    }
}

TEST(HedgeTest, NobodyElseIsAskedWhereTheFirstIsFastEnough) {
    auto config = hedged({{"first", "lorem"}, {"rival", "lorem"}});
    config.default_route.hedge.after = kLong;
    const auto start = net::Clock::now();

    EXPECT_EQ(attempts(config), "first:200");

    EXPECT_LT(net::Clock::now() - start, kLong) << "its end ends the wait";
}

TEST(HedgeTest, ADearRequestIsNotHedged) {
    auto config = hedged({{"first", "lorem"}, {"rival", "lorem"}});
    slow_down(config, "first", 200ms);
    config.default_route.hedge.max_tokens = 10;

    EXPECT_EQ(attempts(config), "first:200") << "its input alone is of more tokens";

    config.default_route.hedge.max_tokens = 1'000;
    EXPECT_EQ(attempts(config), "first:cancelled, rival:200");
}

TEST(HedgeTest, WithoutATimeOfItsOwnARouteWaitsUntilTheUsualTimeIsKnown) {
    auto config = slow_and_fast();
    slow_down(config, "slow", 200ms);
    config.default_route.hedge.after.reset();

    EXPECT_EQ(attempts(config), "slow:200");
}

TEST(HedgeTest, ARouteHedgesNoMoreThanItsShareAndAlwaysTheFirstTime) {
    auto config = slow_and_fast();
    slow_down(config, "slow", 200ms);
    config.default_route.hedge.share = 0.01;
    TestGateway gateway(std::move(config));
    auto first = ask();
    auto second = ask();

    gateway.run(first);
    gateway.run(second);

    EXPECT_EQ(first.field("x-sluice-attempts"), "slow:cancelled, fast:200");
    EXPECT_EQ(second.field("x-sluice-attempts"), "slow:200");
}

TEST(HedgeTest, WithoutAnotherUpstreamThereIsNoRival) {
    auto config = hedged({{"only", "lorem"}});
    slow_down(config, "only", 200ms);
    config.default_route.targets.push_back(config.default_route.targets.front());
    config.default_route.targets.back().tier = 1;

    EXPECT_EQ(attempts(config), "only:200");
}

TEST(HedgeTest, TheRivalGoesOnWhereTheFirstFails) {
    auto config = hedged({{"first", "fault-hang-before-head"}, {"rival", "lorem"}, {"c", "echo"}});
    config.upstreams.at("first").timeouts.first_byte = 100ms;
    slow_down(config, "rival", 400ms);

    EXPECT_EQ(attempts(config), "first:timeout, rival:200");
}

TEST(HedgeTest, TheFirstGoesOnWhereTheRivalFails) {
    auto config = hedged({{"first", "lorem"}, {"rival", "fault-500"}, {"c", "echo"}});
    slow_down(config, "first", 200ms);

    EXPECT_EQ(attempts(config), "rival:500, first:200");
}

TEST(HedgeTest, WhereBothFailTheNextCandidateIsAsked) {
    auto config =
        hedged({{"first", "fault-hang-before-head"}, {"rival", "fault-500"}, {"c", "echo"}});
    config.upstreams.at("first").timeouts.first_byte = 100ms;

    EXPECT_EQ(attempts(config), "rival:500, first:timeout, c:200");
}

TEST(HedgeTest, AFirstThatFailsAtOnceIsFollowedWithoutAWait) {
    auto config = hedged({{"first", "fault-500"}, {"next", "lorem"}});
    config.default_route.hedge.after = kLong;
    const auto start = net::Clock::now();

    EXPECT_EQ(attempts(config), "first:500, next:200");

    EXPECT_LT(net::Clock::now() - start, kLong);
}

TEST(HedgeTest, AClientThatHangsUpEndsBothSides) {
    for (const bool stream : {false, true}) {
        auto config = slow_and_fast();
        slow_down(config, "fast", kLong);
        TestGateway gateway(std::move(config));
        auto transaction = ask(stream);
        const auto start = net::Clock::now();
        gateway.begin(transaction);
        ASSERT_TRUE(
            gateway.run_until([&] { return gateway.record("fast").in_flight.active() == 1; }));

        transaction.hang_up();
        gateway.worker.io().run();

        EXPECT_LT(net::Clock::now() - start, kLong);
        EXPECT_EQ(transaction.status, 0);
        EXPECT_EQ(gateway.record("slow").in_flight.active(), 0U);
        EXPECT_EQ(gateway.record("fast").in_flight.active(), 0U);
    }
}

TEST(HedgeTest, AStopEndsBothSidesAndTellsTheClient) {
    auto config = slow_and_fast();
    slow_down(config, "fast", kLong);
    TestGateway gateway(std::move(config));
    auto transaction = ask();
    gateway.begin(transaction);
    ASSERT_TRUE(gateway.run_until([&] { return gateway.record("fast").in_flight.active() == 1; }));

    transaction.stop_server();
    gateway.worker.io().run();

    EXPECT_EQ(transaction.status, 503);
    EXPECT_TRUE(transaction.reply.contains("the gateway is stopping")) << transaction.reply;
    EXPECT_EQ(gateway.record("slow").in_flight.active(), 0U);
}

TEST(HedgeTest, OnlyWhatTheOneThatAnswersDidNotGetIsNamedAsDropped) {
    auto config = hedged({{"first", "lorem"}, {"rival", "lorem"}});
    slow_down(config, "first", 200ms);
    slow_down(config, "rival", kLong);
    config.upstreams.at("rival").transforms.drop = {"user"};
    TestGateway gateway(std::move(config));
    auto transaction = ask(false, R"(,"max_tokens":1,"user":"me")");

    gateway.run(transaction);

    EXPECT_EQ(transaction.field("x-sluice-attempts"), "rival:cancelled, first:200");
    EXPECT_EQ(transaction.field("x-sluice-dropped"), "");
}

TEST(HedgeTest, TheClientsOwnMistakeGoesToNobodyElse) {
    auto config = hedged({{"first", "fault-hang-before-head"}, {"rival", "echo"}, {"c", "echo"}});
    config.upstreams.at("first").timeouts.first_byte = 300ms;
    TestGateway gateway(std::move(config));
    auto transaction = ask(false, R"(,"tools":7)");

    gateway.run(transaction);

    EXPECT_EQ(transaction.status, 400);
    EXPECT_FALSE(transaction.field("x-sluice-attempts").contains("c:"))
        << transaction.field("x-sluice-attempts");
}

/// An attempt of an exchange that may end before it.
class RunnerTest : public ::testing::Test {
protected:
    static config::Config config() {
        auto config = chain_of({{"a", "lorem"}});
        config::Upstream& upstream = config.upstreams.at("a");
        upstream.embedded.tokens_per_second = 0.1;
        upstream.concurrency.kind = config::Concurrency::Kind::fixed;
        upstream.concurrency.limit = 1;
        upstream.concurrency.queue_time = 60s;
        return config;
    }

    std::unique_ptr<Exchange> make_exchange() {
        auto exchange =
            std::make_unique<Exchange>(gateway_.gateway, client_endpoints(), transaction_);
        exchange->operation = Operation::chat;
        exchange->plan = gateway_.gateway.snapshot()->route_of("any");
        return exchange;
    }
    std::shared_ptr<Attempt> begin(Exchange& exchange) {
        routing::Candidate candidate;
        candidate.destination = exchange.plan->plan.destinations().data();
        auto attempt = std::make_shared<Attempt>(exchange, candidate);
        Question question{.body = json::Splice(kBody)};
        question.path = "/chat/completions";
        question.model = "lorem";
        start(exchange, Runner{.attempt = attempt, .question = std::move(question)});
        return attempt;
    }

    static constexpr std::string_view kBody =
        R"({"model":"lorem","max_tokens":1,"messages":[{"role":"user","content":"x"}]})";
    TestGateway gateway_{config()};
    TestTransaction transaction_ = ask();
};

TEST_F(RunnerTest, AnExchangeMayEndBeforeAnAttemptThatItHasCalledOff) {
    auto exchange = make_exchange();
    auto attempt = begin(*exchange);
    ASSERT_TRUE(gateway_.run_until([&] { return attempt->flight != nullptr; }));

    attempt->cancel();
    attempt.reset();
    exchange.reset();
    gateway_.worker.io().restart();
    gateway_.worker.io().run();

    EXPECT_EQ(gateway_.record("a").in_flight.active(), 0U);
}

TEST_F(RunnerTest, AnExchangeMayEndBeforeAnAttemptInLineThatItHasCalledOff) {
    auto holder_exchange = make_exchange();
    auto holder = begin(*holder_exchange);
    auto exchange = make_exchange();
    auto attempt = begin(*exchange);
    ASSERT_TRUE(gateway_.run_until([&] { return gateway_.record("a").in_flight.waiting() == 1; }));

    attempt->cancel();
    attempt.reset();
    exchange.reset();
    EXPECT_TRUE(gateway_.run_until([&] { return gateway_.record("a").in_flight.waiting() == 0; }));

    holder->cancel();
    holder.reset();
    gateway_.worker.io().restart();
    gateway_.worker.io().run();
}

}  // namespace
}  // namespace sluice::gateway
