#include "gateway/deadline.h"

#include "gateway/endpoint.h"
#include "gateway/test_gateway.h"

#include <gtest/gtest.h>

#include <optional>

namespace sluice::gateway {
namespace {

using namespace std::chrono_literals;
using testing::TestGateway;
using testing::TestTransaction;

/// How long the client waits; nullopt where that is not known.
std::optional<net::Clock::duration> patience(std::optional<std::string_view> stated,
                                             std::optional<config::Milliseconds> total = {},
                                             bool has_head = false) {
    TestGateway gateway;
    TestTransaction transaction("POST", "/v1/chat/completions");
    if (stated) transaction.with("X-Stainless-Timeout", *stated);
    if (has_head) transaction.start({});
    const Exchange exchange(gateway.gateway, client_endpoints(), transaction);
    config::Upstream upstream;
    upstream.timeouts.total = total;
    const auto deadline = deadline_of(exchange, upstream);
    if (deadline == net::Clock::time_point::max()) return std::nullopt;
    return deadline - exchange.started;
}

TEST(DeadlineTest, AStatedTimeoutIsTheClientsPatience) {
    EXPECT_EQ(patience("600"), 600s);
    EXPECT_EQ(patience("1"), 1s);
    EXPECT_EQ(patience("604800"), 604'800s) << "a week";
}

TEST(DeadlineTest, OfAFractionTheWholeSecondsCount) {
    EXPECT_EQ(patience("600.0"), 600s);
    EXPECT_EQ(patience("1.9"), 1s);
}

TEST(DeadlineTest, WhatIsNoTimeoutSaysNothing) {
    for (const std::string_view text :
         {"", "0", "0.0", "-1", "+5", " 5", "5 ", "5s", "1e3", "abc", ".5", "NaN", "Infinity",
          "604801", "4294967296", "18446744073709551616", "99999999999999999999999"}) {
        EXPECT_EQ(patience(text), std::nullopt) << text;
    }
    EXPECT_EQ(patience(std::nullopt), std::nullopt);
}

TEST(DeadlineTest, TheShorterOfTheClientsAndTheUpstreamsTimeCounts) {
    EXPECT_EQ(patience(std::nullopt, 30s), 30s);
    EXPECT_EQ(patience("600", 30s), 30s);
    EXPECT_EQ(patience("10", 30s), 10s);
    EXPECT_EQ(patience("nonsense", 30s), 30s);
}

TEST(DeadlineTest, AClientThatGetsCommentsWaitsForAsLongAsTheyCome) {
    EXPECT_EQ(patience("10", std::nullopt, true), std::nullopt);
    EXPECT_EQ(patience("10", 30s, true), 30s);
}

}  // namespace
}  // namespace sluice::gateway
