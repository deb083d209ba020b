#include "gateway/keepalive.h"

#include "gateway/test_gateway.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace sluice::gateway {
namespace {

using namespace std::chrono_literals;
using testing::chain_of;
using testing::TestGateway;
using testing::TestTransaction;

constexpr std::string_view kComment = ": keep-alive\n\n";
constexpr std::string_view kDone = "data: [DONE]\n\n";

/// Of two words.
TestTransaction ask(bool stream) {
    return {
        "POST", "/v1/chat/completions",
        R"({"model":"any","messages":[{"role":"user","content":"x"}],"max_tokens":2,"stream":)" +
            std::string(stream ? "true}" : "false}")};
}

config::Config impatient(const std::vector<testing::Model>& models) {
    auto config = chain_of(models);
    config.limits.keepalive_after = 20ms;
    return config;
}

/// Whose words come each after 200 ms.
config::Config slow() {
    auto config = impatient({{"a", "lorem"}});
    config.upstreams.at("a").embedded.tokens_per_second = 5;
    return config;
}

std::size_t count_of(std::string_view text, std::string_view what) {
    std::size_t count = 0;
    for (std::size_t at = text.find(what); at != std::string_view::npos;
         at = text.find(what, at + what.size())) {
        ++count;
    }
    return count;
}

std::string without_comments(std::string text) {
    for (std::size_t at = text.find(kComment); at != std::string::npos; at = text.find(kComment)) {
        text.erase(at, kComment.size());
    }
    return text;
}

TEST(KeepAliveTest, CommentsComeBeforeTheFirstContentAndBetween) {
    TestGateway gateway(slow());
    auto transaction = ask(true);
    transaction.takes_all = true;

    gateway.run(transaction);

    EXPECT_EQ(transaction.status, 200);
    EXPECT_TRUE(transaction.finished);
    EXPECT_EQ(transaction.field("content-type"), "text/event-stream; charset=utf-8");
    EXPECT_TRUE(transaction.reply.starts_with(kComment)) << transaction.reply;
    EXPECT_TRUE(transaction.reply.ends_with(kDone)) << transaction.reply;
    const std::string_view reply = transaction.reply;
    EXPECT_GT(count_of(reply.substr(reply.find("data:")), kComment), 0U) << reply;
    EXPECT_TRUE(gateway.shared.metrics.text().contains("sluice_keepalive_comments_total " +
                                                       std::to_string(count_of(reply, kComment))));
}

TEST(KeepAliveTest, NoCommentStandsWithinAnEvent) {
    TestGateway gateway(slow());
    auto transaction = ask(true);
    transaction.takes_all = true;

    gateway.run(transaction);

    std::string rest = without_comments(transaction.reply);
    std::size_t events = 0;
    while (!rest.empty()) {
        ASSERT_TRUE(rest.starts_with("data: ")) << rest;
        const std::size_t end = rest.find("\n\n");
        ASSERT_NE(end, std::string::npos) << rest;
        ASSERT_EQ(rest.substr(0, end).find('\n'), std::string::npos) << rest;
        rest.erase(0, end + 2);
        ++events;
    }
    EXPECT_EQ(events, 5U) << "a role, two words, a finish and [DONE]";
}

TEST(KeepAliveTest, AClientThatHasNotTakenTheLastCommentGetsNoOther) {
    TestGateway gateway(slow());
    auto transaction = ask(true);

    gateway.run(transaction);

    const std::string_view reply = transaction.reply;
    EXPECT_EQ(count_of(reply.substr(0, reply.find("data:")), kComment), 1U) << reply;
    EXPECT_TRUE(reply.ends_with(kDone));
}

TEST(KeepAliveTest, AWholeReplyHasNoComments) {
    TestGateway gateway(slow());
    auto transaction = ask(false);

    gateway.run(transaction);

    EXPECT_EQ(transaction.status, 200);
    EXPECT_TRUE(transaction.reply.starts_with('{')) << transaction.reply;
}

TEST(KeepAliveTest, TheyCanBeTurnedOff) {
    auto config = slow();
    config.limits.keepalive_after.reset();
    TestGateway gateway(std::move(config));
    auto transaction = ask(true);
    transaction.takes_all = true;

    gateway.run(transaction);

    EXPECT_EQ(count_of(transaction.reply, kComment), 0U);
    EXPECT_TRUE(transaction.finished);
}

TEST(KeepAliveTest, NothingIsSaidToAClientThatIsAnsweredInTime) {
    TestGateway gateway(chain_of({{"a", "lorem"}}));
    auto transaction = ask(true);
    transaction.takes_all = true;

    gateway.run(transaction);

    EXPECT_EQ(count_of(transaction.reply, kComment), 0U);
    EXPECT_TRUE(transaction.finished);
}

TEST(KeepAliveTest, FallbackGoesOnWhileCommentsKeepTheClient) {
    auto config = impatient({{"a", "fault-hang-before-head"}, {"b", "lorem"}});
    config.upstreams.at("a").timeouts.first_byte = 150ms;
    TestGateway gateway(std::move(config));
    auto transaction = ask(true);
    transaction.takes_all = true;

    gateway.run(transaction);

    EXPECT_TRUE(transaction.reply.starts_with(kComment)) << transaction.reply;
    EXPECT_TRUE(transaction.reply.ends_with(kDone)) << transaction.reply;
    EXPECT_TRUE(transaction.finished);
    EXPECT_FALSE(transaction.aborted);
    EXPECT_FALSE(transaction.reply.contains("\"error\""));
}

TEST(KeepAliveTest, RetriesGoOnWhileCommentsKeepTheClient) {
    auto config = impatient({{"a", "fault-503"}});  // Retry-After: 1
    config.upstreams.at("a").retry.max_retries = 1;
    TestGateway gateway(std::move(config));
    auto transaction = ask(true);
    transaction.takes_all = true;
    transaction.with("x-stainless-timeout", "2");

    gateway.run(transaction);

    EXPECT_EQ(transaction.status, 200);
    EXPECT_TRUE(transaction.reply.starts_with(kComment)) << transaction.reply;
    EXPECT_TRUE(transaction.reply.contains("data: {\"error\":")) << transaction.reply;
    EXPECT_TRUE(transaction.reply.contains("The engine is overloaded")) << transaction.reply;
    EXPECT_FALSE(transaction.reply.contains("[DONE]"));
    EXPECT_TRUE(transaction.aborted) << "an end that is none";
    EXPECT_FALSE(transaction.finished);
    EXPECT_TRUE(
        gateway.shared.metrics.text().contains("sluice_upstream_retries_total{reason=\"overloaded"))
        << gateway.shared.metrics.text();
}

TEST(KeepAliveTest, AFinalFailureAfterCommentsIsAnEventAndAnUncleanEnd) {
    for (const std::string_view model : {"fault-hang-before-head", "fault-hang-mid-head"}) {
        auto config = impatient({{"a", std::string(model)}});
        config.upstreams.at("a").timeouts.first_byte = 150ms;
        TestGateway gateway(std::move(config));
        auto transaction = ask(true);
        transaction.takes_all = true;

        gateway.run(transaction);

        EXPECT_EQ(transaction.status, 200);
        EXPECT_TRUE(transaction.reply.starts_with(kComment)) << transaction.reply;
        EXPECT_EQ(count_of(transaction.reply, "data: {\"error\":"), 1U) << transaction.reply;
        EXPECT_TRUE(transaction.reply.ends_with("\n\n")) << transaction.reply;
        EXPECT_FALSE(transaction.reply.contains("[DONE]"));
        EXPECT_TRUE(transaction.aborted);
        EXPECT_FALSE(transaction.finished);
    }
}

TEST(KeepAliveTest, AClientThatHangsUpGetsNothingMore) {
    TestGateway gateway(slow());
    auto transaction = ask(true);
    transaction.takes_all = true;
    transaction.on_write = [&] { transaction.hang_up(); };

    gateway.run(transaction);

    EXPECT_EQ(transaction.reply, kComment);
    EXPECT_TRUE(gateway.shared.metrics.text().contains("sluice_client_gone_total 1"));
}

TEST(KeepAliveTest, AStopBetweenCommentsIsAnEventThatSaysSo) {  // DR-3
    TestGateway gateway(slow());
    auto transaction = ask(true);
    transaction.takes_all = true;
    bool stopped = false;
    transaction.on_write = [&] {
        if (!std::exchange(stopped, true)) transaction.stop_server();
    };

    gateway.run(transaction);

    EXPECT_TRUE(transaction.reply.starts_with(kComment)) << transaction.reply;
    EXPECT_TRUE(transaction.reply.contains("the gateway is stopping")) << transaction.reply;
    EXPECT_TRUE(transaction.aborted);
}

}  // namespace
}  // namespace sluice::gateway
