#include "dialect/anthropic_messages/stream_filter.h"

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
using namespace std::string_view_literals;
using testing::ElementsAre;

/// A filter and all that came out of it.
struct Passage {
    explicit Passage(StreamFilter::Options options = {}) : filter(std::move(options)) {}

    void feed(std::string_view bytes) {
        // A copy that dies after the call, so that a sanitizer sees a view kept too long.
        const std::vector<char> piece(bytes.begin(), bytes.end());
        StreamFilter::Pieces pieces;
        auto ok = filter.feed({piece.data(), piece.size()}, pieces);
        for (const std::string_view out : pieces) sent.append(out);
        if (!ok && !error) error = std::move(ok.error());
    }

    Result<void> end() {
        StreamFilter::Pieces pieces;
        auto ok = filter.end(pieces);
        for (const std::string_view out : pieces) sent.append(out);
        return ok;
    }

    StreamFilter filter;
    std::string sent;
    std::optional<Error> error;
};

std::string facts_of(const StreamFilter& filter) {
    const StreamFacts& facts = filter.facts();
    const chat::Usage& usage = facts.usage;
    std::string text = "chunks=" + std::to_string(facts.chunks) + " finish=";
    text += facts.finish_reason ? chat::to_string(*facts.finish_reason) : "none";
    text += facts.has_tool_calls ? " tools=yes" : " tools=no";
    text += facts.has_content ? " content=yes" : " content=no";
    text += " usage=" + std::to_string(usage.input) + "/" + std::to_string(usage.cached_input) +
            "/" + std::to_string(usage.cache_write) + "/" + std::to_string(usage.output) + "/" +
            std::to_string(usage.reasoning) + "/" + std::to_string(usage.total);
    return text + " model=" + facts.model + (facts.done ? " done\n" : "\n");
}

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

class GoldenPassage : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        upstream_ = file("upstream.sse");
        client_ = fs::exists(golden_folder() / GetParam() / "client.sse") ? file("client.sse")
                                                                          : upstream_;
        facts_ = file("facts.txt");
        ASSERT_FALSE(upstream_.empty());
    }
    [[nodiscard]] std::string file(const char* name) const {
        return read_text(golden_folder() / GetParam() / name);
    }

    std::string upstream_;
    std::string client_;  // the same bytes unless the folder says otherwise
    std::string facts_;
};

TEST_P(GoldenPassage, CutInTwoAnywhere) {
    for (std::size_t cut = 0; cut <= upstream_.size(); ++cut) {
        Passage passage;
        passage.feed(std::string_view(upstream_).substr(0, cut));
        passage.feed(std::string_view(upstream_).substr(cut));

        ASSERT_FALSE(passage.error);
        ASSERT_TRUE(passage.end());
        ASSERT_EQ(passage.sent, client_) << "cut at byte " << cut;
        ASSERT_EQ(facts_of(passage.filter), facts_);
    }
}

TEST_P(GoldenPassage, InPiecesOfEverySizeUpTo64) {
    for (std::size_t size = 1; size <= 64; ++size) {
        Passage passage;
        for (std::size_t at = 0; at < upstream_.size(); at += size) {
            passage.feed(std::string_view(upstream_).substr(at, size));
        }
        ASSERT_TRUE(passage.end());
        ASSERT_EQ(passage.sent, client_) << "pieces of " << size;
        ASSERT_EQ(facts_of(passage.filter), facts_);
    }
}

TEST_P(GoldenPassage, CutShortItIsTruncatedUnlessTheStopReasonIsThere) {
    for (std::size_t length = 0; length < upstream_.size(); ++length) {
        Passage passage;
        passage.feed(std::string_view(upstream_).substr(0, length));

        const auto end = passage.end();

        const bool is_finished = passage.filter.facts().finish_reason.has_value();
        ASSERT_EQ(end.has_value(), is_finished) << length;
        ASSERT_EQ(passage.filter.facts().done, is_finished);
        ASSERT_EQ(passage.sent.find("message_stop") != std::string::npos, is_finished);
        if (!end) {
            ASSERT_EQ(end.error().code, Errc::upstream_truncated);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(AnthropicMessages, GoldenPassage, testing::ValuesIn(golden_streams()),
                         [](const auto& test) { return test.param; });

std::string event(std::string_view json) {
    const std::string_view type = json.substr(9, json.find('"', 9) - 9);
    return "event: " + std::string(type) + "\ndata: " + std::string(json) + "\n\n";
}

const std::string start_event = event(
    R"({"type":"message_start","message":{"model":"m","usage":{"input_tokens":3,"output_tokens":1}}})");
const std::string open_event =
    event(R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})");
const std::string ping_event = event(R"({"type":"ping"})");
const std::string text_event =
    event(R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}})");
const std::string overload_event =
    event(R"({"type":"error","error":{"type":"overloaded_error","message":"Busy, sk-123"}})");

TEST(MessagesFilter, WholeEventsLeaveAsOnePieceOfTheInput) {
    const std::string bytes = start_event + ": note\n\n" + open_event + ping_event + text_event;
    StreamFilter filter({});
    StreamFilter::Pieces pieces;

    ASSERT_TRUE(filter.feed(bytes, pieces));

    ASSERT_EQ(pieces.size(), 1U);
    EXPECT_EQ(pieces[0].data(), bytes.data());
    EXPECT_EQ(pieces[0], bytes);
}

TEST(MessagesFilter, ContentIsWhatThereIsToShow) {
    Passage passage;
    passage.feed(start_event + ping_event + open_event);
    EXPECT_FALSE(passage.filter.facts().has_content);

    passage.feed(text_event);
    EXPECT_TRUE(passage.filter.facts().has_content);
    EXPECT_FALSE(passage.filter.facts().has_tool_calls);

    for (const std::string_view block :
         {R"({"type":"tool_use","id":"t","name":"f","input":{}})"sv,
          R"({"type":"server_tool_use","id":"t","name":"web_search","input":{}})"sv,
          R"({"type":"redacted_thinking","data":"x"})"sv, R"({"type":"text","text":"x"})"sv}) {
        Passage other;
        other.feed(start_event +
                   event(R"({"type":"content_block_start","index":0,"content_block":)" +
                         std::string(block) + "}"));
        EXPECT_TRUE(other.filter.facts().has_content) << block;
    }
}

TEST(MessagesFilter, AnOverloadBeforeContentIsTold) {
    StreamFilter filter({.secrets = {"sk-123"}});
    StreamFilter::Pieces pieces;

    ASSERT_TRUE(filter.feed(start_event + overload_event + text_event, pieces));

    EXPECT_TRUE(filter.facts().has_error);
    EXPECT_TRUE(filter.facts().out_of_resources);
    EXPECT_FALSE(filter.facts().has_content);
    ASSERT_TRUE(filter.error());
    EXPECT_EQ(filter.error()->code, Errc::overloaded);
    EXPECT_EQ(filter.error()->message, "Busy, [redacted]");
    EXPECT_EQ(filter.end(pieces).error().code, Errc::upstream_status);
}

TEST(MessagesFilter, AnErrorIsAPieceOfItsOwnWithoutTheSecrets) {
    const std::string bytes = start_event + text_event + overload_event;
    StreamFilter filter({.secrets = {"sk-123"}});
    StreamFilter::Pieces pieces;

    ASSERT_TRUE(filter.feed(bytes, pieces));

    EXPECT_THAT(
        pieces,
        ElementsAre(
            start_event + text_event,
            event(
                R"({"type":"error","error":{"type":"overloaded_error","message":"Busy, [redacted]"}})")));
    EXPECT_FALSE(filter.facts().out_of_resources);
}

TEST(MessagesFilter, NothingPassesAfterTheEndOrAnError) {
    Passage ended;
    ended.feed(start_event + event(R"({"type":"message_stop"})") + text_event);
    ended.feed("junk\n\n");
    EXPECT_THAT(ended.sent, testing::EndsWith("{\"type\":\"message_stop\"}\n\n"));
    EXPECT_FALSE(ended.error);

    Passage failed;
    failed.feed(start_event + overload_event);
    const std::string sent = failed.sent;
    failed.feed(text_event);
    EXPECT_EQ(failed.sent, sent);
}

TEST(MessagesFilter, DataThatIsNotAnObjectIsRefusedAndWhatCameBeforeIsSent) {
    for (const std::string_view bad :
         {"data: hello\n\n"sv, "event: ping\ndata: {\"type\":\"ping\"\n\n"sv, "data: [1]\n\n"sv,
          "data: {\"type\":\"content_block_delta\",\"x\":\"\xFF\"}\n\n"sv}) {
        Passage passage;
        passage.feed(start_event + text_event + std::string(bad));

        EXPECT_EQ(passage.sent, start_event + text_event) << bad;
        ASSERT_TRUE(passage.error) << bad;
        EXPECT_EQ(passage.error->code, Errc::upstream_invalid_response);
    }
}

TEST(MessagesFilter, AStreamOfNothingButItsEndIsRefused) {
    Passage passage;
    passage.feed(event(R"({"type":"message_stop"})"));

    ASSERT_TRUE(passage.error);
    EXPECT_EQ(passage.sent, "");
}

TEST(MessagesFilter, AnEventBeyondTheLimitIsRefused) {
    Passage passage({.max_event_bytes = 100});
    passage.feed("data: " + std::string(200, 'x'));

    ASSERT_TRUE(passage.error);
    EXPECT_EQ(passage.error->code, Errc::upstream_invalid_response);
}

TEST(MessagesFilter, EventsAreRewrittenAsTheClientIsToSeeThem) {
    Passage passage({.rewrite = [](std::string_view json, std::string& out) {
        if (json.find("message_start") == std::string_view::npos) return false;
        out = "{\"type\":\n\"message_start\"}";
        return true;
    }});
    passage.feed(start_event + ping_event + text_event);

    EXPECT_EQ(passage.sent, "event: message_start\ndata: {\"type\": \"message_start\"}\n\n" +
                                ping_event + text_event);
    EXPECT_EQ(passage.filter.facts().model, "m");
}

TEST(MessagesFilter, AfterManyEventsWithoutContentItIsTakenToBeThere) {
    Passage passage;
    passage.feed(start_event);
    for (int i = 0; i < 20; ++i) passage.feed(open_event);

    EXPECT_TRUE(passage.filter.facts().has_content);
}

TEST(ReadReply, TheFactsOfAWholeMessage) {
    const auto facts = read_reply(R"({"id":"i","model":"m","stop_reason":"max_tokens",
        "content":[],"usage":{"input_tokens":1,"cache_read_input_tokens":5,"output_tokens":2}})");
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->model, "m");
    EXPECT_EQ(facts->finish_reason, chat::FinishReason::length);
    EXPECT_EQ(facts->usage.input, 6U);
    EXPECT_EQ(facts->usage.total, 8U);
    EXPECT_FALSE(facts->is_error);

    EXPECT_TRUE(read_reply(R"({"type":"error","error":{"message":"m"}})")->is_error);
    EXPECT_TRUE(read_reply(R"({"error":{"message":"m"}})")->is_error);
    EXPECT_EQ(read_reply(R"({"content":[}})").error().code, Errc::upstream_invalid_response);
    EXPECT_EQ(read_reply("[]").error().code, Errc::upstream_invalid_response);
}

}  // namespace
}  // namespace sluice::dialect::anthropic_messages
