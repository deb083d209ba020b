#include "config/load_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::config {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class TransformsTest : public LoadTest {
protected:
    Upstream upstream_with(const std::string& keys) {
        file("upstreams:\n  a: {base_url: http://h, " + keys + "}\n");
        return loaded().upstreams["a"];
    }
    Transforms transforms_of(const std::string& keys) {
        return upstream_with("transforms: {" + keys + "}").transforms;
    }
    std::vector<std::string> problems_with(const std::string& keys) {
        return problems_of("upstreams:\n  a: {base_url: http://h, transforms: {" + keys + "}}\n");
    }
};

TEST_F(TransformsTest, EveryRuleIsRead) {
    const Transforms transforms = transforms_of(
        "reject: [logit_bias], rename: {max_completion_tokens: max_tokens}, "
        "roles: {developer: system}, drop: [user, 'messages[].name'], "
        "default: {top_p: 0.9, thinking: {type: disabled}}, force: {seed: 7, note: '7'}, "
        "clamp: {temperature: [0, 2], presence_penalty: [-2, ~]}");

    EXPECT_THAT(transforms.reject, ElementsAre("logit_bias"));
    EXPECT_THAT(transforms.rename,
                ElementsAre(Renaming{.from = "max_completion_tokens", .to = "max_tokens"}));
    EXPECT_THAT(transforms.roles, ElementsAre(Renaming{.from = "developer", .to = "system"}));
    EXPECT_THAT(transforms.drop, ElementsAre("user", "messages[].name"));
    EXPECT_THAT(transforms.defaults,
                ElementsAre(Assignment{.field = "top_p", .json = "0.9"},
                            Assignment{.field = "thinking", .json = R"({"type":"disabled"})"}));
    EXPECT_THAT(transforms.force, ElementsAre(Assignment{.field = "seed", .json = "7"},
                                              Assignment{.field = "note", .json = R"("7")"}));
    ASSERT_THAT(transforms.clamp, SizeIs(2));
    EXPECT_EQ(transforms.clamp[0].field, "temperature");
    EXPECT_EQ(transforms.clamp[0].lowest, 0.0);
    EXPECT_EQ(transforms.clamp[0].highest, 2.0);
    EXPECT_EQ(transforms.clamp[1].lowest, -2.0);
    EXPECT_FALSE(transforms.clamp[1].highest);
}

TEST_F(TransformsTest, AModelMayStandForAnother) {
    const auto models = transforms_of(
                            "models: {old: {model: org/new, default: {a: 1}, force: {thinking: "
                            "{type: enabled}}}}")
                            .models;

    ASSERT_THAT(models, SizeIs(1));
    EXPECT_EQ(models[0].name, "old");
    EXPECT_EQ(models[0].model, "org/new");
    EXPECT_THAT(models[0].defaults, ElementsAre(Assignment{.field = "a", .json = "1"}));
    EXPECT_THAT(models[0].force,
                ElementsAre(Assignment{.field = "thinking", .json = R"({"type":"enabled"})"}));
    EXPECT_THAT(problems_with("models: {old: {}}"),
                ElementsAre(HasSubstr("`upstreams.a.transforms.models.old.model` is missing")));
    EXPECT_THAT(problems_with("models: {'o*': {model: new}}"), SizeIs(1));
    EXPECT_THAT(problems_with("models: {old: {model: '*'}}"), SizeIs(1));
}

TEST_F(TransformsTest, WhatSluiceSetsItselfIsNotForARule) {
    for (const char* field : {"model", "messages", "stream", "stream_options"}) {
        const std::string name = field;
        for (const std::string& rule :
             {"reject: [" + name + "]", "rename: {" + name + ": x}", "rename: {x: " + name + "}",
              "drop: [" + name + "]", "default: {" + name + ": 1}", "force: {" + name + ": 1}",
              "clamp: {" + name + ": [0, 1]}",
              "models: {o: {model: n, force: {" + name + ": 1}}}"}) {
            EXPECT_THAT(problems_with(rule), ElementsAre(HasSubstr("is set by sluice itself")))
                << rule;
        }
    }
}

TEST_F(TransformsTest, OnlyDropReachesIntoMessages) {
    EXPECT_THAT(problems_with("reject: ['messages[].name']"), SizeIs(1));
    EXPECT_THAT(problems_with("drop: ['messages[].role']"), SizeIs(1));
    EXPECT_THAT(problems_with("drop: ['messages[].']"), SizeIs(1));
    EXPECT_THAT(problems_with("drop: ['messages[].a.b']"), SizeIs(1));
    EXPECT_THAT(problems_with("drop: ['a.b']"), SizeIs(1));
    EXPECT_THAT(problems_with("drop: ['']"), SizeIs(1));
}

TEST_F(TransformsTest, MistakesAreReported) {
    EXPECT_THAT(problems_with("rename: {a: a}"), ElementsAre(HasSubstr("is the old name")));
    EXPECT_THAT(problems_with("rename: [a]"), ElementsAre(HasSubstr("expected a map of")));
    EXPECT_THAT(problems_with("rename: {a: [b]}"), SizeIs(1));
    EXPECT_THAT(problems_with("drop: {a: b}"), ElementsAre(HasSubstr("expected a list")));
    EXPECT_THAT(problems_with("force: x"), ElementsAre(HasSubstr("expected a map of")));
    EXPECT_THAT(problems_with("clamp: {a: 1}"), ElementsAre(HasSubstr("[LOWEST, HIGHEST]")));
    EXPECT_THAT(problems_with("clamp: {a: [1, 0]}"), ElementsAre(HasSubstr("wrong way round")));
    EXPECT_THAT(problems_with("clamp: {a: [x, inf]}"), SizeIs(2));
    EXPECT_THAT(problems_with("dorp: [a]"), ElementsAre(HasSubstr("expected `drop` perhaps")));
    EXPECT_THAT(problems_with("force: {a: .inf}"),
                ElementsAre(HasSubstr("`upstreams.a.transforms.force.a` is not a number")));
}

TEST_F(TransformsTest, AListOfTheFileReplacesThatOfThePresetAndAMapIsJoined) {
    file(
        "upstreams:\n  a: {preset: groq, transforms: {drop: [x], rename: {y: z}}}\n"
        "  b: {preset: groq, transforms: {drop: []}}\n");
    const Config config = loaded();
    EXPECT_THAT(config.upstreams.at("a").transforms.drop, ElementsAre("x"));
    EXPECT_THAT(config.upstreams.at("b").transforms.drop, IsEmpty());
}

TEST_F(TransformsTest, EmbeddingsAreRead) {
    const Embeddings embeddings =
        upstream_with("embeddings: {max_batch: 16, token_arrays: refuse, encoding: float}")
            .embeddings;
    EXPECT_EQ(embeddings.max_batch, 16U);
    EXPECT_EQ(embeddings.token_arrays, Embeddings::TokenArrays::refuse);
    EXPECT_EQ(embeddings.encoding, Embeddings::Encoding::number_lists);
    const std::string wrong =
        "upstreams:\n  a: {base_url: http://h, embeddings: {max_batch: 0, token_arrays: no, "
        "encoding: base64}}\n";
    EXPECT_THAT(problems_of(wrong), AllOf(SizeIs(3), Each(HasSubstr("`upstreams.a.embeddings."))));
}

}  // namespace
}  // namespace sluice::config
