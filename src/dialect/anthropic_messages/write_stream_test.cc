#include "dialect/anthropic_messages/write_stream.h"

#include "dialect/anthropic_messages/anthropic_grammar.h"
#include "dialect/anthropic_messages/arguments_scan.h"
#include "dialect/anthropic_messages/event_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace sluice::dialect::anthropic_messages {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

ReplyIdentity identity() {
    ReplyIdentity who;
    who.id = "msg_gw1";
    who.model = "claude-asked-for";
    who.sign = [](std::uint64_t bytes) { return "gw1." + std::to_string(bytes); };
    who.input_tokens = 77;
    return who;
}

std::string written(const Script& script, ReplyIdentity who = identity()) {
    std::string out;
    const auto writer = make_stream_writer(std::move(who), out);
    give(script, *writer);
    return out;
}

CheckedStream checked(std::string_view script, ReplyIdentity who = identity()) {
    CheckedStream stream = check_stream(written(read_script(script), std::move(who)));
    EXPECT_EQ(stream.fault, "");
    return stream;
}

/// "thinking(A) text(Hi) tool_use(toolu_1 f {})"
std::string shape(const CheckedStream& stream) {
    std::string text;
    for (const CheckedBlock& block : stream.blocks) {
        if (!text.empty()) text += ' ';
        text += block.type + "(";
        if (!block.id.empty()) text += block.id + " " + block.name + " ";
        text += block.text + ")";
    }
    return text;
}

TEST(MessageStream, IsWrittenByteForByte) {
    EXPECT_EQ(written(read_script("start \"c1\" \"deepseek\"\n"
                                  "thinking \"A\"\n"
                                  "text \"H\\\"i\"\n"
                                  "tool 0 \"call_1\" \"f\"\n"
                                  "arguments 0 \"{}\"\n"
                                  "usage 100 cached 64 written 6 output 9 reasoning 4 total 109\n"
                                  "finish tool_calls \"\"\n"
                                  "end\n")),
              R"(event: message_start
data: {"type":"message_start","message":{"id":"msg_gw1","type":"message","role":"assistant","model":"claude-asked-for","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":77,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"A"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"gw1.1"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"H\"i"}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: content_block_start
data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"call_1","name":"f","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":2}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":30,"cache_creation_input_tokens":6,"cache_read_input_tokens":64,"output_tokens":9,"output_tokens_details":{"thinking_tokens":4}}}

event: message_stop
data: {"type":"message_stop"}

)");
}

TEST(MessageStream, BeginsWithTheFirstThingToShow) {
    EXPECT_EQ(written(read_script("start \"c1\" \"m\"\n"
                                  "usage 5 cached 0 written 0 output 1 reasoning 0 total 6\n"
                                  "text \"\"\nthinking \"\"\ntext \" \"\nfinish stop \"\"\n")),
              "");
    const CheckedStream stream =
        checked("usage 5 cached 2 written 1 output 1 reasoning 0 total 6\ntext \"a\"\n");
    EXPECT_EQ(stream.start_usage, R"({"input_tokens":2,"cache_creation_input_tokens":1,)"
                                  R"("cache_read_input_tokens":2,"output_tokens":1})");
    EXPECT_FALSE(stream.is_whole);
    EXPECT_EQ(stream.id, "msg_gw1");
    EXPECT_EQ(stream.model, "claude-asked-for");
}

TEST(MessageStream, PingsAreCommentsUntilItBegins) {
    EXPECT_EQ(written(read_script("ping\n")), ": keep-alive\n\n");
    const CheckedStream stream =
        checked("ping\nping\ntext \"a\"\nping\ntool 0 \"t\" \"f\"\nping\nend\nping\n");
    EXPECT_EQ(stream.comments, 2U);
    EXPECT_EQ(stream.pings, 2U);
    EXPECT_TRUE(stream.is_whole);
}

TEST(MessageStream, ThinkingIsSignedOnceAtItsEnd) {
    const auto signature_of = [](std::string_view script, ReplyIdentity who) {
        const CheckedStream stream = checked(script, std::move(who));
        return stream.blocks.empty() ? "none" : stream.blocks[0].signature;
    };
    EXPECT_EQ(signature_of("thinking \"ab\"\nthinking \"c\"\nend\n", identity()), "gw1.3");
    EXPECT_EQ(signature_of("thinking \"ab\"\nsignature \"own\"\nblock_end\nend\n", identity()),
              "own");
    EXPECT_EQ(signature_of("signature \"o\"\nsignature \"wn\"\nblock_end\nend\n", identity()),
              "own");
    EXPECT_EQ(signature_of("thinking \"ab\"\nend\n", ReplyIdentity()), "");
}

TEST(MessageStream, EachBlockOfThinkingHasItsOwnSignature) {
    const CheckedStream stream =
        checked("thinking \"ab\"\ntext \"x\"\nthinking \"cde\"\nblock_end\nthinking \"f\"\nend\n");

    EXPECT_EQ(shape(stream), "thinking(ab) text(x) thinking(cde) thinking(f)");
    EXPECT_EQ(stream.blocks[0].signature, "gw1.2");
    EXPECT_EQ(stream.blocks[2].signature, "gw1.3");
    EXPECT_EQ(stream.blocks[3].signature, "gw1.1");
}

TEST(MessageStream, ArgumentsEndWhereTheirBracketsDoHoweverTheyAreCut) {
    const auto arguments_of = [](std::string_view first, std::string_view second) {
        std::string out;
        const auto writer = make_stream_writer(identity(), out);
        OwnEvent{.kind = chat::Event::Kind::tool_start, .id = "a", .name = "f"}.give(*writer);
        OwnEvent{.kind = chat::Event::Kind::tool_arguments, .text = std::string(first)}.give(
            *writer);
        OwnEvent{.kind = chat::Event::Kind::tool_start, .id = "b", .name = "g", .tool = 1}.give(
            *writer);
        OwnEvent{.kind = chat::Event::Kind::tool_arguments, .text = std::string(second)}.give(
            *writer);
        OwnEvent{.kind = chat::Event::Kind::end}.give(*writer);
        return check_stream(out).blocks.at(0).text;
    };
    EXPECT_EQ(arguments_of(R"({"a":[1]} })", ""), R"({"a":[1]})");
    EXPECT_EQ(arguments_of(R"({"a":[1]})", " }"), R"({"a":[1]})");
    // Closed by the wrong bracket they are no JSON, and pass as they are.
    EXPECT_EQ(arguments_of("{]x}", ""), "{]x}");
    EXPECT_EQ(arguments_of("{]", "x}"), "{]x}");
}

TEST(MessageStream, LongThinkingIsSignedLikeAnyOther) {
    std::string out;
    ReplyIdentity who = identity();
    const auto writer = make_stream_writer(std::move(who), out);
    const std::string text(100'000, 'x');
    for (int i = 0; i < 12; ++i) {
        OwnEvent{.kind = chat::Event::Kind::thinking, .text = text}.give(*writer);
    }
    OwnEvent{.kind = chat::Event::Kind::end}.give(*writer);

    const CheckedStream stream = check_stream(out);
    EXPECT_EQ(stream.fault, "");
    EXPECT_FALSE(writer->failed());
    EXPECT_EQ(stream.blocks.at(0).text.size(), 1'200'000U);
    EXPECT_EQ(stream.blocks.at(0).signature, "gw1.1200000");
}

TEST(MessageStream, RedactedThinkingIsWhole) {
    const CheckedStream stream = checked("redacted \"Eq\\\"8\"\ntext \"a\"\nend\n");

    EXPECT_EQ(shape(stream), "redacted_thinking() text(a)");
    EXPECT_EQ(stream.blocks[0].json, R"({"type":"redacted_thinking","data":"Eq\"8"})");
}

TEST(MessageStream, ATextThatIsOverIsNotGoneOnWith) {
    EXPECT_EQ(shape(checked("text \"a\"\ntext \"b\"\nblock_end\ntext \"c\"\nblock_end\nend\n")),
              "text(ab) text(c)");
}

TEST(MessageStream, WhiteSpaceBeforeAToolCallIsNoBlock) {
    EXPECT_EQ(
        shape(checked("thinking \"t\"\ntext \"\\n\"\ntext \"\\n\"\ntool 0 \"i\" \"f\"\nend\n")),
        "thinking(t) tool_use(i f )");
    EXPECT_EQ(shape(checked("text \"\\n\\n\"\ntool 0 \"i\" \"f\"\nend\n")), "tool_use(i f )");
    EXPECT_EQ(shape(checked("thinking \"t\"\ntext \"\\n\"\ntext \"Hi\"\nend\n")),
              "thinking(t) text(\nHi)");
    EXPECT_EQ(shape(checked("text \"a\"\ntext \" \"\ntext \"b\"\nend\n")), "text(a b)");
    EXPECT_EQ(shape(checked("thinking \"t\"\ntext \"\\n\"\nthinking \"u\"\nend\n")),
              "thinking(tu)");
    EXPECT_EQ(shape(checked("tool 0 \"i\" \"f\"\narguments 0 \"{}\"\ntext \"\\n\"\nend\n")),
              "tool_use(i f {})");
}

TEST(MessageStream, WhiteSpaceThatIsAllThereIsStays) {
    EXPECT_EQ(shape(checked("thinking \"t\"\ntext \"\\n\"\nend\n")), "thinking(t) text(\n)");
    const std::string much = "text \"" + std::string(3000, ' ') + "\"\n";
    EXPECT_EQ(shape(checked(much + "tool 0 \"i\" \"f\"\nend\n")),
              "text(" + std::string(3000, ' ') + ") tool_use(i f )");
}

TEST(MessageStream, AToolCallWithoutArgumentsHasAnEmptyDelta) {
    const CheckedStream stream = checked(
        "tool 0 \"a\" \"f\"\narguments 0 \"\"\nblock_end\ntool 1 \"b\" \"g\"\narguments 1 \" "
        "\"\nend\n");

    EXPECT_EQ(shape(stream), "tool_use(a f ) tool_use(b g )");
    EXPECT_EQ(stream.blocks[0].deltas, 1U);
    EXPECT_EQ(stream.blocks[1].deltas, 1U);
    EXPECT_EQ(stream.stop_reason, "tool_use");
}

TEST(MessageStream, IdsAreMadeUpWhereTheyAreMissingOrNotUnique) {
    const CheckedStream stream = checked(
        "tool 0 \"\" \"f\"\nblock_end\ntool 1 \"c\" \"f\"\nblock_end\n"
        "tool 2 \"c\" \"f\"\nblock_end\ntool 3 \"\" \"f\"\nblock_end\nend\n");

    EXPECT_EQ(shape(stream),
              "tool_use(toolu_gw1_0 f ) tool_use(c f ) tool_use(c_2 f ) tool_use(toolu_gw1_3 f )");
}

TEST(MessageStream, InterleavedToolCallsFollowOneAnother) {
    EXPECT_EQ(shape(checked("tool 0 \"a\" \"f\"\narguments 0 \"{\\\"x\\\":\"\ntool 1 \"b\" \"g\"\n"
                            "arguments 1 \"{\"\narguments 0 \"1}\"\narguments 1 \"}\"\n"
                            "tool 2 \"c\" \"h\"\narguments 2 \"[]\"\nend\n")),
              "tool_use(a f {\"x\":1}) tool_use(b g {}) tool_use(c h [])");
    EXPECT_EQ(shape(checked("tool 0 \"a\" \"f\"\ntool 1 \"b\" \"g\"\ntool 2 \"c\" \"h\"\n"
                            "arguments 2 \"{2\"\narguments 1 \"{1\"\narguments 0 \"{0\"\n"
                            "arguments 2 \"}\"\nend\n")),
              "tool_use(a f {0) tool_use(b g {1) tool_use(c h {2})");
}

TEST(MessageStream, TheNextToolCallStreamsAsSoonAsTheOneBeforeIsWhole) {
    std::string out;
    const auto writer = make_stream_writer(identity(), out);
    const auto take = [&](std::string_view script) {
        give(read_script(script), *writer);
        return std::exchange(out, {});
    };
    take("tool 0 \"a\" \"f\"\narguments 0 \"{\\\"x\\\":\"\n");
    EXPECT_EQ(take("tool 1 \"b\" \"g\"\narguments 1 \"{\\\"y\"\n"), "");
    EXPECT_THAT(take("arguments 0 \"1}\"\n"), HasSubstr(R"("partial_json":"{\"y")"));
    EXPECT_THAT(take("arguments 1 \"\\\":2}\"\n"), HasSubstr(R"("partial_json":"\":2}")"));
    EXPECT_THAT(take("tool 2 \"c\" \"h\"\n"), HasSubstr(R"("id":"c")"));
}

TEST(MessageStream, WhatComesBetweenTheArgumentsFollowsThem) {
    EXPECT_EQ(shape(checked("tool 0 \"a\" \"f\"\narguments 0 \"{\"\ntext \"x\"\nthinking \"t\"\n"
                            "thinking \"u\"\nsignature \"s\"\nblock_end\ntext \"y\"\n"
                            "tool 1 \"b\" \"g\"\nblock_end\ntext \"z\"\narguments 0 \"}\"\n"
                            "text \"!\"\nend\n")),
              "tool_use(a f {}) text(x) thinking(tu) text(y) tool_use(b g ) text(z!)");
}

TEST(MessageStream, ArgumentsBehindAWholeCallAreOfNoUse) {
    EXPECT_EQ(
        shape(checked("tool 0 \"a\" \"f\"\narguments 0 \"{}\"\nblock_end\narguments 0 \"{}\"\n"
                      "arguments 7 \"x\"\ntool 1 \"b\" \"g\"\narguments 0 \"{}\"\nend\n")),
        "tool_use(a f {}) tool_use(b g )");
}

TEST(MessageStream, HoldsBackOnlySoMuch) {
    std::string out;
    const auto writer = make_stream_writer(identity(), out);
    give(read_script("tool 0 \"a\" \"f\"\ntool 1 \"b\" \"g\"\n"), *writer);
    const OwnEvent piece{
        .kind = chat::Event::Kind::tool_arguments, .text = std::string(1000, 'x'), .tool = 1};
    for (int i = 0; i < 1000; ++i) piece.give(*writer);
    EXPECT_FALSE(writer->failed());
    for (int i = 0; i < 100; ++i) piece.give(*writer);
    EXPECT_TRUE(writer->failed());

    give(read_script("arguments 0 \"{}\"\nend\nerror upstream_status \"too much\"\nend\n"),
         *writer);
    const CheckedStream stream = check_stream(out);
    EXPECT_EQ(stream.fault, "");
    EXPECT_FALSE(stream.is_whole);
    EXPECT_EQ(stream.error_message, "too much");
}

TEST(MessageStream, TakesOnlySoManyToolCalls) {
    std::string out;
    const auto writer = make_stream_writer(identity(), out);
    for (std::size_t i = 0; i < 1024; ++i) {
        OwnEvent{.kind = chat::Event::Kind::tool_start, .tool = i}.give(*writer);
        OwnEvent{.kind = chat::Event::Kind::block_end}.give(*writer);
    }
    EXPECT_FALSE(writer->failed());
    EXPECT_EQ(check_stream(out).fault, "");
    OwnEvent{.kind = chat::Event::Kind::tool_start, .tool = 1024}.give(*writer);
    EXPECT_TRUE(writer->failed());
}

TEST(MessageStream, EveryReasonToStopIsNamed) {
    const auto stop_reason = [](std::string_view script) {
        return checked(std::string(script) + "end\n").stop_reason;
    };
    EXPECT_EQ(stop_reason("text \"a\"\nfinish stop \"\"\n"), "end_turn");
    EXPECT_EQ(stop_reason("text \"a\"\n"), "end_turn");
    EXPECT_EQ(stop_reason("finish length \"\"\n"), "max_tokens");
    EXPECT_EQ(stop_reason("tool 0 \"a\" \"f\"\nfinish length \"\"\n"), "max_tokens");
    EXPECT_EQ(stop_reason("tool 0 \"a\" \"f\"\nfinish tool_calls \"\"\n"), "tool_use");
    EXPECT_EQ(stop_reason("tool 0 \"a\" \"f\"\nfinish stop \"\"\n"), "tool_use");
    EXPECT_EQ(stop_reason("tool 0 \"a\" \"f\"\n"), "tool_use");
    EXPECT_EQ(stop_reason("text \"a\"\nfinish tool_calls \"\"\n"), "end_turn");
    EXPECT_EQ(stop_reason("finish content_filter \"\"\n"), "refusal");
    EXPECT_EQ(stop_reason("finish other \"\"\n"), "end_turn");
    EXPECT_EQ(stop_reason("finish context_window \"\"\n"), "model_context_window_exceeded");
    EXPECT_EQ(stop_reason("finish pause \"\"\n"), "pause_turn");
    const CheckedStream stream = checked("text \"a\"\nfinish stop_sequence \"END\"\nend\n");
    EXPECT_EQ(stream.stop_reason, "stop_sequence");
    EXPECT_EQ(stream.stop_sequence, "END");
}

TEST(MessageStream, ARefusalInWordsIsTextAndItsReason) {
    const std::string out =
        written(read_script("refusal \"I \"\nrefusal \"won't\"\nfinish stop \"\"\nend\n"));
    const CheckedStream stream = check_stream(out);

    EXPECT_EQ(stream.fault, "");
    EXPECT_EQ(shape(stream), "text(I won't)");
    EXPECT_EQ(stream.stop_reason, "refusal");
    EXPECT_THAT(
        out, HasSubstr(R"("stop_details":{"type":"refusal","category":null,"explanation":null})"));
    EXPECT_THAT(written(read_script("text \"a\"\nend\n")), Not(HasSubstr("stop_details")));
}

TEST(MessageStream, AnEmptyAnswerHasNoBlock) {
    const CheckedStream stream = checked("start \"a\" \"b\"\nfinish stop \"\"\nend\n");

    EXPECT_TRUE(stream.is_whole);
    EXPECT_TRUE(stream.blocks.empty());
    EXPECT_EQ(stream.stop_reason, "end_turn");
}

TEST(MessageStream, UnknownUsageIsTheEstimateAndZeros) {
    EXPECT_EQ(checked("text \"a\"\nend\n").usage,
              R"({"input_tokens":77,"cache_creation_input_tokens":0,)"
              R"("cache_read_input_tokens":0,"output_tokens":0})");
}

TEST(MessageStream, UsageIsNeverNegative) {
    EXPECT_EQ(checked("text \"a\"\nusage 10 cached 8 written 5 output 1 reasoning 0 total 0\nend\n")
                  .usage,
              R"({"input_tokens":0,"cache_creation_input_tokens":5,)"
              R"("cache_read_input_tokens":8,"output_tokens":1})");
}

TEST(MessageStream, AnErrorIsAnEventAndTheEnd) {
    const CheckedStream stream =
        checked("text \"a\"\nerror overloaded \"Overloaded\"\ntext \"b\"\nend\nping\n");

    EXPECT_EQ(stream.error_type, "overloaded_error");
    EXPECT_EQ(stream.error_message, "Overloaded");
    EXPECT_FALSE(stream.is_whole);
    EXPECT_EQ(shape(stream), "text(a)");
}

TEST(MessageStream, CitationsBelongToText) {
    Script script = read_script("text \"a\"\n");
    script.push_back({.kind = chat::Event::Kind::citation,
                      .text = "{\"type\":\"char_location\",\r\n\"cited_text\":\"\\n\"}"});
    script.push_back({.kind = chat::Event::Kind::citation, .text = R"({"type":"url_citation"})"});
    script.push_back({.kind = chat::Event::Kind::citation, .text = "no JSON"});
    script.push_back({.kind = chat::Event::Kind::end});
    const CheckedStream stream = check_stream(written(script));

    EXPECT_EQ(stream.fault, "");
    EXPECT_EQ(stream.blocks.at(0).citations, 1U);
    EXPECT_EQ(checked("thinking \"t\"\ncitation {\"type\":\"char_location\"}\nend\n").blocks.size(),
              1U);
    EXPECT_EQ(shape(checked("citation {\"type\":\"char_location\"}\ntext \"a\"\nend\n")),
              "text(a)");
}

TEST(MessageStream, BlocksOfServerToolsAreWrittenWhole) {
    const CheckedStream stream = checked(
        "native \"server_tool_use\" "
        "{\"type\":\"server_tool_use\",\"id\":\"s\",\"name\":\"n\",\"input\":{\"q\":1}}\n"
        "native \"x\" {\"no\":\"type\"}\nnative \"x\" [1]\nnative \"x\" {\ntext \"a\"\nend\n");

    EXPECT_EQ(shape(stream), "server_tool_use(s n ) text(a)");
    EXPECT_EQ(stream.blocks[0].json,
              R"({"type":"server_tool_use","id":"s","name":"n","input":{"q":1}})");
    EXPECT_EQ(stream.stop_reason, "end_turn");
}

TEST(MessageStream, WhatIsNoUtf8IsReplaced) {
    Script script;
    script.push_back({.kind = chat::Event::Kind::text, .text = "a\xFF"});
    script.push_back({.kind = chat::Event::Kind::end});

    EXPECT_EQ(shape(check_stream(written(script))), "text(a\xEF\xBF\xBD)");
}

TEST(ArgumentsScanTest, KnowsTheEndWhereverTheTextIsCut) {
    const std::string text = R"( {"a":"}\"]\\","b":[{},[]],"c":{"d":1}} )";
    const std::size_t end = text.size() - 1;
    for (std::size_t first = 0; first <= text.size(); ++first) {
        for (std::size_t second = first; second <= text.size(); ++second) {
            ArgumentsScan scan;
            scan.feed(std::string_view(text).substr(0, first));
            EXPECT_EQ(scan.is_whole(), first >= end);
            scan.feed(std::string_view(text).substr(first, second - first));
            EXPECT_EQ(scan.is_whole(), second >= end);
        }
    }
}

TEST(ArgumentsScanTest, WhatBeginsOtherwiseIsNeverWhole) {
    for (const std::string_view text : {"", " ", "x{}", "\"a\"", "12", "}"}) {
        ArgumentsScan scan;
        scan.feed(text);
        EXPECT_FALSE(scan.is_whole()) << text;
    }
}

std::string read_text(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

fs::path golden_folder() {
    const char* const source = std::getenv("SLUICE_SOURCE_DIR");
    const fs::path root =
        source != nullptr ? fs::path(source) : fs::path(__FILE__).parent_path() / "../../..";
    return root / "tests/golden";
}

/// All folders below `folder` that have events.
std::vector<std::string> golden_cases(const char* folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(golden_folder() / folder)) {
        if (entry.path().filename() != "events.txt") continue;
        names.push_back(fs::relative(entry.path().parent_path(), golden_folder()).string());
    }
    std::ranges::sort(names);
    return names;
}

std::string test_name(const testing::TestParamInfo<std::string>& golden) {
    std::string name = golden.param;
    std::ranges::replace_if(name, [](char c) { return c == '/'; }, '_');
    return name;
}

class GoldenClient : public testing::TestWithParam<std::string> {};

TEST_P(GoldenClient, IsSentTheseBytes) {
    const fs::path folder = golden_folder() / GetParam();
    const Script script = read_script(read_text(folder / "events.txt"));
    const std::string out = written(script);

    EXPECT_EQ(out, read_text(folder / "client.sse"));
    EXPECT_EQ(check_stream(out).fault, "");

    chat::Fold fold(1UL * 1024 * 1024);
    give(script, fold);
    EXPECT_EQ(write_reply(fold.reply(), identity()) + "\n", read_text(folder / "client.json"));
}

INSTANTIATE_TEST_SUITE_P(AnthropicMessages, GoldenClient,
                         testing::ValuesIn(golden_cases("anthropic_client")), test_name);

/// The events of every golden folder, whichever dialect they were read from.
class AnyEvents : public testing::TestWithParam<std::string> {};

TEST_P(AnyEvents, AreByTheGrammarHoweverTheyAreCut) {
    const Script script = read_script(read_text(golden_folder() / GetParam() / "events.txt"));
    ASSERT_FALSE(script.empty());
    const CheckedStream whole = check_stream(written(script));
    ASSERT_EQ(whole.fault, "");
    std::mt19937 random(7);
    for (int i = 0; i < 20; ++i) {
        const CheckedStream stream = check_stream(written(cut(script, random)));

        ASSERT_EQ(stream.fault, "");
        ASSERT_EQ(shape(stream), shape(whole));
        ASSERT_EQ(stream.stop_reason, whole.stop_reason);
        ASSERT_EQ(stream.usage, whole.usage);
        ASSERT_EQ(stream.error_type, whole.error_type);
    }
}

INSTANTIATE_TEST_SUITE_P(Golden, AnyEvents, testing::ValuesIn(golden_cases("")), test_name);

}  // namespace
}  // namespace sluice::dialect::anthropic_messages
