#include "dialect/anthropic_messages/head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::dialect::anthropic_messages {
namespace {

using testing::HasSubstr;

std::string patched(std::string_view body, std::string_view model) {
    const auto head = read_head(body);
    EXPECT_TRUE(head) << body;
    json::Splice splice(body);
    patch_request(*head, model, splice);
    std::string out;
    splice.append_to(out);
    return out;
}

TEST(AnthropicHead, HasWhatTheGatewayDecidesBy) {
    const std::string body =
        R"( {"model":"claude-x","messages":[{}],"stream":true,"max_tokens":32000,)"
        R"("tools":[{}],"unknown":{"a":1}})";

    const auto head = read_head(body);

    ASSERT_TRUE(head);
    EXPECT_EQ(head->model, "claude-x");
    EXPECT_TRUE(head->stream);
    EXPECT_EQ(head->max_output_tokens, 32000U);
    EXPECT_TRUE(head->has_tools);
    EXPECT_EQ(head->model_value.in(body), "\"claude-x\"");
    EXPECT_EQ(head->members_begin, 2U);
    ASSERT_EQ(head->members.size(), 6U);
    EXPECT_EQ(head->members.back().value.in(body), R"({"a":1})");
}

TEST(AnthropicHead, NothingButMessagesIsNeeded) {
    const auto head = read_head(R"({"messages":[]})");

    ASSERT_TRUE(head);
    EXPECT_EQ(head->model, "");
    EXPECT_TRUE(head->model_value.empty());
    EXPECT_FALSE(head->stream);
    EXPECT_FALSE(head->has_tools);
    EXPECT_EQ(head->max_output_tokens, std::nullopt);
    EXPECT_TRUE(
        read_head(R"({"model":null,"messages":[],"stream":null,"max_tokens":null,"tools":null})"));
    EXPECT_EQ(read_head(R"({"messages":[],"max_tokens":1e3})")->max_output_tokens, std::nullopt);
    EXPECT_FALSE(read_head(R"({"messages":[],"tools":[ ]})")->has_tools);
}

TEST(AnthropicHead, TheMarkOfALongWindowIsNoPartOfTheName) {
    EXPECT_EQ(read_head(R"({"model":"m[1m]","messages":[]})")->model, "m");
    EXPECT_EQ(read_head(R"({"model":"m[1M]","messages":[]})")->model, "m");
    EXPECT_EQ(read_head(R"({"model":"[1m]","messages":[]})")->model, "");
    EXPECT_EQ(read_head(R"({"model":"m[1m]x","messages":[]})")->model, "m[1m]x");
    EXPECT_EQ(without_window_mark("1m]"), "1m]");
}

TEST(AnthropicHead, AWrongTypeIsRefusedInAnthropicsWords) {
    const auto refusal = [](std::string_view body) {
        const auto head = read_head(body);
        EXPECT_FALSE(head) << body;
        EXPECT_EQ(head.error().code, Errc::bad_request);
        EXPECT_THAT(head.error().message, HasSubstr(head.error().param + ": "));
        return head.error().message;
    };
    EXPECT_EQ(refusal("{}"), "messages: Field required");
    EXPECT_EQ(refusal(R"({"messages":{}})"), "messages: Input should be a valid list");
    EXPECT_EQ(refusal(R"({"messages":[],"model":1})"), "model: Input should be a valid string");
    EXPECT_EQ(refusal(R"({"messages":[],"stream":1})"), "stream: Input should be a valid boolean");
    EXPECT_EQ(refusal(R"({"messages":[],"max_tokens":"1"})"),
              "max_tokens: Input should be a valid integer");
    EXPECT_EQ(refusal(R"({"messages":[],"tools":{}})"), "tools: Input should be a valid list");
}

TEST(AnthropicHead, WhatIsNoObjectOrSaysAThingTwiceIsRefused) {
    for (const std::string_view body :
         {"", "[]", R"({"messages":[]},)", R"({"messages":[],"x":01})",
          "{\"messages\":[],\"x\":\"\xFF\"}"}) {
        EXPECT_FALSE(read_head(body)) << body;
    }
    EXPECT_EQ(read_head(R"({"messages":[],"m\u006fdel":"a","model":"b"})").error().param, "model");
    std::string many = R"({"messages":[])";
    for (std::size_t i = 0; i < kMaxMembers; ++i) many += R"(,"a":1)";
    EXPECT_THAT(read_head(many + "}").error().message, HasSubstr("too many"));
}

TEST(AnthropicHead, OnlyTheModelsNameIsPatched) {
    EXPECT_EQ(patched(R"({"messages" : [] , "model":"a","x":1.0})", "b\""),
              R"({"messages" : [] , "model":"b\"","x":1.0})");
    EXPECT_EQ(patched(R"({"model":"a","messages":[]})", "a"), R"({"model":"a","messages":[]})");
    EXPECT_EQ(patched(R"({"model":"a[1m]","messages":[]})", "a"), R"({"model":"a","messages":[]})");
    EXPECT_EQ(patched(R"( { "messages":[]})", "a"), R"( {"model":"a", "messages":[]})");
    EXPECT_EQ(patched(R"({"model":null,"messages":[]})", "a"), R"({"model":"a","messages":[]})");
    EXPECT_EQ(patched(R"({"messages":[]})", ""), R"({"messages":[]})");
}

}  // namespace
}  // namespace sluice::dialect::anthropic_messages
