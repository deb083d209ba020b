#include "gateway/snapshot.h"

#include <gtest/gtest.h>

namespace sluice::gateway {
namespace {

config::Config with_routes() {
    config::Config config;
    config.routes.push_back({"gpt-*", {{"first", "*"}}});
    config.routes.push_back({"gpt-5", {{"second", "gpt-5-big"}, {"third", "gpt-5"}}});
    config.default_route.targets.push_back({"fallback", "any"});
    return config;
}

TEST(SnapshotTest, AnExactRouteWinsOverAGlobThatStandsBeforeIt) {
    const Snapshot snapshot(with_routes());
    std::string_view route;

    const auto targets = snapshot.targets_for("gpt-5", route);

    ASSERT_EQ(targets.size(), 2U);
    EXPECT_EQ(targets[0], (config::Target{"second", "gpt-5-big"}));
    EXPECT_EQ(route, "gpt-5");
}

TEST(SnapshotTest, AGlobTakesWhatItMatches) {
    const Snapshot snapshot(with_routes());
    std::string_view route;

    const auto targets = snapshot.targets_for("gpt-4o", route);

    ASSERT_EQ(targets.size(), 1U);
    EXPECT_EQ(targets[0].upstream, "first");
    EXPECT_EQ(route, "gpt-*");
}

TEST(SnapshotTest, EverythingElseGoesToTheDefaultRoute) {
    const Snapshot snapshot(with_routes());
    std::string_view route;

    ASSERT_EQ(snapshot.targets_for("claude", route).size(), 1U);
    EXPECT_EQ(route, "default");
}

TEST(SnapshotTest, WithoutADefaultRouteAnUnknownModelHasNoTarget) {
    auto config = with_routes();
    config.default_route.targets.clear();
    const Snapshot snapshot(std::move(config));
    std::string_view route;

    EXPECT_TRUE(snapshot.targets_for("claude", route).empty());
    EXPECT_EQ(route, "");
}

TEST(SnapshotTest, OfAKeyOnlyTheDigestAndTheScopesAreKept) {
    config::Config config;
    config.keys.push_back({"alice", config::Secret("sk-alice"), "team", {config::Scope::metrics}});

    const Snapshot snapshot(std::move(config));

    ASSERT_EQ(snapshot.keys.size(), 1U);
    EXPECT_EQ(snapshot.keys[0].digest, net::sha256("sk-alice"));
    EXPECT_EQ(snapshot.keys[0].group, "team");
    EXPECT_TRUE(snapshot.keys[0].may_see_metrics);
    EXPECT_FALSE(snapshot.keys[0].may_see_stats);
}

}  // namespace
}  // namespace sluice::gateway
