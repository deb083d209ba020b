#include "config/load_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::SizeIs;

using ProvidersTest = LoadTest;

Target as_asked(std::string upstream) {
    return {.upstream = std::move(upstream), .model = "*"};
}

TEST_F(ProvidersTest, AddressAndKeyMakeTheUpstreamOpenai) {
    environment_["OPENAI_BASE_URL"] = "https://h.example/v1/";
    environment_["OPENAI_API_KEY"] = "sk-o";

    const Config config = loaded();

    EXPECT_THAT(config.upstreams, ElementsAre(Key("openai")));
    const Upstream& upstream = config.upstreams.at("openai");
    EXPECT_EQ(to_string(upstream.base_url), "https://h.example/v1");
    EXPECT_EQ(upstream.api_keys.at(0).reveal(), "sk-o");
    EXPECT_EQ(upstream.name, "openai");
    EXPECT_EQ(upstream.preset, "");
    EXPECT_THAT(config.default_route.targets, ElementsAre(as_asked("openai")));
    EXPECT_THAT(config.routes, IsEmpty());
}

TEST_F(ProvidersTest, KeyAloneMeansTheProvidersOwnAddress) {
    environment_["OPENAI_API_KEY"] = "sk-o";
    EXPECT_EQ(to_string(loaded().upstreams.at("openai").base_url), "https://api.openai.com/v1");

    environment_.erase("OPENAI_API_KEY");
    environment_["DEEPSEEK_API_KEY"] = "sk-d";
    const Config config = loaded();
    EXPECT_EQ(to_string(config.upstreams.at("deepseek").base_url), "https://api.deepseek.com");
    EXPECT_EQ(config.upstreams.at("deepseek").timeouts.first_byte, Milliseconds(600'000));
    EXPECT_THAT(config.default_route.targets, ElementsAre(as_asked("deepseek")));
}

TEST_F(ProvidersTest, AddressAloneNeedsNoKey) {
    environment_["OPENAI_BASE_URL"] = "http://127.0.0.1:8000";
    EXPECT_TRUE(loaded().upstreams.at("openai").api_keys.empty());
}

TEST_F(ProvidersTest, DeepSeeksAddressAndKeyAreOneUpstream) {
    environment_["OPENAI_BASE_URL"] = "https://api.deepseek.com/v1";
    environment_["DEEPSEEK_API_KEY"] = "sk-d";

    const Config config = loaded();

    EXPECT_THAT(config.upstreams, ElementsAre(Key("deepseek")));
    EXPECT_EQ(to_string(config.upstreams.at("deepseek").base_url), "https://api.deepseek.com/v1");
}

TEST_F(ProvidersTest, DeepSeeksKeyIsNotSentToAnotherAddress) {
    environment_["OPENAI_BASE_URL"] = "https://h.example";
    environment_["DEEPSEEK_API_KEY"] = "sk-d";

    const Config config = loaded();

    EXPECT_TRUE(config.upstreams.at("openai").api_keys.empty());
    EXPECT_EQ(config.upstreams.at("deepseek").base_url.host, "api.deepseek.com");
    EXPECT_THAT(config.default_route.targets, ElementsAre(as_asked("openai")));
    ASSERT_THAT(config.routes, SizeIs(1));
    EXPECT_EQ(config.routes[0].model, "deepseek-*");
}

TEST_F(ProvidersTest, DeepSeekByAddressHasTheLongFirstByte) {
    environment_["OPENAI_BASE_URL"] = "https://api.deepseek.com";
    environment_["OPENAI_API_KEY"] = "sk-d";
    EXPECT_EQ(loaded().upstreams.at("openai").timeouts.first_byte, Milliseconds(600'000));
}

TEST_F(ProvidersTest, PlaceholderAddressCountsAsUnset) {
    environment_["OPENAI_BASE_URL"] = "https://your-gateway.com/v1";
    EXPECT_THAT(loaded().upstreams, ElementsAre(Key("embedded")));
    EXPECT_THAT(warnings(), ElementsAre(HasSubstr("placeholder")));
}

TEST_F(ProvidersTest, ProviderVariablesCountOnlyWhereTheFileNamesNoUpstream) {
    environment_["OPENAI_API_KEY"] = "sk-o";
    file("upstreams: {mine: {base_url: http://h}}\n");
    EXPECT_THAT(loaded().upstreams, ElementsAre(Key("mine")));
    EXPECT_THAT(loaded().default_route.targets, IsEmpty());

    file("upstreams:\n");
    EXPECT_THAT(loaded().upstreams, ElementsAre(Key("openai")));
}

TEST_F(ProvidersTest, RoutesOfTheFileMayUseTheUpstreamOfTheEnvironment) {
    environment_["OPENAI_API_KEY"] = "sk-o";
    file("routes: [{model: fast, to: openai/gpt-4o-mini}]\ndefault_route: openai/gpt-4o\n");

    const Config config = loaded();

    EXPECT_THAT(config.routes, SizeIs(1));
    EXPECT_THAT(config.default_route.targets,
                ElementsAre(Target{.upstream = "openai", .model = "gpt-4o"}));
}

TEST_F(ProvidersTest, EmbeddedRoutesDoNotRepeatThoseOfTheFile) {
    file("routes: [{model: embedded/echo, to: embedded/lorem}]\n");

    const auto routes = loaded().routes;

    ASSERT_THAT(routes, SizeIs(2));
    EXPECT_EQ(routes[0].targets[0].model, "lorem");
    EXPECT_EQ(routes[1].model, "embedded/lorem");
}

TEST_F(ProvidersTest, TimeoutIsFirstByteAndIdleAndNothingElse) {
    environment_["TIMEOUT"] = "7";
    file("upstreams: {a: {base_url: http://h, timeouts: {first_byte: 1s}}}\n");

    const Timeouts timeouts = loaded().upstreams.at("a").timeouts;

    EXPECT_EQ(timeouts.first_byte, Milliseconds(7000));
    EXPECT_EQ(timeouts.idle, Milliseconds(7000));
    EXPECT_EQ(timeouts.connect, Milliseconds(5000));
    EXPECT_FALSE(timeouts.total);
}

TEST_F(ProvidersTest, WrongVariablesAreReported) {
    environment_["OPENAI_BASE_URL"] = "h.example";
    environment_["OPENAI_API_KEY"] = "two words";
    environment_["TIMEOUT"] = "soon";
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("environment: `OPENAI_API_KEY` is not valid"),
                                        HasSubstr("environment: `OPENAI_BASE_URL` is not valid"),
                                        HasSubstr("environment: `TIMEOUT` is `soon`")));
}

}  // namespace
}  // namespace sluice::config
