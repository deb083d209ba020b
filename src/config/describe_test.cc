#include "config/load_fixture.h"
#include "config/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace sluice::config {
namespace {

using testing::HasSubstr;

class DescribeTest : public LoadTest {
protected:
    /// States every key, nothing by its default.
    void file_with_everything() {
        write("ca.pem", "");
        file(
            "listen: [127.0.0.2:1, '[::1]:2']\n"
            "admin: {listen: 127.0.0.1:3, key: admin-secret-0123456789-wxyz}\n"
            "data_dir: \"/d \\\"$$q\\\" \\\\\"\n"
            "keys: [{name: k, secret: client-secret-0123456789-wxyz, group: g, scopes: [stats, "
            "metrics]}]\n"
            "upstreams:\n"
            "  a:\n    preset: openai\n    base_url: https://h:1/p\n    api_key: short\n    "
            "ca_file: " +
            (directory_ / "ca.pem").string() +
            "\n    timeouts: {connect: 1ms, first_byte: 2, idle: 3, total: 4}\n"
            "    pool: {max_idle_per_worker: 5, idle_timeout: 6, max_connections: 7}\n"
            "  e: {kind: embedded, embedded: {tokens_per_second: 8.5, tokens: 9, faults: true}}\n"
            "routes: [{model: 'm*', to: [a/*, e/fault-x]}]\n"
            "default_route: e/echo\n"
            "limits: {body_bytes: 10, head_bytes: 1025, connections_per_address: 12, head_timeout: "
            "13,\n"
            "  idle_timeout: 14, body_min_rate: 15, drain_timeout: 16}\n"
            "cors: {allow_origins: ['https://o.example', '*']}\n"
            "log: {level: off, format: text, access: false, prompts_file: /f}\n"
            "workers: 17\n");
    }
};

TEST_F(DescribeTest, EveryKnownKeyIsShown) {
    file_with_everything();

    const std::string text = describe(loaded());

    for (const Schema& schema : kSchemas) {
        for (const std::string_view key : schema.keys) {
            if (key == "retry" || key == "transforms") continue;
            EXPECT_THAT(text, HasSubstr(std::string(key) + ":")) << schema.path;
        }
    }
}

TEST_F(DescribeTest, SecretsAreMasked) {
    file_with_everything();

    const std::string text = describe(loaded());

    EXPECT_THAT(text, Not(HasSubstr("secret-0123")));
    EXPECT_THAT(text, Not(HasSubstr("short")));
    EXPECT_THAT(text, HasSubstr("\"***wxyz\""));
    EXPECT_THAT(text, HasSubstr("api_key: \"***\""));
}

TEST_F(DescribeTest, DescriptionLoadsAgainAsTheSame) {
    file_with_everything();
    file(describe(loaded()));  // from here on the secrets are what their masks were
    const std::string everything = describe(loaded());
    file(everything);
    EXPECT_EQ(describe(loaded()), everything);

    flags_ = {};
    const std::string defaults = describe(loaded());
    file(defaults);
    EXPECT_EQ(describe(loaded()), defaults);
}

TEST(Secret, ShowsItsMaskWhereverItIsPrinted) {
    const Secret secret("sk-0123456789abcdefghij");
    std::ostringstream out;
    out << secret;

    EXPECT_EQ(out.str(), "***ghij");
    EXPECT_EQ(format_as(secret), "***ghij");
    EXPECT_EQ(testing::PrintToString(secret), "***ghij");
    EXPECT_EQ(secret.reveal(), "sk-0123456789abcdefghij");
}

TEST(Secret, ShortOneShowsNothing) {
    EXPECT_EQ(Secret("0123456789abcdefghi").masked(), "***");
    EXPECT_EQ(Secret("x").masked(), "***");
    EXPECT_EQ(Secret().masked(), "");
}

}  // namespace
}  // namespace sluice::config
