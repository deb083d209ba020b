#include "gateway/forwarded_fields.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::gateway {
namespace {

std::string forward(const std::vector<net::http1::Field>& fields, Account account = Account::ours) {
    net::http1::RequestHead head;
    head.fields = fields;
    return forwarded_fields(head, account);
}

TEST(ForwardedFieldsTest, WhatDescribesTheBodyAndTheWishGoesOnInOrder) {
    EXPECT_EQ(
        forward({{"Content-Type", "multipart/form-data; boundary=AbC"},
                 {"Range", "bytes=0-9"},
                 {"If-None-Match", "\"x\""},
                 {"OpenAI-Beta", "assistants=v2"},
                 {"anthropic-version", "2023-06-01"},
                 {"X-Stainless-Lang", "python"},
                 {"Idempotency-Key", "7"}}),
        "content-type: multipart/form-data; boundary=AbC\r\nrange: bytes=0-9\r\n"
        "if-none-match: \"x\"\r\nopenai-beta: assistants=v2\r\n"
        "anthropic-version: 2023-06-01\r\nx-stainless-lang: python\r\nidempotency-key: 7\r\n");
}

TEST(ForwardedFieldsTest, NothingElseDoes) {
    for (const std::string_view name : {"Host",
                                        "Authorization",
                                        "x-api-key",
                                        "Api-Key",
                                        "anthropic-api-key",
                                        "Cookie",
                                        "X-Forwarded-For",
                                        "Forwarded",
                                        "Via",
                                        "X-Real-IP",
                                        "x-sluice-route",
                                        "Connection",
                                        "Keep-Alive",
                                        "TE",
                                        "Trailer",
                                        "Transfer-Encoding",
                                        "Content-Length",
                                        "Upgrade",
                                        "Expect",
                                        "Proxy-Authorization",
                                        "Origin",
                                        "Referer",
                                        "X-Request-Id",
                                        "User-Agent",
                                        "if"}) {
        EXPECT_EQ(forward({{name, "1"}}, Account::clients), "") << name;
    }
}

TEST(ForwardedFieldsTest, WhatConnectionNamesBelongsToThisConnection) {
    EXPECT_EQ(forward({{"Accept", "a/b"},
                       {"Connection", "keep-alive , ACCEPT"},
                       {"If-Match", "x"},
                       {"connection", "if-match"},
                       {"Range", "bytes=0-1"}}),
              "range: bytes=0-1\r\n");
}

TEST(ForwardedFieldsTest, WhoPaysIsChosenByWhoeverOwnsTheKey) {
    const std::vector<net::http1::Field> fields = {{.name = "OpenAI-Organization", .value = "org"},
                                                   {.name = "OpenAI-Project", .value = "proj"}};
    EXPECT_EQ(forward(fields, Account::ours), "");
    EXPECT_EQ(forward(fields, Account::clients),
              "openai-organization: org\r\nopenai-project: proj\r\n");
}

TEST(ForwardedTargetTest, KeepsPathAndQueryAsTheyAre) {
    EXPECT_EQ(forwarded_target("/files", ""), "/files");
    EXPECT_EQ(forwarded_target("/a%20b/c..d/...", "x=../y&z=%2e"), "/a%20b/c..d/...?x=../y&z=%2e");
    EXPECT_EQ(forwarded_target("/a//b/", ""), "/a//b/");
}

TEST(ForwardedTargetTest, NoDotSegmentLeadsOutOfTheBasePath) {
    for (const std::string_view path :
         {"/..", "/../x", "/a/../b", "/a/.", "/./a", "/%2e%2E/x", "/a/.%2e", "/%2e/", "/a%2f../b",
          "/a%5C..%2fb", "/a\\..\\b", "/..%2f"}) {
        EXPECT_EQ(forwarded_target(path, ""), std::nullopt) << path;
    }
}

}  // namespace
}  // namespace sluice::gateway
