#include "dialect/openai_chat/read_stream.h"

#include "json/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <vector>

namespace sluice::dialect::openai_chat {
namespace {

namespace fs = std::filesystem;
using chat::Event;
using testing::EndsWith;
using testing::HasSubstr;

std::string json_text(std::string_view text) {
    std::string out;
    json::append_string(out, text);
    return out;
}

/// Each event as a line.
class Recorder final : public chat::EventSink {
public:
    void on_event(const Event& event) override { text_ += line_of(event) + "\n"; }
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    static std::string line_of(const Event& event) {
        const std::string tool = std::to_string(event.tool) + " ";
        switch (event.kind) {
            case Event::Kind::start:
                return "start " + json_text(event.id) + " " + json_text(event.name);
            case Event::Kind::text: return "text " + json_text(event.text);
            case Event::Kind::thinking: return "thinking " + json_text(event.text);
            case Event::Kind::refusal: return "refusal " + json_text(event.text);
            case Event::Kind::tool_start:
                return "tool " + tool + json_text(event.id) + " " + json_text(event.name);
            case Event::Kind::tool_arguments: return "arguments " + tool + json_text(event.text);
            case Event::Kind::block_end: return "block_end";
            case Event::Kind::usage: {
                const chat::Usage& usage = event.usage;
                return "usage " + std::to_string(usage.input) + " cached " +
                       std::to_string(usage.cached_input) + " written " +
                       std::to_string(usage.cache_write) + " output " +
                       std::to_string(usage.output) + " reasoning " +
                       std::to_string(usage.reasoning) + " total " + std::to_string(usage.total);
            }
            case Event::Kind::finish: return "finish " + std::string(chat::to_string(event.finish));
            case Event::Kind::ping: return "ping";
            case Event::Kind::error:
                return "error " + std::string(sluice::to_string(event.error->code)) + " " +
                       json_text(event.error->message);
            case Event::Kind::end: return "end";
            case Event::Kind::signature:
            case Event::Kind::redacted_thinking:
            case Event::Kind::citation:
            case Event::Kind::native: break;
        }
        return "unexpected";
    }

    std::string text_;
};

/// The events of a stream in pieces of one size, and how it ended.
struct Reading {
    explicit Reading(std::string_view bytes, std::size_t size = 1UL << 20U,
                     Shape shape = Shape::chat, std::size_t max_event_bytes = 1024UL * 1024) {
        const auto reader = make_stream_reader(shape, max_event_bytes);
        while (ok && !bytes.empty()) {
            // A copy that dies after the call, so that a sanitizer sees a view kept too long.
            const std::vector<char> piece(bytes.begin(),
                                          bytes.begin() + std::min(size, bytes.size()));
            ok = reader->feed({piece.data(), piece.size()}, recorder);
            bytes.remove_prefix(piece.size());
        }
        if (ok) ok = reader->end(recorder);
    }

    [[nodiscard]] const std::string& events() const { return recorder.text(); }

    Recorder recorder;
    Result<void> ok;
};

std::string chunk(std::string_view json) {
    return "data: " + std::string(json) + "\n\n";
}

/// A chunk of a stream whose first choice has this delta.
std::string delta(std::string_view members) {
    return chunk(R"({"id":"c","model":"m","choices":[{"index":0,"delta":{)" + std::string(members) +
                 "}}]}");
}

std::string calls(std::string_view fragments) {
    return delta(R"("tool_calls":[)" + std::string(fragments) + "]");
}

std::string finish(std::string_view reason) {
    return chunk(R"({"choices":[{"index":0,"delta":{},"finish_reason":")" + std::string(reason) +
                 "\"}]}");
}

const std::string done_mark = "data: [DONE]\n\n";
const std::string start_line = "start \"c\" \"m\"\n";

/// What a stream of these chunks, with its usual end, comes to between its start and its finish.
std::string body_of(const std::string& chunks) {
    const Reading reading(chunks + finish("stop") + done_mark);
    EXPECT_TRUE(reading.ok) << reading.ok.error().message;
    std::string text = reading.events();
    EXPECT_TRUE(text.starts_with(start_line)) << text;
    text.erase(0, start_line.size());
    const std::size_t end = text.rfind("finish ");
    EXPECT_NE(end, std::string::npos) << text;
    return text.substr(0, end);
}

TEST(ReadChunks, TextComesPieceByPiece) {
    const Reading reading(delta(R"("role":"assistant","content":"")") + delta(R"("content":"Hi")") +
                          delta(R"("content":" \u00fc\n")") + finish("stop") + done_mark);

    EXPECT_TRUE(reading.ok);
    EXPECT_EQ(reading.events(),
              start_line + "text \"Hi\"\ntext \" ü\\n\"\nblock_end\nfinish stop\nend\n");
}

TEST(ReadChunks, ReasoningIsReadUnderEitherNameButNeverTwice) {
    EXPECT_EQ(
        body_of(delta(R"("reasoning":"A","reasoning_content":"A")") +
                delta(R"("reasoning_content":null,"reasoning":"B")") +
                delta(R"("reasoning_content":"","reasoning":"C","content":null)") +
                delta(R"("reasoning_content":null,"content":"Hi")")),
        "thinking \"A\"\nthinking \"B\"\nthinking \"C\"\nblock_end\ntext \"Hi\"\nblock_end\n");
}

TEST(ReadChunks, AContentOfPartsIsReadPartByPart) {
    EXPECT_EQ(
        body_of(delta(R"("content":[{"type":"thinking","thinking":[{"type":"text","text":"T"}]},)"
                      R"({"type":"text","text":"a"},{"type":"text","text":"b"}])")),
        "thinking \"T\"\nblock_end\ntext \"a\"\ntext \"b\"\nblock_end\n");
}

TEST(ReadChunks, APairCutBetweenChunksIsJoined) {
    EXPECT_EQ(body_of(delta(R"("content":"a\ud83d")") + delta(R"("content":"\ude00b")")),
              "text \"a\"\ntext \"😀b\"\nblock_end\n");
    EXPECT_EQ(body_of(delta(R"("content":"a\ud83d")")), "text \"a\"\ntext \"\uFFFD\"\nblock_end\n");
}

TEST(ReadChunks, ARefusalIsTold) {
    EXPECT_EQ(body_of(delta(R"("refusal":"No")") + delta(R"("refusal":".")")),
              "refusal \"No\"\nrefusal \".\"\nblock_end\n");
}

TEST(ReadChunks, OnlyTheFirstChoiceIsRead) {
    EXPECT_EQ(
        body_of(chunk(R"({"id":"c","model":"m","choices":[{"delta":{"content":"no"},"index":1},)"
                      R"({"delta":{"content":"yes"},"index":0}]})") +
                chunk(R"({"choices":[{"index":1,"delta":{"content":"no"}}]})")),
        "text \"yes\"\nblock_end\n");
}

TEST(ReadChunks, ToolCallsAreToldApartByIndex) {
    EXPECT_EQ(
        body_of(
            calls(
                R"({"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}})") +
            calls(R"({"index":0,"function":{"arguments":"{\"x\""}})") +
            calls(R"({"function":{"arguments":":1}"},"index":0})") +
            calls(
                R"({"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{}"}})")),
        "tool 0 \"a\" \"f\"\narguments 0 \"{\\\"x\\\"\"\narguments 0 \":1}\"\nblock_end\n"
        "tool 1 \"b\" \"g\"\narguments 1 \"{}\"\nblock_end\n");
}

TEST(ReadChunks, InterleavedCallsKeepTheirArguments) {
    EXPECT_EQ(body_of(calls(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{"}},)"
                            R"({"index":1,"id":"b","function":{"name":"g","arguments":"{"}})") +
                      calls(R"({"index":0,"function":{"arguments":"}"}})") +
                      calls(R"({"index":1,"function":{"arguments":"}"}})")),
              "tool 0 \"a\" \"f\"\narguments 0 \"{\"\ntool 1 \"b\" \"g\"\narguments 1 \"{\"\n"
              "arguments 0 \"}\"\narguments 1 \"}\"\nblock_end\n");
}

TEST(ReadChunks, WithoutAnIndexTheIdTellsAndWithoutAnIdTheOrder) {
    EXPECT_EQ(body_of(calls(R"({"id":"a","function":{"name":"f","arguments":"{"}})") +
                      calls(R"({"id":"b","function":{"name":"f","arguments":"{}"}})") +
                      calls(R"({"id":"a","function":{"arguments":"}"}})")),
              "tool 0 \"a\" \"f\"\narguments 0 \"{\"\ntool 1 \"b\" \"f\"\narguments 1 \"{}\"\n"
              "arguments 0 \"}\"\nblock_end\n");
    EXPECT_EQ(body_of(calls(R"({"function":{"name":"f","arguments":"{}"}},)"
                            R"({"function":{"name":"f","arguments":"{}"}})")),
              "tool 0 \"\" \"f\"\narguments 0 \"{}\"\nblock_end\ntool 1 \"\" \"f\"\n"
              "arguments 1 \"{}\"\nblock_end\n");
    EXPECT_EQ(body_of(calls(R"({"function":{"name":"f","arguments":"{"}})") +
                      calls(R"({"function":{"arguments":"}"}})") +
                      calls(R"({"function":{"name":"f","arguments":"{}"}})")),
              "tool 0 \"\" \"f\"\narguments 0 \"{\"\narguments 0 \"}\"\nblock_end\n"
              "tool 1 \"\" \"f\"\narguments 1 \"{}\"\nblock_end\n");
}

TEST(ReadChunks, CallsThatShareAnIndexAreToldApartByTheirIds) {
    EXPECT_EQ(
        body_of(calls(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{}"}})") +
                calls(R"({"index":0,"id":"b","function":{"name":"f","arguments":"{\"y\":2}"}})")),
        "tool 0 \"a\" \"f\"\narguments 0 \"{}\"\nblock_end\n"
        "tool 1 \"b\" \"f\"\narguments 1 \"{\\\"y\\\":2}\"\nblock_end\n");
}

TEST(ReadChunks, NamesAndIdsMayComeLateOrAgain) {
    EXPECT_EQ(body_of(calls(R"({"index":0,"function":{"arguments":"{"}})") +
                      calls(R"({"index":0,"id":"a","function":{"arguments":"\"x\":"}})") +
                      calls(R"({"index":0,"function":{"name":"f","arguments":"1"}})") +
                      calls(R"({"index":0,"id":"a","function":{"name":"f","arguments":"}"}})")),
              "tool 0 \"a\" \"f\"\narguments 0 \"{\\\"x\\\":\"\narguments 0 \"1\"\n"
              "arguments 0 \"}\"\nblock_end\n");
    EXPECT_EQ(body_of(calls(R"({"index":0,"function":{"name":"f","arguments":""}})") +
                      calls(R"({"index":0,"id":"late","function":{"arguments":"{}"}})")),
              "tool 0 \"late\" \"f\"\narguments 0 \"{}\"\nblock_end\n");
}

TEST(ReadChunks, ACallWithoutArgumentsIsACall) {
    EXPECT_EQ(body_of(calls(R"({"index":0,"function":{"name":"f"}})")),
              "tool 0 \"\" \"f\"\nblock_end\n");
}

TEST(ReadChunks, ArgumentsMayBeAnObject) {
    EXPECT_EQ(
        body_of(calls(R"({"index":0,"id":"a","function":{"name":"f","arguments":{"x": 1.0}}})")),
        "tool 0 \"a\" \"f\"\narguments 0 \"{\\\"x\\\": 1.0}\"\nblock_end\n");
}

TEST(ReadChunks, TheLegacyFunctionCallIsACall) {
    EXPECT_EQ(body_of(delta(R"("function_call":{"name":"f","arguments":"{"})") +
                      delta(R"("function_call":{"arguments":"}"})")),
              "tool 0 \"\" \"f\"\narguments 0 \"{\"\narguments 0 \"}\"\nblock_end\n");
}

TEST(ReadChunks, ACustomToolsInputIsItsArguments) {
    EXPECT_EQ(body_of(calls(
                  R"({"index":0,"id":"a","type":"custom","custom":{"name":"f","input":"ls"}})")),
              "tool 0 \"a\" \"f\"\narguments 0 \"ls\"\nblock_end\n");
}

TEST(ReadChunks, ACallWithoutANameIsAFailureUnlessItIsNothing) {
    const Reading reading(delta("") +
                          calls(R"({"index":0,"id":"a","function":{"arguments":"{}"}})") +
                          finish("tool_calls") + done_mark);
    ASSERT_FALSE(reading.ok);
    EXPECT_EQ(reading.ok.error().code, Errc::upstream_invalid_response);
    EXPECT_EQ(
        body_of(delta("") + calls(R"({"index":0,"id":"","function":{"name":"","arguments":""}})")),
        "");
}

TEST(ReadChunks, WhatIsHeldBackIsBounded) {
    const std::string piece =
        calls(R"({"index":0,"function":{"arguments":")" + std::string(600'000, 'x') + R"("}})");
    EXPECT_TRUE(Reading(piece + delta(R"("tool_calls":[{"index":0,"function":{"name":"f"}}])") +
                        finish("stop") + done_mark)
                    .ok);
    EXPECT_EQ(Reading(piece + piece).ok.error().code, Errc::upstream_invalid_response);

    std::string many;
    for (int i = 0; i < 257; ++i) {
        many += calls(R"({"index":)" + std::to_string(i) + R"(,"function":{"name":"f"}})");
    }
    EXPECT_EQ(Reading(many).ok.error().code, Errc::upstream_invalid_response);
}

TEST(ReadChunks, AnEventThatIsTooLongIsAFailure) {
    const std::string text = delta(R"("content":"hello")");
    EXPECT_TRUE(Reading(text + done_mark, 7, Shape::chat, text.size()).ok);
    EXPECT_EQ(Reading(text + done_mark, 7, Shape::chat, text.size() - 1).ok.error().code,
              Errc::upstream_invalid_response);
}

TEST(ReadChunks, UsageIsReadWhereverItSits) {
    const std::string usage =
        R"({"prompt_tokens":9,"completion_tokens":4,"total_tokens":13,)"
        R"("prompt_tokens_details":{"cached_tokens":5,"cache_write_tokens":2},)"
        R"("completion_tokens_details":{"reasoning_tokens":3}})";
    const std::string line = "usage 9 cached 5 written 2 output 4 reasoning 3 total 13\n";
    for (const std::string& last :
         {finish("stop") + chunk(R"({"choices":[],"usage":)" + usage + "}"),
          chunk(R"({"choices":[{"delta":{},"finish_reason":"stop"}],"usage":)" + usage + "}"),
          chunk(R"({"x_groq":{"id":"r","usage":)" + usage +
                R"(},"choices":[{"delta":{},"finish_reason":"stop"}]})")}) {
        const Reading reading(delta(R"("content":"a")") + last + done_mark);
        EXPECT_EQ(reading.events(),
                  start_line + "text \"a\"\n" + line + "block_end\nfinish stop\nend\n");
    }
}

TEST(ReadChunks, AStreamThatEndsAfterItsFinishIsWholeWithoutItsMark) {
    const Reading reading(delta(R"("content":"a")") + finish("length"));
    EXPECT_TRUE(reading.ok);
    EXPECT_THAT(reading.events(), EndsWith("finish length\nend\n"));

    std::string unfinished = delta(R"("content":"a")") + finish("length");
    unfinished.resize(unfinished.size() - 2);  // without its blank line
    EXPECT_THAT(Reading(unfinished).events(), EndsWith("finish length\nend\n"));
}

TEST(ReadChunks, AStreamThatEndsBeforeItsFinishIsTruncated) {
    const Reading reading(delta(R"("content":"a")"));
    ASSERT_FALSE(reading.ok);
    EXPECT_EQ(reading.ok.error().code, Errc::upstream_truncated);
    EXPECT_EQ(reading.events(), start_line + "text \"a\"\n");
    EXPECT_EQ(Reading("").ok.error().code, Errc::upstream_truncated);
    EXPECT_EQ(Reading(delta(R"("content":"a")") + "data: {\"choi").ok.error().code,
              Errc::upstream_truncated);
}

TEST(ReadChunks, AMissingFinishReasonIsMadeUp) {
    const std::string call =
        calls(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{}"}})");
    EXPECT_THAT(Reading(delta(R"("content":"a")") + done_mark).events(),
                EndsWith("block_end\nfinish stop\nend\n"));
    EXPECT_THAT(Reading(call + done_mark).events(),
                EndsWith("block_end\nfinish tool_calls\nend\n"));
    EXPECT_THAT(Reading(call + finish("") + "data:[DONE]\n\n").events(),
                EndsWith("finish tool_calls\nend\n"));
}

TEST(ReadChunks, TheFinishReasonFitsTheToolCalls) {
    const std::string call =
        calls(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{}"}})");
    EXPECT_THAT(Reading(call + finish("stop") + done_mark).events(),
                HasSubstr("finish tool_calls"));
    EXPECT_THAT(Reading(call + finish("length") + done_mark).events(), HasSubstr("finish length"));
    EXPECT_THAT(Reading(delta("") + finish("tool_calls") + done_mark).events(),
                HasSubstr("finish stop"));
    EXPECT_THAT(Reading(delta("") + finish("function_call") + done_mark).events(),
                HasSubstr("finish stop"));
}

TEST(ReadChunks, ContentBehindTheFinishReasonIsNotLost) {
    const Reading reading(finish("stop") + delta(R"("content":"late")") + done_mark);
    EXPECT_THAT(reading.events(), EndsWith("text \"late\"\nblock_end\nfinish stop\nend\n"));
}

TEST(ReadChunks, AnErrorEndsTheReply) {
    const auto error_of = [](std::string_view json) {
        const Reading reading(delta(R"("content":"a")") + chunk(json) + delta(R"("content":"b")") +
                              done_mark);
        EXPECT_TRUE(reading.ok);
        return reading.events().substr((start_line + "text \"a\"\n").size());
    };
    EXPECT_EQ(error_of(R"({"error":{"message":"too many","type":"rate_limit_error","code":null}})"),
              "error rate_limited \"too many\"\n");
    EXPECT_EQ(error_of(R"({"error":{"message":"busy","code":503}})"),
              "error overloaded \"busy\"\n");
    EXPECT_EQ(error_of(R"({"error":{"message":"long","type":"invalid_request_error",)"
                       R"("code":"context_length_exceeded"}})"),
              "error bad_request \"long\"\n");
    EXPECT_EQ(error_of(R"({"error":{"message":"key","type":"invalid_request_error",)"
                       R"("code":"invalid_api_key"}})"),
              "error upstream_status \"key\"\n");
    EXPECT_EQ(error_of(R"({"error":{"message":"x","type":"server_error","code":"500"}})"),
              "error upstream_status \"x\"\n");
    EXPECT_EQ(error_of(R"({"error":"the engine is overloaded"})"),
              "error overloaded \"the engine is overloaded\"\n");
    EXPECT_EQ(error_of(R"({"error":{},"choices":[{"delta":{"content":"c"}}]})"),
              "error upstream_status \"the upstream reported an error\"\n");
    EXPECT_EQ(
        error_of(R"({"choices":[{"delta":{},"finish_reason":"insufficient_system_resource"}]})"),
        "error overloaded \"the upstream ran out of resources\"\n");
}

TEST(ReadChunks, AnEventNamedErrorIsOne) {
    EXPECT_EQ(Reading("event: error\ndata: {\"message\":\"gone\",\"code\":429}\n\n").events(),
              "error rate_limited \"gone\"\n");
    EXPECT_EQ(Reading("event: error\ndata: overloaded\n\n").events(),
              "error upstream_status \"overloaded\"\n");
}

TEST(ReadChunks, NoErrorIsNoError) {
    EXPECT_EQ(body_of(chunk(
                  R"({"id":"c","model":"m","error":null,"choices":[{"delta":{"content":"a"}}]})")),
              "text \"a\"\nblock_end\n");
}

TEST(ReadChunks, CommentsAreSignsOfLife) {
    EXPECT_EQ(Reading(": keep-alive\n\n\n\n" + delta(R"("content":"a")") + ": x\n\n" + done_mark)
                  .events(),
              "ping\n" + start_line + "text \"a\"\nping\nblock_end\nfinish stop\nend\n");
}

TEST(ReadChunks, MarksLineEndsAndMissingSpacesAreAllRight) {
    const std::string expected = start_line + "text \"a\"\nblock_end\nfinish stop\nend\n";
    const std::string json = R"({"id":"c","model":"m","choices":[{"delta":{"content":"a"}}]})";
    EXPECT_EQ(Reading("\xEF\xBB\xBF"
                      "data:" +
                      json + "\r\n\r\ndata:[DONE]\r\n\r\n")
                  .events(),
              expected);
    EXPECT_EQ(Reading("event: message\rid: 1\rdata: " + json + "\r\rdata: [DONE]\r\r").events(),
              expected);
    EXPECT_EQ(
        Reading("data: {\"id\":\"c\",\"model\":\"m\",\ndata: \"choices\":[{\"delta\":{\"content\""
                ":\"a\"}}]}\n\n" +
                done_mark)
            .events(),
        expected);
}

TEST(ReadChunks, WhatIsNoStreamOfThisDialectIsRefused) {
    for (const std::string_view bytes :
         {"data: hello\n\n", "data: {\"choices\":[}\n\n", "data: [1]\n\n", "data: [DONE]\n\n",
          "data: {\"choices\":[{\"delta\":{\"content\":\"\xC3\"}}]}\n\n"}) {
        const Reading reading(bytes);
        ASSERT_FALSE(reading.ok) << bytes;
        EXPECT_EQ(reading.ok.error().code, Errc::upstream_invalid_response) << bytes;
    }
}

TEST(ReadChunks, TheLegacyShapeIsText) {
    const Reading reading(
        chunk(R"({"id":"c","choices":[{"text":"a","index":0,"finish_reason":null}],"model":"m"})") +
            chunk(R"({"id":"c","choices":[{"text":"b","index":0,"finish_reason":"length"}]})") +
            done_mark,
        1UL << 20U, Shape::text);
    EXPECT_EQ(reading.events(),
              start_line + "text \"a\"\ntext \"b\"\nblock_end\nfinish length\nend\n");
}

TEST(ReadCompletion, AWholeReplyGivesTheSameEvents) {
    Recorder recorder;
    const auto ok = read_events(
        R"({"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,)"
        R"("finish_reason":"tool_calls","message":{"role":"assistant","content":"Hi","refusal":null,)"
        R"("reasoning_content":"R","tool_calls":[)"
        R"({"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},)"
        R"({"id":"a","type":"function","function":{"name":"f","arguments":""}}]}}],)"
        R"("usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}})",
        recorder);
    EXPECT_TRUE(ok);
    EXPECT_EQ(recorder.text(),
              start_line +
                  "usage 1 cached 0 written 0 output 2 reasoning 0 total 3\n"
                  "thinking \"R\"\nblock_end\ntext \"Hi\"\nblock_end\ntool 0 \"a\" \"f\"\n"
                  "arguments 0 \"{\\\"x\\\":1}\"\nblock_end\ntool 1 \"a\" \"f\"\nblock_end\n"
                  "finish tool_calls\nend\n");
}

TEST(ReadCompletion, WhatIsNoCompletionIsRefused) {
    for (const std::string_view body :
         {"", "<html>", "[]", "{}", R"({"choices":[]})", R"({"choices":[{})"}) {
        Recorder recorder;
        const auto ok = read_events(body, recorder);
        ASSERT_FALSE(ok) << body;
        EXPECT_EQ(ok.error().code, Errc::upstream_invalid_response);
        EXPECT_EQ(recorder.text(), "");
    }
    Recorder recorder;
    EXPECT_TRUE(
        read_events(R"({"error":{"message":"busy","code":"server_is_overloaded"}})", recorder));
    EXPECT_EQ(recorder.text(), "error overloaded \"busy\"\n");
}

TEST(ReadCompletion, TheLegacyShapeIsText) {
    Recorder recorder;
    EXPECT_TRUE(
        read_events(R"({"id":"c","model":"m","choices":[{"text":"a","finish_reason":"stop"}]})",
                    recorder, Shape::text));
    EXPECT_EQ(recorder.text(), start_line + "text \"a\"\nblock_end\nfinish stop\nend\n");
}

std::string read_text(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// Of two folders: streams that are also passed on as they are, and streams that are only read.
std::vector<fs::path> golden_streams() {
    const char* const source = std::getenv("SLUICE_SOURCE_DIR");
    const fs::path root =
        source != nullptr ? fs::path(source) : fs::path(__FILE__).parent_path() / "../../..";
    std::vector<fs::path> folders;
    for (const char* const name : {"openai_chat", "openai_chat_events"}) {
        for (const auto& entry : fs::directory_iterator(root / "tests/golden" / name)) {
            if (fs::exists(entry.path() / "events.txt")) folders.push_back(entry.path());
        }
    }
    std::ranges::sort(folders);
    return folders;
}

class GoldenChunks : public testing::TestWithParam<fs::path> {};

TEST_P(GoldenChunks, InPiecesOfEverySizeUpTo64AndCutInTwoAnywhere) {
    const std::string upstream = read_text(GetParam() / "upstream.sse");
    const std::string expected = read_text(GetParam() / "events.txt");
    ASSERT_FALSE(upstream.empty());
    for (std::size_t size = 1; size <= 64; ++size) {
        const Reading reading(upstream, size);
        EXPECT_TRUE(reading.ok);
        ASSERT_EQ(reading.events(), expected) << "pieces of " << size;
    }
    for (std::size_t cut = 0; cut <= upstream.size(); ++cut) {
        const auto reader = make_stream_reader();
        Recorder recorder;
        ASSERT_TRUE(reader->feed(std::string(upstream.substr(0, cut)), recorder));
        ASSERT_TRUE(reader->feed(std::string(upstream.substr(cut)), recorder));
        ASSERT_TRUE(reader->end(recorder));
        ASSERT_EQ(recorder.text(), expected) << "cut at byte " << cut;
    }
}

INSTANTIATE_TEST_SUITE_P(ChatStreams, GoldenChunks, testing::ValuesIn(golden_streams()),
                         [](const auto& folder) { return folder.param.filename().string(); });

}  // namespace
}  // namespace sluice::dialect::openai_chat
