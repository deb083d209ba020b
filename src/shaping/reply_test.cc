#include "shaping/reply.h"

#include "json/reader.h"

#include <gtest/gtest.h>

#include <memory>

namespace sluice::shaping {
namespace {

/// Empty where nothing was changed.
std::string rewritten(const config::ReplyRules& rules, std::string_view json) {
    const ReplyRewriter rewriter(rules, "asked \"for\"");
    std::string out = "untouched";
    if (!rewriter.rewrite(json, out)) {
        EXPECT_EQ(out, "untouched");
        return {};
    }
    EXPECT_EQ(json::find_error(out), std::nullopt) << out;
    return out;
}

constexpr std::string_view kReply =
    R"({"id":"x","model":"m","choices":[{"index":0,"message":{"role":"assistant",)"
    R"("content":"Hi","reasoning":"so"}},{"index":1,"message":{"reasoning":null}}],)"
    R"("usage":{"cost":1,"total_tokens":3},"error":null})";

TEST(ReplyRewriter, WithoutRulesIsIdle) {
    const config::ReplyRules rules;

    EXPECT_FALSE(ReplyRewriter(rules, "m").active());
    EXPECT_EQ(rewritten(rules, kReply), "");
}

TEST(ReplyRewriter, PutsTheRequestedModelWhereOneIs) {
    config::ReplyRules rules;
    rules.model = config::ReplyRules::Model::as_requested;

    EXPECT_TRUE(ReplyRewriter(rules, "m").active());
    EXPECT_EQ(rewritten(rules, R"({"model":"m","x":{"model":"m"}})"),
              R"({"model":"asked \"for\"","x":{"model":"m"}})");
    EXPECT_EQ(rewritten(rules, R"({"model":"asked \"for\""})"), "");
    EXPECT_EQ(rewritten(rules, R"({"error":{"message":"no"}})"), "");
}

TEST(ReplyRewriter, DropsFieldsByTheirPaths) {
    config::ReplyRules rules;
    rules.drop = {"usage.cost", "choices[].message.reasoning", "id", "choices.index", "usage[].x"};

    EXPECT_EQ(rewritten(rules, kReply),
              R"({"model":"m","choices":[{"index":0,"message":{"role":"assistant",)"
              R"("content":"Hi"}},{"index":1,"message":{}}],)"
              R"("usage":{"total_tokens":3},"error":null})");
    EXPECT_EQ(rewritten(rules, R"({"choices":[],"usage":null})"), "");
}

TEST(ReplyRewriter, AMessageIsADeltaInStreams) {
    config::ReplyRules rules;
    rules.rename = {{.from = "choices[].message.reasoning", .to = "reasoning_content"}};

    EXPECT_EQ(rewritten(rules, R"({"choices":[{"delta":{"reasoning":"a"}}]})"),
              R"({"choices":[{"delta":{"reasoning_content":"a"}}]})");
    EXPECT_EQ(rewritten(rules, R"({"choices":[{"message":{"reasoning":"a"}}]})"),
              R"({"choices":[{"message":{"reasoning_content":"a"}}]})");

    config::ReplyRules whole;
    whole.drop = {"choices[].message"};
    EXPECT_EQ(rewritten(whole, R"({"choices":[{"delta":{},"message":{}},{"delta":1}]})"),
              R"({"choices":[{},{}]})");
    config::ReplyRules set;
    set.set = {{.field = "choices[].message", .json = "{}"}};
    EXPECT_EQ(rewritten(set, R"({"choices":[{"delta":1},{"message":2}]})"),
              R"({"choices":[{"delta":{}},{"message":{}}]})");
}

TEST(ReplyRewriter, ARenamedFieldYieldsToOneThatIsGiven) {
    config::ReplyRules rules;
    rules.rename = {{.from = "a.x", .to = "y"}};

    EXPECT_EQ(rewritten(rules, R"({"a":{"x":1,"y":2}})"), R"({"a":{"y":2}})");
    EXPECT_EQ(rewritten(rules, R"({"a":{"x":1,"y":null}})"), R"({"a":{"y":1}})");
}

TEST(ReplyRewriter, SetsAFieldOnlyWhereItsParentsAre) {
    config::ReplyRules rules;
    rules.set = {{.field = "usage.cost", .json = "0"},
                 {.field = "provider", .json = R"({"name":"us"})"},
                 {.field = "a[].b[].c", .json = "true"}};

    EXPECT_EQ(rewritten(rules, R"({"usage":{"cost":1}})"),
              R"({"provider":{"name":"us"},"usage":{"cost":0}})");
    EXPECT_EQ(rewritten(rules, R"({"provider":1,"usage":{}})"),
              R"({"provider":{"name":"us"},"usage":{"cost":0}})");
    EXPECT_EQ(rewritten(rules, R"({"provider":1,"usage":null})"),
              R"({"provider":{"name":"us"},"usage":null})");
    EXPECT_EQ(rewritten(rules, R"({"provider":1,"a":[{"b":[{},{"c":0},[]]},{"b":{}},5]})"),
              R"({"provider":{"name":"us"},"a":[{"b":[{"c":true},{"c":true},[]]},{"b":{}},5]})");
}

TEST(ReplyRewriter, DropsThenRenamesThenSets) {
    config::ReplyRules rules;
    rules.drop = {"b"};
    rules.rename = {{.from = "a", .to = "b"}};
    rules.set = {{.field = "c", .json = "3"}, {.field = "b.x", .json = "9"}};

    EXPECT_EQ(rewritten(rules, R"({"a":1,"b":{"x":2},"c":{}})"), R"({"b":1,"c":3})");
}

TEST(ReplyRewriter, WhatIsDroppedOrSetIsNotEnteredAnyMore) {
    config::ReplyRules rules;
    rules.drop = {"usage", "usage.cost", "a.x"};
    rules.set = {{.field = "a", .json = "[]"}};

    EXPECT_EQ(rewritten(rules, R"({"usage":{"cost":1},"a":{"x":1}})"), R"({"a":[]})");
}

TEST(ReplyRewriter, ListsWithinListsAndEscapedNamesAreFound) {
    config::ReplyRules rules;
    rules.drop = {"a[][].b"};

    EXPECT_EQ(rewritten(rules, R"({"\u0061":[[{"\u0062":1,"c":2}],{"b":1}]})"),
              R"({"\u0061":[[{"c":2}],{"b":1}]})");
}

TEST(ReplyRewriter, APathThatNamesNoFieldDoesNothing) {
    config::ReplyRules rules;
    rules.drop = {"", "a[]", "a..b", ".a", "a.", "[].a"};

    EXPECT_EQ(rewritten(rules, R"({"a":[{"a":1}],"":1})"), "");
}

TEST(ReplyRewriter, ACopyServesAsWell) {
    config::ReplyRules rules;
    rules.model = config::ReplyRules::Model::as_requested;
    auto first = std::make_unique<ReplyRewriter>(rules, "x");
    const ReplyRewriter copy(*first);
    first.reset();
    std::string out;

    ASSERT_TRUE(copy.rewrite(R"({"model":1})", out));
    EXPECT_EQ(out, R"({"model":"x"})");
}

TEST(ReplyFields, ArePassedOnWithoutRules) {
    const config::ReplyRules rules;

    EXPECT_EQ(ReplyRewriter(rules, "m").rewrite_fields("a: 1\r\nb: 2\r\n"), "a: 1\r\nb: 2\r\n");
    EXPECT_EQ(ReplyRewriter(rules, "m").rewrite_fields(""), "");
}

TEST(ReplyFields, AreDroppedAndSet) {
    config::ReplyRules rules;
    rules.drop_headers = {"CF-Ray", "absent"};
    rules.set_headers = {{"x-provider", "us"}, {"new", ""}};

    EXPECT_EQ(ReplyRewriter(rules, "m")
                  .rewrite_fields("cf-ray: 1\r\nX-Provider: them\r\n"
                                  "cf-ray-2: 3\r\nX-Provider: more\r\n"),
              "cf-ray-2: 3\r\nx-provider: us\r\nnew: \r\n");
}

}  // namespace
}  // namespace sluice::shaping
