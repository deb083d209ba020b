#include "dialect/openai_chat/reply.h"

#include <gtest/gtest.h>

namespace sluice::dialect::openai_chat {
namespace {

constexpr std::string_view kReply =
    R"({"id":"chatcmpl-1","object":"chat.completion","created":1770000000,"model":"gpt-small",)"
    R"("choices":[{"index":0,"message":{"role":"assistant","content":"Hi","refusal":null},)"
    R"("logprobs":null,"finish_reason":"stop"},{"index":1,"finish_reason":"length"}],)"
    R"("usage":{"prompt_tokens":20,"completion_tokens":7,"total_tokens":27,)"
    R"("prompt_tokens_details":{"cached_tokens":16},)"
    R"("completion_tokens_details":{"reasoning_tokens":3}},"big":123456789012345678901234567890})";

TEST(OpenAiReply, SaysWhatTheGatewayMustKnow) {
    const auto facts = read_reply(kReply);

    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->model, "gpt-small");
    EXPECT_EQ(facts->finish_reason, chat::FinishReason::stop);
    EXPECT_FALSE(facts->is_error);
    EXPECT_EQ(facts->usage, (chat::Usage{.known = true,
                                         .input = 20,
                                         .cached_input = 16,
                                         .output = 7,
                                         .reasoning = 3,
                                         .total = 27}));
}

TEST(OpenAiReply, ReadsDeepSeeksNameForCachedInput) {
    const auto facts =
        read_reply(R"({"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":1,)"
                   R"("prompt_cache_hit_tokens":8,"prompt_cache_miss_tokens":1}})");

    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->usage.cached_input, 8U);
    EXPECT_EQ(facts->usage.total, 10U);
    EXPECT_FALSE(facts->finish_reason);
}

TEST(OpenAiReply, UsageThatIsNotThereIsUnknown) {
    for (const std::string_view body :
         {R"({"choices":[]})", R"({"usage":null})", R"({"usage":{}})", R"({"usage":"12"})",
          R"({"usage":{"prompt_tokens":"12"}})", R"({"usage":[{"prompt_tokens":1}]})"}) {
        const auto facts = read_reply(body);
        ASSERT_TRUE(facts) << body;
        EXPECT_FALSE(facts->usage.known) << body;
    }
}

TEST(OpenAiReply, FinishReasonsAreAClosedSet) {
    const auto reason = [](std::string_view word) {
        return read_finish_reason(json::as_value(word));
    };
    EXPECT_EQ(reason(R"("tool_calls")"), chat::FinishReason::tool_calls);
    EXPECT_EQ(reason(R"("function_call")"), chat::FinishReason::tool_calls);
    EXPECT_EQ(reason(R"("content_filter")"), chat::FinishReason::content_filter);
    EXPECT_EQ(reason(R"("insufficient_system_resource")"), chat::FinishReason::other);
    EXPECT_EQ(reason("null"), std::nullopt);
    EXPECT_EQ(reason("1"), std::nullopt);
}

TEST(OpenAiReply, OfTextCompletionsIsReadAsWell) {
    const auto facts = read_reply(
        R"({"id":"cmpl-1","object":"text_completion","model":"m","choices":[{"text":"Hi",)"
        R"("index":0,"logprobs":null,"finish_reason":"length"}],"usage":{"total_tokens":3}})");

    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->finish_reason, chat::FinishReason::length);
    EXPECT_EQ(facts->usage.total, 3U);
    EXPECT_FALSE(facts->out_of_resources);
}

TEST(OpenAiReply, BrokenOffForWantOfResourcesItSaysWhetherThereIsContent) {
    struct Case {
        std::string_view choice;
        bool has_content;
    };
    for (const auto& [choice, has_content] :
         {Case{.choice = R"("message":{"role":"assistant","content":""})", .has_content = false},
          Case{.choice = R"("message":{"role":"assistant","content":null,"tool_calls":[],"x":{}})",
               .has_content = false},
          Case{.choice = R"("message":null)", .has_content = false},
          Case{.choice = R"("text":"")", .has_content = false},
          Case{.choice = R"("message":{"content":"","reasoning_content":"a"})",
               .has_content = true},
          Case{.choice = R"("message":{"content":"a"})", .has_content = true},
          Case{.choice = R"("message":{"tool_calls":[{}]})", .has_content = true},
          Case{.choice = R"("text":"a")", .has_content = true}}) {
        const auto facts =
            read_reply(R"({"choices":[{"finish_reason":"insufficient_system_resource",)" +
                       std::string(choice) + "}]}");
        ASSERT_TRUE(facts) << choice;
        EXPECT_TRUE(facts->out_of_resources) << choice;
        EXPECT_EQ(facts->has_content, has_content) << choice;
    }
    EXPECT_FALSE(read_reply(kReply)->out_of_resources);
    EXPECT_TRUE(read_reply(kReply)->has_content);
}

TEST(OpenAiReply, AnErrorWithoutChoicesIsOne) {
    EXPECT_TRUE(read_reply(R"({"error":{"message":"no"}})")->is_error);
    EXPECT_FALSE(read_reply(R"({"error":null})")->is_error);
    EXPECT_FALSE(read_reply(R"({"error":{},"choices":[]})")->is_error);
}

TEST(OpenAiReply, WhatIsNoJsonObjectIsRefused) {
    for (const std::string_view body :
         {"", "[]", "null", "<html>", "{\"a\":1", "{\"a\":\"\xFF\"}", "{}x", "\"text\""}) {
        const auto facts = read_reply(body);
        ASSERT_FALSE(facts) << body;
        EXPECT_EQ(facts.error().code, Errc::upstream_invalid_response);
    }
}

TEST(OpenAiReply, CutAnywhereItIsRefused) {
    for (std::size_t length = 0; length < kReply.size(); ++length) {
        EXPECT_FALSE(read_reply(kReply.substr(0, length))) << length;
    }
}

}  // namespace
}  // namespace sluice::dialect::openai_chat
