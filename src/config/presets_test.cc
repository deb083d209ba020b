#include "config/presets.h"

#include "config/load_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::config {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class PresetsTest : public LoadTest {
protected:
    Upstream upstream_of(const std::string& preset) {
        file("upstreams: {a: {preset: " + preset + "}}\n");
        return loaded().upstreams["a"];
    }
    void custom_proxy() {
        flags_.preset = "custom-proxy";
        environment_["URL"] = "http://127.0.0.1:1234/v1/";
        environment_["TARGET_MODEL"] = "gemma1b";
    }
};

TEST_F(PresetsTest, EachProviderHasItsAddress) {
    using Case = std::pair<const char*, const char*>;
    const auto cases = {Case{"anthropic", "https://api.anthropic.com"},
                        Case{"dashscope", "https://dashscope.aliyuncs.com/compatible-mode/v1"},
                        Case{"deepseek", "https://api.deepseek.com"},
                        Case{"deepseek-anthropic", "https://api.deepseek.com/anthropic"},
                        Case{"groq", "https://api.groq.com/openai/v1"},
                        Case{"llama.cpp", "http://127.0.0.1:8080/v1"},
                        Case{"lmstudio", "http://127.0.0.1:1234/v1"},
                        Case{"mistral", "https://api.mistral.ai/v1"},
                        Case{"ollama", "http://127.0.0.1:11434/v1"},
                        Case{"openai", "https://api.openai.com/v1"},
                        Case{"openrouter", "https://openrouter.ai/api/v1"},
                        Case{"together", "https://api.together.xyz/v1"},
                        Case{"venice", "https://api.venice.ai/api/v1"},
                        Case{"vllm", "http://127.0.0.1:8000/v1"}};
    EXPECT_THAT(upstream_presets(), SizeIs(cases.size()));
    for (const auto& [preset, url] : cases) {
        EXPECT_EQ(to_string(upstream_of(preset).base_url), url);
    }
}

TEST_F(PresetsTest, DeepSeekKeepsItsRetiredNames) {
    const Upstream upstream = upstream_of("deepseek");
    const auto& models = upstream.transforms.models;
    ASSERT_THAT(models, SizeIs(2));
    EXPECT_EQ(models[0].name, "deepseek-chat");
    EXPECT_EQ(models[1].name, "deepseek-reasoner");
    for (const ModelAlias& alias : models) EXPECT_EQ(alias.model, "deepseek-flash");
    EXPECT_THAT(models[0].defaults,
                ElementsAre(Assignment{.field = "thinking", .json = R"({"type":"disabled"})"}));
    EXPECT_THAT(models[1].defaults,
                ElementsAre(Assignment{.field = "thinking", .json = R"({"type":"enabled"})"}));
    EXPECT_EQ(upstream.paths.completions, "/beta/completions");
    EXPECT_EQ(upstream.timeouts.first_byte, Milliseconds(600'000));
}

TEST_F(PresetsTest, VenicePassesWhatItTakesToday) {
    const Upstream upstream = upstream_of("venice");
    EXPECT_TRUE(upstream.transforms.empty());
    EXPECT_EQ(upstream.embeddings.token_arrays, Embeddings::TokenArrays::refuse);
}

TEST_F(PresetsTest, VeniceProxyWithoutKeysHandsOnTheClientsCredentials) {
    flags_.preset = "venice-proxy";

    const Config config = loaded();

    const Upstream& venice = config.upstreams.at("venice");
    EXPECT_THAT(config.listeners, ElementsAre(HostPort{.host = "127.0.0.1", .port = 9000}));
    EXPECT_EQ(to_string(venice.base_url), "https://api.venice.ai/api/v1");
    EXPECT_EQ(venice.auth, Auth::passthrough);
    EXPECT_TRUE(venice.api_keys.empty());
    EXPECT_EQ(config.default_route.targets.at(0).upstream, "venice");
    EXPECT_EQ(config.pass_through.upstream, "venice");
    EXPECT_EQ(config.pass_through.prefix, "/api/v1");
    EXPECT_THAT(warnings(), IsEmpty());
}

TEST_F(PresetsTest, VeniceProxyWithKeysShowsItsOwnCredential) {
    flags_.preset = "venice-proxy";
    environment_["OPENAI_API_KEY"] = "sk-venice";
    environment_["ALLOWED_API_KEYS"] = "sk-client";

    const Config config = loaded();

    EXPECT_EQ(config.upstreams.at("venice").auth, Auth::own_key);
    EXPECT_EQ(config.upstreams.at("venice").api_keys.at(0).reveal(), "sk-venice");
    EXPECT_THAT(config.keys.at(0).scopes, Contains(Scope::pass_through));

    environment_.erase("ALLOWED_API_KEYS");
    EXPECT_EQ(loaded().upstreams.at("venice").auth, Auth::passthrough);
    file("keys: [{name: k, secret: sk-k}]\n");
    EXPECT_EQ(loaded().upstreams.at("venice").auth, Auth::own_key);
}

TEST_F(PresetsTest, VeniceProxyTakesTheVariablesOfItsModel) {
    flags_.preset = "venice-proxy";
    environment_["OPENAI_BASE_URL"] = "https://h.example/v1/";
    environment_["PROXY_PATH_PREFIX"] = "/p";
    environment_["MAX_RETRIES"] = "3";
    environment_["BASE_RETRY_DELAY"] = "1.0";
    environment_["RATE_LIMIT_WAIT"] = "30";
    environment_["TIMEOUT"] = "300";
    environment_["HOST"] = "127.0.0.1";
    environment_["PORT"] = "8080";

    const Config config = loaded();

    EXPECT_EQ(to_string(config.upstreams.at("venice").base_url), "https://h.example/v1");
    EXPECT_EQ(config.upstreams.at("venice").retry.max_retries, 3U);
    EXPECT_EQ(config.pass_through.prefix, "/p");
    EXPECT_THAT(config.listeners, ElementsAre(HostPort{.host = "127.0.0.1", .port = 8080}));
}

TEST_F(PresetsTest, CustomProxyReplacesEveryModelName) {
    custom_proxy();
    environment_["VERIFY_API_KEY"] = "sk-client";
    environment_["DASHSCOPE_API_KEY"] = "sk-server";
    environment_["HOST"] = "0.0.0.0";

    const Config config = loaded();

    const Target target{.upstream = "target", .model = "gemma1b"};
    EXPECT_THAT(config.listeners, ElementsAre(HostPort{.host = "0.0.0.0", .port = 8000}));
    ASSERT_THAT(config.routes, SizeIs(1));
    EXPECT_EQ(config.routes[0].model, "gemma1b");
    EXPECT_THAT(config.routes[0].targets, ElementsAre(target));
    EXPECT_THAT(config.default_route.targets, ElementsAre(target));
    EXPECT_EQ(to_string(config.upstreams.at("target").base_url), "http://127.0.0.1:1234/v1");
    EXPECT_EQ(config.upstreams.at("target").api_keys.at(0).reveal(), "sk-server");
    EXPECT_EQ(config.keys.at(0).secret.reveal(), "sk-client");
    EXPECT_THAT(warnings(), IsEmpty());
}

TEST_F(PresetsTest, CustomProxysPublishedKeyIsForLoopbackOnly) {
    custom_proxy();
    EXPECT_THAT(problems(), IsEmpty());
    EXPECT_THAT(warnings(), ElementsAre(HasSubstr("published 123456")));
    EXPECT_EQ(loaded().keys.at(0).secret.reveal(), "123456");
    EXPECT_TRUE(is_loopback(loaded().listeners.at(0)));

    environment_["HOST"] = "0.0.0.0";
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("is the published 123456")));
    environment_["VERIFY_API_KEY"] = "123456";
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("is the published 123456")));
}

TEST_F(PresetsTest, CustomProxySaysWhatItMisses) {
    flags_.preset = "custom-proxy";
    EXPECT_THAT(problems(), AllOf(Contains(HasSubstr("${URL} is not set")),
                                  Contains(HasSubstr("${TARGET_MODEL} is not set"))));
}

TEST_F(PresetsTest, ClaudeDeepSeekProxyPutsEveryClientOnItsOneModel) {
    flags_.preset = "claude-deepseek-proxy";
    environment_["OPENAI_BASE_URL"] = "http://127.0.0.1:1234/v1";
    environment_["OPENAI_API_KEY"] = "sk-gateway";
    environment_["ALLOWED_API_KEYS"] = "sk-a,sk-b";
    environment_["HOST"] = "0.0.0.0";

    const Config config = loaded();

    const Target target{.upstream = "deepseek", .model = "deepseek-v3.1"};
    const Upstream& upstream = config.upstreams.at("deepseek");
    EXPECT_THAT(config.listeners, ElementsAre(HostPort{.host = "0.0.0.0", .port = 8080}));
    EXPECT_EQ(to_string(upstream.base_url), "http://127.0.0.1:1234/v1");
    EXPECT_EQ(upstream.api_keys.at(0).reveal(), "sk-gateway");
    EXPECT_THAT(config.keys, SizeIs(2));
    EXPECT_THAT(config.default_route.targets, ElementsAre(target));
    EXPECT_EQ(config.default_model, "deepseek-v3.1");
    EXPECT_EQ(upstream.default_thinking, false);
    EXPECT_THAT(upstream.transforms.defaults,
                ElementsAre(Assignment{.field = "max_tokens", .json = "8192"},
                            Assignment{.field = "temperature", .json = "0.7"}));
    EXPECT_THAT(upstream.transforms.clamp, IsEmpty());
    EXPECT_EQ(upstream.abilities.thinking, chat::ThinkingControl::deepseek);
    EXPECT_THAT(warnings(), IsEmpty());

    environment_["DEEPSEEK_THINKING"] = "true";
    EXPECT_EQ(loaded().upstreams.at("deepseek").default_thinking, true);
}

TEST_F(PresetsTest, ClaudeDeepSeekProxySaysWhatItMisses) {
    flags_.preset = "claude-deepseek-proxy";
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("${OPENAI_BASE_URL} is not set")));
    environment_["OPENAI_BASE_URL"] = "https://your-gateway.com/v1/";
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("is the placeholder of a documentation")));
}

TEST_F(PresetsTest, DeepSeekToServeAnswersClaudesNames) {
    flags_.preset = "deepseek";
    environment_["DEEPSEEK_API_KEY"] = "sk-d";

    const Config config = loaded();

    ASSERT_THAT(config.routes, SizeIs(2));
    EXPECT_EQ(config.routes[0].model, "claude-opus*");
    EXPECT_EQ(config.routes[0].targets.at(0).model, "deepseek-v4-pro");
    EXPECT_EQ(config.routes[1].model, "claude-*");
    EXPECT_EQ(config.routes[1].targets.at(0).model, "deepseek-flash");
    EXPECT_EQ(config.default_route.targets.at(0).model, "*");
    EXPECT_EQ(config.default_model, "deepseek-flash");
}

TEST_F(PresetsTest, ClaudeCodesKeyForSluiceIsNoMistake) {
    environment_["ANTHROPIC_API_KEY"] = "sk-sluice";
    EXPECT_THAT(warnings(), IsEmpty());
    flags_.preset = "anthropic";
    EXPECT_EQ(loaded().upstreams.at("anthropic").api_keys.at(0).reveal(), "sk-sluice");
}

TEST_F(PresetsTest, VariablesOfAPresetThatIsNotUsedAreMentioned) {
    environment_["URL"] = "http://h";
    EXPECT_THAT(warnings(), IsEmpty());
    environment_["TARGET_MODEL"] = "m";
    environment_["VERIFY_API_KEY"] = "sk-v";
    environment_["DASHSCOPE_API_KEY"] = "sk-d";
    EXPECT_THAT(warnings(),
                ElementsAre("set, but used by nothing: VERIFY_API_KEY, URL, TARGET_MODEL, "
                            "DASHSCOPE_API_KEY (--preset custom-proxy would)"));
    file("upstreams: {d: {preset: dashscope, api_key: '${DASHSCOPE_API_KEY}'}}\n");
    EXPECT_THAT(warnings(), ElementsAre(Not(HasSubstr("DASHSCOPE"))));
    flags_ = {};
    flags_.preset = "custom-proxy";
    EXPECT_THAT(warnings(), IsEmpty());
}

}  // namespace
}  // namespace sluice::config
