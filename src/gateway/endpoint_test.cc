#include "gateway/endpoint.h"

#include "gateway/test_gateway.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace sluice::gateway {
namespace {

using testing::TestGateway;
using testing::TestTransaction;

struct Case {
    std::string method;
    std::string path;
    int status;
};

config::Config with_key() {
    auto config = testing::embedded_config();
    config.keys.push_back({"alice", config::Secret("sk-alice"), "", {}});
    return config;
}

TEST(EndpointTest, OnlyFourPagesAreOpenToEveryone) {
    std::set<std::string_view> open;
    for (const Endpoint& endpoint : client_endpoints().endpoints()) {
        if (endpoint.access == Access::everyone) open.insert(endpoint.path);
    }

    EXPECT_EQ(open, (std::set<std::string_view>{"/", "/health", "/livez", "/readyz"}));
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
        EXPECT_TRUE(transaction.reply.contains("invalid_api_key")) << transaction.reply;
    }
}

TEST(EndpointTest, PathsAreKnownWithOneVersionPrefixNoneOrTwo) {
    TestGateway gateway;
    for (const Case& expected :
         {Case{"GET", "/v1/models", 200}, Case{"GET", "/models", 200},
          Case{"GET", "/v1/v1/models", 200}, Case{"GET", "/v1/v1/v1/models", 404},
          Case{"GET", "/v1/models/echo", 200}, Case{"GET", "/v1/models/", 404},
          Case{"GET", "/v1/health", 404}, Case{"GET", "/v1", 404}, Case{"GET", "/modelsx", 404}}) {
        TestTransaction transaction(expected.method, expected.path);

        gateway.run(transaction);

        EXPECT_EQ(transaction.status, expected.status) << expected.path << transaction.reply;
    }
}

TEST(EndpointTest, AWrongMethodIsToldWhichOnesThereAre) {
    TestGateway gateway;
    for (const Case& wrong :
         {Case{"GET", "/v1/chat/completions", 405}, Case{"POST", "/v1/models", 405},
          Case{"DELETE", "/", 405}, Case{"POS", "/v1/chat/completions", 405}}) {
        TestTransaction transaction(wrong.method, wrong.path);

        gateway.run(transaction);

        EXPECT_EQ(transaction.status, 405) << wrong.path;
        EXPECT_TRUE(transaction.fields.contains("allow: ")) << transaction.fields;
    }
}

TEST(EndpointTest, TheAdminListenerTakesItsOwnKeyOnly) {
    auto config = with_key();
    config.admin.listen = config::HostPort{"127.0.0.1", 0};
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

}  // namespace
}  // namespace sluice::gateway
