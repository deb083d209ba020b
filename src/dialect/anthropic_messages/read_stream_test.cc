#include "dialect/anthropic_messages/read_stream.h"

#include "chat/reply.h"
#include "json/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace sluice::dialect::anthropic_messages {
namespace {

namespace fs = std::filesystem;
using namespace std::string_view_literals;
using chat::Event;

std::string json_text(std::string_view text) {
    std::string out;
    json::append_string(out, text);
    return out;
}

std::string describe(const chat::Usage& usage) {
    return std::to_string(usage.input) + " cached " + std::to_string(usage.cached_input) +
           " written " + std::to_string(usage.cache_write) + " output " +
           std::to_string(usage.output) + " reasoning " + std::to_string(usage.reasoning) +
           " total " + std::to_string(usage.total);
}

/// Each event as a line.
class Recorder final : public chat::EventSink {
public:
    void on_event(const Event& event) override { text_ += describe(event) + "\n"; }
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    static std::string describe(const Event& event) {
        const std::string tool = std::to_string(event.tool) + " ";
        switch (event.kind) {
            case Event::Kind::start:
                return "start " + json_text(event.id) + " " + json_text(event.name);
            case Event::Kind::text: return "text " + json_text(event.text);
            case Event::Kind::thinking: return "thinking " + json_text(event.text);
            case Event::Kind::signature: return "signature " + json_text(event.text);
            case Event::Kind::redacted_thinking: return "redacted " + json_text(event.text);
            case Event::Kind::refusal: return "refusal " + json_text(event.text);
            case Event::Kind::tool_start:
                return "tool " + tool + json_text(event.id) + " " + json_text(event.name);
            case Event::Kind::tool_arguments: return "arguments " + tool + json_text(event.text);
            case Event::Kind::block_end: return "block_end";
            case Event::Kind::citation: return "citation " + std::string(event.text);
            case Event::Kind::native:
                return "native " + json_text(event.name) + " " + std::string(event.text);
            case Event::Kind::usage: return "usage " + anthropic_messages::describe(event.usage);
            case Event::Kind::finish:
                return "finish " + std::string(chat::to_string(event.finish)) + " " +
                       json_text(event.text);
            case Event::Kind::ping: return "ping";
            case Event::Kind::error:
                return "error " + std::string(sluice::to_string(event.error->code)) + " " +
                       json_text(event.error->message);
            case Event::Kind::end: return "end";
        }
        return {};
    }

    std::string text_;
};

/// What a reader makes of bytes in pieces, each of which dies after its call.
struct Reading {
    explicit Reading(std::size_t max_event_bytes = 4UL * 1024 * 1024)
        : reader(make_stream_reader(max_event_bytes)) {}

    void feed(std::string_view bytes) {
        const std::vector<char> piece(bytes.begin(), bytes.end());
        auto ok = reader->feed({piece.data(), piece.size()}, events);
        if (!ok && !error) error = std::move(ok.error());
    }
    Result<void> end() { return reader->end(events); }

    std::unique_ptr<StreamReader> reader;
    Recorder events;
    std::optional<Error> error;
};

std::string event(std::string_view json) {
    const std::string_view type = json.substr(9, json.find('"', 9) - 9);
    return "event: " + std::string(type) + "\ndata: " + std::string(json) + "\n\n";
}

const std::string start_event =
    event(R"({"type":"message_start","message":{"id":"i","model":"m"}})");
const std::string text_event =
    event(R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}})");
const std::string finish_event =
    event(R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{}})");
const std::string stop_event = event(R"({"type":"message_stop"})");

std::string read_text(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

fs::path golden_folder() {
    const char* const source = std::getenv("SLUICE_SOURCE_DIR");
    const fs::path root =
        source != nullptr ? fs::path(source) : fs::path(__FILE__).parent_path() / "../../..";
    return root / "tests/golden/anthropic_messages";
}

std::vector<std::string> golden_streams() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(golden_folder())) {
        if (fs::exists(entry.path() / "upstream.sse")) {
            names.push_back(entry.path().filename().string());
        }
    }
    std::ranges::sort(names);
    return names;
}

class GoldenMessages : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        upstream_ = read_text(golden_folder() / GetParam() / "upstream.sse");
        events_ = read_text(golden_folder() / GetParam() / "events.txt");
        ASSERT_FALSE(upstream_.empty());
    }

    std::string upstream_;
    std::string events_;
};

TEST_P(GoldenMessages, CutInTwoAnywhereTheEventsAreTheSame) {
    for (std::size_t cut = 0; cut <= upstream_.size(); ++cut) {
        Reading reading;
        reading.feed(std::string_view(upstream_).substr(0, cut));
        reading.feed(std::string_view(upstream_).substr(cut));

        ASSERT_FALSE(reading.error) << reading.error->message;
        ASSERT_TRUE(reading.end());
        ASSERT_EQ(reading.events.text(), events_) << "cut at byte " << cut;
    }
}

TEST_P(GoldenMessages, InPiecesOfEverySizeUpTo64TheEventsAreTheSame) {
    for (std::size_t size = 1; size <= 64; ++size) {
        Reading reading;
        for (std::size_t at = 0; at < upstream_.size(); at += size) {
            reading.feed(std::string_view(upstream_).substr(at, size));
        }
        ASSERT_TRUE(reading.end());
        ASSERT_EQ(reading.events.text(), events_) << "pieces of " << size;
    }
}

TEST_P(GoldenMessages, CutShortItIsTruncatedUnlessTheStopReasonIsThere) {
    for (std::size_t length = 0; length < upstream_.size(); ++length) {
        Reading reading;
        reading.feed(std::string_view(upstream_).substr(0, length));

        const auto end = reading.end();

        const std::string& text = reading.events.text();
        const bool is_finished = text.find("finish ") != std::string::npos;
        ASSERT_EQ(end.has_value(), is_finished) << length;
        ASSERT_EQ(text.ends_with("\nend\n"), is_finished) << length;
        if (!end) {
            ASSERT_EQ(end.error().code, Errc::upstream_truncated);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(AnthropicMessages, GoldenMessages, testing::ValuesIn(golden_streams()),
                         [](const auto& test) { return test.param; });

std::string events_of(std::string_view stream) {
    Reading reading;
    reading.feed(stream);
    std::ignore = reading.end();
    return reading.events.text();
}

TEST(MessagesReader, AnErrorEventKeepsTheUpstreamsWordsAndTellsAnOverload) {
    const auto error_of = [](std::string_view data) {
        return events_of("event: error\ndata: " + std::string(data) + "\n\n");
    };
    EXPECT_EQ(error_of(R"({"type":"error","error":{"type":"overloaded_error","message":"Busy"}})"),
              "error overloaded \"Busy\"\n");
    EXPECT_EQ(error_of(R"({"type":"error","error":{"type":"rate_limit_error","message":"Slow"}})"),
              "error rate_limited \"Slow\"\n");
    EXPECT_EQ(error_of(R"({"type":"error","error":{"type":"api_error","message":"Oops"}})"),
              "error upstream_status \"Oops\"\n");
    EXPECT_EQ(error_of(R"({"error":{"message":"Oops","code":1}})"),
              "error upstream_status \"Oops\"\n");
    EXPECT_EQ(error_of("oops"), "error upstream_status \"oops\"\n");
}

TEST(MessagesReader, AnErrorIsTheLastEvent) {
    Reading reading;
    const std::string error_event = std::string(R"(data: {"error":{"message":"Oops"}})") + "\n\n";
    reading.feed(start_event + text_event + error_event + text_event);
    reading.feed(text_event);
    const std::string text = reading.events.text();

    EXPECT_TRUE(reading.end());
    EXPECT_EQ(reading.events.text(), text);
    EXPECT_EQ(text, "start \"i\" \"m\"\ntext \"Hi\"\nerror upstream_status \"Oops\"\n");
}

TEST(MessagesReader, NothingFollowsTheEnd) {
    EXPECT_EQ(events_of(start_event + text_event + finish_event + stop_event + text_event +
                        stop_event + "data: junk\n\n"),
              "start \"i\" \"m\"\ntext \"Hi\"\nblock_end\nfinish stop \"\"\nend\n");
}

TEST(MessagesReader, WhatIsNotJsonIsRefused) {
    for (const std::string_view bad :
         {"data: hello\n\n"sv, "data: [1]\n\n"sv, "data: {\"type\":\"ping\"\n\n"sv,
          "data: {\"type\":\"ping\",\"x\":\"\xFF\"}\n\n"sv, "data: <html>\n\n"sv}) {
        Reading reading;
        reading.feed(start_event + std::string(bad));

        ASSERT_TRUE(reading.error) << bad;
        EXPECT_EQ(reading.error->code, Errc::upstream_invalid_response);
    }
}

TEST(MessagesReader, AnEventBeyondTheLimitIsRefused) {
    Reading reading(200);
    reading.feed(R"(data: {"type":"ping","x":")" + std::string(300, 'x'));

    ASSERT_TRUE(reading.error);
    EXPECT_EQ(reading.error->code, Errc::upstream_invalid_response);
}

TEST(MessagesReader, InputOfAServerToolIsHeldBackWithinTheLimitOnly) {
    Reading reading(400);
    reading.feed(event(
        R"({"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use"}})"));
    const std::string delta = event(
        R"({"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":")" +
        std::string(200, 'x') + R"("}})");
    reading.feed(delta);
    reading.feed(delta);
    EXPECT_FALSE(reading.error);

    reading.feed(delta);
    ASSERT_TRUE(reading.error);
    EXPECT_EQ(reading.error->code, Errc::upstream_invalid_response);
}

TEST(MessagesReader, CitationsThatNeverEndAreBounded) {
    Reading reading;
    reading.feed(event(
        R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})"));
    const std::string citation = event(
        R"({"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{}}})");
    for (int i = 0; i < 1024; ++i) reading.feed(citation);
    EXPECT_FALSE(reading.error);

    reading.feed(citation);
    ASSERT_TRUE(reading.error);
    EXPECT_EQ(reading.error->code, Errc::upstream_invalid_response);
}

TEST(MessagesReader, ToolCallsThatNeverEndAreBounded) {
    Reading reading;
    for (int i = 0; i < 200; ++i) {
        reading.feed(event(R"({"type":"content_block_start","index":)" + std::to_string(i) +
                           R"(,"content_block":{"type":"tool_use","name":"f"}})"));
    }
    ASSERT_TRUE(reading.error);
    EXPECT_EQ(reading.error->code, Errc::upstream_invalid_response);
}

TEST(MessagesReader, AStreamOfNothingButItsEndIsRefused) {
    Reading reading;
    reading.feed(stop_event);

    ASSERT_TRUE(reading.error);
    EXPECT_EQ(reading.error->code, Errc::upstream_invalid_response);
}

TEST(MessagesReader, AByteOrderMarkIsPassedOver) {
    EXPECT_EQ(events_of("\xEF\xBB\xBF" + start_event), "start \"i\" \"m\"\n");
}

TEST(MessagesReader, AFirstPingWaitsForNobody) {
    EXPECT_EQ(events_of(event(R"({"type":"ping"})") + start_event + event(R"({"type":"ping"})")),
              "start \"i\" \"m\"\nping\n");
}

std::string events_of_message(std::string_view body) {
    Recorder recorder;
    const auto read = read_events(body, recorder);
    return read ? recorder.text() : std::string(to_string(read.error().code));
}

TEST(ReadEvents, AWholeMessageIsReadIntoTheEventsOfAStream) {
    EXPECT_EQ(events_of_message(R"({
        "usage": {"input_tokens": 10, "cache_read_input_tokens": 90, "output_tokens": 7},
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "sig"},
            {"type": "redacted_thinking", "data": "xyz"},
            {"type": "text", "text": "Hi \ud83d\ude00", "citations": [{"type": "char_location"}]},
            {"type": "text", "text": ""},
            {"type": "web_search_tool_result", "content": []},
            {"type": "tool_use", "id": "t1", "name": "f", "input": {"b": 1.0, "a": 2}},
            {"type": "tool_use", "id": "t2", "name": "g", "input": {}}],
        "stop_reason": "tool_use", "stop_sequence": null,
        "model": "m", "type": "message", "role": "assistant", "id": "msg_1"})"),
              "start \"msg_1\" \"m\"\n"
              "thinking \"hm\"\nsignature \"sig\"\nblock_end\n"
              "redacted \"xyz\"\n"
              "text \"Hi \xF0\x9F\x98\x80\"\ncitation {\"type\": \"char_location\"}\nblock_end\n"
              "native \"web_search_tool_result\" "
              "{\"type\": \"web_search_tool_result\", \"content\": []}\n"
              "tool 0 \"t1\" \"f\"\narguments 0 \"{\\\"b\\\": 1.0, \\\"a\\\": 2}\"\nblock_end\n"
              "tool 1 \"t2\" \"g\"\narguments 1 \"{}\"\nblock_end\n"
              "usage 100 cached 90 written 0 output 7 reasoning 0 total 107\n"
              "finish tool_calls \"\"\nend\n");
}

TEST(ReadEvents, WhatIsNoMessageIsRefused) {
    for (const std::string_view body :
         {""sv, "[]"sv, "hello"sv, "{}"sv, R"({"content":"text"})"sv, R"({"content":[]} x)"sv,
          R"({"type":"error","error":{"type":"api_error","message":"m"},"content":[]})"sv}) {
        EXPECT_EQ(events_of_message(body), "upstream_invalid_response") << body;
    }
}

TEST(ReadEvents, AMessageWithoutAStopReasonGetsTheLikelyOne) {
    EXPECT_EQ(events_of_message(R"({"content":[]})"), "start \"\" \"\"\nfinish stop \"\"\nend\n");
    EXPECT_THAT(events_of_message(R"({"content":[{"type":"tool_use","name":"f"}]})"),
                testing::HasSubstr("finish tool_calls"));
}

TEST(ReadUsage, LaterCountsReplaceEarlierOnesAndTheRestStays) {
    chat::Usage usage;
    read_usage(json::as_value(R"({"input_tokens":43,"cache_creation_input_tokens":10,
        "cache_read_input_tokens":200,"output_tokens":1})"),
               usage);
    EXPECT_EQ(usage, (chat::Usage{.known = true,
                                  .input = 253,
                                  .cached_input = 200,
                                  .output = 1,
                                  .total = 254,
                                  .cache_write = 10}));

    read_usage(json::as_value(R"({"input_tokens":61,"output_tokens":30,
        "cache_read_input_tokens":null,"output_tokens_details":{"thinking_tokens":12}})"),
               usage);
    EXPECT_EQ(usage, (chat::Usage{.known = true,
                                  .input = 271,
                                  .cached_input = 200,
                                  .output = 30,
                                  .reasoning = 12,
                                  .total = 301,
                                  .cache_write = 10}));
}

TEST(ReadUsage, WhatHoldsNoCountsLeavesItUnknown) {
    for (const std::string_view text : {"null"sv, "{}"sv, "[]"sv, R"({"input_tokens":null})"sv}) {
        chat::Usage usage;
        read_usage(json::as_value(text), usage);
        EXPECT_EQ(usage, chat::Usage{}) << text;
    }
}

TEST(ReadStopReason, EveryWordHasItsMeaning) {
    using enum chat::FinishReason;
    const auto read = [](std::string_view text) { return read_stop_reason(json::as_value(text)); };
    EXPECT_EQ(read(R"("end_turn")"), stop);
    EXPECT_EQ(read(R"("stop_sequence")"), stop_sequence);
    EXPECT_EQ(read(R"("max_tokens")"), length);
    EXPECT_EQ(read(R"("model_context_window_exceeded")"), context_window);
    EXPECT_EQ(read(R"("tool_use")"), tool_calls);
    EXPECT_EQ(read(R"("refusal")"), content_filter);
    EXPECT_EQ(read(R"("pause_turn")"), pause);
    EXPECT_EQ(read(R"("compaction")"), other);
    EXPECT_EQ(read("null"), std::nullopt);
    EXPECT_EQ(read(R"("")"), std::nullopt);
    EXPECT_EQ(read("7"), std::nullopt);
}

}  // namespace
}  // namespace sluice::dialect::anthropic_messages
