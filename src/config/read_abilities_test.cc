#include "config/load_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::config {
namespace {

using chat::ReasoningHistory;
using chat::ThinkingControl;
using testing::ElementsAre;
using testing::HasSubstr;

class AbilitiesTest : public LoadTest {
protected:
    Upstream upstream_with(const std::string& keys) {
        file("upstreams:\n  a: {" + keys + "}\n");
        return loaded().upstreams["a"];
    }
    std::vector<std::string> problems_with(const std::string& keys) {
        return problems_of("upstreams:\n  a: {base_url: http://h, " + keys + "}\n");
    }
};

TEST_F(AbilitiesTest, EveryKeyIsRead) {
    const chat::Abilities abilities =
        upstream_with(
            "base_url: http://h, abilities: {thinking: deepseek, reasoning_history: "
            "reasoning_content, reasoning_required: true, forced_tools_when_thinking: false, "
            "output_limit_field: max_completion_tokens, max_output_tokens: 1, "
            "default_output_tokens: 2, max_stop: 3, max_tools: 5, images: false, documents: true, "
            "json_schema: false, mid_system: false, system_role: developer, user_field: none, "
            "parallel_tool_calls: false, strict_tools: false, sampling: false, service_tier: "
            "true, signatures: true, server_tools: true, count_tokens: true, deferred_tools: "
            "true, billing_header: true, custom_tools: true, prefix: true}")
            .abilities;

    EXPECT_EQ(abilities.thinking, ThinkingControl::deepseek);
    EXPECT_EQ(abilities.reasoning_history, ReasoningHistory::reasoning_content);
    EXPECT_TRUE(abilities.reasoning_required);
    EXPECT_FALSE(abilities.forced_tools_when_thinking);
    EXPECT_EQ(abilities.output_limit_field, "max_completion_tokens");
    EXPECT_EQ(abilities.max_output_tokens, 1U);
    EXPECT_EQ(abilities.default_output_tokens, 2U);
    EXPECT_EQ(abilities.max_stop, 3U);
    EXPECT_EQ(abilities.max_tools, 5U);
    EXPECT_FALSE(abilities.images);
    EXPECT_TRUE(abilities.documents);
    EXPECT_FALSE(abilities.json_schema);
    EXPECT_FALSE(abilities.mid_system);
    EXPECT_EQ(abilities.system_role, "developer");
    EXPECT_EQ(abilities.user_field, "");
    EXPECT_FALSE(abilities.parallel_tool_calls);
    EXPECT_FALSE(abilities.strict_tools);
    EXPECT_FALSE(abilities.sampling);
    EXPECT_TRUE(abilities.service_tier);
    EXPECT_TRUE(abilities.signatures);
    EXPECT_TRUE(abilities.server_tools);
    EXPECT_TRUE(abilities.count_tokens);
    EXPECT_TRUE(abilities.deferred_tools);
    EXPECT_TRUE(abilities.billing_header);
    EXPECT_TRUE(abilities.custom_tools);
    EXPECT_TRUE(abilities.prefix);
}

TEST_F(AbilitiesTest, WordsThatMeanNothingAreReported) {
    EXPECT_THAT(problems_with("abilities: {thinking: hard}"),
                ElementsAre(HasSubstr("expected none, effort, deepseek or anthropic")));
    EXPECT_THAT(problems_with("abilities: {reasoning_history: keep}"),
                ElementsAre(HasSubstr("expected drop, reasoning_content, reasoning or blocks")));
    EXPECT_THAT(problems_with("abilities: {max_output_tokens: 0}"),
                ElementsAre(HasSubstr("expected none, or a whole number")));
    EXPECT_THAT(problems_with("abilities: {output_limit_field: tokens}"),
                ElementsAre(HasSubstr("expected max_tokens or max_completion_tokens")));
    EXPECT_THAT(problems_with("abilities: {system_role: user}"),
                ElementsAre(HasSubstr("expected system or developer")));
    EXPECT_THAT(problems_with("abilities: {user_field: 'a b'}"),
                ElementsAre(HasSubstr("expected none, or the name of a field")));
    EXPECT_THAT(problems_with("abilities: {vision: true}"),
                ElementsAre(HasSubstr("unknown key `upstreams.a.abilities.vision`")));
    EXPECT_THAT(problems_with("tokenizer: gpt2"),
                ElementsAre(HasSubstr("expected auto, deepseek, o200k or cl100k")));
    EXPECT_THAT(problems_with("default_thinking: hard"),
                ElementsAre(HasSubstr("expected none, or ")));
}

TEST_F(AbilitiesTest, AnthropicsKindHasItsOwnDefaults) {
    const Upstream upstream = upstream_with("kind: anthropic, base_url: http://h");

    const chat::Abilities& abilities = upstream.abilities;
    EXPECT_EQ(abilities.family, chat::Family::anthropic);
    EXPECT_EQ(abilities.thinking, ThinkingControl::anthropic);
    EXPECT_EQ(abilities.reasoning_history, ReasoningHistory::blocks);
    EXPECT_EQ(abilities.default_output_tokens, 8192U);
    EXPECT_EQ(abilities.user_field, "user_id");
    EXPECT_GT(abilities.max_stop, 16U);
    EXPECT_TRUE(abilities.signatures && abilities.server_tools && abilities.count_tokens);
    EXPECT_TRUE(abilities.documents && abilities.json_schema && abilities.mid_system);
    EXPECT_EQ(upstream.auth_header, AuthHeader::x_api_key);
    EXPECT_EQ(upstream.version, "2023-06-01");
    EXPECT_EQ(upstream.paths.messages, "/v1/messages");
    EXPECT_EQ(upstream.paths.count_tokens, "/v1/messages/count_tokens");
    EXPECT_EQ(upstream.paths.models, "/v1/models");
    EXPECT_EQ(upstream.health_check.path, "/v1/models");
}

TEST_F(AbilitiesTest, OtherKindsHaveNoneOfThem) {
    const Upstream upstream = upstream_with("base_url: http://h");

    EXPECT_EQ(upstream.abilities.family, chat::Family::openai);
    EXPECT_EQ(upstream.abilities.thinking, ThinkingControl::effort);
    EXPECT_EQ(upstream.auth_header, AuthHeader::bearer);
    EXPECT_EQ(upstream.version, "");
    EXPECT_EQ(upstream.paths.messages, "");
    EXPECT_EQ(upstream.default_thinking, std::nullopt);
    EXPECT_EQ(upstream.tokenizer, Tokenizer::automatic);
}

TEST_F(AbilitiesTest, WhatOnlyOneKindHasIsRefusedForTheOther) {
    EXPECT_THAT(problems_with("kind: anthropic, paths: {chat: /c}"),
                ElementsAre(HasSubstr("`upstreams.a.paths.chat` means nothing to an upstream of "
                                      "kind anthropic")));
    EXPECT_THAT(problems_with("paths: {messages: /m, count_tokens: none}, version: x"),
                testing::SizeIs(3));
    EXPECT_THAT(problems_with("kind: anthropic, embedded: {}"),
                ElementsAre(HasSubstr("of kind anthropic")));
}

TEST_F(AbilitiesTest, AnEndpointThatThereIsNotIsNone) {
    EXPECT_EQ(upstream_with("base_url: http://h, paths: {completions: none}").paths.completions,
              "");
    EXPECT_EQ(upstream_with("kind: anthropic, base_url: http://h, paths: {count_tokens: none}")
                  .paths.count_tokens,
              "");
    EXPECT_THAT(problems_with("paths: {chat: none}"), testing::SizeIs(1));
}

TEST_F(AbilitiesTest, TheHeaderOfTheKeyMayBeTheOtherOne) {
    EXPECT_EQ(upstream_with("base_url: http://h, auth_header: x_api_key").auth_header,
              AuthHeader::x_api_key);
    EXPECT_EQ(upstream_with("kind: anthropic, base_url: http://h, auth_header: bearer").auth_header,
              AuthHeader::bearer);
    EXPECT_THAT(problems_with("auth_header: cookie"),
                ElementsAre(HasSubstr("expected bearer or x_api_key")));
}

TEST_F(AbilitiesTest, DeepSeekIsKnownByItsAddress) {
    const Upstream by_preset = upstream_with("preset: deepseek");
    const Upstream by_address = upstream_with("base_url: https://api.deepseek.com/v1");

    for (const Upstream& upstream : {by_preset, by_address}) {
        const chat::Abilities& abilities = upstream.abilities;
        EXPECT_EQ(abilities.thinking, ThinkingControl::deepseek);
        EXPECT_EQ(abilities.reasoning_history, ReasoningHistory::reasoning_content);
        EXPECT_TRUE(abilities.reasoning_required);
        EXPECT_FALSE(abilities.forced_tools_when_thinking);
        EXPECT_EQ(abilities.max_output_tokens, 393'216U);
        EXPECT_EQ(abilities.max_stop, 16U);
        EXPECT_EQ(abilities.max_tools, 128U);
        EXPECT_FALSE(abilities.json_schema || abilities.parallel_tool_calls);
        EXPECT_EQ(abilities.user_field, "user_id");
        EXPECT_TRUE(abilities_of(upstream, "deepseek-flash").images);
        EXPECT_FALSE(abilities_of(upstream, "deepseek-v4-pro").images);
    }
}

TEST_F(AbilitiesTest, WhatIsStatedWinsOverWhatIsKnown) {
    const Upstream upstream = upstream_with(
        "base_url: https://api.deepseek.com, abilities: {max_stop: 2}, text_models: []");

    EXPECT_EQ(upstream.abilities.max_stop, 2U);
    EXPECT_EQ(upstream.abilities.thinking, ThinkingControl::deepseek);
    EXPECT_TRUE(abilities_of(upstream, "deepseek-v4-pro").images);
}

TEST_F(AbilitiesTest, DeepSeeksAnthropicEndpointCannotDoAllThatAnthropicCan) {
    for (const char* keys : {"preset: deepseek-anthropic",
                             "kind: anthropic, base_url: https://api.deepseek.com/anthropic"}) {
        const Upstream upstream = upstream_with(keys);
        EXPECT_EQ(upstream.abilities.thinking, ThinkingControl::anthropic);
        EXPECT_FALSE(upstream.abilities.signatures || upstream.abilities.count_tokens);
        EXPECT_FALSE(upstream.abilities.documents || upstream.abilities.billing_header);
        EXPECT_TRUE(upstream.abilities.reasoning_required);
        EXPECT_EQ(upstream.auth_header, AuthHeader::x_api_key);
    }
}

TEST_F(AbilitiesTest, TranslationIsRead) {
    const Config defaults = loaded();
    EXPECT_EQ(defaults.default_model, "");
    EXPECT_TRUE(defaults.reasoning_store.enabled);
    EXPECT_EQ(defaults.reasoning_store.max_bytes, 32 * kMebibyte);
    EXPECT_EQ(defaults.reasoning_store.max_age, std::chrono::hours(24));
    EXPECT_FALSE(defaults.debug.changes);

    file(
        "default_model: m\nreasoning_store: {max_bytes: 1MiB, max_age: 1h}\n"
        "debug: {changes: true}\n");
    const Config config = loaded();
    EXPECT_EQ(config.default_model, "m");
    EXPECT_EQ(config.reasoning_store.max_bytes, kMebibyte);
    EXPECT_EQ(config.reasoning_store.max_age, std::chrono::hours(1));
    EXPECT_TRUE(config.debug.changes);

    file("reasoning_store: off\n");
    EXPECT_FALSE(loaded().reasoning_store.enabled);
    EXPECT_THAT(problems_of("reasoning_store: {max_bytes: 1}\n"), testing::SizeIs(1));
}

}  // namespace
}  // namespace sluice::config
