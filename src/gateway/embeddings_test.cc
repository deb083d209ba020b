#include "gateway/test_gateway.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace sluice::gateway {
namespace {

using testing::chain_of;
using testing::TestGateway;
using testing::TestTransaction;

/// Vectors of two numbers.
TestTransaction ask(std::string_view input, std::string_view format = "float") {
    return {"POST", "/v1/embeddings",
            R"({"model":"any","input":)" + std::string(input) +
                R"(,"dimensions":2,"encoding_format":")" + std::string(format) + "\"}"};
}

std::string answer(const config::Config& config, std::string_view input,
                   std::string_view format = "float") {
    TestGateway gateway(config);
    auto transaction = ask(input, format);
    gateway.run(transaction);
    EXPECT_EQ(transaction.status, 200) << transaction.reply;
    return transaction.reply;
}

constexpr std::string_view kFive = R"(["one","two","three","four","five"])";

TEST(EmbeddingsTest, MoreInputsThanAnUpstreamTakesAreAskedForInParts) {
    auto config = chain_of({{"a", "small"}});
    for (const std::string_view format : {"float", "base64"}) {
        config.upstreams.at("a").embeddings.max_batch = 2'048;
        const std::string at_once = answer(config, kFive, format);
        ASSERT_TRUE(at_once.contains("\"index\":4")) << at_once;
        for (const std::size_t batch : {1U, 2U, 3U, 4U, 5U}) {
            config.upstreams.at("a").embeddings.max_batch = batch;

            EXPECT_EQ(answer(config, kFive, format), at_once) << "in parts of " << batch;
        }
    }
}

TEST(EmbeddingsTest, EveryPartIsAnAttempt) {
    auto config = chain_of({{"a", "small"}});
    config.upstreams.at("a").embeddings.max_batch = 2;
    TestGateway gateway(std::move(config));
    auto transaction = ask(kFive);

    gateway.run(transaction);

    EXPECT_TRUE(gateway.shared.metrics.text().contains(
        "sluice_upstream_attempts_total{outcome=\"ok\",upstream=\"a\"} 3"))
        << gateway.shared.metrics.text();
}

TEST(EmbeddingsTest, ThePartsAreOfASizeThatEveryCandidateTakes) {
    auto config = chain_of({{"a", "fault-500"}, {"b", "small"}});
    const std::string at_once = answer(chain_of({{"b", "small"}}), kFive);
    config.upstreams.at("b").embeddings.max_batch = 2;
    TestGateway gateway(std::move(config));
    auto transaction = ask(kFive);

    gateway.run(transaction);

    EXPECT_EQ(transaction.reply, at_once);
    EXPECT_EQ(transaction.field("x-sluice-attempts"), "a:500, b:200, a:500, b:200, a:500, b:200");
}

TEST(EmbeddingsTest, TheClientGetsItsFormatFromAnUpstreamThatHasNumbersOnly) {
    auto config = chain_of({{"a", "small"}});
    for (const std::string_view format : {"float", "base64"}) {
        config.upstreams.at("a").embeddings.encoding = config::Embeddings::Encoding::as_asked;
        const std::string as_asked = answer(config, kFive, format);
        config.upstreams.at("a").embeddings.encoding = config::Embeddings::Encoding::number_lists;

        EXPECT_EQ(answer(config, kFive, format), as_asked);
    }
}

TEST(EmbeddingsTest, AnUpstreamForTextsOnlyGetsNoTokens) {
    auto config = chain_of({{"a", "small"}, {"b", "small"}});
    config.upstreams.at("a").embeddings.token_arrays = config::Embeddings::TokenArrays::refuse;
    TestGateway gateway(config);
    for (const std::string_view input : {"[1,2,3]", "[[1,2],[3]]"}) {
        auto transaction = ask(input);

        gateway.run(transaction);

        EXPECT_EQ(transaction.status, 200) << transaction.reply;
        EXPECT_EQ(transaction.field("x-sluice-attempts"), "b:200");
    }

    config.upstreams.at("b").embeddings.token_arrays = config::Embeddings::TokenArrays::refuse;
    gateway.use(config);
    auto refused = ask("[1,2,3]");
    gateway.run(refused);

    EXPECT_EQ(refused.status, 400);
    EXPECT_TRUE(refused.reply.contains("\"param\":\"input\"")) << refused.reply;
}

TEST(EmbeddingsTest, ARefusalIsTheAnswerWhicheverPartItIsOf) {
    auto config = chain_of({{"a", "small"}});
    config.upstreams.at("a").embeddings.max_batch = 2;
    TestGateway gateway(std::move(config));
    auto transaction = ask(R"(["one","two","three",""])");

    gateway.run(transaction);

    EXPECT_EQ(transaction.status, 400);
    EXPECT_TRUE(transaction.reply.contains("must not be empty")) << transaction.reply;
    EXPECT_TRUE(transaction.finished);
}

TEST(EmbeddingsTest, WhatIsNoReplyOfEmbeddingsIsAFailure) {
    TestGateway gateway(chain_of({{"a", "fault-wrong-content-type"}}));
    auto transaction = ask(kFive);

    gateway.run(transaction);

    EXPECT_EQ(transaction.status, 502) << transaction.reply;
}

TEST(EmbeddingsTest, TransformsApplyToThem) {
    auto config = chain_of({{"a", "small"}});
    config.upstreams.at("a").transforms.drop = {"user"};
    config.upstreams.at("a").transforms.force.push_back({.field = "dimensions", .json = "3"});
    TestGateway gateway(std::move(config));
    TestTransaction transaction("POST", "/v1/embeddings",
                                R"({"model":"any","input":["x","y"],"user":"me"})");

    gateway.run(transaction);

    EXPECT_EQ(transaction.status, 200) << transaction.reply;
    EXPECT_EQ(transaction.field("x-sluice-dropped"), "user");
    const std::string_view first =
        std::string_view(transaction.reply).substr(0, transaction.reply.find(']'));
    EXPECT_EQ(std::ranges::count(first, ','), 5) << first << ": of three numbers";
}

}  // namespace
}  // namespace sluice::gateway
