/// What the upstreams' transforms make of a request, seen from both ends.

#include "gateway/question.h"

#include "gateway/endpoint.h"
#include "gateway/test_gateway.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace sluice::gateway {
namespace {

using testing::chain_of;
using testing::TestGateway;
using testing::TestTransaction;

TestTransaction ask(std::string_view model, std::string_view more) {
    return {"POST", "/v1/chat/completions",
            R"({"model":")" + std::string(model) +
                R"(","messages":[{"role":"developer","content":"x"},)"
                R"({"role":"user","content":"y"}])" +
                std::string(more) + "}"};
}

TEST(QuestionTest, WhatAnUpstreamIsNotToGetIsDroppedAndNamed) {
    auto config = chain_of({{"a", "lorem"}});
    config.upstreams.at("a").transforms.drop = {"max_tokens", "logprobs", "top_k"};
    TestGateway gateway(std::move(config));
    auto transaction = ask("any", R"(,"max_tokens":3,"logprobs":true)");

    gateway.run(transaction);

    EXPECT_EQ(transaction.status, 200);
    EXPECT_EQ(transaction.field("x-sluice-dropped"), "max_tokens, logprobs");
    EXPECT_TRUE(transaction.reply.contains("\"completion_tokens\":64")) << transaction.reply;
    EXPECT_TRUE(gateway.shared.metrics.text().contains(
        "sluice_dropped_fields_total{field=\"logprobs\",upstream=\"a\"} 1"))
        << gateway.shared.metrics.text();
}

TEST(QuestionTest, OfAnUpstreamThatGetsAllNothingIsSaid) {
    auto config = chain_of({{"a", "lorem"}});
    config.upstreams.at("a").transforms.drop = {"logprobs"};
    TestGateway gateway(std::move(config));
    auto transaction = ask("any", R"(,"max_tokens":3)");

    gateway.run(transaction);

    EXPECT_EQ(transaction.field("x-sluice-dropped"), "");
}

TEST(QuestionTest, OnlyWhatTheAnsweringUpstreamDidNotGetIsNamed) {
    auto config = chain_of({{"a", "fault-500"}, {"b", "lorem"}});
    config.upstreams.at("a").transforms.drop = {"logprobs"};
    config.upstreams.at("b").transforms.drop = {"max_tokens"};
    TestGateway gateway(std::move(config));
    auto transaction = ask("any", R"(,"max_tokens":3,"logprobs":true)");

    gateway.run(transaction);

    EXPECT_EQ(transaction.field("x-sluice-attempts"), "a:500, b:200");
    EXPECT_EQ(transaction.field("x-sluice-dropped"), "max_tokens");
}

TEST(QuestionTest, RolesAndNumbersAreAsTheUpstreamWantsThem) {
    auto config = chain_of({{"a", "echo"}});
    config::Transforms& transforms = config.upstreams.at("a").transforms;
    transforms.roles.push_back({.from = "developer", .to = "system"});
    transforms.rename.push_back({.from = "max_completion_tokens", .to = "max_tokens"});
    transforms.clamp.push_back({.field = "max_tokens", .lowest = {}, .highest = 5});
    TestGateway gateway(std::move(config));
    auto whole = ask("any", "");
    auto cut = ask("any", R"(,"max_completion_tokens":100)");

    gateway.run(whole);
    gateway.run(cut);

    EXPECT_TRUE(whole.reply.contains("1 system, 1 user")) << whole.reply;
    EXPECT_TRUE(cut.reply.contains("\"completion_tokens\":5")) << cut.reply;
}

TEST(QuestionTest, AModelThatTheUpstreamNoLongerHasIsAskedForByItsNewName) {
    auto config = chain_of({{"a", "*"}});
    config::ModelAlias alias;
    alias.name = "retired";
    alias.model = "lorem";
    alias.force.push_back({.field = "max_tokens", .json = "4"});
    config.upstreams.at("a").transforms.models.push_back(std::move(alias));
    TestGateway gateway(std::move(config));
    auto transaction = ask("retired", R"(,"max_tokens":100)");

    gateway.run(transaction);

    EXPECT_TRUE(transaction.reply.contains("\"model\":\"lorem\"")) << transaction.reply;
    EXPECT_TRUE(transaction.reply.contains("\"completion_tokens\":4")) << transaction.reply;
}

TEST(QuestionTest, AFieldThatAnUpstreamRejectsSendsTheRequestToTheNext) {
    auto config = chain_of({{"a", "echo"}, {"b", "echo"}});
    config.upstreams.at("a").transforms.reject = {"n"};
    TestGateway gateway(std::move(config));
    auto transaction = ask("any", R"(,"n":1)");

    gateway.run(transaction);

    EXPECT_EQ(transaction.status, 200);
    EXPECT_EQ(transaction.field("x-sluice-attempts"), "b:200");
}

TEST(QuestionTest, AFieldThatEveryUpstreamRejectsIsTheClientsMistake) {
    auto config = chain_of({{"a", "echo"}, {"b", "echo"}});
    config.upstreams.at("a").transforms.reject = {"n"};
    config.upstreams.at("b").transforms.reject = {"n"};
    TestGateway gateway(std::move(config));
    auto transaction = ask("any", R"(,"n":1)");

    gateway.run(transaction);

    EXPECT_EQ(transaction.status, 400);
    EXPECT_TRUE(transaction.reply.contains("\"param\":\"n\"")) << transaction.reply;
    EXPECT_EQ(transaction.field("x-sluice-attempts"), "") << "nobody was asked";
}

TEST(QuestionTest, WhatAnUpstreamHasAnsweredComesBeforeARejection) {
    auto config = chain_of({{"a", "fault-500"}, {"b", "echo"}});
    config.upstreams.at("b").transforms.reject = {"n"};
    TestGateway gateway(std::move(config));
    auto transaction = ask("any", R"(,"n":1)");

    gateway.run(transaction);

    EXPECT_EQ(transaction.status, 500);
    EXPECT_EQ(transaction.field("x-sluice-attempts"), "a:500");
}

/// A question to the first destination of the default route.
class AskForTest : public ::testing::Test {
protected:
    Result<Question> question(config::Config config, Operation operation) {
        gateway_.use(std::move(config));
        exchange_.emplace(gateway_.gateway, client_endpoints(), transaction_);
        exchange_->operation = operation;
        exchange_->dialect = operation == Operation::text_completion ? Dialect::openai_text
                                                                     : Dialect::openai_chat;
        exchange_->plan = gateway_.gateway.snapshot()->route_of("any");
        exchange_->client_credential = "authorization: Bearer sk-client\r\n";
        body_ = R"({"model":"any","prompt":"x","messages":[]})";
        exchange_->body.data = body_.data();
        exchange_->body.size = exchange_->body.capacity = body_.size();
        const auto shape = operation == Operation::chat ? dialect::openai_chat::Shape::chat
                                                        : dialect::openai_chat::Shape::text;
        exchange_->head = *dialect::openai_chat::read_head(body_, 0, shape);
        routing::Candidate candidate;
        candidate.destination = exchange_->plan->plan.destinations().data();
        const auto attempt = std::make_shared<Attempt>(*exchange_, candidate);
        return ask_for(*exchange_, *attempt);
    }

    TestGateway gateway_;
    TestTransaction transaction_{"POST", "/v1/chat/completions"};
    std::optional<Exchange> exchange_;
    std::string body_;
};

TEST_F(AskForTest, EachOperationHasItsPathAtTheUpstream) {
    auto config = chain_of({{"a", "b"}});
    config.upstreams.at("a").paths.chat = "/api/chat";
    config.upstreams.at("a").paths.completions = "/beta/completions";

    EXPECT_EQ(question(config, Operation::chat)->path, "/api/chat");
    EXPECT_EQ(question(config, Operation::text_completion)->path, "/beta/completions");

    config.upstreams.at("a").paths.completions = "";
    EXPECT_EQ(question(config, Operation::text_completion)->path, "/api/chat");
}

TEST_F(AskForTest, TheClientsCredentialGoesOnlyWhereItIsMeantFor) {
    auto config = chain_of({{"a", "b"}});
    EXPECT_EQ(question(config, Operation::chat)->credential, "");

    config.upstreams.at("a").auth = config::Auth::passthrough;
    EXPECT_EQ(question(config, Operation::chat)->credential, "authorization: Bearer sk-client\r\n");
}

}  // namespace
}  // namespace sluice::gateway
