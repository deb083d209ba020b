#include "dialect/openai_embeddings/joiner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace sluice::dialect::openai_embeddings {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct PartReply {
    // NOLINTNEXTLINE(google-explicit-constructor): a body stands for a part of one input
    PartReply(std::string text, std::size_t count = 1) : body(std::move(text)), inputs(count) {}

    std::string body;
    std::size_t inputs;
};

Result<std::string> joined(Format asked, const std::vector<PartReply>& parts) {
    Joiner joiner(asked);
    for (const auto& [body, inputs] : parts) {
        if (auto ok = joiner.add(body, inputs); !ok) return std::unexpected(ok.error());
    }
    return joiner.finish();
}

constexpr std::string_view kNumbers =
    R"({ "object":"list","data":[{"object":"embedding","index":0,"embedding":[1.0, -2.0]}],)"
    R"("model":"m","usage":{"prompt_tokens":2,"total_tokens":3},"x":1} )";
constexpr std::string_view kBase64 =
    R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":"AACAPwAAAMA="}],)"
    R"("model":"m","usage":{"prompt_tokens":4,"total_tokens":4}})";

TEST(Joiner, ASingleReplyInTheFormatAskedForPassesAsItCame) {
    EXPECT_EQ(joined(Format::numbers, {{std::string(kNumbers)}}), kNumbers);
    EXPECT_EQ(joined(Format::base64, {{std::string(kBase64)}}), kBase64);
    const std::string unsorted =
        R"({"data":[{"embedding":[1],"index":1},{"embedding":[2],"index":0}]})";
    EXPECT_EQ(joined(Format::numbers, {{unsorted, 2}}), unsorted);
}

TEST(Joiner, TheOtherFormatIsWrittenInPlace) {
    EXPECT_EQ(joined(Format::base64, {{std::string(kNumbers)}}),
              R"({ "object":"list","data":[{"object":"embedding","index":0,)"
              R"("embedding":"AACAPwAAAMA="}],)"
              R"("model":"m","usage":{"prompt_tokens":2,"total_tokens":3},"x":1} )");
    EXPECT_EQ(joined(Format::numbers, {{std::string(kBase64)}}),
              R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[1,-2]}],)"
              R"("model":"m","usage":{"prompt_tokens":4,"total_tokens":4}})");
}

TEST(Joiner, PartsAreNumberedThroughAndTheirUsageSummed) {
    Joiner joiner(Format::numbers);
    ASSERT_TRUE(joiner.add(std::string(kNumbers), 1));
    ASSERT_TRUE(joiner.add(std::string(kBase64), 1));
    EXPECT_EQ(joiner.model(), "m");
    EXPECT_EQ(joiner.dimensions(), 2U);
    EXPECT_TRUE(joiner.usage().known);
    EXPECT_EQ(joiner.usage().input, 6U);
    EXPECT_EQ(joiner.usage().total, 7U);
    EXPECT_EQ(joiner.finish(),
              R"({ "object":"list","data":[)"
              R"({"object":"embedding","index":0,"embedding":[1.0, -2.0]},)"
              R"({"object":"embedding","index":1,"embedding":[1,-2]}],)"
              R"("model":"m","usage":{"prompt_tokens":6,"total_tokens":7},"x":1} )");
}

TEST(Joiner, EmbeddingsStandInTheOrderOfTheirIndices) {
    EXPECT_EQ(
        joined(Format::numbers,
               {{R"({"data":[{"embedding":[3],"index":2},{"index":0,"embedding":[1],"a":1},)"
                 R"({"b":{"index":7},"embedding":[2],"index": 1 ,"c":2}]})",
                 3},
                {R"({"data":[{"embedding":[5],"index":1},{"embedding":[4],"index":0}]})", 2}}),
        R"({"data":[{"index":0,"embedding":[1],"a":1},)"
        R"({"b":{"index":7},"embedding":[2],"index": 1 ,"c":2},{"embedding":[3],"index":2},)"
        R"({"embedding":[4],"index":3},{"embedding":[5],"index":4}]})");
}

TEST(Joiner, AnIndexThatIsAbsentIsTheElementsPlace) {
    const std::string body = R"({"data":[{"embedding":[1]},{ "embedding":[2]}]})";
    EXPECT_EQ(joined(Format::numbers, {{body, 2}}), body);
    EXPECT_EQ(joined(Format::numbers, {{body, 2}, {body, 2}}),
              R"({"data":[{"index":0,"embedding":[1]},{"index":1, "embedding":[2]},)"
              R"({"index":2,"embedding":[1]},{"index":3, "embedding":[2]}]})");
}

TEST(Joiner, UsageThatOnePartDoesNotTellIsNotKnown) {
    const std::string silent = R"({"data":[{"index":0,"embedding":[1,2]}]})";
    for (const bool silent_first : {false, true}) {
        Joiner joiner(Format::numbers);
        ASSERT_TRUE(joiner.add(silent_first ? silent : std::string(kNumbers), 1));
        EXPECT_EQ(joiner.usage().known, !silent_first);
        ASSERT_TRUE(joiner.add(silent_first ? std::string(kNumbers) : silent, 1));
        EXPECT_FALSE(joiner.usage().known);
        const std::string out = joiner.finish();
        EXPECT_EQ(out.find("\"usage\":null") != std::string::npos, !silent_first) << out;
        EXPECT_THAT(out, testing::Not(HasSubstr("prompt_tokens")));
    }
}

struct Wrong {
    std::string_view body;
    std::size_t inputs;
    std::string_view message;
};

class WrongEmbeddings : public testing::TestWithParam<Wrong> {};

TEST_P(WrongEmbeddings, AreAnInvalidReply) {
    const auto& [body, inputs, message] = GetParam();
    for (const Format asked : {Format::numbers, Format::base64}) {
        const auto out = joined(asked, {{std::string(body), inputs}});
        ASSERT_FALSE(out) << body;
        EXPECT_EQ(out.error().code, Errc::upstream_invalid_response);
        EXPECT_THAT(out.error().message, HasSubstr(message));
    }
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, WrongEmbeddings,
    testing::Values(
        Wrong{"", 1, "wrong"}, Wrong{"<html>", 1, "was expected"}, Wrong{"[]", 1, "no object"},
        Wrong{"{}", 1, "no 'data'"}, Wrong{R"({"data":null})", 1, "no 'data'"},
        Wrong{R"({"error":{"message":"no"}})", 1, "no 'data'"},
        Wrong{R"({"data":[{"embedding":[1]}]}x)", 1, "follow"},
        Wrong{R"({"data":[{"embedding":[1]}],"data":[]})", 1, "'data' is given more than once"},
        Wrong{R"({"object":"error","data":[{"embedding":[1]}]})", 1, "'object' is not"},
        Wrong{R"({"data":[]})", 1, "not 1 embeddings"},
        Wrong{R"({"data":[{"embedding":[1]}]})", 2, "not 2 embeddings"},
        Wrong{R"({"data":[{"embedding":[1]},{"embedding":[1]}]})", 1, "not 1 embeddings"},
        Wrong{R"({"data":[1]})", 1, "no object"}, Wrong{R"({"data":[[]]})", 1, "no object"},
        Wrong{R"({"data":[{"index":0}]})", 1, "no vector"},
        Wrong{R"({"data":[{"embedding":[1],"embedding":[1]}]})", 1, "two vectors"},
        Wrong{R"({"data":[{"embedding":[1],"index":0,"index":0}]})", 1, "two indices"},
        Wrong{R"({"data":[{"embedding":[1],"index":1}]})", 1, "out of range"},
        Wrong{R"({"data":[{"embedding":[1],"index":-1}]})", 1, "out of range"},
        Wrong{R"({"data":[{"embedding":[1],"index":"0"}]})", 1, "out of range"},
        Wrong{R"({"data":[{"embedding":[1],"index":0},{"embedding":[1],"index":0}]})", 2, "twice"},
        Wrong{R"({"data":[{"embedding":[1],"index":1},{"embedding":[1]}]})", 2, "twice"},
        Wrong{R"({"data":[{"embedding":[1]},{"embedding":[1,2]}]})", 2, "differ in length"},
        Wrong{R"({"data":[{"embedding":[]}]})", 1, "neither"},
        Wrong{R"({"data":[{"embedding":null}]})", 1, "neither"},
        Wrong{R"({"data":[{"embedding":["1"]}]})", 1, "neither"},
        Wrong{R"({"data":[{"embedding":"AAAA"}]})", 1, "neither"},
        Wrong{R"({"data":[{"embedding":"@@@@@@@="}]})", 1, "neither"},
        Wrong{"{\"data\":[{\"embedding\":[1],\"x\":\"\xFF\"}]}", 1, "UTF-8"}));

TEST(Joiner, CutAnywhereAReplyIsRefused) {
    for (std::size_t length = 0; length + 1 < kNumbers.size(); ++length) {
        EXPECT_FALSE(joined(Format::numbers, {{std::string(kNumbers.substr(0, length))}}))
            << length;
    }
}

TEST(Joiner, WhatTheFormatAskedForCannotTellIsAnInvalidReply) {
    const std::string infinite = R"({"data":[{"embedding":"AACAfw=="}]})";
    EXPECT_FALSE(joined(Format::numbers, {{infinite}}));
    EXPECT_EQ(joined(Format::base64, {{infinite}}), infinite);
    EXPECT_FALSE(joined(Format::base64, {{R"({"data":[{"embedding":[1e39]}]})"}}));
}

TEST(Joiner, PartsOfDifferentLengthAreAnInvalidReply) {
    const auto out =
        joined(Format::numbers, {{std::string(kNumbers)}, {R"({"data":[{"embedding":[1,2,3]}]})"}});
    ASSERT_FALSE(out);
    EXPECT_THAT(out.error().message, HasSubstr("differ in length"));
}

TEST(Joiner, AReplyBeyondItsBoundIsRefused) {
    const std::string body = R"({"data":[{"embedding":[1]}]})";
    Joiner joiner(Format::numbers, 40);
    EXPECT_TRUE(joiner.add(body, 1));
    EXPECT_FALSE(joiner.add(body, 1));
    EXPECT_FALSE(Joiner(Format::numbers, body.size() - 1).add(body, 1));
}

/// A case has upstream.1.json, upstream.2.json, ... and what clients get for each format; the
/// inputs of the parts stand in parts.txt.
fs::path golden_folder() {
    const char* const root = std::getenv("SLUICE_SOURCE_DIR");
    return fs::path(root == nullptr ? "." : root) / "tests/golden/openai_embeddings";
}

std::vector<std::string> golden_cases() {
    std::vector<std::string> names;
    if (!fs::exists(golden_folder())) return names;
    for (const auto& entry : fs::directory_iterator(golden_folder())) {
        names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
}

std::string read_text(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    EXPECT_TRUE(in) << path;
    return {std::istreambuf_iterator<char>(in), {}};
}

class GoldenEmbeddings : public testing::TestWithParam<std::string> {};

TEST_P(GoldenEmbeddings, ReachTheClientAsRecorded) {
    const fs::path folder = golden_folder() / GetParam();
    std::vector<PartReply> parts;
    std::ifstream inputs(folder / "parts.txt");
    for (std::size_t count = 0; inputs >> count;) {
        const std::string name = "upstream." + std::to_string(parts.size() + 1) + ".json";
        parts.emplace_back(read_text(folder / name), count);
    }
    ASSERT_FALSE(parts.empty());
    EXPECT_EQ(joined(Format::numbers, parts), read_text(folder / "client.float.json"));
    EXPECT_EQ(joined(Format::base64, parts), read_text(folder / "client.base64.json"));
}

INSTANTIATE_TEST_SUITE_P(OpenAiEmbeddings, GoldenEmbeddings, testing::ValuesIn(golden_cases()),
                         [](const auto& golden) { return golden.param; });

}  // namespace
}  // namespace sluice::dialect::openai_embeddings
