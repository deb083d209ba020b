#include "upstream/reply_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace sluice::upstream {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string pass(std::vector<net::http1::Field> fields, bool raw,
                 std::span<const std::string_view> secrets = {}) {
    net::http1::ResponseHead head;
    head.fields = fields;
    return passed_on_fields(head, raw, secrets);
}

TEST(ReplyFieldsTest, WhatTheClientPacesItselfByIsPassedOnInOrder) {
    EXPECT_EQ(pass({{"Retry-After", "7"},
                    {"X-RateLimit-Reset-Tokens", "6m0s"},
                    {"anthropic-ratelimit-requests-remaining", "3"},
                    {"x-venice-model-deprecation-warning", "soon"},
                    {"Server", "secret"}},
                   false),
              "retry-after: 7\r\nx-ratelimit-reset-tokens: 6m0s\r\n"
              "anthropic-ratelimit-requests-remaining: 3\r\n"
              "x-venice-model-deprecation-warning: soon\r\n");
}

TEST(ReplyFieldsTest, HowToReadABodyIsSaidOnlyOfARawOne) {
    const std::vector<net::http1::Field> fields = {
        {.name = "Content-Encoding", .value = "gzip"},
        {.name = "Content-Type", .value = "a/b; boundary=AbC"},
        {.name = "ETag", .value = "\"x\""}};
    EXPECT_EQ(pass(fields, false), "");
    EXPECT_EQ(pass(fields, true),
              "content-encoding: gzip\r\ncontent-type: a/b; boundary=AbC\r\netag: \"x\"\r\n");
}

TEST(ReplyFieldsTest, WhatIsNotTheClientsBusinessNeverIs) {
    for (const std::string_view name : {"Set-Cookie",
                                        "Authorization",
                                        "x-api-key",
                                        "x-venice-api-key",
                                        "X-Upstream-Api-Key",
                                        "Connection",
                                        "Keep-Alive",
                                        "Transfer-Encoding",
                                        "Content-Length",
                                        "Trailer",
                                        "Upgrade",
                                        "Proxy-Authenticate",
                                        "Location",
                                        "openai-organization",
                                        "Access-Control-Allow-Origin",
                                        "Strict-Transport-Security",
                                        "x-ratelimit",
                                        "Server",
                                        "Via",
                                        "x-sluice-variant"}) {
        EXPECT_EQ(pass({{name, "1"}}, true), "") << name;
    }
}

TEST(ReplyFieldsTest, AFieldThatRepeatsASecretStays) {
    const std::array<std::string_view, 2> secrets = {"sk-one", "sk-two"};

    EXPECT_EQ(pass({{"x-ratelimit-key", "of sk-two!"}, {"retry-after", "1"}}, true, secrets),
              "retry-after: 1\r\n");
}

TEST(ReplyFieldsTest, SecretsAreTheKeysAndWhatTheClientShowed) {
    const std::vector<config::Secret> keys = {config::Secret("sk-a"), config::Secret("sk-b")};
    EXPECT_THAT(secrets_of(keys, "authorization: Bearer sk-c\r\nx-api-key: sk-d\r\n"),
                ElementsAre("sk-a", "sk-b", "sk-c", "sk-d"));
    EXPECT_THAT(secrets_of({}, "authorization: sk-c"), ElementsAre("sk-c"));
    EXPECT_THAT(secrets_of({}, "authorization:\r\n\r\nx"), ElementsAre("x"));
    EXPECT_THAT(secrets_of({}, ""), IsEmpty());
}

}  // namespace
}  // namespace sluice::upstream
