#include "gateway/snapshot.h"

#include <gtest/gtest.h>

namespace sluice::gateway {
namespace {

config::Config with_routes() {
    config::Config config;
    for (const char* name : {"first", "second", "third", "fallback"}) {
        config.upstreams[name].name = name;
    }
    config.routes.push_back({"gpt-*", {{.upstream = "first", .model = "*"}}});
    config.routes.push_back(
        {"gpt-5",
         {{.upstream = "second", .model = "gpt-5-big"}, {.upstream = "third", .model = "gpt-5"}}});
    config.default_route.targets.push_back({"fallback", "any"});
    return config;
}

class SnapshotTest : public ::testing::Test {
protected:
    routing::Board board_;
};

TEST_F(SnapshotTest, AnExactRouteWinsOverAGlobThatStandsBeforeIt) {
    const Snapshot snapshot(with_routes(), board_);

    const RoutePlan* const route = snapshot.route_of("gpt-5");

    ASSERT_NE(route, nullptr);
    EXPECT_EQ(route->name, "gpt-5");
    ASSERT_EQ(route->plan.destinations().size(), 2U);
    EXPECT_EQ(*route->plan.destinations()[0].target, (config::Target{"second", "gpt-5-big"}));
    EXPECT_EQ(route->plan.destinations()[0].upstream, snapshot.upstream("second"));
}

TEST_F(SnapshotTest, AGlobTakesWhatItMatches) {
    const Snapshot snapshot(with_routes(), board_);

    const RoutePlan* const route = snapshot.route_of("gpt-4o");

    ASSERT_NE(route, nullptr);
    EXPECT_EQ(route->name, "gpt-*");
    EXPECT_EQ(route->plan.destinations()[0].target->upstream, "first");
}

TEST_F(SnapshotTest, EverythingElseGoesToTheDefaultRoute) {
    const Snapshot snapshot(with_routes(), board_);

    const RoutePlan* const route = snapshot.route_of("claude");

    ASSERT_NE(route, nullptr);
    EXPECT_EQ(route->name, "default");
    EXPECT_TRUE(route->is_default());
}

TEST_F(SnapshotTest, WithoutADefaultRouteAnUnknownModelHasNone) {
    auto config = with_routes();
    config.default_route.targets.clear();
    const Snapshot snapshot(std::move(config), board_);

    EXPECT_EQ(snapshot.route_of("claude"), nullptr);
}

TEST_F(SnapshotTest, WhatIsKnownOfAnUpstreamOutlivesAReload) {
    auto before = std::make_unique<const Snapshot>(with_routes(), board_);
    before->record(*before->upstream("first")).last_word.report_up(net::Clock::now());
    before.reset();

    const Snapshot after(with_routes(), board_);

    EXPECT_TRUE(after.record(*after.upstream("first")).last_word.read().up);
}

TEST_F(SnapshotTest, CredentialsArePassedOnlyWhereNoKeyIsOurs) {
    auto config = with_routes();
    config.upstreams.at("first").auth = config::Auth::passthrough;
    const Snapshot without_keys(config, board_);
    config.keys.push_back({"alice", config::Secret("sk-alice")});
    const Snapshot with_keys(std::move(config), board_);

    EXPECT_TRUE(without_keys.passes_credentials);
    EXPECT_FALSE(with_keys.passes_credentials);
}

TEST(ScopeTest, AKeyWithModelsMayUseThoseOnly) {
    const std::vector<std::string> models = {"gpt-*", "deepseek-chat"};
    Scope scope;
    EXPECT_TRUE(scope.may_use("anything"));

    scope.models = models;

    EXPECT_TRUE(scope.may_use("gpt-5"));
    EXPECT_TRUE(scope.may_use("deepseek-chat"));
    EXPECT_FALSE(scope.may_use("deepseek-chat-2"));
}

TEST_F(SnapshotTest, OfAKeyOnlyTheDigestAndTheScopesAreKept) {
    config::Config config;
    config.keys.push_back({"alice", config::Secret("sk-alice"), "team", {config::Scope::metrics}});

    const Snapshot snapshot(std::move(config), board_);

    ASSERT_EQ(snapshot.keys.size(), 1U);
    EXPECT_EQ(snapshot.keys[0].digest, net::sha256("sk-alice"));
    EXPECT_EQ(snapshot.keys[0].group, "team");
    EXPECT_TRUE(snapshot.keys[0].may_see_metrics);
    EXPECT_FALSE(snapshot.keys[0].may_see_stats);
}

}  // namespace
}  // namespace sluice::gateway
