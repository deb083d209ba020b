#include "gateway/endpoint.h"

#include "gateway/test_gateway.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace sluice::gateway {
namespace {

using testing::TestGateway;
using testing::TestTransaction;

struct Case {
    Case(std::string with, std::string asked, int expected)
        : method(std::move(with)),
          path(std::move(asked)),
          status(expected) {}

    std::string method;
    std::string path;
    int status;
};

config::Config with_key() {
    auto config = testing::embedded_config();
    config.keys.push_back({"alice", config::Secret("sk-alice"), "", {}});
    return config;
}

TEST(EndpointTest, OnlyFivePagesAreOpenToEveryone) {
    std::set<std::string_view> open;
    for (const Endpoint& endpoint : client_endpoints().endpoints()) {
        if (endpoint.access == Access::everyone) open.insert(endpoint.path);
    }

    EXPECT_EQ(open,
              (std::set<std::string_view>{"/", "/api/hello", "/health", "/livez", "/readyz"}));
}

TEST(EndpointTest, EveryOtherEndpointAsksForAKey) {  // AK-4
    TestGateway gateway(with_key());
    for (const Endpoint& endpoint : client_endpoints().endpoints()) {
        if (endpoint.access == Access::everyone) continue;
        const std::string method(endpoint.methods.substr(0, endpoint.methods.find(',')));
        const std::string path = std::string(endpoint.path) + (endpoint.takes_argument ? "x" : "");
        TestTransaction transaction(method, path);

        gateway.run(transaction);

        EXPECT_EQ(transaction.status, 401) << endpoint.path;
        const bool is_anthropic = endpoint.dialect == Dialect::anthropic_messages;
        EXPECT_TRUE(
            transaction.reply.contains(is_anthropic ? "authentication_error" : "invalid_api_key"))
            << transaction.reply;
    }
}

TEST(EndpointTest, PathsAreKnownWithOneVersionPrefixNoneOrTwo) {
    TestGateway gateway;
    for (const Case& expected :
         {Case("GET", "/v1/models", 200), Case("GET", "/models", 200),
          Case("GET", "/v1/v1/models", 200), Case("GET", "/v1/v1/v1/models", 404),
          Case("GET", "/v1/models/echo", 200), Case("GET", "/v1/models/", 404),
          Case("GET", "/v1/health", 404), Case("GET", "/v1", 404), Case("GET", "/modelsx", 404)}) {
        TestTransaction transaction(expected.method, expected.path);

        gateway.run(transaction);

        EXPECT_EQ(transaction.status, expected.status) << expected.path << transaction.reply;
    }
}

TEST(EndpointTest, AWrongMethodIsToldWhichOnesThereAre) {
    TestGateway gateway;
    for (const Case& wrong :
         {Case("GET", "/v1/chat/completions", 405), Case("POST", "/v1/models", 405),
          Case("DELETE", "/", 405), Case("POS", "/v1/chat/completions", 405)}) {
        TestTransaction transaction(wrong.method, wrong.path);

        gateway.run(transaction);

        EXPECT_EQ(transaction.status, 405) << wrong.path;
        EXPECT_TRUE(transaction.fields.contains("allow: ")) << transaction.fields;
    }
}

TEST(EndpointTest, TheAdminListenerTakesItsOwnKeyOnly) {
    auto config = with_key();
    config.admin.listen = config::HostPort{.host = "127.0.0.1", .port = 0};
    config.admin.key = config::Secret("sk-admin");
    TestGateway gateway(std::move(config));

    TestTransaction right("GET", "/metrics");
    right.with("authorization", "Bearer sk-admin");
    gateway.run(right, admin_endpoints());
    TestTransaction wrong("GET", "/metrics");
    wrong.with("authorization", "Bearer sk-alice");
    gateway.run(wrong, admin_endpoints());

    EXPECT_EQ(right.status, 200);
    EXPECT_EQ(wrong.status, 401);
}

/// What a path and method lead to.
class PassThroughPathTest : public ::testing::Test {
protected:
    void use(std::string prefix) {
        auto config = testing::embedded_config();
        config.pass_through.upstream = "local";
        config.pass_through.prefix = std::move(prefix);
        gateway_.use(std::move(config));
    }

    /// "405", "404", what is handed on, or the path of an endpoint of ours.
    std::string found(const std::string& method, const std::string& path,
                      const EndpointTable& table = client_endpoints()) {
        TestTransaction transaction(method, path);
        Exchange exchange(gateway_.gateway, table, transaction);
        exchange.method = method;
        exchange.path = path;
        const auto result = table.find(exchange);
        if (!result) return std::to_string(http_status(result.error().code));
        if (exchange.endpoint->access == Access::pass_through) {
            return "on: " + std::string(exchange.path_argument);
        }
        return std::string(exchange.endpoint->path);
    }

    TestGateway gateway_;
};

TEST_F(PassThroughPathTest, WhatIsNoPathOfOursIsHandedOnBelowThePrefixOnly) {
    use("/v1");

    EXPECT_EQ(found("GET", "/v1/files"), "on: /files");
    EXPECT_EQ(found("GET", "/v1/files/a/b"), "on: /files/a/b");
    EXPECT_EQ(found("GET", "/v1/"), "on: /");
    EXPECT_EQ(found("GET", "/v1"), "404");
    EXPECT_EQ(found("GET", "/v1x"), "404");
    EXPECT_EQ(found("GET", "/v1x/files"), "404");
    EXPECT_EQ(found("GET", "/V1/files"), "404");
    EXPECT_EQ(found("GET", "/files"), "404");
    EXPECT_EQ(found("GET", "/x/v1/files"), "404");
}

TEST_F(PassThroughPathTest, KnownPathsKeepTheirHandlingAndTheirMethods) {
    use("/api/v1");

    for (const std::string below : {"", "/v1", "/api/v1", "/api/v1/v1"}) {
        EXPECT_EQ(found("POST", below + "/chat/completions"), "/chat/completions") << below;
        EXPECT_EQ(found("GET", below + "/models"), "/models") << below;
        EXPECT_EQ(found("GET", below + "/models/x/y"), "/models/") << below;
        EXPECT_EQ(found("POST", below + "/embeddings"), "/embeddings") << below;
        EXPECT_EQ(found("DELETE", below + "/models"), "405") << below;
        EXPECT_EQ(found("GET", below + "/chat/completions"), "405") << below;
    }
}

TEST_F(PassThroughPathTest, PagesOfOursAreNotBelowThePrefix) {
    use("/v1");

    EXPECT_EQ(found("GET", "/health"), "/health");
    EXPECT_EQ(found("GET", "/metrics"), "/metrics");
    EXPECT_EQ(found("GET", "/v1/health"), "on: /health");
    EXPECT_EQ(found("GET", "/v1/metrics"), "on: /metrics");
}

TEST_F(PassThroughPathTest, WithAnEmptyPrefixEverythingElseIsHandedOn) {
    use("");

    EXPECT_EQ(found("GET", "/"), "/");
    EXPECT_EQ(found("GET", "/health"), "/health");
    EXPECT_EQ(found("POST", "/v1/chat/completions"), "/chat/completions");
    EXPECT_EQ(found("GET", "/v1/files"), "on: /v1/files");
    EXPECT_EQ(found("GET", "/files"), "on: /files");
    EXPECT_EQ(found("OPTIONS", "*"), "404");
}

TEST_F(PassThroughPathTest, OneOfSevenMethodsIsHandedOn) {
    use("/v1");

    for (const char* const method : {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"}) {
        EXPECT_EQ(found(method, "/v1/files"), "on: /files") << method;
    }
    for (const char* const method : {"TRACE", "CONNECT", "get", "POS", ""}) {
        EXPECT_EQ(found(method, "/v1/files"), "405") << method;
    }
}

TEST_F(PassThroughPathTest, NothingIsHandedOnWhereItIsNotTurnedOn) {
    EXPECT_EQ(found("GET", "/v1/files"), "404");
}

TEST_F(PassThroughPathTest, TheAdminListenerHandsNothingOn) {
    use("");

    EXPECT_EQ(found("GET", "/v1/files", admin_endpoints()), "404");
    EXPECT_EQ(found("POST", "/v1/chat/completions", admin_endpoints()), "404");
}

}  // namespace
}  // namespace sluice::gateway
