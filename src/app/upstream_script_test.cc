#include "app/upstream_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace sluice::app {
namespace {

using upstream::embedded::WireStep;

Result<std::string> no_files(const std::string& name) {
    return fail(Errc::bad_request, name + ": cannot be read");
}

Result<UpstreamScript> parse(const std::string& rules) {
    return UpstreamScript::parse(R"({"rules":[)" + rules + "]}", no_files);
}

std::string bytes_of(const ScriptedReply* reply) {
    std::string bytes;
    if (reply == nullptr) return "(none)";
    for (const WireStep& step : reply->wire) bytes += step.bytes;
    return bytes;
}

TEST(UpstreamScript, AWholeReplyHasItsStatusHeadersAndLength) {
    auto script =
        parse(R"({"reply":{"status":418,"headers":{"X-A":"b"},"body":{"a":1},"delay_ms":20}})");

    ASSERT_TRUE(script) << script.error().message;
    const ScriptedReply* const reply = script->answer("/v1/chat/completions", "m", "{}");
    EXPECT_EQ(bytes_of(reply),
              "HTTP/1.1 418 Scripted\r\ncontent-type: application/json\r\nX-A: b\r\n"
              "content-length: 7\r\n\r\n{\"a\":1}");
    EXPECT_EQ(reply->wire.front().wait, std::chrono::milliseconds(20));
}

TEST(UpstreamScript, EventsAreSentAsChunksAndEndWithDone) {
    auto script = parse(R"({"reply":{"events":[{"n":1},": hi\n\n"],"interval_ms":5,"split":3}})");

    ASSERT_TRUE(script) << script.error().message;
    const ScriptedReply* const reply = script->answer("/", "", "");
    EXPECT_EQ(bytes_of(reply),
              "HTTP/1.1 200 Scripted\r\ncontent-type: text/event-stream\r\n"
              "transfer-encoding: chunked\r\n\r\nf\r\ndata: {\"n\":1}\n\n\r\n6\r\n: hi\n\n\r\n"
              "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");
    EXPECT_EQ(reply->split, 3U);
    EXPECT_EQ(reply->wire[1].wait, std::chrono::milliseconds(0));
    EXPECT_EQ(reply->wire[2].wait, std::chrono::milliseconds(5));
}

TEST(UpstreamScript, AStreamThatDoesNotEndInOrderHasNoLastChunk) {
    auto script = parse(R"({"reply":{"events":[1],"done":false,"then":"reset"}})");

    ASSERT_TRUE(script) << script.error().message;
    const ScriptedReply* const reply = script->answer("/", "", "");
    EXPECT_THAT(bytes_of(reply), ::testing::EndsWith("data: 1\n\n\r\n"));
    EXPECT_EQ(reply->wire.back().act, WireStep::Act::reset);
}

TEST(UpstreamScript, ChunksComeFromAFile) {
    const auto files = [](const std::string& name) -> Result<std::string> {
        return name == "a.txt" ? "{\"a\":1}\r\n\n{\"b\":2}" : "";
    };
    auto script = UpstreamScript::parse(R"({"rules":[{"reply":{"chunks_file":"a.txt"}}]})", files);

    ASSERT_TRUE(script);
    EXPECT_THAT(bytes_of(script->answer("/", "", "")),
                ::testing::AllOf(::testing::HasSubstr("data: {\"a\":1}\n\n"),
                                 ::testing::HasSubstr("data: {\"b\":2}\n\n")));
}

TEST(UpstreamScript, TheFirstRuleThatFitsAnswersAsOftenAsItMay) {
    auto script = parse(R"({"match":{"model":"gpt-*"},"times":1,"reply":{"body":"one"}},)"
                        R"({"match":{"contains":"needle"},"reply":{"body":"two"}})");

    ASSERT_TRUE(script) << script.error().message;
    EXPECT_THAT(bytes_of(script->answer("/", "gpt-9", "needle")), ::testing::EndsWith("one"));
    EXPECT_THAT(bytes_of(script->answer("/", "gpt-9", "needle")), ::testing::EndsWith("two"));
    EXPECT_EQ(script->answer("/", "gpt-9", "hay"), nullptr);
}

TEST(UpstreamScript, MistakesAreNamedWithTheirRule) {
    EXPECT_EQ(parse(R"({"reply":{}},{"reply":{"stauts":1}})").error().message,
              "rule 2: 'stauts' is not known in a reply");
    EXPECT_EQ(parse(R"({"match":{"model":7},"reply":{}})").error().message,
              "rule 1: 'model' must be a string");
    EXPECT_EQ(parse(R"({"match":{"modle":"x"},"reply":{}})").error().message,
              "rule 1: 'modle' is not known in a match");
    EXPECT_EQ(parse(R"({"times":1})").error().message, "rule 1: the rule has no reply and no turn");
    EXPECT_EQ(parse(R"({"reply":{"then":"explode"}})").error().message,
              "rule 1: 'then' must be close, reset, half_close or hang");
    EXPECT_EQ(parse(R"({"reply":{"body_file":"x"}})").error().message, "rule 1: x: cannot be read");
    EXPECT_FALSE(parse("{"));
}

}  // namespace
}  // namespace sluice::app
