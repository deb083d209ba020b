#include "dialect/openai_chat/write_stream.h"

#include "dialect/openai_chat/read_stream.h"
#include "json/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace sluice::dialect::openai_chat {
namespace {

using chat::Event;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

ReplyIdentity identity(Shape shape = Shape::chat) {
    ReplyIdentity reply;
    reply.shape = shape;
    reply.id = shape == Shape::chat ? "chatcmpl-7" : "cmpl-7";
    reply.model = "asked-for";
    reply.created = 5;
    return reply;
}

std::string write(const std::vector<Event>& events, ReplyIdentity reply = identity()) {
    std::string out;
    const auto writer = make_stream_writer(std::move(reply), out);
    for (const Event& event : events) writer->on_event(event);
    EXPECT_FALSE(writer->failed());
    return out;
}

const Event start_event{.kind = Event::Kind::start, .id = "msg_1", .name = "m"};
const Event end_event{.kind = Event::Kind::end};
const Event block_end{.kind = Event::Kind::block_end};

Event text(std::string_view text) {
    return {.kind = Event::Kind::text, .text = text};
}
Event tool(std::size_t number, std::string_view id, std::string_view name) {
    return {.kind = Event::Kind::tool_start, .id = id, .name = name, .tool = number};
}
Event arguments(std::size_t number, std::string_view text) {
    return {.kind = Event::Kind::tool_arguments, .text = text, .tool = number};
}
Event finish(chat::FinishReason reason) {
    return {.kind = Event::Kind::finish, .finish = reason};
}
Event usage() {
    return {.kind = Event::Kind::usage,
            .usage = {.known = true,
                      .input = 100,
                      .cached_input = 90,
                      .output = 7,
                      .reasoning = 3,
                      .total = 107}};
}

/// A chunk around the list of its choices, or what else stands in it.
std::string chunk(std::string_view rest) {
    return R"(data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":5,"model":"m",)"
           R"("choices":)" +
           std::string(rest) + "}\n\n";
}
std::string delta(std::string_view members, std::string_view reason = "null") {
    return chunk(R"([{"index":0,"delta":{)" + std::string(members) +
                 R"(},"logprobs":null,"finish_reason":)" + std::string(reason) + "}]");
}
const std::string role_chunk = delta(R"("role":"assistant","content":"")");
const std::string done_mark = "data: [DONE]\n\n";

TEST(WriteChunks, ATextIsWrittenAsOpenAiDoes) {
    EXPECT_EQ(write({start_event, text("Hi"), text(" \"ü\"\n"), block_end, usage(),
                     finish(chat::FinishReason::stop), end_event}),
              role_chunk + delta(R"("content":"Hi")") + delta(R"("content":" \"ü\"\n")") +
                  delta("", R"("stop")") +
                  chunk(R"([],"usage":{"prompt_tokens":100,"completion_tokens":7,)"
                        R"("total_tokens":107,"prompt_tokens_details":{"cached_tokens":90},)"
                        R"("completion_tokens_details":{"reasoning_tokens":3}})") +
                  done_mark);
}

TEST(WriteChunks, ReasoningAndRefusalsHaveNamesOfTheirOwn) {
    EXPECT_EQ(write({start_event,
                     {.kind = Event::Kind::thinking, .text = "T"},
                     {.kind = Event::Kind::signature, .text = "s"},
                     block_end,
                     {.kind = Event::Kind::redacted_thinking, .text = "x"},
                     {.kind = Event::Kind::native, .text = "{}", .name = "n"},
                     {.kind = Event::Kind::citation, .text = "{}"},
                     {.kind = Event::Kind::refusal, .text = "No"}}),
              role_chunk + delta(R"("reasoning_content":"T")") + delta(R"("refusal":"No")"));
}

TEST(WriteChunks, AToolCallOpensWithItsNameAndGoesOnWithItsArguments) {
    EXPECT_EQ(
        write({start_event, tool(0, "toolu_1", "f"), arguments(0, ""), arguments(0, "{\"x\":"),
               arguments(0, "1}"), block_end, finish(chat::FinishReason::tool_calls), end_event}),
        role_chunk +
            delta(R"("tool_calls":[{"index":0,"id":"toolu_1","type":"function",)"
                  R"("function":{"name":"f","arguments":""}}])") +
            delta(R"("tool_calls":[{"index":0,"function":{"arguments":"{\"x\":"}}])") +
            delta(R"("tool_calls":[{"index":0,"function":{"arguments":"1}"}}])") +
            delta("", R"("tool_calls")") + done_mark);
}

TEST(WriteChunks, ACallWithoutArgumentsGetsAnEmptyObject) {
    const std::string none = R"("tool_calls":[{"index":0,"function":{"arguments":"{}"}}])";
    EXPECT_THAT(write({start_event, tool(0, "a", "f"), block_end}), EndsWith(delta(none)));
    EXPECT_THAT(write({start_event, tool(0, "a", "f"), end_event}),
                EndsWith(delta(none) + delta("", R"("tool_calls")") + done_mark));
    EXPECT_THAT(write({start_event, tool(0, "a", "f"), text("x"), block_end}),
                EndsWith(delta(R"("content":"x")")));
}

TEST(WriteChunks, InterleavedCallsKeepTheirIndex) {
    EXPECT_THAT(write({start_event, tool(0, "a", "f"), tool(1, "b", "g"), arguments(0, "{}"),
                       arguments(1, "{}"), end_event}),
                EndsWith(delta(R"("tool_calls":[{"index":0,"function":{"arguments":"{}"}}])") +
                         delta(R"("tool_calls":[{"index":1,"function":{"arguments":"{}"}}])") +
                         delta("", R"("tool_calls")") + done_mark));
}

TEST(WriteChunks, MissingAndRepeatedIdsAreMinted) {
    const std::string out =
        write({start_event, tool(0, "", "f"), tool(1, "a", "f"), tool(2, "a", "f")});
    EXPECT_THAT(out, HasSubstr(R"("index":0,"id":"call_7_0")"));
    EXPECT_THAT(out, HasSubstr(R"("index":1,"id":"a")"));
    EXPECT_THAT(out, HasSubstr(R"("index":2,"id":"call_7_2")"));
}

TEST(WriteChunks, EveryReasonIsAWordThatClientsKnow) {
    using enum chat::FinishReason;
    for (const auto& [reason, word] :
         std::vector<std::pair<chat::FinishReason, std::string>>{{stop, "stop"},
                                                                 {length, "length"},
                                                                 {tool_calls, "tool_calls"},
                                                                 {content_filter, "content_filter"},
                                                                 {other, "stop"},
                                                                 {stop_sequence, "stop"},
                                                                 {context_window, "length"},
                                                                 {pause, "stop"}}) {
        EXPECT_THAT(write({start_event, finish(reason), end_event}),
                    EndsWith(delta("", "\"" + word + "\"") + done_mark));
    }
}

TEST(WriteChunks, UsageIsToldOnlyToWhoWantsItAndOnlyWhenItIsKnown) {
    ReplyIdentity silent = identity();
    silent.include_usage = false;
    EXPECT_THAT(write({start_event, usage(), finish(chat::FinishReason::stop), end_event}, silent),
                Not(HasSubstr("usage")));
    EXPECT_THAT(write({start_event, finish(chat::FinishReason::stop), end_event}),
                Not(HasSubstr("usage")));
}

TEST(WriteChunks, AnErrorIsTheLastThing) {
    const Error error(Errc::overloaded, "busy");
    const std::string out =
        write({start_event, {.kind = Event::Kind::error, .error = &error}, text("x"), end_event});
    EXPECT_TRUE(out.starts_with(role_chunk + R"(data: {"error":{"message":"busy")")) << out;
    EXPECT_THAT(out, Not(HasSubstr("[DONE]")));
    EXPECT_THAT(out, Not(HasSubstr("\"x\"")));
}

TEST(WriteChunks, APingIsACommentAlsoBeforeTheStart) {
    const Event ping{.kind = Event::Kind::ping};
    EXPECT_EQ(write({ping, start_event, ping}), ": ping\n\n" + role_chunk + ": ping\n\n");
}

TEST(WriteChunks, AStreamWithoutAStartBeginsAllTheSame) {
    const std::string out = write({text("x")});
    EXPECT_THAT(out, HasSubstr(R"("model":"asked-for")"));
    EXPECT_THAT(out, HasSubstr(R"("delta":{"role":"assistant","content":""})"));
}

TEST(WriteChunks, TheLegacyShapeHasTextAndNothingElse) {
    EXPECT_EQ(
        write({start_event,
               {.kind = Event::Kind::thinking, .text = "T"},
               text("Hi"),
               tool(0, "a", "f"),
               finish(chat::FinishReason::length),
               end_event},
              identity(Shape::text)),
        R"(data: {"id":"cmpl-7","object":"text_completion","created":5,"model":"m","choices":)"
        R"([{"text":"Hi","index":0,"logprobs":null,"finish_reason":null}]})"
        "\n\n"
        R"(data: {"id":"cmpl-7","object":"text_completion","created":5,"model":"m","choices":)"
        R"([{"text":"","index":0,"logprobs":null,"finish_reason":"length"}]})"
        "\n\n" +
            done_mark);
}

TEST(WriteChunks, WhatIsWrittenIsReadAsWhatItWas) {
    const std::string out = write({start_event,
                                   {.kind = Event::Kind::thinking, .text = "T"},
                                   block_end,
                                   text("a\u2028b"),
                                   block_end,
                                   tool(0, "a", "f"),
                                   arguments(0, R"({"p":"C:\\x"})"),
                                   block_end,
                                   usage(),
                                   finish(chat::FinishReason::tool_calls),
                                   end_event});
    chat::Fold fold(1UL << 20U);
    const auto reader = make_stream_reader();
    ASSERT_TRUE(reader->feed(out, fold));
    const chat::Reply& reply = fold.reply();
    EXPECT_TRUE(reply.is_whole);
    ASSERT_EQ(reply.parts.size(), 3);
    EXPECT_EQ(reply.parts[0].as<chat::Thinking>()->text, "T");
    EXPECT_EQ(reply.parts[1].as<chat::Text>()->text, "a\u2028b");
    EXPECT_EQ(reply.parts[2].as<chat::ToolUse>()->arguments, "{\"p\":\"C:\\\\x\"}");
    EXPECT_EQ(reply.usage, usage().usage);
    EXPECT_EQ(reply.finish_reason, chat::FinishReason::tool_calls);
}

TEST(WriteCompletion, AWholeReplyIsOneBody) {
    chat::Reply reply;
    reply.id = "msg_1";
    reply.model = "m";
    reply.parts.emplace_back(chat::Thinking{.text = "T", .signature = "s"});
    reply.parts.emplace_back(chat::Text{"Hi "});
    reply.parts.emplace_back(chat::Native{.type = "x", .json = "{}"});
    reply.parts.emplace_back(chat::Text{"you"});
    reply.parts.emplace_back(
        chat::ToolUse{.id = "t1", .name = "f", .arguments = "{\"a\":1,}", .is_custom = false});
    reply.parts.emplace_back(
        chat::ToolUse{.id = "t1", .name = "g", .arguments = "", .is_custom = false});
    reply.parts.emplace_back(
        chat::ToolUse{.id = "", .name = "h", .arguments = "{'a'", .is_custom = false});
    reply.usage = usage().usage;
    reply.finish_reason = chat::FinishReason::tool_calls;

    EXPECT_EQ(write_reply(reply, identity()),
              R"({"id":"chatcmpl-7","object":"chat.completion","created":5,"model":"m","choices":[)"
              R"({"index":0,"message":{"role":"assistant","content":"Hi you","refusal":null,)"
              R"("reasoning_content":"T","tool_calls":[)"
              R"({"id":"t1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},)"
              R"({"id":"call_7_1","type":"function","function":{"name":"g","arguments":"{}"}},)"
              R"({"id":"call_7_2","type":"function","function":{"name":"h","arguments":"{'a'"}}]},)"
              R"("logprobs":null,"finish_reason":"tool_calls"}],)"
              R"("usage":{"prompt_tokens":100,"completion_tokens":7,"total_tokens":107,)"
              R"("prompt_tokens_details":{"cached_tokens":90},)"
              R"("completion_tokens_details":{"reasoning_tokens":3}}})");
}

TEST(WriteCompletion, AnEmptyReplyIsAnEmptyText) {
    const std::string body = write_reply({}, identity());
    EXPECT_THAT(body, HasSubstr(R"("content":"","refusal":null})"));
    EXPECT_THAT(body, HasSubstr(R"("finish_reason":"stop")"));
    EXPECT_THAT(body, Not(HasSubstr("usage")));
    EXPECT_EQ(json::find_error(body), std::nullopt);
}

TEST(WriteCompletion, ARefusalStandsForItself) {
    chat::Reply reply;
    reply.refusal = "No";
    reply.finish_reason = chat::FinishReason::content_filter;
    EXPECT_THAT(write_reply(reply, identity()), HasSubstr(R"("content":null,"refusal":"No"})"));
}

TEST(WriteCompletion, TheLegacyShapeHasTextAndNothingElse) {
    chat::Reply reply;
    reply.parts.emplace_back(chat::Thinking{.text = "T", .signature = {}});
    reply.parts.emplace_back(chat::Text{"Hi"});
    reply.finish_reason = chat::FinishReason::stop_sequence;
    EXPECT_EQ(write_reply(reply, identity(Shape::text)),
              R"({"id":"cmpl-7","object":"text_completion","created":5,"model":"asked-for",)"
              R"("choices":[{"index":0,"text":"Hi","logprobs":null,"finish_reason":"stop"}]})");
}

}  // namespace
}  // namespace sluice::dialect::openai_chat
