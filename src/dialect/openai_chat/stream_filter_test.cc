#include "dialect/openai_chat/stream_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace sluice::dialect::openai_chat {
namespace {

namespace fs = std::filesystem;
using namespace std::string_view_literals;

StreamFilter::Options dropping(bool drop) {
    StreamFilter::Options options;
    options.drop_usage_chunk = drop;
    return options;
}

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

Passage pass(std::string_view bytes, StreamFilter::Options options = {}) {
    Passage result(std::move(options));
    result.feed(bytes);
    return result;
}

std::string facts_of(const StreamFilter& filter) {
    const chat::Usage& usage = filter.facts().usage;
    std::string text = "chunks=" + std::to_string(filter.facts().chunks) + " finish=";
    text += filter.facts().finish_reason ? chat::to_string(*filter.facts().finish_reason) : "none";
    text += filter.facts().has_tool_calls ? " tools=yes usage=" : " tools=no usage=";
    if (usage.known) {
        text += std::to_string(usage.input) + "/" + std::to_string(usage.cached_input) + "/" +
                std::to_string(usage.output) + "/" + std::to_string(usage.reasoning) + "/" +
                std::to_string(usage.total);
    } else {
        text += "unknown";
    }
    return text + " model=" + filter.facts().model + "\n";
}

std::string read_text(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

fs::path golden_folder() {
    const char* const source = std::getenv("SLUICE_SOURCE_DIR");
    const fs::path root =
        source != nullptr ? fs::path(source) : fs::path(__FILE__).parent_path() / "../../..";
    return root / "tests/golden/openai_chat";
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

class GoldenStream : public testing::TestWithParam<std::string> {
protected:
    [[nodiscard]] std::string file(const char* name) const {
        return read_text(golden_folder() / GetParam() / name);
    }
    [[nodiscard]] std::string expected(bool drop) const {
        const std::string with_usage = file("client_with_usage.sse");
        return drop || with_usage.empty() ? file("client.sse") : with_usage;
    }
};

TEST_P(GoldenStream, CutInTwoAnywhere) {
    const std::string upstream = file("upstream.sse");
    ASSERT_FALSE(upstream.empty());
    for (const bool drop : {true, false}) {
        for (std::size_t cut = 0; cut <= upstream.size(); ++cut) {
            Passage result(dropping(drop));
            result.feed(upstream.substr(0, cut));
            result.feed(upstream.substr(cut));

            ASSERT_EQ(result.sent, expected(drop)) << "cut at byte " << cut;
            ASSERT_FALSE(result.error);
            ASSERT_TRUE(result.end());
            ASSERT_EQ(facts_of(result.filter), file("facts.txt"));
        }
    }
}

TEST_P(GoldenStream, InPiecesOfEverySizeUpTo64) {
    const std::string upstream = file("upstream.sse");
    for (std::size_t size = 1; size <= 64; ++size) {
        Passage result(dropping(true));
        for (std::size_t at = 0; at < upstream.size(); at += size) {
            result.feed(std::string_view(upstream).substr(at, size));
        }
        EXPECT_EQ(result.sent, expected(true)) << "pieces of " << size;
        EXPECT_EQ(facts_of(result.filter), file("facts.txt"));
    }
}

TEST_P(GoldenStream, CutShortItIsTruncated) {
    const std::string upstream = file("upstream.sse");
    const std::size_t done = upstream.find("[DONE]") + 6;
    for (std::size_t length = 0; length < done; ++length) {
        Passage result = pass(std::string_view(upstream).substr(0, length));

        const auto end = result.end();
        ASSERT_FALSE(end) << length;
        ASSERT_EQ(end.error().code, Errc::upstream_truncated);
        ASSERT_EQ(result.sent.find("[DONE]"), std::string::npos);
    }
}

INSTANTIATE_TEST_SUITE_P(OpenAiChat, GoldenStream, testing::ValuesIn(golden_streams()),
                         [](const auto& test) { return test.param; });

constexpr std::string_view kHello =
    "data: {\"id\":\"a\",\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n";
constexpr std::string_view kFinish =
    "data: {\"id\":\"a\",\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";

TEST(StreamFilter, WholeEventsLeaveAsOnePieceOfTheInput) {
    const std::string bytes = std::string(kHello) + ": note\n\n" + std::string(kFinish);
    StreamFilter filter({});
    StreamFilter::Pieces pieces;

    ASSERT_TRUE(filter.feed(bytes, pieces));

    ASSERT_EQ(pieces.size(), 1U);
    EXPECT_EQ(pieces[0].data(), bytes.data());
    EXPECT_EQ(pieces[0], bytes);
}

TEST(StreamFilter, OnlyCompleteEventsLeave) {
    Passage result;

    result.feed(kHello.substr(0, kHello.size() - 1));
    EXPECT_EQ(result.sent, "");
    EXPECT_FALSE(result.filter.facts().has_content);

    result.feed("\ndata: {");
    EXPECT_EQ(result.sent, kHello);
    EXPECT_TRUE(result.filter.facts().has_content);
}

TEST(StreamFilter, CommentsAndBlankLinesAreNoContent) {
    const Passage result = pass(": keep-alive\n\n\n\nevent: ping\n\n");

    EXPECT_EQ(result.sent, ": keep-alive\n\n\n\nevent: ping\n\n");
    EXPECT_FALSE(result.filter.facts().has_content);
}

TEST(StreamFilter, DataThatIsNotAnObjectIsRefusedAndWhatCameBeforeIsSent) {
    for (const std::string_view bad :
         {"data: hello\n\n"sv, "data: {\"a\":1\n\n"sv, "data: [1]\n\n"sv, "data:\n\n"sv,
          "data: {\"a\":\"\xFF\"}\n\n"sv, "data: {\"usage\":{]}\n\n"sv,
          "data: {\"choices\":[{]}\n\n"sv, "data: {\"a\":\"\\x\"}\n\n"sv,
          "data: <html>\ndata: </html>\n\n"sv}) {
        Passage result = pass(std::string(kHello) + std::string(bad));

        EXPECT_EQ(result.sent, kHello) << bad;
        ASSERT_TRUE(result.error) << bad;
        EXPECT_EQ(result.error->code, Errc::upstream_invalid_response);
        EXPECT_FALSE(result.end());
    }
}

TEST(StreamFilter, ADoneWithoutItsBlankLineIsAnEnd) {
    for (const std::string_view done :
         {"data: [DONE]"sv, "data: [DONE]\n"sv, "data:[DONE]\r\n"sv}) {
        Passage result = pass(std::string(kHello) + std::string(done));
        EXPECT_EQ(result.sent, kHello);

        EXPECT_TRUE(result.end());

        EXPECT_TRUE(result.filter.facts().done);
        EXPECT_THAT(result.sent,
                    testing::HasSubstr("\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"));
    }
}

TEST(StreamFilter, AStreamWithoutAChunkIsRefused) {
    const Passage result = pass(": hi\n\ndata: [DONE]\n\n");

    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->code, Errc::upstream_invalid_response);
    EXPECT_EQ(result.sent, ": hi\n\n");
}

TEST(StreamFilter, AnEventBeyondTheLimitIsRefused) {
    StreamFilter::Options options;
    options.max_event_bytes = 200;
    Passage result(options);
    result.feed(kHello);
    for (int i = 0; i < 300; ++i) result.feed("x");

    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->code, Errc::upstream_invalid_response);
    EXPECT_EQ(result.sent, kHello);
}

TEST(StreamFilter, AnErrorEventPassesAndEndsTheStream) {
    for (
        const std::string_view event :
        {"data: {\"error\":{\"message\":\"no\"}}\n\n"sv, "data: {\"error\": \"no\"}\n\n"sv,
         "data: {\"id\":\"a\",\"choices\":[{\"finish_reason\":\"error\"}],\"error\":{\"code\":1}}\n\n"sv,
         "event: error\ndata: no\n\n"sv}) {
        Passage result = pass(std::string(event) + std::string(kHello) + "data: [DONE]\n\n");

        EXPECT_EQ(result.sent, event);
        EXPECT_TRUE(result.filter.facts().has_error);
        EXPECT_FALSE(result.filter.facts().has_content);
        EXPECT_FALSE(result.filter.facts().done);
        const auto end = result.end();
        ASSERT_FALSE(end);
        EXPECT_EQ(end.error().code, Errc::upstream_status);
    }
}

TEST(StreamFilter, ANullErrorOrOneThatIsNotOfTheChunkIsNone) {
    const std::string bytes =
        "data: {\"id\":\"a\",\"error\":null,\"choices\":[{\"delta\":{\"content\":\"error\"}}]}\n\n"
        "data: {\"id\":\"a\",\"error\":\"\"}\n\n"
        "data: {\"id\":\"a\",\"choices\":[{\"delta\":{\"x\":{\"error\":\"y\"}}}]}\n\n";
    const Passage result = pass(bytes);

    EXPECT_EQ(result.sent, bytes);
    EXPECT_FALSE(result.filter.facts().has_error);
    EXPECT_EQ(result.filter.facts().chunks, 3U);
}

TEST(StreamFilter, ASecretInAnErrorEventIsMadeUnreadable) {
    StreamFilter::Options options;
    options.secrets = {"", "sk-1"};

    const Passage result =
        pass("data: {\"error\":{\"message\":\"bad key sk-1, sk-1\"}}\n\n", options);

    EXPECT_EQ(result.sent,
              "data: {\"error\":{\"message\":\"bad key [redacted], [redacted]\"}}\n\n");
}

TEST(StreamFilter, AnEmptyFirstDataLineIsOnlySpace) {
    const std::string bytes = "data:\ndata: {\"id\":\"a\"}\n\n";

    EXPECT_EQ(pass(bytes).sent, bytes);
}

TEST(StreamFilter, UsageOnEveryChunkIsCountedOnce) {
    const Passage result = pass(
        "data: {\"id\":\"a\",\"choices\":[{\"delta\":{}}],\"usage\":{\"prompt_tokens\":3,"
        "\"completion_tokens\":1,\"total_tokens\":4}}\n\n"
        "data: {\"id\":\"a\",\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],"
        "\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2,\"total_tokens\":5}}\n\n",
        dropping(true));

    EXPECT_EQ(result.filter.facts().usage.output, 2U);
    EXPECT_EQ(result.filter.facts().usage.total, 5U);
    EXPECT_EQ(result.filter.facts().chunks, 2U);
    EXPECT_THAT(result.sent, testing::HasSubstr("\"total_tokens\":5"));
}

constexpr std::string_view kRole =
    "data: {\"id\":\"a\",\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
    "\"finish_reason\":null}]}\n\n";
constexpr std::string_view kOutOfResources =
    "data: {\"id\":\"a\",\"choices\":[{\"delta\":{\"content\":\"\"},"
    "\"finish_reason\":\"insufficient_system_resource\"}]}\n\n";

TEST(StreamFilter, AChunkThatOnlyNamesTheRoleIsNoContent) {
    Passage result;
    result.feed(kRole);
    EXPECT_FALSE(result.filter.facts().has_content);
    EXPECT_EQ(result.filter.facts().chunks, 1U);

    result.feed("data: {\"id\":\"a\",\"choices\":[]}\n\n");
    EXPECT_FALSE(result.filter.facts().has_content);

    result.feed(kHello);
    EXPECT_TRUE(result.filter.facts().has_content);
}

TEST(StreamFilter, WhateverIsToBeShownIsContent) {
    for (const std::string_view choice :
         {R"("delta":{"reasoning_content":"a"})"sv, R"("delta":{"refusal":"a"})"sv,
          R"("delta":{"content":"","tool_calls":[{"index":0}]})"sv, R"("delta":{"new":0})"sv,
          R"("delta":{"content":"a"})"sv, R"("text":"a")"sv,
          R"("delta":{},"finish_reason":"stop")"sv}) {
        const std::string chunk =
            R"(data: {"id":"a","choices":[{)" + std::string(choice) + "}]}\n\n";
        EXPECT_TRUE(pass(chunk).filter.facts().has_content) << choice;
    }
}

TEST(StreamFilter, ContentThatIsNotRecognisedIsNotHeldBackForEver) {
    Passage result;
    int chunks = 0;
    while (!result.filter.facts().has_content && chunks < 100) {
        result.feed("data: {\"id\":\"a\",\"answer\":\"x\"}\n\n");
        ++chunks;
    }

    EXPECT_LE(chunks, 20);
    EXPECT_GT(chunks, 10);
}

TEST(StreamFilter, AReplyWithoutContentForWantOfResourcesIsTold) {
    Passage result = pass(std::string(kRole) + std::string(kOutOfResources));
    EXPECT_TRUE(result.filter.facts().out_of_resources);
    EXPECT_FALSE(result.filter.facts().has_content);

    result.feed("data: [DONE]\n\n");
    EXPECT_TRUE(result.filter.facts().done);
    EXPECT_TRUE(result.filter.facts().out_of_resources);
    EXPECT_EQ(result.filter.facts().finish_reason, chat::FinishReason::other);
}

TEST(StreamFilter, AReplyBrokenOffAfterItsContentIsNot) {
    const std::string bytes = std::string(kHello) + std::string(kOutOfResources);
    const Passage result = pass(bytes);

    EXPECT_FALSE(result.filter.facts().out_of_resources);
    EXPECT_EQ(result.sent, bytes);
}

TEST(TextStream, AMissingFinishIsWrittenAsTextCompletionsHaveIt) {
    StreamFilter::Options options;
    options.shape = Shape::text;
    const std::string_view chunk =
        "data: {\"id\":\"cmpl-1\",\"object\":\"text_completion\",\"created\":5,\"model\":\"m\","
        "\"choices\":[{\"text\":\"Hi\",\"index\":0,\"finish_reason\":null}]}\n\n";

    const Passage result = pass(std::string(chunk) + "data: [DONE]\n\n", options);

    EXPECT_EQ(result.sent,
              std::string(chunk) +
                  "data: {\"id\":\"cmpl-1\",\"object\":\"text_completion\",\"created\":5,"
                  "\"model\":\"m\",\"choices\":[{\"index\":0,\"text\":\"\",\"logprobs\":null,"
                  "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
}

TEST(TextStream, TheUsageChunkThatWasNotAskedForIsDropped) {
    StreamFilter::Options options = dropping(true);
    options.shape = Shape::text;
    const std::string_view finish =
        "data: {\"id\":\"c\",\"choices\":[{\"text\":\" you\",\"finish_reason\":\"length\"}]}\n\n";

    const Passage result =
        pass(std::string(finish) +
                 "data: {\"id\":\"c\",\"choices\":[],\"usage\":{\"total_tokens\":3}}\n\ndata: "
                 "[DONE]\n\n",
             options);

    EXPECT_EQ(result.sent, std::string(finish) + "data: [DONE]\n\n");
    EXPECT_EQ(result.filter.facts().usage.total, 3U);
    EXPECT_EQ(result.filter.facts().finish_reason, chat::FinishReason::length);
}

/// Puts "X" in the place of each "Hi" and model "asked" in that of "m".
StreamFilter::Options rewriting() {
    StreamFilter::Options options;
    options.rewrite = [](std::string_view chunk, std::string& out) {
        std::string text(chunk);
        const auto replace = [&](std::string_view from, std::string_view to) {
            const auto at = text.find(from);
            if (at != std::string::npos) text.replace(at, from.size(), to);
            return at != std::string::npos;
        };
        const bool content = replace("\"Hi\"", "\"X\"");
        const bool model = replace(R"("model":"m")", R"("model":"asked")");
        const bool any = content || model;
        if (any) out = std::move(text);
        return any;
    };
    return options;
}

TEST(RewrittenStream, ChunksAreRewrittenAndEverythingElsePassesHoweverItIsCut) {
    const std::string bytes =
        "\xEF\xBB\xBF: Hi \"model\":\"m\"\n\n" + std::string(kHello) + std::string(kRole) +
        "id: 7\r\ndata: {\"choices\":[{\"text\":\r\ndata:\"Hi\"}]}\r\n: \"Hi\"\r\n\r\n" +
        std::string(kHello) + "data: [DONE]\n\n";
    const std::string hello =
        "data: "
        "{\"id\":\"a\",\"model\":\"asked\",\"choices\":[{\"delta\":{\"content\":\"X\"}}]}\n\n";
    const std::string expected =
        "\xEF\xBB\xBF: Hi \"model\":\"m\"\n\n" + hello + std::string(kRole) +
        "id: 7\ndata: {\"choices\":[{\"text\": \"X\"}]}\n: \"Hi\"\n\n" + hello +
        "data: "
        "{\"id\":\"a\",\"object\":\"chat.completion.chunk\",\"created\":0,\"model\":\"asked\","
        "\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
        "data: [DONE]\n\n";

    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        Passage result(rewriting());
        result.feed(std::string_view(bytes).substr(0, cut));
        result.feed(std::string_view(bytes).substr(cut));
        ASSERT_EQ(result.sent, expected) << "cut at byte " << cut;
        ASSERT_TRUE(result.filter.facts().done);
    }
}

TEST(RewrittenStream, ErrorsAndDroppedChunksAreNotShownToTheRewriter) {
    StreamFilter::Options options = dropping(true);
    int seen = 0;
    options.rewrite = [&seen](std::string_view, std::string&) {
        ++seen;
        return false;
    };
    const std::string_view error = "data: {\"error\":{\"message\":\"Hi\"}}\n\n";

    const Passage result =
        pass(std::string(kHello) +
                 "data: {\"id\":\"a\",\"choices\":[],\"usage\":{\"total_tokens\":3}}\n\n" +
                 std::string(error),
             options);

    EXPECT_EQ(seen, 1);
    EXPECT_EQ(result.sent, std::string(kHello) + std::string(error));
}

TEST(RewrittenStream, TheEventsLiveUntilTheNextCall) {
    StreamFilter filter(rewriting());
    StreamFilter::Pieces pieces;
    std::string bytes;
    for (int i = 0; i < 100; ++i) bytes += kHello;

    ASSERT_TRUE(filter.feed(bytes, pieces));

    ASSERT_EQ(pieces.size(), 100U);
    for (const std::string_view piece : pieces) {
        EXPECT_THAT(std::string(piece), testing::HasSubstr("\"X\""));
    }
}

TEST(StreamFilter, TheSameBytesComeOutOfRecordedReplies) {
    const char* const shared = std::getenv("SLUICE_SHARED");
    if (shared == nullptr) GTEST_SKIP() << "SLUICE_SHARED is not set";
    int replies = 0;
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(shared) / "fixtures")) {
        std::ifstream in(entry.path());
        if (!entry.path().filename().string().ends_with(".chunks.txt")) continue;
        std::string stream;
        for (std::string line; std::getline(in, line);) {
            if (!line.empty()) stream += "data: " + line + "\n\n";
        }
        if (stream.find("\"chat.completion.chunk\"") == std::string::npos) continue;
        stream += "data: [DONE]\n\n";
        ++replies;
        for (const std::size_t size : {1UL, 7UL, 64UL, 1000UL, stream.size()}) {
            Passage result;
            for (std::size_t at = 0; at < stream.size(); at += size) {
                result.feed(std::string_view(stream).substr(at, size));
            }
            EXPECT_EQ(result.sent, stream) << entry.path();
            EXPECT_TRUE(result.end()) << entry.path();
            EXPECT_TRUE(result.filter.facts().usage.known) << entry.path();
            EXPECT_TRUE(result.filter.facts().finish_reason) << entry.path();
        }
    }
    EXPECT_GE(replies, 5);
}

}  // namespace
}  // namespace sluice::dialect::openai_chat
