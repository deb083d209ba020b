#include "config/load_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

using ServerTest = LoadTest;

HostPort at(std::string host, std::uint16_t port) {
    return {.host = std::move(host), .port = port};
}

TEST_F(ServerTest, ListenIsOneAddressOrSeveral) {
    file("listen: '[::1]:9000'\n");
    EXPECT_THAT(loaded().listeners, ElementsAre(at("::1", 9000)));
    file("listen: [127.0.0.1:1, 'localhost:2']\n");
    EXPECT_THAT(loaded().listeners, ElementsAre(at("127.0.0.1", 1), at("localhost", 2)));
}

TEST_F(ServerTest, HostAndPortEachReplaceTheirHalfOfTheFirstListener) {
    file("listen: [127.0.0.2:7000, 127.0.0.3:7001]\n");
    environment_["PORT"] = "7100";
    EXPECT_THAT(loaded().listeners, ElementsAre(at("127.0.0.2", 7100)));
    environment_["HOST"] = "::1";
    EXPECT_THAT(loaded().listeners, ElementsAre(at("::1", 7100)));
    flags_.host = "localhost";
    EXPECT_THAT(loaded().listeners, ElementsAre(at("localhost", 7100)));
    flags_.port = 7200;
    EXPECT_THAT(loaded().listeners, ElementsAre(at("localhost", 7200)));
}

TEST_F(ServerTest, ListenFlagReplacesEverything) {
    environment_["PORT"] = "7100";
    flags_.listen = "127.0.0.9:1";
    EXPECT_THAT(loaded().listeners, ElementsAre(at("127.0.0.9", 1)));

    flags_.port = 3;
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("--listen together with --host or --port")));
}

TEST_F(ServerTest, WrongAddressOutsideTheFileNamesItsSource) {
    environment_["HOST"] = "a b";
    flags_.port = 65'536;
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("command line: `--port` is `65536`"),
                                        HasSubstr("environment: `HOST` is `a b`")));
}

TEST_F(ServerTest, EmptyVariableCountsAsUnset) {
    for (const char* name :
         {"HOST", "PORT", "LOG_LEVEL", "TIMEOUT", "ALLOWED_API_KEYS", "OPENAI_API_KEY",
          "OPENAI_BASE_URL", "DEEPSEEK_API_KEY", "SLUICE_ADMIN_LISTEN", "SLUICE_ADMIN_KEY",
          "SLUICE_DATA_DIR", "STATE_DIRECTORY"}) {
        environment_[name] = "";
    }

    EXPECT_THAT(loaded().listeners, ElementsAre(at("127.0.0.1", 8080)));
    EXPECT_THAT(loaded().keys, IsEmpty());
}

TEST_F(ServerTest, AddressBeyondLoopbackNeedsKeys) {
    file("\n\nlisten: 0.0.0.0:8080\n");
    EXPECT_THAT(problems(),
                ElementsAre(AllOf(HasSubstr("sluice.yaml:3: 0.0.0.0:8080"),
                                  HasSubstr("ALLOWED_API_KEYS"), HasSubstr("--insecure-no-auth"))));

    environment_["ALLOWED_API_KEYS"] = "sk-a";
    EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(ServerTest, AddressBeyondLoopbackIsRefusedWhereverItIsStated) {
    environment_["HOST"] = "0.0.0.0";
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("environment: 0.0.0.0:8080 can be reached")));
    flags_.host = "::";
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("command line: [::]:8080 can be reached")));
    flags_ = {};
    flags_.listen = "192.168.1.1:1";
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("command line: 192.168.1.1:1 can be reached")));
}

TEST_F(ServerTest, InsecureNoAuthServesAnyoneWithAWarning) {
    flags_.host = "0.0.0.0";
    flags_.insecure_no_auth = true;

    EXPECT_THAT(loaded().listeners, ElementsAre(at("0.0.0.0", 8080)));
    EXPECT_THAT(warnings(), ElementsAre(HasSubstr("--insecure-no-auth")));
}

TEST_F(ServerTest, OneAddressIsListenedOnOnce) {
    EXPECT_THAT(problems_of("listen: [127.0.0.1:1, 127.0.0.1:1]\n"),
                ElementsAre(HasSubstr("twice")));
    EXPECT_THAT(problems_of("listen: 127.0.0.1:1\nadmin: {listen: 127.0.0.1:1}\n"),
                ElementsAre(HasSubstr("twice")));
    EXPECT_THAT(problems_of("listen: [127.0.0.1:0, 127.0.0.1:0]\n"), IsEmpty());
}

TEST_F(ServerTest, AdminListenerComesFromFileOrEnvironment) {
    file("admin: {listen: 127.0.0.1:9090, key: sk-file}\n");
    EXPECT_EQ(loaded().admin.listen, at("127.0.0.1", 9090));
    environment_["SLUICE_ADMIN_LISTEN"] = "127.0.0.1:9191";
    environment_["SLUICE_ADMIN_KEY"] = "sk-variable";
    EXPECT_EQ(loaded().admin.listen, at("127.0.0.1", 9191));
    EXPECT_EQ(loaded().admin.key.reveal(), "sk-variable");
}

TEST_F(ServerTest, AdminListenerBeyondLoopbackNeedsItsKeyEvenWithInsecureNoAuth) {
    flags_.insecure_no_auth = true;
    environment_["SLUICE_ADMIN_LISTEN"] = "0.0.0.0:9090";
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("environment: the admin listener")));
    environment_["SLUICE_ADMIN_KEY"] = "sk-a";
    EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(ServerTest, AdminKeyWithoutListenerIsAWarning) {
    environment_["SLUICE_ADMIN_KEY"] = "sk-a";
    EXPECT_THAT(warnings(), ElementsAre(HasSubstr("no admin listener")));
}

TEST_F(ServerTest, LimitsLogAndCorsAreRead) {
    file(
        "limits: {body_bytes: 1MiB, head_bytes: 8KiB, connections_per_address: 5, head_timeout: "
        "1s,\n"
        "  idle_timeout: 2s, body_min_rate: 0, drain_timeout: 0, keepalive_after: 9,\n"
        "  memory_bytes: 64MiB}\n"
        "cors: {allow_origins: ['https://a.example', 'http://localhost:3000']}\n"
        "log: {level: WARN, format: json, access: off, prompts_file: /p}\nworkers: 3\n");

    const Config config = loaded();

    EXPECT_EQ(config.limits.body_bytes, 1U << 20U);
    EXPECT_EQ(config.limits.head_bytes, 8U << 10U);
    EXPECT_EQ(config.limits.connections_per_address, 5U);
    EXPECT_EQ(config.limits.head_timeout, Milliseconds(1000));
    EXPECT_EQ(config.limits.idle_timeout, Milliseconds(2000));
    EXPECT_EQ(config.limits.body_min_rate, 0U);
    EXPECT_EQ(config.limits.drain_timeout, Milliseconds(0));
    EXPECT_EQ(config.limits.keepalive_after, Milliseconds(9000));
    EXPECT_EQ(config.limits.memory_bytes, 64 * kMebibyte);
    EXPECT_THAT(config.cors.allow_origins, SizeIs(2));
    EXPECT_EQ(config.log.level, LogLevel::warn);
    EXPECT_EQ(config.log.format, LogFormat::json);
    EXPECT_FALSE(config.log.access);
    EXPECT_EQ(config.log.prompts_file, "/p");
    EXPECT_EQ(config.workers, 3U);
}

TEST_F(ServerTest, WorkersAreBounded) {
    flags_.workers = 257;
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("`--workers` is `257`")));
    flags_.workers = 2;
    file("workers: 8\n");
    EXPECT_EQ(loaded().workers, 2U);
}

TEST_F(ServerTest, OriginIsExactOrAStar) {
    for (const char* wrong :
         {"app.example", "https://a/", "https://a/x", "https://*.a", "null", "''"}) {
        EXPECT_THAT(problems_of("cors: {allow_origins: " + std::string(wrong) + "}\n"),
                    std::string(wrong) == "null"
                        ? testing::Matcher<std::vector<std::string>>(IsEmpty())
                        : SizeIs(1))
            << wrong;
    }
    EXPECT_THAT(problems_of("cors: {allow_origins: '*'}\n"), IsEmpty());
}

TEST_F(ServerTest, KeepAliveCommentsCanBeTurnedOff) {
    EXPECT_EQ(loaded().limits.keepalive_after, Milliseconds(15'000));
    for (const char* without : {"off", "none"}) {
        file("limits: {keepalive_after: " + std::string(without) + "}\n");
        EXPECT_FALSE(loaded().limits.keepalive_after);
    }
    EXPECT_THAT(problems_of("limits: {keepalive_after: 0}\n"),
                ElementsAre(HasSubstr("expected off, or a duration")));
}

TEST_F(ServerTest, KeysAreReadAndThoseOfTheEnvironmentAdded) {
    environment_["ALLOWED_API_KEYS"] = " sk-b , ,sk-c";
    file(
        "keys: [{name: a, secret: sk-a, group: g, scopes: [metrics, metrics], models: [m, "
        "'g*']}]\n");

    const auto keys = loaded().keys;

    ASSERT_EQ(keys.size(), 3U);
    EXPECT_EQ(keys[0].group, "g");
    EXPECT_THAT(keys[0].scopes, ElementsAre(Scope::metrics));
    EXPECT_THAT(keys[0].models, ElementsAre("m", "g*"));
    EXPECT_EQ(keys[1].name, "env-1");
    EXPECT_EQ(keys[2].secret.reveal(), "sk-c");
    EXPECT_THAT(keys[2].scopes, ElementsAre(Scope::stats, Scope::metrics, Scope::pass_through));
}

TEST_F(ServerTest, KeysThatWouldBeOneAreRefused) {
    EXPECT_THAT(problems_of("keys:\n  - {name: a, secret: sk-a}\n  - {name: a, secret: sk-b}\n"),
                ElementsAre(HasSubstr("sluice.yaml:3: a second key is called `a`")));
    EXPECT_THAT(problems_of("keys:\n  - {name: a, secret: sk-a}\n  - {name: b, secret: sk-a}\n"),
                ElementsAre(HasSubstr("key `b` has the secret of key `a`")));
    environment_["ALLOWED_API_KEYS"] = "sk-a";
    EXPECT_THAT(problems_of("keys:\n  - {name: a, secret: sk-a}\n"),
                ElementsAre(HasSubstr("environment: key `env-1` has the secret of key `a`")));
}

TEST_F(ServerTest, KeyWithoutNameOrSecretIsRefused) {
    EXPECT_THAT(problems_of("keys: [{name: a}]\n"),
                ElementsAre(HasSubstr("`keys[1].secret` is missing")));
    EXPECT_THAT(problems_of("keys: [{secret: a}]\n"),
                ElementsAre(HasSubstr("`keys[1].name` is missing")));
    EXPECT_THAT(problems_of("keys: [{name: a, secret: ''}]\n"),
                ElementsAre(HasSubstr("not empty")));
    EXPECT_THAT(problems_of("keys: [{name: a, secret: \"x\\n\"}]\n"),
                ElementsAre(HasSubstr("visible ASCII")));
    EXPECT_THAT(problems_of("keys: [{name: a, secret: b, scopes: [chat]}]\n"),
                ElementsAre(HasSubstr("expected stats, metrics or pass_through")));
    environment_["ALLOWED_API_KEYS"] = " , ";
    EXPECT_THAT(problems_of(""), ElementsAre(HasSubstr("names no key")));
}

}  // namespace
}  // namespace sluice::config
