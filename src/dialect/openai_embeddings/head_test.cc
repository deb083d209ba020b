#include "dialect/openai_embeddings/head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::dialect::openai_embeddings {
namespace {

using testing::HasSubstr;

std::string spliced(const json::Splice& splice) {
    std::string out;
    splice.append_to(out);
    return out;
}

std::string patched(std::string_view body, std::string_view model, bool numbers_only) {
    const auto head = read_head(body);
    EXPECT_TRUE(head) << body;
    json::Splice splice(body);
    patch_request(*head, model, numbers_only, splice);
    return spliced(splice);
}

/// The body of each part.
std::vector<std::string> split(std::string_view body, std::size_t max_inputs) {
    const auto head = read_head(body);
    EXPECT_TRUE(head) << body;
    std::vector<std::string> bodies;
    for (const Part& part : split_inputs(body, *head, max_inputs)) {
        json::Splice splice(body);
        keep_inputs(*head, part, splice);
        bodies.push_back(spliced(splice));
        EXPECT_EQ(read_head(bodies.back())->inputs, part.inputs) << bodies.back();
    }
    return bodies;
}

TEST(EmbeddingsHead, TakesWhatTheGatewayDecidesBy) {
    const std::string_view body =
        R"( { "input" : ["a","b"], "model":"m\/x","encoding_format":"base64","dimensions":256,)"
        R"("us\u0065r":"u"} )";

    const auto head = read_head(body);

    ASSERT_TRUE(head);
    EXPECT_EQ(head->model, "m/x");
    EXPECT_EQ(head->input_kind, InputKind::texts);
    EXPECT_EQ(head->inputs, 2U);
    EXPECT_EQ(head->format, Format::base64);
    EXPECT_EQ(head->dimensions, 256U);
    EXPECT_FALSE(head->has_tokens());
    EXPECT_EQ(head->model_value.in(body), R"("m\/x")");
    EXPECT_EQ(head->input_value.in(body), R"(["a","b"])");
    EXPECT_EQ(head->encoding_format_value.in(body), R"("base64")");
    ASSERT_EQ(head->members.size(), 5U);
    EXPECT_EQ(head->members[0].key.in(body), R"("input")");
    EXPECT_EQ(head->members[0].value.in(body), R"(["a","b"])");
    EXPECT_EQ(head->members[4].key.in(body), R"("us\u0065r")");
    EXPECT_EQ(head->members[4].value.in(body), R"("u")");
}

TEST(EmbeddingsHead, HasDefaultsForWhatIsAbsentOrNull) {
    for (const std::string_view body :
         {R"({"model":"m","input":"a"})",
          R"({"model":"m","input":"a","encoding_format":null,"dimensions":null})"}) {
        const auto head = read_head(body);
        ASSERT_TRUE(head) << body;
        EXPECT_EQ(head->input_kind, InputKind::text);
        EXPECT_EQ(head->inputs, 1U);
        EXPECT_EQ(head->format, Format::numbers);
        EXPECT_FALSE(head->dimensions);
        EXPECT_TRUE(head->encoding_format_value.empty());
    }
}

TEST(EmbeddingsHead, TellsTheKindsOfInputApart) {
    const auto kind_of = [](std::string_view input) {
        const auto head = read_head(R"({"model":"m","input":)" + std::string(input) + "}");
        EXPECT_TRUE(head) << input;
        EXPECT_EQ(head->has_tokens(), head->input_kind == InputKind::tokens ||
                                          head->input_kind == InputKind::token_lists);
        return std::pair(head->input_kind, head->inputs);
    };
    EXPECT_EQ(kind_of(R"("")"), std::pair(InputKind::text, 1UL));
    EXPECT_EQ(kind_of(R"(["[1]"])"), std::pair(InputKind::texts, 1UL));
    EXPECT_EQ(kind_of("[ 1 , 2,3\n]"), std::pair(InputKind::tokens, 1UL));
    EXPECT_EQ(kind_of("[[1,2],[3],[4]]"), std::pair(InputKind::token_lists, 3UL));
}

struct Wrong {
    std::string_view body;
    std::string_view param;
    std::string_view message;
};

class WrongEmbeddingsHead : public testing::TestWithParam<Wrong> {};

TEST_P(WrongEmbeddingsHead, IsRefusedWithTheFieldNamed) {
    const auto head = read_head(GetParam().body);

    ASSERT_FALSE(head) << GetParam().body;
    EXPECT_EQ(head.error().code, Errc::bad_request);
    EXPECT_EQ(head.error().param, GetParam().param);
    EXPECT_THAT(head.error().message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, WrongEmbeddingsHead,
    testing::Values(
        Wrong{"", "", "empty"}, Wrong{" ", "", "empty"}, Wrong{"[]", "", "must be a JSON object"},
        Wrong{"nope", "", "not valid JSON"}, Wrong{R"({"model":"m","input":"a"}})", "", "follows"},
        Wrong{"{\"model\":\"m\",\"input\":\"\xFF\"}", "", "UTF-8"},
        Wrong{R"({"input":"a"})", "model", "you must provide a model parameter"},
        Wrong{R"({"model":"","input":"a"})", "model", "you must provide a model parameter"},
        Wrong{R"({"model":1,"input":"a"})", "model", "must be a string"},
        Wrong{R"({"model":"m"})", "input", "you must provide 'input'"},
        Wrong{R"({"model":"m","input":null})", "input", "must be a string, a list"},
        Wrong{R"({"model":"m","input":{}})", "input", "must be a string, a list"},
        Wrong{R"({"model":"m","input":5})", "input", "must be a string, a list"},
        Wrong{R"({"model":"m","input":[ ]})", "input", "empty list"},
        Wrong{R"({"model":"m","input":["a",1]})", "input", "must be a string, a list"},
        Wrong{R"({"model":"m","input":[1,"a"]})", "input", "must be a string, a list"},
        Wrong{R"({"model":"m","input":[[1],"a"]})", "input", "must be a string, a list"},
        Wrong{R"({"model":"m","input":[1,[1]]})", "input", "must be a string, a list"},
        Wrong{R"({"model":"m","input":[[1],[-1]]})", "input", "must be a string, a list"},
        Wrong{R"({"model":"m","input":[1.5]})", "input", "must be a string, a list"},
        Wrong{R"({"model":"m","input":[null]})", "input", "must be a string, a list"},
        Wrong{R"({"model":"m","input":[[[1]]]})", "input", "must be a string, a list"},
        Wrong{R"({"model":"m","input":"a","encoding_format":"hex"})", "encoding_format",
              "'float' or 'base64'"},
        Wrong{R"({"model":"m","input":"a","encoding_format":1})", "encoding_format", "'float'"},
        Wrong{R"({"model":"m","input":"a","dimensions":"1"})", "dimensions", "an integer"},
        Wrong{R"({"model":"m","model":"m","input":"a"})", "model", "more than once"},
        Wrong{R"({"model":"m","input":"a","inp\u0075t":"a"})", "input", "more than once"},
        Wrong{R"({"model":"m","input":"a","dimensions":1,"dimensions":1})", "dimensions", "once"},
        Wrong{R"({"model":"m","input":"a","encoding_format":null,"encoding_format":"float"})",
              "encoding_format", "once"}));

TEST(EmbeddingsHead, CutAnywhereTheBodyIsRefused) {
    const std::string_view body =
        R"({"model":"m","input":["a","b\u00e4"],"encoding_format":"base64"})";
    for (std::size_t length = 0; length < body.size(); ++length) {
        EXPECT_FALSE(read_head(body.substr(0, length))) << length;
    }
}

std::string list_of(std::size_t inputs) {
    std::string body = R"({"model":"m","input":["a")";
    for (std::size_t i = 1; i < inputs; ++i) body += R"(,"a")";
    return body + "]}";
}

TEST(EmbeddingsHead, HasABoundOnTheInputs) {
    EXPECT_EQ(read_head(list_of(kMaxInputs))->inputs, kMaxInputs);
    const auto head = read_head(list_of(kMaxInputs + 1));
    ASSERT_FALSE(head);
    EXPECT_EQ(head.error().param, "input");
    EXPECT_THAT(head.error().message, HasSubstr("65536"));
}

TEST(EmbeddingsHead, HasABoundOnTheBody) {
    std::string body = R"({"model":"m","input":"a"})";
    body.resize(kMaxRequestBytes, ' ');
    EXPECT_TRUE(read_head(body));
    const auto head = read_head(body + " ");
    ASSERT_FALSE(head);
    EXPECT_EQ(head.error().code, Errc::payload_too_large);
}

TEST(PatchEmbeddings, LeavesTheBytesAloneWhenNothingIsAsked) {
    for (const std::string_view body :
         {"{ \"input\" :[ \"a\" ],\n\"model\":\"m\",\"encoding_format\":\"float\"}\n",
          R"({"input":"a","model":"m","encoding_format":null})", R"({"input":"a","model":"m"})"}) {
        EXPECT_EQ(patched(body, "m", true), body);
    }
    const std::string_view base64 = R"({"input":"a","model":"m","encoding_format":"base64"})";
    EXPECT_EQ(patched(base64, "m", false), base64);
}

TEST(PatchEmbeddings, ChangesTheModelAndTheFormatOnly) {
    EXPECT_EQ(patched(R"({"encoding_format" : "base64","x":1e999, "model":"m", "input":[ "a" ]})",
                      "new \"m\"", true),
              R"({"encoding_format" : "float","x":1e999, "model":"new \"m\"", "input":[ "a" ]})");
}

TEST(SplitInputs, KeepsEachInputAsItCame) {
    EXPECT_THAT(
        split(R"({"model":"m", "input" : [ "a" , "b\u00e4","c" ,"d", "]" ] ,"user":"u"})", 2),
        testing::ElementsAre(R"({"model":"m", "input" : ["a" , "b\u00e4"] ,"user":"u"})",
                             R"({"model":"m", "input" : ["c" ,"d"] ,"user":"u"})",
                             R"({"model":"m", "input" : ["]"] ,"user":"u"})"));
    EXPECT_THAT(
        split(R"({"input":[[1,2],[3]],"model":"m"})", 1),
        testing::ElementsAre(R"({"input":[[1,2]],"model":"m"})", R"({"input":[[3]],"model":"m"})"));
}

TEST(SplitInputs, LeavesWhatFitsInOnePart) {
    for (const std::string_view body :
         {R"({"model":"m","input":[ "a", "b" ]})", R"({"model":"m","input":"a"})",
          R"({"model":"m","input":[ 1,2,3,4 ]})", R"({"model":"m","input":[[1],[2]]})"}) {
        EXPECT_THAT(split(body, 2), testing::ElementsAre(body));
    }
}

TEST(SplitInputs, MakesAsManyPartsAsAreNeeded) {
    for (const std::size_t inputs : {1UL, 2UL, 6UL, 7UL, 8UL}) {
        for (std::size_t most = 1; most < 10; ++most) {
            const std::string body = list_of(inputs);
            std::size_t sum = 0;
            const auto parts = split_inputs(body, *read_head(body), most);
            for (const Part& part : parts) {
                EXPECT_LE(part.inputs, most);
                sum += part.inputs;
            }
            EXPECT_EQ(sum, inputs);
            EXPECT_EQ(parts.size(), (inputs + most - 1) / most);
        }
    }
}

}  // namespace
}  // namespace sluice::dialect::openai_embeddings
