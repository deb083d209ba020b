#include "gateway/translate.h"

#include "json/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::gateway {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr Lane kToMessages{.client = Dialect::openai_chat, .upstream = Dialect::anthropic_messages};
constexpr Lane kToChat{.client = Dialect::anthropic_messages, .upstream = Dialect::openai_chat};

constexpr std::string_view kMessage =
    R"({"id":"msg_up","type":"message","role":"assistant","model":"real","content":[)"
    R"({"type":"thinking","thinking":"t","signature":"EqMB"},{"type":"text","text":"Hello"}],)"
    R"("stop_reason":"end_turn","stop_sequence":null,)"
    R"("usage":{"input_tokens":3,"output_tokens":2}})";
constexpr std::string_view kCompletion =
    R"({"id":"up","object":"chat.completion","created":1,"model":"real","choices":[{"index":0,)"
    R"("message":{"role":"assistant","content":"Hello","reasoning_content":"t"},)"
    R"("finish_reason":"stop"}],)"
    R"("usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}})";

Rendering rendering() {
    return {.model = "asked", .request_id = "req_0123", .created = 17, .include_usage = true};
}

TEST(TranslateTest, AMessageIsAChatClientsCompletion) {
    const auto reply = fold_reply(kToMessages, kMessage);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->usage.input, 3U);

    const std::string written = write_reply(kToMessages, rendering(), *reply);
    EXPECT_EQ(json::find_error(written), std::nullopt);
    for (const char* const part :
         {R"("id":"chatcmpl-0123")", R"("model":"real")", R"("created":17)", R"("Hello")",
          R"("finish_reason":"stop")", R"("reasoning_content":"t")", R"("total_tokens":5)"}) {
        EXPECT_THAT(written, HasSubstr(part));
    }
    EXPECT_THAT(written, Not(HasSubstr("EqMB")));
}

TEST(TranslateTest, ACompletionIsAMessageWhoseThinkingIsSignedByUs) {
    const auto reply = fold_reply(kToChat, kCompletion);
    ASSERT_TRUE(reply);

    const std::string written = write_reply(kToChat, rendering(), *reply);
    EXPECT_EQ(json::find_error(written), std::nullopt);
    for (const char* const part :
         {R"("id":"msg_0123")", R"("model":"asked")", R"("text":"Hello")", R"("thinking":"t")",
          R"("signature":"sluice1.0123")", R"("stop_reason":"end_turn")"}) {
        EXPECT_THAT(written, HasSubstr(part));
    }
}

TEST(TranslateTest, AnErrorInTheReplysPlaceIsThatError) {
    const auto chat =
        fold_reply(kToChat, R"({"error":{"message":"no credit","type":"billing","code":null}})");
    ASSERT_FALSE(chat);
    EXPECT_THAT(chat.error().message, HasSubstr("no credit"));

    EXPECT_FALSE(fold_reply(
        kToMessages, R"({"type":"error","error":{"type":"overloaded_error","message":"busy"}})"));
}

TEST(TranslateTest, WhatIsNoReplyIsNotTakenForOne) {
    for (const Lane lane : {kToChat, kToMessages}) {
        for (const std::string_view body : {"", "{", "[]", "{}", "null", "<html>"}) {
            const auto reply = fold_reply(lane, body);
            ASSERT_FALSE(reply) << body;
            EXPECT_EQ(reply.error().code, Errc::upstream_invalid_response) << body;
        }
    }
}

/// Wherever the upstream's bytes were cut.
TEST(TranslateTest, AStreamWithAKeyInItsErrorDoesNotShowIt) {
    const std::string stream =
        "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n"
        "data: {\"error\":{\"message\":\"key sk-secret-0123456789 is bad\",\"code\":null}}\n\n";
    for (std::size_t split = 0; split <= stream.size(); ++split) {
        const auto translation =
            make_translation(kToChat, rendering(), {"sk-secret-0123456789"}, nullptr);
        std::string written;
        bool failed = false;
        for (const std::string_view bytes :
             {std::string_view(stream).substr(0, split), std::string_view(stream).substr(split)}) {
            if (bytes.empty()) continue;
            dialect::ReplyStream::Pieces pieces;
            failed |= !translation->feed(bytes, pieces) || translation->facts().has_error;
            for (const std::string_view piece : pieces) written += piece;
        }
        EXPECT_TRUE(failed) << split;
        EXPECT_THAT(written, HasSubstr("Hi")) << split;
        EXPECT_THAT(written, Not(HasSubstr("sk-secret-0123456789"))) << split;
    }
}

TEST(DescribeTest, ChangesAreNamedOneAfterTheOther) {
    EXPECT_EQ(describe({}), "");
    EXPECT_EQ(describe({{.rule = "drop.top_k", .what = "top_k"},
                        {.rule = "fold.system", .what = ""},
                        {.rule = "drop.tool", .what = "tools[3]"}}),
              "drop.top_k(top_k), fold.system, drop.tool(tools[3])");
}

TEST(DescribeTest, ALongNameIsCut) {
    const std::string text = describe({{.rule = "drop.tool", .what = std::string(5'000, 'n')},
                                       {.rule = "drop.top_k", .what = "top_k"}});
    EXPECT_EQ(text, "drop.tool(" + std::string(128, 'n') + "), drop.top_k(top_k)");
}

TEST(DescribeTest, ALongListEndsBeforeItIsTooMuchForAHeader) {
    const chat::Changes many(10'000, {.rule = "drop.tool", .what = std::string(5'000, 'n')});
    const std::string text = describe(many);
    EXPECT_THAT(text, StartsWith("drop.tool(n"));
    EXPECT_THAT(text, EndsWith("), ..."));
    EXPECT_LT(text.size(), 2'304U);
}

}  // namespace
}  // namespace sluice::gateway
