#include "dialect/openai_chat/head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::dialect::openai_chat {
namespace {

using testing::HasSubstr;

std::string patched(std::string_view body, std::string_view model, bool add_include_usage) {
    const auto head = read_head(body);
    EXPECT_TRUE(head) << body;
    std::string out;
    json::Splice splice(body);
    patch_request(body, *head, model, add_include_usage, splice);
    splice.append_to(out);
    EXPECT_TRUE(read_head(out)) << out;
    return out;
}

TEST(ChatHead, TakesWhatTheGatewayDecidesBy) {
    const std::string_view body =
        R"( {"messages":[{"role":"user","content":"\ud83d"}],"model" : "gpt\/x", "stream":true,)"
        R"("stream_options":{"x":1,"include_usage": true},"max_tokens":5,)"
        R"("max_completion_tokens":7,"n":2,"tools":[{}],"big":12345678901234567890123} )";

    const auto head = read_head(body);

    ASSERT_TRUE(head);
    EXPECT_EQ(head->model, "gpt/x");
    EXPECT_TRUE(head->stream);
    EXPECT_TRUE(head->include_usage);
    EXPECT_TRUE(head->has_tools);
    EXPECT_EQ(head->max_output_tokens, 7U);
    EXPECT_EQ(head->choices, 2U);
    EXPECT_EQ(head->model_value.in(body), R"("gpt\/x")");
    EXPECT_EQ(head->stream_options.in(body), R"({"x":1,"include_usage": true})");
    EXPECT_EQ(head->include_usage_value.in(body), "true");
    EXPECT_EQ(head->members_begin, 2U);
}

TEST(ChatHead, HasDefaultsForWhatIsAbsentOrNull) {
    for (const std::string_view body :
         {R"({"model":"m","messages":[]})",
          R"({"model":"m","messages":[],"stream":null,"stream_options":null,"max_tokens":null,)"
          R"("n":null,"tools":null})"}) {
        const auto head = read_head(body);
        ASSERT_TRUE(head) << body;
        EXPECT_FALSE(head->stream);
        EXPECT_FALSE(head->include_usage);
        EXPECT_FALSE(head->has_tools);
        EXPECT_FALSE(head->max_output_tokens);
        EXPECT_EQ(head->choices, 1U);
    }
    EXPECT_EQ(read_head(R"({"model":"m","messages":[],"max_tokens":9})")->max_output_tokens, 9U);
}

TEST(ChatHead, AKeyWrittenWithEscapesIsTheSameKey) {
    EXPECT_EQ(read_head(R"({"mod\u0065l":"m","messages":[]})")->model, "m");
    EXPECT_FALSE(read_head(R"({"model":"m","mod\u0065l":"x","messages":[]})"));
}

struct Wrong {
    std::string_view body;
    std::string_view param;
    std::string_view message;
};

class WrongHead : public testing::TestWithParam<Wrong> {};

TEST_P(WrongHead, IsRefusedWithTheFieldNamed) {
    const auto head = read_head(GetParam().body);

    ASSERT_FALSE(head) << GetParam().body;
    EXPECT_EQ(head.error().code, Errc::bad_request);
    EXPECT_EQ(head.error().param, GetParam().param);
    EXPECT_THAT(head.error().message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, WrongHead,
    testing::Values(
        Wrong{"", "", "empty"}, Wrong{" \n", "", "empty"}, Wrong{"[]", "", "must be a JSON object"},
        Wrong{"\"x\"", "", "must be a JSON object"}, Wrong{"nope", "", "not valid JSON"},
        Wrong{"{", "", "not valid JSON: the document is not closed"},
        Wrong{R"({"model":"m","messages":[]}})", "", "something follows"},
        Wrong{R"({"model":"m","messages":[tru]})", "", "not valid JSON"},
        Wrong{"{\"model\":\"m\",\"messages\":[\"\xFF\"]}", "", "UTF-8"},
        Wrong{R"({"messages":[]})", "model", "you must provide a model parameter"},
        Wrong{R"({"model":"","messages":[]})", "model", "you must provide a model parameter"},
        Wrong{R"({"model":null,"messages":[]})", "model", "must be a string"},
        Wrong{R"({"model":["m"],"messages":[]})", "model", "must be a string"},
        Wrong{R"({"model":"m"})", "messages", "you must provide 'messages'"},
        Wrong{R"({"model":"m","messages":{}})", "messages", "must be a list"},
        Wrong{R"({"model":"m","messages":[],"stream":"true"})", "stream", "true or false"},
        Wrong{R"({"model":"m","messages":[],"stream":1})", "stream", "true or false"},
        Wrong{R"({"model":"m","messages":[],"stream_options":[]})", "stream_options", "an object"},
        Wrong{R"({"model":"m","messages":[],"stream_options":{"include_usage":1}})",
              "stream_options.include_usage", "true or false"},
        Wrong{R"({"model":"m","messages":[],"max_tokens":"5"})", "max_tokens", "an integer"},
        Wrong{R"({"model":"m","messages":[],"n":true})", "n", "an integer"},
        Wrong{R"({"model":"m","model":"m","messages":[]})", "model", "more than once"},
        Wrong{R"({"model":"m","messages":[],"messages":[]})", "messages", "more than once"},
        Wrong{R"({"model":"m","messages":[],"stream":true,"stream":false})", "stream", "once"},
        Wrong{R"({"model":"m","messages":[],"stream_options":{"include_usage":true,)"
              R"("include_usage":false}})",
              "stream_options.include_usage", "once"}));

TEST(ChatHead, KeepsThePlacesOfAllMembers) {
    const std::string_view body = R"( {"model":"m", "x\u0041" : [1] ,"messages":[],"x":null} )";

    const auto head = read_head(body);

    ASSERT_TRUE(head);
    ASSERT_EQ(head->members.size(), 4U);
    EXPECT_EQ(head->members[1].key.in(body), R"("x\u0041")");
    EXPECT_EQ(head->members[1].value.in(body), "[1]");
    EXPECT_EQ(head->members[3].key.in(body), R"("x")");
    EXPECT_EQ(head->members[3].value.in(body), "null");
}

TEST(ChatHead, TooManyMembersAreRefused) {
    std::string body = R"({"model":"m","messages":[])";
    for (std::size_t i = 2; i < kMaxMembers; ++i) body += ",\"" + std::to_string(i) + "\":0";

    EXPECT_EQ(read_head(body + "}")->members.size(), kMaxMembers);
    const auto head = read_head(body + ",\"x\":0}");
    ASSERT_FALSE(head);
    EXPECT_EQ(head.error().code, Errc::bad_request);
    EXPECT_THAT(head.error().message, HasSubstr("too many fields"));
}

TEST(ChatHead, FieldsOfTheOtherShapeAreNotLookedAt) {
    EXPECT_TRUE(read_head(R"({"model":"m","messages":[],"prompt":1,"suffix":1,"best_of":"x"})"));
    EXPECT_TRUE(read_head(
        R"({"model":"m","prompt":"","messages":1,"tools":[{}],"max_completion_tokens":"x"})", 0,
        Shape::text));
}

TEST(TextHead, TakesWhatTheGatewayDecidesBy) {
    const std::string_view body =
        R"({"model":"m","prompt":["a","b","c"],"suffix":"x","n":2,"best_of":4,"max_tokens":9,)"
        R"("stream":true,"stream_options":{"include_usage":true}})";

    const auto head = read_head(body, 0, Shape::text);

    ASSERT_TRUE(head);
    EXPECT_EQ(head->shape, Shape::text);
    EXPECT_EQ(head->prompts, 3U);
    EXPECT_EQ(head->choices, 2U);
    EXPECT_EQ(head->best_of, 4U);
    EXPECT_EQ(head->max_output_tokens, 9U);
    EXPECT_TRUE(head->has_suffix);
    EXPECT_TRUE(head->stream);
    EXPECT_TRUE(head->include_usage);
    EXPECT_EQ(head->members.size(), 8U);
}

TEST(TextHead, APromptIsTextOrTokensOrListsOfThese) {
    const auto read = [](std::string_view prompt) {
        return read_head(R"({"model":"m","suffix":null,"prompt":)" + std::string(prompt) + "}", 0,
                         Shape::text);
    };
    EXPECT_EQ(read(R"("x")")->prompts, 1U);
    EXPECT_EQ(read("[1,2,3]")->prompts, 1U);
    EXPECT_EQ(read("[[1,2],[3],[]]")->prompts, 3U);
    EXPECT_EQ(read("[]")->prompts, 0U);
    EXPECT_FALSE(read(R"("x")")->has_suffix);
    for (const std::string_view wrong :
         {"null", "1", "{}", "[null]", "[{}]", "[true]", R"(["a",1])", R"([1,"a"])", "[1,[2]]",
          R"([["a"]])", "[[[1]]]", "[[1],2]", "[[1,null]]"}) {
        const auto head = read(wrong);
        ASSERT_FALSE(head) << wrong;
        EXPECT_EQ(head.error().param, "prompt");
    }
}

TEST(TextHead, WhatIsMissingOrWrongIsNamed) {
    const auto fault = [](std::string_view body) {
        const auto head = read_head(body, 0, Shape::text);
        return head ? "none" : head.error().param;
    };
    EXPECT_EQ(fault(R"({"model":"m","messages":[]})"), "prompt");
    EXPECT_EQ(fault(R"({"prompt":"x"})"), "model");
    EXPECT_EQ(fault(R"({"model":"m","prompt":"x","suffix":1})"), "suffix");
    EXPECT_EQ(fault(R"({"model":"m","prompt":"x","best_of":"1"})"), "best_of");
    EXPECT_EQ(fault(R"({"model":"m","prompt":"x","prompt":"y"})"), "prompt");
    EXPECT_EQ(fault(R"({"model":"m","prompt":"x","pr\u006fmpt":"y"})"), "prompt");
    EXPECT_EQ(fault(R"({"model":"m","prompt":"x","stream":1})"), "stream");
}

TEST(ChatHead, CutAnywhereTheBodyIsRefused) {
    const std::string_view body =
        R"({"model":"m","messages":[{"role":"user","content":"a\u00e4"}],"stream":true})";
    for (std::size_t length = 0; length < body.size(); ++length) {
        EXPECT_FALSE(read_head(body.substr(0, length))) << length;
    }
}

TEST(PatchRequest, LeavesTheBytesAloneWhenNothingIsAsked) {
    const std::string_view body = "{ \"messages\" :[ ],\n\"model\":\"m\",\"stream\":true}\n";
    const auto head = read_head(body);

    json::Splice splice(body);
    patch_request(body, *head, "m", false, splice);
    EXPECT_TRUE(splice.unchanged());
    EXPECT_EQ(patched(R"({"model":"m","messages":[]})", "m", true),
              R"({"model":"m","messages":[]})");
}

TEST(PatchRequest, PutsTheUpstreamsModelInPlace) {
    EXPECT_EQ(patched(R"({"a":1e400,"model": "m" ,"messages":[]})", "x\"y", false),
              R"({"a":1e400,"model": "x\"y" ,"messages":[]})");
}

TEST(PatchRequest, AsksForUsageInAStreamWhereTheClientDidNot) {
    constexpr std::string_view kOption = R"("stream_options":{"include_usage":true})";
    const auto with = [](std::string_view options) {
        return R"({"model":"m","messages":[],"stream":true,"stream_options":)" +
               std::string(options) + "}";
    };

    EXPECT_EQ(patched(R"({"model":"m","messages":[],"stream":true})", "m", true),
              "{" + std::string(kOption) + R"(,"model":"m","messages":[],"stream":true})");
    EXPECT_EQ(patched(with("null"), "m", true), with(R"({"include_usage":true})"));
    EXPECT_EQ(patched(with("{ }"), "m", true), with(R"({"include_usage":true})"));
    EXPECT_EQ(patched(with(R"({"a":1})"), "m", true), with(R"({"include_usage":true,"a":1})"));
    EXPECT_EQ(patched(with(R"({"a":1,"include_usage": false })"), "m", true),
              with(R"({"a":1,"include_usage": true })"));
    EXPECT_EQ(patched(with(R"({"include_usage":null})"), "m", true),
              with(R"({"include_usage":true})"));
    EXPECT_EQ(patched(with(R"({"include_usage":true})"), "m", true),
              with(R"({"include_usage":true})"));
}

TEST(PatchRequest, ChangesBothAtOnce) {
    EXPECT_EQ(
        patched(R"({"stream_options":{},"model":"m","messages":[],"stream":true})", "n", true),
        R"({"stream_options":{"include_usage":true},"model":"n","messages":[],"stream":true})");
}

}  // namespace
}  // namespace sluice::dialect::openai_chat
