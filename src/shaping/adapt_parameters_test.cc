#include "shaping/adapt_fixture.h"

namespace sluice::shaping {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

class AdaptParameters : public AdaptTest {
protected:
    AdaptParameters() { user(text("hi")); }

    void want(chat::ResponseFormat::Kind kind, std::string schema = {}) {
        request_.response_format = chat::ResponseFormat{
            .kind = kind, .name = "answer", .schema = std::move(schema), .strict = true};
    }
};

TEST_F(AdaptParameters, StopSequencesBeyondTheLimitAreCut) {
    chat::Abilities abilities;
    abilities.max_stop = 2;
    request_.stop = {"a", "", "\n", "c", "d"};

    run(abilities);

    EXPECT_THAT(request_.stop, ElementsAre("a", "\n"));
    EXPECT_THAT(changes(),
                ElementsAre("drop.stop stop[1]", "drop.stop stop[3]", "drop.stop stop[4]"));
}

TEST_F(AdaptParameters, AnthropicStopsAtNoWhiteSpace) {
    request_.stop = {"\n\n", "END"};

    run(anthropic());

    EXPECT_THAT(request_.stop, ElementsAre("END"));
    EXPECT_THAT(changes(), ElementsAre("drop.stop stop[0]"));
}

TEST_F(AdaptParameters, TopKIsAnthropics) {
    request_.top_k = "40";
    run(anthropic());
    EXPECT_EQ(request_.top_k, "40");

    run(chat::Abilities());

    EXPECT_EQ(request_.top_k, "");
    EXPECT_THAT(changes(), ElementsAre("drop.top_k top_k"));
}

TEST_F(AdaptParameters, AnthropicsTemperatureEndsAtOne) {
    request_.temperature = "1.5";
    run(chat::Abilities());
    EXPECT_EQ(request_.temperature, "1.5");

    run(anthropic());

    EXPECT_EQ(request_.temperature, "1");
    EXPECT_THAT(changes(), ElementsAre("clamp.temperature 1.5"));
    request_.temperature = "1.0";
    run(anthropic());
    EXPECT_EQ(request_.temperature, "1.0");
}

TEST_F(AdaptParameters, SamplingIsDroppedWhereItIsRefused) {
    chat::Abilities abilities = anthropic();
    abilities.sampling = false;
    request_.temperature = "0.5";
    request_.top_p = "0.9";
    request_.top_k = "3";

    run(abilities);

    EXPECT_EQ(request_.temperature + request_.top_p + request_.top_k, "");
    EXPECT_THAT(changes(), ElementsAre("drop.sampling temperature", "drop.sampling top_p",
                                       "drop.sampling top_k"));
}

TEST_F(AdaptParameters, AnthropicThinksWithSamplingOfItsOwn) {
    request_.family = chat::Family::openai;
    request_.temperature = "0.5";
    run(anthropic());
    EXPECT_EQ(request_.temperature, "0.5");

    request_.effort = chat::Effort::high;
    run(anthropic());

    EXPECT_EQ(request_.temperature, "");
    EXPECT_THAT(changes(), ElementsAre("drop.sampling temperature"));
}

TEST_F(AdaptParameters, TheOutputLimitIsFilledAndCut) {
    chat::Abilities abilities;
    abilities.default_output_tokens = 8192;
    abilities.max_output_tokens = 64'000;
    run(abilities);
    EXPECT_EQ(request_.max_output_tokens, 8192U);
    EXPECT_THAT(changes(), ElementsAre("default.max_tokens 8192"));

    request_.max_output_tokens = 128'000;
    run(abilities);
    EXPECT_EQ(request_.max_output_tokens, 64'000U);
    EXPECT_THAT(changes(), ElementsAre("clamp.max_tokens 128000"));

    run(abilities);
    EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(AdaptParameters, ASchemaIsTaughtInWordsWhereItCannotBeEnforced) {
    request_.system = parts(text("Be brief."));
    want(chat::ResponseFormat::Kind::json_schema, R"({"type":"object"})");

    run(deepseek());

    EXPECT_EQ(request_.response_format->kind, chat::ResponseFormat::Kind::json_object);
    EXPECT_EQ(show(request_.system),
              "text(Be brief.) text(Answer with a single JSON object and nothing else. It must "
              "satisfy this JSON Schema:\n{\"type\":\"object\"})");
    EXPECT_THAT(changes(), Contains("fold.json_schema response_format"));
}

TEST_F(AdaptParameters, ASchemaStaysWhereItIsEnforced) {
    want(chat::ResponseFormat::Kind::json_schema, R"({"type":"object"})");
    run(anthropic());
    EXPECT_EQ(request_.response_format->schema, R"({"type":"object"})");
    EXPECT_THAT(changes(), IsEmpty());

    chat::Abilities abilities = anthropic();
    abilities.json_schema = false;
    run(abilities);
    EXPECT_FALSE(request_.response_format);
    EXPECT_THAT(changes(), ElementsAre("fold.json_schema response_format"));
}

TEST_F(AdaptParameters, AnthropicIsAskedForJsonInWords) {
    request_.family = chat::Family::openai;
    want(chat::ResponseFormat::Kind::json_object);
    run(chat::Abilities());
    EXPECT_TRUE(request_.response_format);

    run(anthropic());

    EXPECT_FALSE(request_.response_format);
    EXPECT_EQ(show(request_.system), "text(Answer with a single JSON object and nothing else.)");
    EXPECT_THAT(changes(), ElementsAre("fold.json_object response_format"));
    want(chat::ResponseFormat::Kind::text);
    run(anthropic());
    EXPECT_FALSE(request_.response_format);
    EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(AdaptParameters, TheUserIsToldWhereThereIsAFieldForIt) {
    request_.user = "alice";
    run(chat::Abilities());
    EXPECT_EQ(request_.user, "alice");

    chat::Abilities abilities;
    abilities.user_field.clear();
    run(abilities);

    EXPECT_EQ(request_.user, "");
    EXPECT_THAT(changes(), ElementsAre("drop.user user"));
}

TEST_F(AdaptParameters, FurtherMembersAreForTheirOwnFamily) {
    request_.others = {{.name = "context_management", .json = "{}"},
                       {.name = "safeguards", .json = "[]"}};
    run(anthropic());
    EXPECT_EQ(request_.others.size(), 2U);

    run(chat::Abilities());

    EXPECT_THAT(request_.others, IsEmpty());
    EXPECT_THAT(changes(), ElementsAre("drop.field context_management", "drop.field safeguards"));
}

TEST_F(AdaptParameters, ServiceTiersAreNamedAsTheTargetNamesThem) {
    chat::Abilities openai;
    openai.service_tier = true;
    const auto tier = [&](std::string name, chat::Family from, const chat::Abilities& abilities) {
        request_.family = from;
        request_.service_tier = std::move(name);
        run(abilities);
        return request_.service_tier;
    };

    EXPECT_EQ(tier("auto", chat::Family::anthropic, openai), "auto");
    EXPECT_EQ(tier("standard_only", chat::Family::anthropic, openai), "default");
    EXPECT_EQ(tier("default", chat::Family::openai, AdaptTest::anthropic()), "standard_only");
    EXPECT_EQ(tier("flex", chat::Family::openai, openai), "flex");
    EXPECT_THAT(changes(), IsEmpty());
    EXPECT_EQ(tier("flex", chat::Family::openai, AdaptTest::anthropic()), "auto");
    EXPECT_THAT(changes(), ElementsAre("downgrade.service_tier flex"));
    EXPECT_EQ(tier("flex", chat::Family::openai, chat::Abilities()), "");
    EXPECT_THAT(changes(), ElementsAre("drop.service_tier flex"));
}

}  // namespace
}  // namespace sluice::shaping
