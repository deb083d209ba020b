#include "config/load.h"

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

TEST_F(LoadTest, NothingConfiguredServesTheEmbeddedModelOnLoopback) {
    const Config config = loaded();

    EXPECT_THAT(config.listeners, ElementsAre(HostPort{.host = "127.0.0.1", .port = 8080}));
    EXPECT_EQ(config.upstreams.at("embedded").kind, UpstreamKind::embedded);
    EXPECT_FALSE(config.upstreams.at("embedded").embedded.faults);
    EXPECT_THAT(config.default_route.targets,
                ElementsAre(Target{.upstream = "embedded", .model = "echo"}));
    ASSERT_EQ(config.routes.size(), 2U);
    EXPECT_EQ(config.routes[1].model, "embedded/lorem");
    EXPECT_EQ(config.data_dir, "/home/u/.local/state/sluice");
    EXPECT_THAT(config.keys, IsEmpty());
    EXPECT_FALSE(config.admin.listen);
    EXPECT_THAT(warnings(), IsEmpty());
}

TEST_F(LoadTest, FlagWinsOverEnvironmentOverDotEnvOverFileOverDefault) {
    EXPECT_EQ(loaded().log.level, LogLevel::info);
    file("log: {level: trace}\n");
    EXPECT_EQ(loaded().log.level, LogLevel::trace);
    write(".env", "LOG_LEVEL=error\n");
    EXPECT_EQ(loaded().log.level, LogLevel::error);
    environment_["LOG_LEVEL"] = "WARNING";
    EXPECT_EQ(loaded().log.level, LogLevel::warn);
    flags_.log_level = "Debug";
    EXPECT_EQ(loaded().log.level, LogLevel::debug);
}

TEST_F(LoadTest, FileIsLaidOverThePreset) {
    environment_["DEEPSEEK_API_KEY"] = "sk-deep";
    flags_.preset = "deepseek";
    file("upstreams:\n  deepseek: {timeouts: {idle: 5}}\n  more: {base_url: http://h}\n");

    const Config config = loaded();

    const Upstream& deepseek = config.upstreams.at("deepseek");
    EXPECT_EQ(deepseek.api_keys.at(0).reveal(), "sk-deep");
    EXPECT_EQ(deepseek.timeouts.idle, Milliseconds(5000));
    EXPECT_EQ(deepseek.timeouts.first_byte, Milliseconds(600'000));
    EXPECT_TRUE(config.upstreams.contains("more"));
    EXPECT_THAT(config.default_route.targets,
                ElementsAre(Target{.upstream = "deepseek", .model = "*"}));
}

TEST_F(LoadTest, ProblemInAPresetNamesThePresetsFile) {
    flags_.preset = "deepseek";

    EXPECT_THAT(problems(), ElementsAre(HasSubstr("config/presets/serve/deepseek.yaml:7: ")));
}

TEST_F(LoadTest, UnknownPresetListsThoseThatExist) {
    flags_.preset = "deepsek";

    EXPECT_THAT(
        problems(),
        ElementsAre(
            "command line: `--preset` is `deepsek`, expected anthropic, claude-deepseek-proxy, "
            "custom-proxy, deepseek or venice-proxy"));
}

TEST_F(LoadTest, AllProblemsAreReportedInTheOrderOfTheFile) {
    EXPECT_THAT(
        problems_of("log: {level: loud}\n"
                    "lisen: x\n"
                    "limits:\n"
                    "  body_bytes: big\n"
                    "  hed_bytes: 1\n"),
        ElementsAre(
            "sluice.yaml:1: `log.level` is `loud`, expected trace, debug, info, warn, "
            "error or off",
            "sluice.yaml:2: unknown key `lisen`, expected `listen` perhaps",
            "sluice.yaml:4: `limits.body_bytes` is `big`, expected a size such as 1024, "
            "32KiB or 32MiB, from 1 to 1GiB",
            "sluice.yaml:5: unknown key `limits.hed_bytes`, expected `head_bytes` perhaps"));
}

TEST_F(LoadTest, KeyUnlikeAnyOtherNamesThemAll) {
    EXPECT_THAT(problems_of("cors: {qqqqqqqqqqqqqqqqqqqqqqqqqqqqqq: 1}\n"),
                ElementsAre(HasSubstr("expected one of `allow_origins`")));
}

TEST_F(LoadTest, WrongShapeIsReported) {
    for (const char* text : {"log: 1",
                             "log: [1]",
                             "keys: 1",
                             "keys: {a: 1}",
                             "keys: [1]",
                             "keys: [~]",
                             "upstreams: [1]",
                             "upstreams: {a: 1}",
                             "upstreams: {a: }",
                             "routes: x",
                             "routes: {a: b}",
                             "routes: [x]",
                             "routes: [~]",
                             "listen: {a: b}",
                             "listen: []",
                             "listen: [[1]]",
                             "workers: [1]",
                             "data_dir: ''",
                             R"(data_dir: "a\0b")",
                             "default_route: {a: b}",
                             "default_route: []",
                             "admin: x",
                             "limits: x"}) {
        EXPECT_THAT(problems_of(std::string(text) + "\n"), Contains(HasSubstr("sluice.yaml:1: ")))
            << text;
    }
}

TEST_F(LoadTest, FileThatIsNotYamlIsTheOnlyProblem) {
    EXPECT_THAT(problems_of("listen: 0.0.0.0:1\nb: [1\n"),
                ElementsAre(AllOf(HasSubstr("sluice.yaml:"), HasSubstr("not YAML"))));
}

TEST_F(LoadTest, FileThatCannotBeReadIsReported) {
    flags_.config_file = "missing.yaml";
    EXPECT_THAT(problems(), ElementsAre("missing.yaml: cannot be read, expected a file"));
    flags_.config_file = ".";
    EXPECT_THAT(problems(), ElementsAre(HasSubstr(".: cannot be read")));
    file(std::string((1U << 20U) + 1, '#'));
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("larger than 1 MiB")));
}

TEST_F(LoadTest, VariablesAreReplacedInValues) {
    environment_["A"] = "127.0.0.1";
    environment_["EMPTY"] = "";
    file("listen: ${A}:${PORT_OF_MINE:-9000}\ndata_dir: /a$$b/$c/${EMPTY}/${EMPTY:-d}/${A}\n");

    const Config config = loaded();

    EXPECT_THAT(config.listeners, ElementsAre(HostPort{.host = "127.0.0.1", .port = 9000}));
    EXPECT_EQ(config.data_dir, "/a$b/$c//d/127.0.0.1");
}

TEST_F(LoadTest, WhatAVariableHoldsIsNotExpandedAgain) {
    environment_["A"] = "${HOME}$$";
    file("data_dir: ${A}\n");

    EXPECT_EQ(loaded().data_dir, "${HOME}$$");
}

TEST_F(LoadTest, ReferenceToNothingIsReported) {
    EXPECT_THAT(problems_of("a: 1\ndata_dir: ${NOPE}\n"),
                Contains(AllOf(HasSubstr("sluice.yaml:2:"), HasSubstr("${NOPE} is not set"))));
    EXPECT_THAT(problems_of("data_dir: ${NOPE\n"), ElementsAre(HasSubstr("has no end")));
    EXPECT_THAT(problems_of("data_dir: ${}\n"), ElementsAre(HasSubstr("without a name")));
    EXPECT_THAT(problems_of("data_dir: ${a b}\n"), ElementsAre(HasSubstr("without a name")));
}

TEST_F(LoadTest, VariablesComeFromDotEnvToo) {
    write(".env", "export A='from dotenv'\nB=1\n");
    environment_["B"] = "2";
    file("data_dir: ${A}/${B}\n");

    EXPECT_EQ(loaded().data_dir, "from dotenv/2");
}

TEST_F(LoadTest, MistakeInDotEnvIsReportedWithItsLine) {
    write(".env", "A=1\nnonsense\nPORT=eighty\n");

    EXPECT_THAT(problems(),
                ElementsAre(HasSubstr(".env:2: "), HasSubstr(".env:3: `PORT` is `eighty`")));
}

TEST_F(LoadTest, DotEnvThatIsADirectoryIsIgnored) {
    std::filesystem::create_directory(directory_ / ".env");

    EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(LoadTest, ErrorNeverShowsWhatAVariableOrASecretHolds) {
    environment_["SECRET"] = "hunter2 hunter2";
    environment_["OPENAI_API_KEY"] = "hunter2 hunter2";
    environment_["OPENAI_BASE_URL"] = "http://u:hunter2@h";
    environment_["ALLOWED_API_KEYS"] = "hunter2 hunter2";
    environment_["SLUICE_ADMIN_KEY"] = "hunter2 hunter2";
    const auto with_environment_only = problems();
    const auto with_file = problems_of(
        "listen: ${SECRET}\nadmin: {key: hunter2 x}\nworkers: ${SECRET}\n"
        "keys: [{name: a, secret: 'hunter2 x', scopes: '${SECRET}'}]\nlog: {level: '${SECRET}'}\n"
        "upstreams: {a: {base_url: 'http://u:hunter2@h', api_key: 'hunter2 x', kind: "
        "'${SECRET}'}}\n"
        "default_route: ${SECRET}\ncors: {allow_origins: '${SECRET}'}\n");

    EXPECT_EQ(with_environment_only.size(), 4U);
    EXPECT_EQ(with_file.size(), 13U);
    for (const auto& texts : {with_environment_only, with_file}) {
        for (const std::string& text : texts) EXPECT_THAT(text, Not(HasSubstr("hunter2")));
    }
}

TEST_F(LoadTest, DataDirectoryIsTheFirstThatIsStated) {
    environment_["STATE_DIRECTORY"] = "/var/lib/sluice:/var/lib/other";
    EXPECT_EQ(loaded().data_dir, "/var/lib/sluice");
    file("data_dir: /file\n");
    EXPECT_EQ(loaded().data_dir, "/file");
    environment_["SLUICE_DATA_DIR"] = "/variable";
    EXPECT_EQ(loaded().data_dir, "/variable");
}

TEST_F(LoadTest, TwoLoadsOfTheSameAreTheSame) {
    file("keys: [{name: a, secret: sk-a}]\nroutes: [{model: m, to: embedded/echo}]\n");

    EXPECT_EQ(describe(loaded()), describe(loaded()));
}

}  // namespace
}  // namespace sluice::config
