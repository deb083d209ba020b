#include "gateway/handle.h"
#include "gateway/test_gateway.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

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

TEST_F(IdentifyTest, HandingOnNeedsItsScope) {
    auto with_scope = config();
    with_scope.pass_through.upstream = "local";
    with_scope.keys.at(1).scopes.push_back(config::Scope::pass_through);
    gateway_.use(std::move(with_scope));
    TestTransaction nobody("GET", "/v1/files");
    TestTransaction without("GET", "/v1/files");
    without.with("authorization", "Bearer sk-alice");
    TestTransaction with("GET", "/v1/files");
    with.with("authorization", "Bearer sk-bob");

    EXPECT_EQ(status_of(nobody), 401);
    EXPECT_EQ(status_of(without), 403);
    EXPECT_TRUE(without.reply.contains("pass_through")) << without.reply;
    EXPECT_EQ(status_of(with), 404) << "the upstream has nothing there";
}

TEST_F(IdentifyTest, ModelsThatAKeyMayNotUseDoNotExistForIt) {
    auto limited = config();
    limited.keys.at(0).models = {"ec*"};
    gateway_.use(std::move(limited));
    const auto ask = [&](const std::string& method, const std::string& path,
                         const std::string& body, std::string_view key) {
        TestTransaction transaction(method, path, body);
        transaction.with("authorization", key);
        const int status = status_of(transaction);
        return std::to_string(status) + transaction.reply;
    };
    constexpr const char* kChat = "/v1/chat/completions";
    const std::string echo = testing::chat_request("echo", false);
    const std::string lorem = testing::chat_request("lorem", false);

    EXPECT_TRUE(ask("POST", kChat, echo, "Bearer sk-alice").starts_with("200"));
    EXPECT_TRUE(ask("POST", kChat, lorem, "Bearer sk-bob").starts_with("200"));
    const std::string refused = ask("POST", kChat, lorem, "Bearer sk-alice");
    EXPECT_TRUE(refused.starts_with("404")) << refused;
    EXPECT_TRUE(refused.contains("model_not_found")) << refused;
    const std::string list = ask("GET", "/v1/models", "", "Bearer sk-alice");
    EXPECT_TRUE(list.contains("\"echo\"")) << list;
    EXPECT_FALSE(list.contains("\"lorem\"")) << list;
    EXPECT_TRUE(ask("GET", "/v1/models/lorem", "", "Bearer sk-alice").starts_with("404"));
    EXPECT_TRUE(ask("GET", "/v1/models/echo", "", "Bearer sk-alice").starts_with("200"));
    EXPECT_TRUE(ask("GET", "/v1/models/lorem", "", "Bearer sk-bob").starts_with("200"));
}

/// No key is ours: clients show those of the upstream.
class IdentifyByUpstreamTest : public ::testing::Test {
protected:
    void listen_at(const std::string& host) {
        auto config = testing::embedded_config();
        config.listeners.front().host = host;
        config.upstreams.at("local").auth = config::Auth::passthrough;
        gateway_.use(std::move(config));
    }

    /// What is known of the client afterwards.
    struct Client {
        std::optional<Errc> refused;
        std::string credential;
        std::string tenant;
        std::string key_name;
    };
    Client identify_in(TestTransaction& transaction, const std::string& path = "/v1/models") {
        Exchange exchange(gateway_.gateway, client_endpoints(), transaction);
        exchange.method = "GET";
        exchange.path = path;
        auto result = client_endpoints().find(exchange);
        if (result) result = identify(exchange);
        Client client;
        if (!result) client.refused = result.error().code;
        client.credential = exchange.client_credential;
        client.tenant = exchange.tenant;
        client.key_name = exchange.scope.key_name;
        return client;
    }

    TestGateway gateway_;
};

TEST_F(IdentifyByUpstreamTest, ACredentialIsKeptForTheUpstreamAndKnownByItsDigest) {
    listen_at("0.0.0.0");
    TestTransaction bearer("GET", "/v1/models");
    bearer.with("authorization", "Bearer sk-one");
    TestTransaction api_key("GET", "/v1/models");
    api_key.with("x-api-key", "sk-one");
    TestTransaction other("GET", "/v1/models");
    other.with("authorization", "Bearer sk-two");

    const Client client = identify_in(bearer);

    EXPECT_EQ(client.refused, std::nullopt);
    EXPECT_EQ(client.credential, "authorization: Bearer sk-one\r\n");
    EXPECT_TRUE(client.tenant.starts_with("credential-")) << client.tenant;
    EXPECT_EQ(client.tenant.size(), 27U) << client.tenant;
    EXPECT_EQ(client.tenant.find_first_not_of("0123456789abcdef", 11), std::string::npos);
    EXPECT_EQ(client.key_name, client.tenant);
    EXPECT_EQ(identify_in(api_key).credential, "x-api-key: sk-one\r\n");
    EXPECT_EQ(identify_in(api_key).tenant, client.tenant) << "wherever it stands";
    EXPECT_NE(identify_in(other).tenant, client.tenant);
}

TEST_F(IdentifyByUpstreamTest, WithoutACredentialOnlyThisMachineIsServed) {
    TestTransaction none("GET", "/v1/models");
    TestTransaction empty("GET", "/v1/models");
    empty.with("x-api-key", "");
    for (TestTransaction* const transaction : {&none, &empty}) {
        for (const char* const host : {"127.0.0.1", "::1", "localhost"}) {
            listen_at(host);
            const Client client = identify_in(*transaction);
            EXPECT_EQ(client.refused, std::nullopt) << host;
            EXPECT_EQ(client.credential, "") << host;
            EXPECT_EQ(client.tenant, "") << host;
        }
        for (const char* const host : {"0.0.0.0", "::", "192.0.2.1"}) {
            listen_at(host);
            EXPECT_EQ(identify_in(*transaction).refused, Errc::unauthorized) << host;
        }
    }
}

TEST_F(IdentifyByUpstreamTest, OneListenerThatOthersReachIsEnough) {
    auto config = testing::embedded_config();
    config.upstreams.at("local").auth = config::Auth::passthrough;
    config.listeners.push_back({.host = "0.0.0.0", .port = 0});
    gateway_.use(std::move(config));
    TestTransaction transaction("GET", "/v1/models");

    EXPECT_EQ(identify_in(transaction).refused, Errc::unauthorized);
}

TEST_F(IdentifyByUpstreamTest, StrangersDoNotSeeTheMetrics) {
    TestTransaction transaction("GET", "/metrics");
    transaction.with("authorization", "Bearer sk-any");

    listen_at("0.0.0.0");
    EXPECT_EQ(identify_in(transaction, "/metrics").refused, Errc::forbidden);
    listen_at("127.0.0.1");
    EXPECT_EQ(identify_in(transaction, "/metrics").refused, std::nullopt);
}

TEST_F(IdentifyByUpstreamTest, TwoCredentialsThatDifferAreRefused) {
    listen_at("127.0.0.1");
    TestTransaction transaction("GET", "/v1/models");
    transaction.with("authorization", "Bearer sk-one").with("x-api-key", "sk-two");

    const Client client = identify_in(transaction);

    EXPECT_EQ(client.refused, Errc::unauthorized);
    EXPECT_EQ(client.credential, "");
}

}  // namespace
}  // namespace sluice::gateway
