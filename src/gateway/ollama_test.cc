#include "gateway/test_gateway.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::gateway {
namespace {

using testing::TestGateway;
using testing::TestTransaction;

config::Route route(const std::string& name, const std::string& model) {
    config::Route route;
    route.model = name;
    config::Target& target = route.targets.emplace_back();
    target.upstream = "local";
    target.model = model;
    return route;
}

class OllamaTest : public ::testing::Test {
protected:
    OllamaTest() {
        auto config = testing::embedded_config();
        config.default_route.targets.clear();
        config.routes.push_back(route("mine", "echo"));
        config.routes.push_back(route("gpt-*", "lorem"));
        gateway_.use(std::move(config));
    }

    int status_of(TestTransaction& transaction) {
        gateway_.run(transaction);
        return transaction.status;
    }

    TestGateway gateway_;
};

TEST_F(OllamaTest, AServerIsThere) {
    TestTransaction transaction("HEAD", "/");

    EXPECT_EQ(status_of(transaction), 200);
}

TEST_F(OllamaTest, ThePathsAreKnownWithAndWithoutAVersion) {
    for (const std::string prefix : {"", "/v1", "/v1/v1"}) {
        for (const char* const path : {"/api/tags", "/api/ps", "/api/version"}) {
            TestTransaction transaction("GET", prefix + path);

            EXPECT_EQ(status_of(transaction), 200) << prefix << path;
            EXPECT_TRUE(transaction.fields.contains("content-type: application/json"));
        }
    }
}

TEST_F(OllamaTest, TheModelsAreThoseOfTheRoutes) {
    for (const char* const path : {"/api/tags", "/api/ps"}) {
        TestTransaction transaction("GET", path);

        EXPECT_EQ(status_of(transaction), 200);
        EXPECT_TRUE(transaction.reply.contains("\"name\":\"mine\"")) << transaction.reply;
        EXPECT_FALSE(transaction.reply.contains("lorem")) << "it is behind a glob: no such name";
    }
}

TEST_F(OllamaTest, AModelHasTheSameDigestEachTimeAndNoTwoHaveOne) {
    const auto digest_of = [](const std::string& reply) {
        constexpr std::string_view kKey = R"("digest":")";
        return reply.substr(reply.find(kKey) + kKey.size(), 64);
    };
    TestTransaction first("GET", "/api/tags");
    TestTransaction second("GET", "/api/tags");

    EXPECT_EQ(status_of(first), 200);
    EXPECT_EQ(status_of(second), 200);

    const std::string digest = digest_of(first.reply);
    EXPECT_EQ(digest, digest_of(second.reply));
    EXPECT_EQ(digest.find_first_not_of("0123456789abcdef"), std::string::npos) << digest;
}

TEST_F(OllamaTest, AModelIsShownThatARouteTakes) {
    for (const char* const body : {R"({"model":"mine"})", R"({"name":"mine"})",
                                   R"({"model":"mine:latest"})", R"({"model":"gpt-5"})"}) {
        TestTransaction transaction("POST", "/api/show", body);

        EXPECT_EQ(status_of(transaction), 200) << body;
        EXPECT_TRUE(transaction.reply.contains("\"capabilities\"")) << transaction.reply;
    }
}

TEST_F(OllamaTest, AnUnknownModelIsNotFoundInOllamasOwnWords) {
    TestTransaction unknown("POST", "/api/show", R"({"model":"other"})");
    TestTransaction nonsense("POST", "/api/show", "{");

    EXPECT_EQ(status_of(unknown), 404);
    EXPECT_EQ(unknown.reply, R"({"error":"model 'other' not found"})");
    EXPECT_EQ(status_of(nonsense), 400);
    EXPECT_TRUE(nonsense.reply.starts_with(R"({"error":")")) << nonsense.reply;
}

TEST_F(OllamaTest, AKeyForCertainModelsSeesThoseOnly) {
    auto config = testing::embedded_config();
    config.routes.push_back(route("mine", "echo"));
    config.routes.push_back(route("yours", "echo"));
    config.keys.push_back({"alice", config::Secret("sk-alice"), "", {}, {"mine"}});
    gateway_.use(std::move(config));
    TestTransaction list("GET", "/api/tags");
    TestTransaction shown("POST", "/api/show", R"({"model":"mine"})");
    TestTransaction hidden("POST", "/api/show", R"({"model":"yours"})");
    for (TestTransaction* const transaction : {&list, &shown, &hidden}) {
        transaction->with("authorization", "Bearer sk-alice");
    }

    EXPECT_EQ(status_of(list), 200);
    EXPECT_TRUE(list.reply.contains("mine")) << list.reply;
    EXPECT_FALSE(list.reply.contains("yours")) << list.reply;
    EXPECT_FALSE(list.reply.contains("echo")) << list.reply;
    EXPECT_EQ(status_of(shown), 200);
    EXPECT_EQ(status_of(hidden), 404);
}

}  // namespace
}  // namespace sluice::gateway
