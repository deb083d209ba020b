#include "config/load_fixture.h"
#include "config/presets.h"
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
        file(kEverythingBefore + (directory_ / "ca.pem").string() + kEverythingAfter);
    }

    static constexpr const char* kEverythingBefore = R"yaml(
listen: [127.0.0.2:1, '[::1]:2']
admin: {listen: 127.0.0.1:3, key: admin-secret-0123456789-wxyz}
data_dir: "/d \"$$q\" \\"
keys:
  - {name: k, secret: client-secret-0123456789-wxyz, group: g, models: [m, 'g*'],
     scopes: [stats, metrics, pass_through]}
upstreams:
  a:
    preset: deepseek
    base_url: https://h:1/p
    api_key: short
    auth: own_key
    paths: {chat: /c, completions: /co, embeddings: /e, models: /m}
    timeouts: {connect: 1ms, first_byte: 2, idle: 3, total: 4, idle_counts_data_only: true}
    pool: {max_idle_per_worker: 5, idle_timeout: 6, max_connections: 7}
    retry: {max_retries: 1, base_delay: 2, max_delay: 3, rate_limit_wait: 4, max_wait: 5,
            on: [408, 5xx], budget: 0.125, budget_floor: 6}
    breaker: {enabled: false, consecutive_failures: 1, error_rate: 0.75, min_requests: 2,
              window: 3, open_for: 4, probes: 5}
    concurrency: {limit: adaptive, start: 2, max_limit: 3, queue: 4, queue_time: 5}
    health_check: {enabled: false, path: /h, interval: 6, timeout: 7}
    transforms:
      reject: [r1, "r$"]
      rename: {a$b: "c$$d"}
      roles: {developer: user, tool: function}
      drop: ['messages[].name', x]
      default: {t: {"$k": ["$${no}", ~, 1e-8, true, "1"]}, "odd\"name": 2}
      force: {u: "line\nbreak"}
      clamp: {temperature: [1e-8, 2], p: [-2, ~]}
      models: {old: {model: new, default: {d: 1}, force: {f: [x]}}}
    embeddings: {max_batch: 8, token_arrays: refuse, encoding: float}
    abilities:
      {thinking: none, reasoning_history: reasoning, reasoning_required: false,
       forced_tools_when_thinking: true, output_limit_field: max_completion_tokens,
       max_output_tokens: 1, default_output_tokens: 2, max_stop: 3, max_tools: 4, images: false,
       documents: true, json_schema: true, mid_system: false, system_role: developer,
       user_field: u, parallel_tool_calls: true, strict_tools: true, sampling: false,
       service_tier: true, signatures: true, server_tools: true, count_tokens: true, deferred_tools: true,
       billing_header: true, custom_tools: true, prefix: true}
    text_models: [t, 'v*']
    auth_header: x_api_key
    default_thinking: true
    tokenizer: o200k
    ca_file: )yaml";
    static constexpr const char* kEverythingAfter = R"yaml(
  b:
    base_url: http://h
    api_keys: [upstream-secret-0123456789-1111, upstream-secret-0123456789-2222]
    concurrency: {limit: 9}
    health_check: on
  m:
    kind: anthropic
    base_url: http://h
    auth_header: bearer
    version: "2026-10-21"
    paths: {messages: /me, count_tokens: none, models: /mo}
    default_thinking: false
  e: {kind: embedded, embedded: {tokens_per_second: 8.5, tokens: 9, faults: true}}
routes:
  - model: 'm*'
    to: [[a/*, {to: e/fault-x, weight: 0, variant: v1}], {to: b/m, weight: 3}]
    balance: split
    hedge: {after: 2s, share: 0.5, max_tokens: 3}
    reply: {model: as_requested, drop: [usage.cost], rename: {"a[].b": c}, set: {"x.y": {z: 1}},
            drop_headers: [x-a], set_headers: {x-b: "1 $$"}}
  - {model: n, to: [a/x, b/y]}
  - {model: o, to: [a/x, b/y], balance: peak_ewma}
default_route: {to: e/echo, hedge: on}
failures: {connect: [], bad_request: [fall_back], timeout: [retry], too_long: [retry, fall_back]}
pass_through: {upstream: b, prefix: /x, retry: true}
limits: {body_bytes: 10, head_bytes: 1025, connections_per_address: 12, head_timeout: 13,
         idle_timeout: 14, body_min_rate: 15, drain_timeout: 16, keepalive_after: 17,
         memory_bytes: 33MiB}
cors: {allow_origins: ['https://o.example', '*']}
log: {level: off, format: text, access: false, prompts_file: /f}
workers: 17
default_model: dm
reasoning_store: {enabled: false, max_bytes: 2MiB, max_age: 3}
debug: {changes: true}
)yaml";
};

TEST_F(DescribeTest, EveryKnownKeyIsShown) {
    file_with_everything();

    const std::string text = describe(loaded());

    for (const Schema& schema : kSchemas) {
        for (const std::string_view key : schema.keys) {
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
    const Config stated = loaded();
    file(describe(stated));  // from here on the secrets are what their masks were
    const Config again = loaded();
    const std::string everything = describe(again);
    file(everything);
    EXPECT_EQ(describe(loaded()), everything);

    // What describe() left out would not be missed above.
    const Upstream& a = stated.upstreams.at("a");
    const Upstream& b = again.upstreams.at("a");
    EXPECT_EQ(a.transforms.defaults, b.transforms.defaults);
    EXPECT_EQ(a.transforms.force, b.transforms.force);
    EXPECT_EQ(a.transforms.rename, b.transforms.rename);
    EXPECT_EQ(a.transforms.roles, b.transforms.roles);
    EXPECT_EQ(a.transforms.drop, b.transforms.drop);
    EXPECT_EQ(a.transforms.models.size(), b.transforms.models.size());
    EXPECT_EQ(a.transforms.clamp.at(1).lowest, b.transforms.clamp.at(1).lowest);
    EXPECT_EQ(a.retry.on, b.retry.on);
    ASSERT_EQ(stated.routes.size(), again.routes.size());
    for (std::size_t i = 0; i < stated.routes.size(); ++i) {
        EXPECT_EQ(stated.routes[i].targets, again.routes[i].targets);
    }
    EXPECT_EQ(stated.failures.rules, again.failures.rules);
    EXPECT_EQ(again.upstreams.at("b").api_keys.size(), 2U);
}

TEST_F(DescribeTest, DescriptionOfTheDefaultsLoadsAgainAsTheSame) {
    const std::string defaults = describe(loaded());
    file(defaults);
    EXPECT_EQ(describe(loaded()), defaults);
}

TEST_F(DescribeTest, DescriptionOfEveryPresetLoadsAgainAsTheSame) {
    for (const Preset& preset : upstream_presets()) {
        file("upstreams: {a: {preset: " + std::string(preset.name) + "}}\n");
        const std::string described = describe(loaded());
        file(described);
        EXPECT_EQ(describe(loaded()), described) << preset.name;
    }
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
