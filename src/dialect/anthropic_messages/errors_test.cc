#include "dialect/anthropic_messages/errors.h"

#include "json/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace sluice::dialect::anthropic_messages {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string normalized(int status, std::string_view body) {
    static constexpr std::array<std::string_view, 2> kSecrets{"", "sk-secret"};
    const std::string text = normalize_upstream_error(status, body, kSecrets, "req_1");
    EXPECT_EQ(json::find_error(text), std::nullopt) << text;
    return text;
}

TEST(AnthropicErrors, HaveTheEnvelope) {
    EXPECT_EQ(write_error(Error(Errc::bad_request, "no \"model\""), "req_1"),
              R"({"type":"error","error":{"type":"invalid_request_error",)"
              R"("message":"no \"model\""},"request_id":"req_1"})");
    EXPECT_EQ(write_error(Error(Errc::unauthorized, "wrong key"), ""),
              R"({"type":"error","error":{"type":"authentication_error","message":"wrong key"}})");
}

TEST(AnthropicErrors, EachStatusHasItsType) {
    EXPECT_EQ(error_type(400), "invalid_request_error");
    EXPECT_EQ(error_type(401), "authentication_error");
    EXPECT_EQ(error_type(402), "billing_error");
    EXPECT_EQ(error_type(403), "permission_error");
    EXPECT_EQ(error_type(404), "not_found_error");
    EXPECT_EQ(error_type(409), "conflict_error");
    EXPECT_EQ(error_type(413), "request_too_large");
    EXPECT_EQ(error_type(422), "invalid_request_error");
    EXPECT_EQ(error_type(429), "rate_limit_error");
    EXPECT_EQ(error_type(500), "api_error");
    EXPECT_EQ(error_type(502), "api_error");
    EXPECT_EQ(error_type(503), "overloaded_error");
    EXPECT_EQ(error_type(504), "timeout_error");
    EXPECT_EQ(error_type(529), "overloaded_error");
}

TEST(AnthropicErrors, AnOverloadIsA529) {
    EXPECT_EQ(client_status(503), 529);
    EXPECT_EQ(client_status(529), 529);
    EXPECT_EQ(client_status(429), 429);
    EXPECT_THAT(write_error(Error(Errc::overloaded), ""), HasSubstr("overloaded_error"));
}

TEST(AnthropicErrors, EveryKindHasAMessageAndAType) {
    for (int code = 0; code <= static_cast<int>(Errc::internal); ++code) {
        const std::string text = write_error(Error(static_cast<Errc>(code)), "");
        EXPECT_EQ(json::find_error(text), std::nullopt);
        EXPECT_THAT(text, Not(HasSubstr(R"("message":"")")));
        EXPECT_THAT(text, Not(HasSubstr(R"("type":"")")));
    }
}

TEST(AnthropicErrors, AreOneNamedEventWithinAStream) {
    EXPECT_EQ(write_stream_error(Error(Errc::upstream_truncated, "a\nb"), ""),
              "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\","
              "\"message\":\"a\\nb\"}}\n\n");
}

TEST(AnthropicUpstreamErrors, AnEnvelopePassesAsItIs) {
    const std::string body =
        " {\"type\":\"error\", \"error\" : {\"type\":\"x\",\"message\":\"m\",\"details\":{}} }\n";

    EXPECT_EQ(normalized(400, body), body);
    EXPECT_THAT(normalized(401, R"({"type":"error","error":{"type":"x","message":"sk-secret"}})"),
                HasSubstr(R"("message":"[redacted]")"));
}

TEST(AnthropicUpstreamErrors, TheMessageOfOpenAisEnvelopeIsKeptWordForWord) {
    EXPECT_EQ(
        normalized(400, R"({"error":{"message":"This model's maximum context length is 131072)"
                        R"( tokens. However, you requested 200000 tokens\n(x).","type":)"
                        R"("invalid_request_error","param":null,"code":"y"}})"),
        R"({"type":"error","error":{"type":"invalid_request_error","message":)"
        R"("This model's maximum context length is 131072 tokens. However, you requested )"
        R"(200000 tokens\n(x)."},"request_id":"req_1"})");
    EXPECT_THAT(
        normalized(402, R"({"error":{"message":"Insufficient Balance",)"
                        R"("type":"unknown_error","param":null,"code":"invalid_request"}})"),
        HasSubstr(R"({"type":"billing_error","message":"Insufficient Balance"})"));
    EXPECT_THAT(
        normalized(400, R"({"error":{"message":"prompt is too long: 3 tokens > 2 maximum"}})"),
        HasSubstr(R"("message":"prompt is too long: 3 tokens > 2 maximum")"));
}

TEST(AnthropicUpstreamErrors, OtherBodiesBecomeTheMessage) {
    EXPECT_THAT(normalized(503, "busy"),
                HasSubstr(R"({"type":"overloaded_error","message":"busy"})"));
    EXPECT_THAT(normalized(422, R"({"detail":"bad"})"), HasSubstr(R"("message":"bad")"));
    for (const std::string_view body : {"", "  \n", "<html><h1>502</h1></html>"}) {
        EXPECT_THAT(normalized(502, body),
                    HasSubstr(R"("message":"the upstream answered with status 502")"));
    }
    EXPECT_LT(normalized(500, std::string(100'000, 'x')).size(), 2300U);
}

}  // namespace
}  // namespace sluice::dialect::anthropic_messages
