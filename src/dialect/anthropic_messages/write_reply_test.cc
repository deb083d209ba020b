#include "dialect/anthropic_messages/event_script.h"
#include "dialect/anthropic_messages/write_stream.h"
#include "json/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::dialect::anthropic_messages {
namespace {

using testing::HasSubstr;

std::string written(std::string_view script, ReplyIdentity who = {}) {
    chat::Fold fold(1UL * 1024 * 1024);
    give(read_script(script), fold);
    if (who.id.empty()) who.id = "msg_1";
    who.model = "m";
    const std::string body = write_reply(fold.reply(), who);
    EXPECT_EQ(json::find_error(body), std::nullopt) << body;
    return body;
}

std::string content_of(std::string_view script) {
    const std::string body = written(script);
    return std::string(json::find(json::as_value(body), "content")->raw);
}

/// The input of the only tool call, whose arguments are these.
std::string input_for(std::string_view arguments) {
    chat::Reply reply;
    reply.parts.emplace_back(chat::ToolUse{
        .id = "t", .name = "f", .arguments = std::string(arguments), .is_custom = false});
    const std::string body = write_reply(reply, {});
    EXPECT_EQ(json::find_error(body), std::nullopt) << body;
    json::Reader content(*json::find(json::as_value(body), "content"));
    EXPECT_TRUE(content.next());
    return std::string(json::find(content.value(), "input")->raw);
}

TEST(MessageReply, IsOneMessage) {
    ReplyIdentity who;
    who.id = "msg_gw1";
    who.sign = [](std::uint64_t bytes) { return "s" + std::to_string(bytes); };
    EXPECT_EQ(written("start \"c1\" \"deepseek\"\nthinking \"A\"\ntext \"Hi\"\ntool 0 \"\" \"f\"\n"
                      "arguments 0 \"{ \\\"b\\\":1.0,\"\narguments 0 \"\\\"a\\\":2} \"\n"
                      "usage 100 cached 64 written 0 output 9 reasoning 4 total 109\n"
                      "finish tool_calls \"\"\nend\n",
                      who),
              R"({"id":"msg_gw1","type":"message","role":"assistant","model":"m","content":[)"
              R"({"type":"thinking","thinking":"A","signature":"s1"},{"type":"text","text":"Hi"},)"
              R"({"type":"tool_use","id":"toolu_gw1_0","name":"f","input":{ "b":1.0,"a":2}}],)"
              R"("stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":36,)"
              R"("cache_creation_input_tokens":0,"cache_read_input_tokens":64,"output_tokens":9,)"
              R"("output_tokens_details":{"thinking_tokens":4}}})");
}

TEST(MessageReply, AnInputIsAlwaysAnObject) {
    EXPECT_EQ(input_for(""), "{}");
    EXPECT_EQ(input_for(" \n"), "{}");
    EXPECT_EQ(input_for("null"), "{}");
    EXPECT_EQ(input_for(R"( {"a":1} )"), R"({"a":1})");
    EXPECT_EQ(input_for(R"({"a":)"), R"({"__unparsedToolInput":{"raw":"{\"a\":","len":5}})");
    EXPECT_EQ(input_for("[1]"), R"({"__unparsedToolInput":{"raw":"[1]","len":3}})");
}

TEST(MessageReply, WhiteSpaceIsNoBlockBesideAnAnswer) {
    EXPECT_EQ(
        content_of("thinking \"t\"\nsignature \"s\"\ntext \"\\n\\n\"\ntool 0 \"a\" \"f\"\nend\n"),
        R"([{"type":"thinking","thinking":"t","signature":"s"},)"
        R"({"type":"tool_use","id":"a","name":"f","input":{}}])");
    EXPECT_EQ(content_of("text \"\\n\"\nend\n"), R"([{"type":"text","text":"\n"}])");
    EXPECT_EQ(content_of("finish stop \"\"\nend\n"), "[]");
}

TEST(MessageReply, ARefusalIsTextAndTheReason) {
    const std::string body = written("refusal \"no\"\nfinish stop \"\"\nend\n");

    EXPECT_THAT(body,
                HasSubstr(R"("content":[{"type":"text","text":"no"}],"stop_reason":"refusal",)"
                          R"("stop_sequence":null,"stop_details":{"type":"refusal",)"));
}

TEST(MessageReply, BlocksOfOneDialectAndRedactedThinkingAreWhole) {
    EXPECT_EQ(content_of("redacted \"x\"\nnative \"n\" {\"type\":\"n\", \"a\":1}\n"
                         "native \"n\" [1]\nnative \"n\" {\nend\n"),
              R"([{"type":"redacted_thinking","data":"x"},{"type":"n", "a":1}])");
}

TEST(MessageReply, TheStopSequenceAndTheEstimate) {
    ReplyIdentity who;
    who.input_tokens = 12;
    EXPECT_THAT(written("finish stop_sequence \"END\"\nend\n", who),
                HasSubstr(R"("stop_reason":"stop_sequence","stop_sequence":"END","usage":)"
                          R"({"input_tokens":12,)"));
}

}  // namespace
}  // namespace sluice::dialect::anthropic_messages
