#include "gateway/test_gateway.h"

#include <gtest/gtest.h>

namespace sluice::gateway {
namespace {

using testing::TestGateway;
using testing::TestTransaction;

class IdentifyTest : public ::testing::Test {
protected:
    IdentifyTest() : gateway_(config()) {}

    static config::Config config() {
        auto config = testing::embedded_config();
        config.keys.push_back({"alice", config::Secret("sk-alice"), "", {}});
        config.keys.push_back({"bob", config::Secret("sk-bob"), "", {config::Scope::metrics}});
        return config;
    }

    int status_of(TestTransaction& transaction) {
        gateway_.run(transaction);
        return transaction.status;
    }

    TestGateway gateway_;
};

TEST_F(IdentifyTest, AKeyIsTakenFromEitherHeader) {
    TestTransaction bearer("GET", "/v1/models");
    bearer.with("Authorization", "bearer sk-alice");
    TestTransaction api_key("GET", "/v1/models");
    api_key.with("X-Api-Key", "sk-alice");

    EXPECT_EQ(status_of(bearer), 200);
    EXPECT_EQ(status_of(api_key), 200);
}

TEST_F(IdentifyTest, TheSameKeyInBothHeadersIsFineAndTwoKeysAreNot) {
    TestTransaction same("GET", "/v1/models");
    same.with("authorization", "Bearer sk-alice").with("x-api-key", "sk-alice");
    TestTransaction different("GET", "/v1/models");
    different.with("authorization", "Bearer sk-alice").with("x-api-key", "sk-bob");

    EXPECT_EQ(status_of(same), 200);
    EXPECT_EQ(status_of(different), 401);
}

TEST_F(IdentifyTest, AHeaderThatComesTwiceIsRefused) {
    TestTransaction twice("GET", "/v1/models");
    twice.with("authorization", "Bearer sk-alice").with("authorization", "Bearer sk-alice");

    EXPECT_EQ(status_of(twice), 401);
}

TEST_F(IdentifyTest, WhatIsNotAKnownKeyIsRefused) {
    for (const std::string_view value :
         {"Bearer sk-alic", "Bearer sk-alice2", "Bearer ", "Bearer", "Basic sk-alice", "sk-alice",
          "Bearer SK-ALICE", "Bearer sk-alice sk-bob"}) {
        TestTransaction transaction("GET", "/v1/models");
        transaction.with("authorization", value);

        EXPECT_EQ(status_of(transaction), 401) << value;
        EXPECT_TRUE(transaction.fields.contains("www-authenticate: Bearer")) << value;
        EXPECT_FALSE(transaction.reply.contains("sk-alice")) << value;
    }
}

TEST_F(IdentifyTest, MetricsNeedTheirScope) {
    TestTransaction without("GET", "/metrics");
    without.with("authorization", "Bearer sk-alice");
    TestTransaction with("GET", "/metrics");
    with.with("authorization", "Bearer sk-bob");

    EXPECT_EQ(status_of(without), 403);
    EXPECT_EQ(status_of(with), 200);
}

TEST_F(IdentifyTest, WithNoKeyConfiguredAnyCredentialOrNoneWillDo) {
    gateway_.use(testing::embedded_config());
    TestTransaction none("GET", "/v1/models");
    TestTransaction some("GET", "/v1/models");
    some.with("authorization", "Basic nonsense").with("x-api-key", "sk-12345");

    EXPECT_EQ(status_of(none), 200);
    EXPECT_EQ(status_of(some), 200);
}

}  // namespace
}  // namespace sluice::gateway
