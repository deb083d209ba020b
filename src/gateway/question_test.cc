/// What the upstreams' transforms make of a request, seen from both ends.

#include "gateway/question.h"

#include "gateway/attempt.h"
#include "gateway/endpoint.h"
#include "gateway/handle.h"
#include "gateway/test_gateway.h"
#include "json/reader.h"
#include "json/writer.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

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
        exchange_->dialect =
            operation == Operation::text_completion ? Dialect::openai_text : Dialect::openai_chat;
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

constexpr std::string_view kTools =
    R"("tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}])";

/// What reaches the first upstream of a client's whole request.
class BodyForTest : public ::testing::Test {
protected:
    static config::Config to_chat() {
        auto config = chain_of({{"a", "*"}});
        config.upstreams.at("a").abilities.reasoning_required = true;
        config.upstreams.at("a").abilities.reasoning_history =
            chat::ReasoningHistory::reasoning_content;
        return config;
    }
    static config::Config to_anthropic(std::string model = "*") {
        auto config = chain_of({{"a", std::move(model)}});
        config::Upstream& upstream = config.upstreams.at("a");
        upstream.kind = config::UpstreamKind::anthropic;
        upstream.paths.messages = "/v1/messages";
        upstream.abilities.family = chat::Family::anthropic;
        upstream.abilities.thinking = chat::ThinkingControl::anthropic;
        upstream.abilities.reasoning_history = chat::ReasoningHistory::blocks;
        upstream.abilities.signatures = true;
        upstream.abilities.user_field = "user_id";
        return config;
    }

    /// What the client's `body` becomes; "refused: ..." where it may not be asked.
    std::string sent(config::Config config, Dialect dialect, std::string body) {
        TestGateway gateway(std::move(config));
        TestTransaction transaction("POST", "/");
        Exchange exchange(gateway.gateway, client_endpoints(), transaction);
        exchange.operation = Operation::chat;
        exchange.dialect = dialect;
        exchange.plan = gateway.gateway.snapshot()->route_of("any");
        exchange.body.data = body.data();
        exchange.body.size = exchange.body.capacity = body.size();
        if (const auto read = read_head(exchange); !read) return "unread: " + read.error().message;
        routing::Candidate candidate;
        candidate.destination = exchange.plan->plan.destinations().data();
        const auto attempt = std::make_shared<Attempt>(exchange, candidate);
        const auto question = ask_for(exchange, *attempt);
        if (!question) return "refused: " + question.error().message;
        std::string text;
        question->body.append_to(text);
        EXPECT_EQ(json::find_error(text), std::nullopt) << text;
        return text;
    }
};

std::string chat_of(std::string_view messages) {
    return R"({"model":"m",)" + std::string(kTools) + R"(,"messages":[)" + std::string(messages) +
           "]}";
}

TEST_F(BodyForTest, RolesAndReasoningAreEditedInTheSameMessages) {
    auto config = to_chat();
    config.upstreams.at("a").transforms.roles.push_back({.from = "developer", .to = "system"});
    std::string messages = R"({"role":"user","content":"u"})";
    std::string meant = messages;
    for (int i = 0; i < 70; ++i) {
        messages += R"(,{"role":"developer","content":"d"},{"role":"assistant","content":"a"})";
        meant += R"(,{"role":"system","content":"d"})"
                 R"(,{"reasoning_content":"","role":"assistant","content":"a"})";
    }
    EXPECT_EQ(sent(config, Dialect::openai_chat, chat_of(messages)), chat_of(meant));
}

TEST_F(BodyForTest, AFieldOfEachMessageMayBeFilledInAndDropped) {
    auto config = to_chat();
    config.upstreams.at("a").transforms.drop = {"messages[].reasoning_content"};
    const std::string meant =
        chat_of(R"({"role":"user","content":"u"},{"role":"assistant","content":"a"})");
    for (const std::string_view given :
         {R"(,"reasoning_content":null)", R"(,"reasoning_content":"")", ""}) {
        const std::string body =
            chat_of(R"({"role":"user","content":"u"},{"role":"assistant","content":"a")" +
                    std::string(given) + "}");
        EXPECT_EQ(sent(config, Dialect::openai_chat, body), meant) << given;
    }
}

TEST_F(BodyForTest, WhatCannotBeReadIsForwardedAsItIs) {
    const std::string body =
        chat_of(R"({"role":"never_heard_of","content":"x"}, {"role":"assistant","content":"a"})");
    EXPECT_EQ(sent(to_chat(), Dialect::openai_chat, body), body);
}

std::string message_of(std::string_view thoughts) {
    return R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"},)"
           R"({"role":"assistant","content":[)" +
           std::string(thoughts) +
           R"({"type":"text","text":"well"}]},)"
           R"({"role":"user","content":"go on"}],"never_heard_of":1.0})";
}

TEST_F(BodyForTest, ThinkingThatWeSignedIsNotShownToAnthropic) {
    const std::string theirs = R"({"type":"thinking","thinking":"t","signature":"EqMB"},)";
    const std::string ours = R"({"type":"thinking","thinking":"o","signature":"sluice1.ab"},)";
    const std::string body =
        sent(to_anthropic(), Dialect::anthropic_messages, message_of(ours + theirs));
    EXPECT_FALSE(body.contains("sluice1")) << body;
    EXPECT_TRUE(body.contains(R"("signature":"EqMB")")) << body;
    EXPECT_TRUE(body.contains(R"("max_tokens":9)")) << body;
    for (const std::string_view text : {"hi", "well", "go on"}) {
        EXPECT_TRUE(body.contains("\"" + std::string(text) + "\"")) << body;
    }
}

TEST_F(BodyForTest, WithoutSuchThinkingOnlyTheModelIsAnother) {
    const std::string body =
        message_of(R"({"type":"thinking","thinking":"t","signature":"EqMB"},)");
    EXPECT_EQ(sent(to_anthropic(), Dialect::anthropic_messages, body), body);
    const std::string renamed = R"({"model":"real")" + body.substr(body.find(','));
    EXPECT_EQ(sent(to_anthropic("real"), Dialect::anthropic_messages, body), renamed);
}

/// How an upstream of OpenAI's is told who asks.
class UserTest : public BodyForTest {
protected:
    std::string told(std::string_view user) {
        std::string quoted;
        json::append_string(quoted, user);
        const std::string body =
            sent(to_chat(), Dialect::anthropic_messages,
                 R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}],)"
                 R"("metadata":{"user_id":)" +
                     quoted + "}}");
        const auto value = json::find(json::as_value(body), "user");
        return value ? json::to_string(*value).value_or("?") : body;
    }
    std::string told_of(std::string_view device, std::string_view session) {
        return told(R"({"device_id":")" + std::string(device) +
                    R"(","account_uuid":"","session_id":")" + std::string(session) + R"("})");
    }
};

TEST_F(UserTest, SessionsOfOneDeviceAreOneUser) {
    EXPECT_EQ(told_of("laptop", "1"), told_of("laptop", "2"));
    EXPECT_NE(told_of("laptop", "1"), told_of("phone", "1"));
    EXPECT_FALSE(told_of("laptop", "1").contains("laptop"));
}

TEST_F(UserTest, AnOlderNameLosesItsSession) {
    EXPECT_EQ(told("user_abc_account__session_123"), "user_abc_account_");
}

TEST_F(UserTest, APlainNameStays) {
    EXPECT_EQ(told("alice"), "alice");
    EXPECT_EQ(told("a_session"), "a_session");
}

TEST_F(UserTest, JsonThatNamesNobodyStandsForItself) {
    EXPECT_NE(told(R"({"team":"a"})"), told(R"({"team":"b"})"));
    EXPECT_NE(told("{"), told("{a"));
}

}  // namespace
}  // namespace sluice::gateway
