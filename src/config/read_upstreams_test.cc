#include "config/load_fixture.h"
#include "config/presets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class UpstreamsTest : public LoadTest {
protected:
    std::vector<std::string> problems_of_upstream(const std::string& keys) {
        return problems_of("upstreams:\n  a: {" + keys + "}\n");
    }
    std::vector<std::string> problems_of_routes(const std::string& text) {
        return problems_of("upstreams: {a: {base_url: http://h}, e: {kind: embedded}}\n" + text);
    }
};

TEST_F(UpstreamsTest, EveryKeyIsRead) {
    write("ca.pem", "");
    file(
        "upstreams:\n  a:\n    kind: openai\n    base_url: https://h:1/p\n    api_key: sk-a\n    "
        "ca_file: " +
        (directory_ / "ca.pem").string() +
        "\n    timeouts: {connect: 1, first_byte: 2, idle: 3, total: 4}\n"
        "    pool: {max_idle_per_worker: 0, idle_timeout: 5, max_connections: 6}\n"
        "    retry:\n    transforms: {}\n"
        "  e: {kind: embedded, embedded: {tokens_per_second: 2.5, tokens: 7, faults: yes}}\n");

    const Config config = loaded();

    const Upstream& a = config.upstreams.at("a");
    EXPECT_EQ(a.name, "a");
    EXPECT_EQ(to_string(a.base_url), "https://h:1/p");
    EXPECT_THAT(a.ca_file, HasSubstr("ca.pem"));
    EXPECT_EQ(a.timeouts.connect, Milliseconds(1000));
    EXPECT_EQ(a.timeouts.first_byte, Milliseconds(2000));
    EXPECT_EQ(a.timeouts.idle, Milliseconds(3000));
    EXPECT_EQ(a.timeouts.total, Milliseconds(4000));
    EXPECT_EQ(a.pool.max_idle_per_worker, 0U);
    EXPECT_EQ(a.pool.idle_timeout, Milliseconds(5000));
    EXPECT_EQ(a.pool.max_connections, 6U);
    const Embedded& e = config.upstreams.at("e").embedded;
    EXPECT_EQ(e.tokens_per_second, 2.5);
    EXPECT_EQ(e.tokens, 7U);
    EXPECT_TRUE(e.faults);
}

TEST_F(UpstreamsTest, PresetFillsInWhatIsNotStated) {
    file(
        "upstreams:\n  a: {preset: deepseek, base_url: http://mirror/v1}\n  b: {preset: deepseek}\n"
        "  c: {preset: openai, timeouts: {first_byte: 9}}\n");

    const Config config = loaded();

    EXPECT_EQ(config.upstreams.at("a").base_url.host, "mirror");
    EXPECT_EQ(config.upstreams.at("a").timeouts.first_byte, Milliseconds(600'000));
    EXPECT_EQ(config.upstreams.at("b").base_url.host, "api.deepseek.com");
    EXPECT_EQ(config.upstreams.at("b").preset, "deepseek");
    EXPECT_EQ(config.upstreams.at("c").timeouts.first_byte, Milliseconds(9000));
}

TEST_F(UpstreamsTest, EveryPresetIsValid) {
    ASSERT_THAT(upstream_presets(), SizeIs(14));
    for (const Preset& preset : upstream_presets()) {
        EXPECT_THAT(problems_of_upstream("preset: " + std::string(preset.name)), IsEmpty())
            << preset.name;
    }
    flags_ = {};
    environment_["DEEPSEEK_API_KEY"] = "sk-d";
    environment_["URL"] = environment_["OPENAI_BASE_URL"] = "http://h";
    environment_["TARGET_MODEL"] = "m";
    environment_["ANTHROPIC_API_KEY"] = "sk-ant";
    for (const Preset& preset : serve_presets()) {
        flags_.preset = std::string(preset.name);
        EXPECT_THAT(problems(), IsEmpty()) << preset.name;
    }
}

TEST_F(UpstreamsTest, UnknownPresetListsThoseThatExist) {
    EXPECT_THAT(
        problems_of_upstream("preset: venise, base_url: http://h"),
        ElementsAre(
            "sluice.yaml:2: `upstreams.a.preset` is `venise`, expected anthropic, dashscope, "
            "deepseek-anthropic, deepseek, groq, llama.cpp, lmstudio, mistral, ollama, openai, "
            "openrouter, together, venice or vllm"));
}

TEST_F(UpstreamsTest, DeepSeeksAddressHasTheLongFirstByteUnlessItIsStated) {
    file(
        "upstreams:\n  a: {base_url: https://api.deepseek.com}\n"
        "  b: {base_url: https://api.deepseek.com, timeouts: {first_byte: 300}}\n");

    EXPECT_EQ(loaded().upstreams.at("a").timeouts.first_byte, Milliseconds(600'000));
    EXPECT_EQ(loaded().upstreams.at("b").timeouts.first_byte, Milliseconds(300'000));
}

TEST_F(UpstreamsTest, MissingAddressIsReported) {
    EXPECT_THAT(problems_of_upstream("api_key: x"),
                ElementsAre(HasSubstr("sluice.yaml:2: `upstreams.a.base_url` is missing")));
}

TEST_F(UpstreamsTest, SeveralKeysOfOneProviderAreTakenInOrder) {
    file("upstreams: {a: {base_url: http://h, api_keys: [sk-1, sk-2]}}\n");
    EXPECT_THAT(loaded().upstreams.at("a").api_keys, ElementsAre(Secret("sk-1"), Secret("sk-2")));
    file("upstreams: {a: {base_url: http://h, api_keys: sk-1}}\n");
    EXPECT_THAT(loaded().upstreams.at("a").api_keys, ElementsAre(Secret("sk-1")));
    EXPECT_THAT(problems_of_upstream("base_url: http://h, api_key: sk-1, api_keys: [sk-2]"),
                ElementsAre(HasSubstr("expected one of the two")));
    EXPECT_THAT(problems_of_upstream("base_url: http://h, api_keys: ['hunter 2', [x]]"),
                ElementsAre(AllOf(HasSubstr("is a list"), Not(HasSubstr("hunter"))),
                            AllOf(HasSubstr("is not valid"), Not(HasSubstr("hunter")))));
}

TEST_F(UpstreamsTest, KeyOfAnUnsetVariableWithAnEmptyDefaultIsNone) {
    EXPECT_THAT(problems_of_upstream("base_url: http://h, api_key: '${K:-}'"), IsEmpty());
    EXPECT_TRUE(loaded().upstreams.at("a").api_keys.empty());
    environment_["K"] = "sk-k";
    EXPECT_THAT(loaded().upstreams.at("a").api_keys, ElementsAre(Secret("sk-k")));
    EXPECT_THAT(problems_of_upstream("base_url: http://h, api_key: ''"), SizeIs(1));
}

TEST_F(UpstreamsTest, ClientsKeysAreNotForUpstreams) {
    const std::string keys = "keys: [{name: k, secret: sk-k}]\n";
    const auto upstream = [](const std::string& auth) {
        return "upstreams: {a: {base_url: http://h, auth: " + auth + "}}\n";
    };
    EXPECT_THAT(problems_of(keys + upstream("passthrough")),
                ElementsAre(HasSubstr("with client keys configured")));
    file(upstream("passthrough"));
    EXPECT_EQ(loaded().upstreams.at("a").auth, Auth::passthrough);
    file(upstream("auto"));
    EXPECT_EQ(loaded().upstreams.at("a").auth, Auth::passthrough);
    file(keys + upstream("auto"));
    EXPECT_EQ(loaded().upstreams.at("a").auth, Auth::own_key);
    file(upstream("own_key"));
    EXPECT_EQ(loaded().upstreams.at("a").auth, Auth::own_key);
    environment_["ALLOWED_API_KEYS"] = "sk-e";
    EXPECT_THAT(problems_of(upstream("passthrough")), SizeIs(1));
    EXPECT_THAT(problems_of(upstream("both")), ElementsAre(HasSubstr("own_key, passthrough or")));
}

TEST_F(UpstreamsTest, KeysOfTheOtherKindAreRefused) {
    EXPECT_THAT(problems_of_upstream("kind: embedded, base_url: http://h, pool: {}"), SizeIs(2));
    EXPECT_THAT(problems_of_upstream("base_url: http://h, embedded: {faults: true}"),
                ElementsAre(HasSubstr("means nothing to an upstream of kind openai")));
}

TEST_F(UpstreamsTest, UnknownKeyIsNamedWithItsWholePath) {
    EXPECT_THAT(
        problems_of_upstream("base_url: http://h, timeouts: {conect: 1}"),
        ElementsAre("sluice.yaml:2: unknown key `upstreams.a.timeouts.conect`, expected `connect` "
                    "perhaps"));
}

TEST_F(UpstreamsTest, CaFileThatCannotBeReadIsReported) {
    EXPECT_THAT(problems_of_upstream("base_url: https://h, ca_file: /does/not/exist"),
                ElementsAre(HasSubstr("which cannot be read")));
}

TEST_F(UpstreamsTest, NameThatARouteCouldNotSayIsRefused) {
    for (const char* name : {"a/b", "''", "a b", "\xC3\xA4"}) {
        EXPECT_THAT(problems_of("upstreams: {" + std::string(name) + ": {base_url: http://h}}\n"),
                    ElementsAre(HasSubstr("an upstream is called")))
            << name;
    }
}

TEST_F(UpstreamsTest, RoutesKeepTheirOrderAndTheSlashesOfModels) {
    file(
        "upstreams: {a: {base_url: http://h}, b: {base_url: http://h}}\n"
        "routes:\n  - {model: x, to: a/org/model}\n  - {model: 'g*', to: [a/*, "
        "b/m]}\ndefault_route: [b/m]\n");

    const Config config = loaded();

    ASSERT_THAT(config.routes, SizeIs(2));
    EXPECT_EQ(config.routes[0].model, "x");
    EXPECT_EQ(config.routes[1].model, "g*");
    EXPECT_THAT(config.routes[0].targets,
                ElementsAre(Target{.upstream = "a", .model = "org/model"}));
    EXPECT_THAT(config.routes[1].targets,
                ElementsAre(Target{.upstream = "a", .model = "*"},
                            Target{.upstream = "b", .model = "m", .tier = 1}));
    EXPECT_THAT(config.default_route.targets, ElementsAre(Target{.upstream = "b", .model = "m"}));
}

TEST_F(UpstreamsTest, RouteToNowhereIsRefused) {
    EXPECT_THAT(
        problems_of(
            "upstreams: {local: {base_url: http://h}}\nroutes:\n  - {model: x, to: locl/m}\n"),
        ElementsAre("sluice.yaml:3: `routes[1].to`: there is no upstream `locl`, expected `local` "
                    "perhaps"));
    EXPECT_THAT(
        problems_of_routes("default_route: zzzzzz/m\n"),
        ElementsAre(AllOf(HasSubstr("sluice.yaml:2: "), HasSubstr("no upstream `zzzzzz`"))));
    for (const char* to : {"a", "a/", "/m", "''", "a/x*", "a/**", "a/m m", "[]", "{weight: 2}"}) {
        EXPECT_THAT(problems_of_routes("routes:\n  - {model: x, to: " + std::string(to) + "}\n"),
                    SizeIs(1))
            << to;
    }
}

TEST_F(UpstreamsTest, RouteIsWholeAndTheOnlyOneOfItsModel) {
    EXPECT_THAT(problems_of_routes("routes: [{model: x}]\n"),
                ElementsAre(HasSubstr("`routes[1].to` is missing")));
    EXPECT_THAT(problems_of_routes("routes: [{to: a/m}]\n"),
                ElementsAre(HasSubstr("`routes[1].model` is missing")));
    EXPECT_THAT(problems_of_routes("routes:\n  - {model: x, to: a/m}\n  - {model: x, to: a/n}\n"),
                ElementsAre(HasSubstr("sluice.yaml:4: a second route for `x`")));
}

TEST_F(UpstreamsTest, FaultModelsNeedPermission) {
    EXPECT_THAT(problems_of_routes("routes: [{model: x, to: e/fault-reset}]\n"),
                ElementsAre(HasSubstr("breaks replies on purpose")));
    EXPECT_THAT(problems_of("upstreams: {e: {kind: embedded, embedded: {faults: true}}}\n"
                            "routes: [{model: x, to: e/fault-reset}]\n"),
                IsEmpty());
}

}  // namespace
}  // namespace sluice::config
