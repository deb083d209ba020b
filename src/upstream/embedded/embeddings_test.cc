#include "upstream/embedded/embeddings.h"

#include "json/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace sluice::upstream::embedded {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string ask(std::string_view members) {
    Reply reply = respond_with_embeddings(R"({"model":"m",)" + std::string(members) + "}");
    std::string body;
    reply.take(body);
    return std::to_string(reply.status()) + " " + body;
}

/// The `embedding` members of an answer as they stand there.
std::vector<std::string> vectors_of(const std::string& answer) {
    std::vector<std::string> found;
    const auto data = json::find(json::as_value(std::string_view(answer).substr(4)), "data");
    json::Reader reader(data.value());
    while (reader.next()) {
        found.emplace_back(json::find(reader.value(), "embedding").value().raw);
    }
    return found;
}

TEST(EmbeddingsTest, TheSameTextHasTheSameVectorWhereverItStands) {
    const auto alone = vectors_of(ask(R"("input":"two")"));
    const auto listed = vectors_of(ask(R"("input":["one","two"])"));

    ASSERT_EQ(listed.size(), 2U);
    EXPECT_EQ(alone[0], listed[1]);
    EXPECT_NE(listed[0], listed[1]);
}

TEST(EmbeddingsTest, AVectorHasLengthOneAndAsManyNumbersAsAskedFor) {
    for (const std::size_t dimensions : {1UL, 3UL, 64UL, 4096UL}) {
        double squares = 0;
        const auto vector = embedding_of("text", dimensions);
        for (const float number : vector) squares += static_cast<double>(number) * number;
        EXPECT_EQ(vector.size(), dimensions);
        EXPECT_NEAR(squares, 1, 1e-5);
    }
    EXPECT_EQ(std::ranges::count(vectors_of(ask(R"("input":"a")"))[0], ','), 63);
    EXPECT_EQ(std::ranges::count(vectors_of(ask(R"("input":"a","dimensions":7)"))[0], ','), 6);
}

TEST(EmbeddingsTest, Base64HoldsTheSameNumbersAsTheList) {
    const auto vector = embedding_of("text", 1);
    // One number is four bytes, and those are eight characters.
    const auto coded =
        vectors_of(ask(R"("input":"text","dimensions":1,"encoding_format":"base64")"));

    ASSERT_EQ(vector, std::vector<float>{vector[0] < 0 ? -1.0F : 1.0F});
    EXPECT_EQ(coded[0], vector[0] < 0 ? R"("AACAvw==")" : R"("AACAPw==")");
    EXPECT_THAT(vectors_of(ask(R"("input":"text","dimensions":1)")),
                ElementsAre(vector[0] < 0 ? "[-1]" : "[1]"));
}

TEST(EmbeddingsTest, Base64IsAsLongAsItsBytesWant) {
    for (const std::size_t dimensions : {1UL, 2UL, 3UL, 4UL}) {
        const auto coded =
            vectors_of(ask(R"("input":"t","encoding_format":"base64","dimensions":)" +
                           std::to_string(dimensions)));
        EXPECT_EQ(coded[0].size() - 2, (dimensions * 4 + 2) / 3 * 4);
        EXPECT_EQ(std::ranges::count(coded[0], '='), (3 - dimensions * 4 % 3) % 3);
    }
}

TEST(EmbeddingsTest, TokensAreAnInputAsWell) {
    EXPECT_EQ(vectors_of(ask(R"("input":[1,2,3])")).size(), 1U);
    const std::string answer = ask(R"("input":[[1,2,3],[4],"text!"])");
    EXPECT_EQ(vectors_of(answer).size(), 3U);
    EXPECT_THAT(answer, HasSubstr(R"("usage":{"prompt_tokens":6,"total_tokens":6})"));
}

TEST(EmbeddingsTest, ABadRequestIsRefusedByItsField) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {R"("input":[])", "input"},
        {R"("input":"")", "input"},
        {R"("input":{})", "input"},
        {R"("input":[[]])", "input"},
        {R"("input":[1,"a"])", "input"},
        {R"("input":[1.5])", "input"},
        {R"("user":"me")", "input"},
        {R"("input":"a","dimensions":0)", "dimensions"},
        {R"("input":"a","dimensions":4097)", "dimensions"},
        {R"("input":"a","encoding_format":"hex")", "encoding_format"}};
    for (const auto& [members, param] : cases) {
        const std::string answer = ask(members);
        EXPECT_THAT(answer, StartsWith("400 ")) << members;
        EXPECT_THAT(answer, HasSubstr(R"("param":")" + param + '"')) << members;
    }
    EXPECT_THAT(ask(R"("input":"a"]")"), StartsWith("400 "));
}

}  // namespace
}  // namespace sluice::upstream::embedded
