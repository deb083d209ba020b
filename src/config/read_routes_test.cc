#include "config/load_fixture.h"
#include "config/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

class RoutesTest : public LoadTest {
protected:
    static std::string with_upstreams(const std::string& text) {
        return "upstreams: {a: {base_url: http://h}, b: {base_url: http://h}}\n" + text;
    }
    Route route_with(const std::string& keys) {
        file(with_upstreams("routes: [{model: x, " + keys + "}]\n"));
        Config config = loaded();
        return config.routes.empty() ? Route{} : std::move(config.routes.front());
    }
    std::vector<std::string> problems_with(const std::string& keys) {
        return problems_of(with_upstreams("routes: [{model: x, " + keys + "}]\n"));
    }
};

Target target(std::string upstream, std::string model, std::size_t tier) {
    Target made;
    made.upstream = std::move(upstream);
    made.model = std::move(model);
    made.tier = tier;
    return made;
}

TEST_F(RoutesTest, AListIsAskedInOrder) {
    EXPECT_THAT(route_with("to: [a/m, b/m]").targets,
                ElementsAre(target("a", "m", 0), target("b", "m", 1)));
    EXPECT_THAT(route_with("to: a/*").targets, ElementsAre(target("a", "*", 0)));
}

TEST_F(RoutesTest, AGroupIsATierOfEquals) {
    EXPECT_THAT(route_with("to: [[a/m, b/m], b/n, [a/n]]").targets,
                ElementsAre(target("a", "m", 0), target("b", "m", 0), target("b", "n", 1),
                            target("a", "n", 2)));
}

TEST_F(RoutesTest, WithABalanceAFlatListIsOneTier) {
    const Route flat = route_with("to: [a/m, b/m], balance: peak_ewma");
    EXPECT_EQ(flat.balance, Balance::peak_ewma);
    EXPECT_THAT(flat.targets, ElementsAre(target("a", "m", 0), target("b", "m", 0)));
    EXPECT_THAT(route_with("to: [[a/m], b/m], balance: split").targets,
                ElementsAre(target("a", "m", 0), target("b", "m", 1)));
}

TEST_F(RoutesTest, ATargetMayHaveAWeightAndAVariant) {
    const auto targets =
        route_with("balance: split, to: [{to: a/m, weight: 3, variant: new}, {to: b/m}]").targets;
    ASSERT_THAT(targets, SizeIs(2));
    EXPECT_EQ(targets[0].weight, 3U);
    EXPECT_EQ(targets[0].variant, "new");
    EXPECT_EQ(targets[1], target("b", "m", 0));
    EXPECT_EQ(route_with("to: {to: a/m, variant: v}").targets.at(0).variant, "v");
}

TEST_F(RoutesTest, WrongTargetsAreReported) {
    for (const char* to : {"[[]]", "[]", "[[a/m, [b/m]]]", "[{weight: 3}]", "{to: a/m, weight: x}",
                           "{to: a/m, variant: 'a b'}", "{to: c/m}", "{to: [a/m]}", "[~]",
                           "{to: a/m, weight: 10001}"}) {
        EXPECT_THAT(problems_with("to: " + std::string(to)), SizeIs(1)) << to;
    }
    EXPECT_THAT(problems_with("to: [{to: a/m, weight: 0}, b/m]"),
                ElementsAre(HasSubstr("only targets of weight 0 among equals")));
    EXPECT_THAT(problems_with("to: [[{to: a/m, weight: 0}, b/m]]"), IsEmpty());
    EXPECT_THAT(problems_with("to: a/m, balance: random"),
                ElementsAre(HasSubstr("expected round_robin, least_outstanding, peak_ewma or")));
}

TEST_F(RoutesTest, AMapOfTheHedgeSwitchesItOn) {
    const Hedge hedge = route_with("to: a/m, hedge: {after: 2s, share: 0.1, max_tokens: 7}").hedge;
    EXPECT_TRUE(hedge.enabled);
    EXPECT_EQ(hedge.after, Milliseconds(2000));
    EXPECT_EQ(hedge.share, 0.1);
    EXPECT_EQ(hedge.max_tokens, 7U);
    EXPECT_FALSE(route_with("to: a/m, hedge: {after: p95}").hedge.after);
    EXPECT_FALSE(route_with("to: a/m").hedge.enabled);
    EXPECT_FALSE(route_with("to: a/m, hedge: {enabled: false}").hedge.enabled);
    EXPECT_TRUE(route_with("to: a/m, hedge: on").hedge.enabled);
    EXPECT_THAT(problems_with("to: a/m, hedge: {after: p50, share: 2}"), SizeIs(2));
}

TEST_F(RoutesTest, ReplyRulesAreRead) {
    const ReplyRules reply = route_with(
                                 "to: a/m, reply: {model: as_requested, drop: [usage.cost], "
                                 "rename: {'choices[].message.reasoning': reasoning_content}, "
                                 "set: {provider: {name: us}}, drop_headers: [X-Request-Id], "
                                 "set_headers: {X-Served-By: 'sluice $$'}}")
                                 .reply;

    EXPECT_EQ(reply.model, ReplyRules::Model::as_requested);
    EXPECT_THAT(reply.drop, ElementsAre("usage.cost"));
    EXPECT_THAT(reply.rename, ElementsAre(Renaming{.from = "choices[].message.reasoning",
                                                   .to = "reasoning_content"}));
    EXPECT_THAT(reply.set,
                ElementsAre(Assignment{.field = "provider", .json = R"({"name":"us"})"}));
    EXPECT_THAT(reply.drop_headers, ElementsAre("x-request-id"));
    EXPECT_THAT(reply.set_headers, ElementsAre(Pair("x-served-by", "sluice $")));
}

TEST_F(RoutesTest, WrongReplyRulesAreReported) {
    for (const char* rule :
         {"model: x", "drop: ['']", "drop: [a..b]", "drop: ['a[]']", "drop: ['a[0].b']",
          "rename: {a.b: c.d}", "rename: {a: a}", "set: {'a b': 1}", "drop_headers: ['a b']",
          "drop_headers: [Content-Length]", "set_headers: {transfer-encoding: chunked}",
          R"(set_headers: {a: "b\r\nc: d"})", "set_headers: {a: ' b'}", "dorp: [a]"}) {
        EXPECT_THAT(problems_with("to: a/m, reply: {" + std::string(rule) + "}"), SizeIs(1))
            << rule;
    }
}

TEST_F(RoutesTest, TheDefaultRouteMayBeAMap) {
    file(with_upstreams(
        "default_route: {to: [a/m, b/m], balance: least_outstanding, reply: {drop: [x]}, "
        "hedge: {share: 1}}\n"));
    const Route route = loaded().default_route;
    EXPECT_THAT(route.targets, ElementsAre(target("a", "m", 0), target("b", "m", 0)));
    EXPECT_EQ(route.balance, Balance::least_outstanding);
    EXPECT_TRUE(route.hedge.enabled);
    EXPECT_THAT(route.reply.drop, ElementsAre("x"));

    file(with_upstreams("default_route: [[a/m, b/m], a/n]\n"));
    EXPECT_THAT(loaded().default_route.targets,
                ElementsAre(target("a", "m", 0), target("b", "m", 0), target("a", "n", 1)));
    EXPECT_THAT(problems_of(with_upstreams("default_route: {balance: split}\n")),
                ElementsAre(HasSubstr("`default_route.to` is missing")));
    EXPECT_THAT(problems_of(with_upstreams("default_route: {model: x, to: a/m}\n")),
                ElementsAre(HasSubstr("unknown key `default_route.model`")));
}

TEST_F(RoutesTest, FailuresAreReadOverTheDefaults) {
    file(with_upstreams(
        "failures: {rate_limited: fall_back, bad_request: [retry, fall_back], connect: []}\n"));
    const FailureTable failures = loaded().failures;
    using Rule = FailureRule;
    EXPECT_EQ(failures[FailureKind::rate_limited], (Rule{.retry = false, .fall_back = true}));
    EXPECT_EQ(failures[FailureKind::bad_request], (Rule{.retry = true, .fall_back = true}));
    EXPECT_EQ(failures[FailureKind::connect], (Rule{.retry = false, .fall_back = false}));
    EXPECT_EQ(failures[FailureKind::too_long], FailureTable()[FailureKind::too_long]);
    EXPECT_THAT(problems_of("failures: {rate_limited: [again], ratelimited: []}\n"),
                ElementsAre(HasSubstr("expected a list of retry and fall_back"),
                            HasSubstr("expected `rate_limited` perhaps")));
}

TEST_F(RoutesTest, EveryKindOfFailureHasItsKey) {
    ASSERT_EQ(kFailuresKeys.size(), kFailureKinds);
    for (std::size_t i = 0; i < kFailureKinds; ++i) {
        EXPECT_EQ(kFailuresKeys.at(i), to_string(static_cast<FailureKind>(i)));
    }
}

}  // namespace
}  // namespace sluice::config
