#include "dialect/openai_chat/errors.h"

#include "json/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace sluice::dialect::openai_chat {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string normalized(int status, std::string_view body) {
    static constexpr std::array<std::string_view, 2> kSecrets{"", "sk-secret"};
    const std::string text = normalize_upstream_error(status, body, kSecrets);
    EXPECT_EQ(json::find_error(text), std::nullopt) << text;
    return text;
}

TEST(OpenAiErrors, HaveTheEnvelope) {
    Error error(Errc::bad_request, "no \"model\"");
    error.param = "model";

    EXPECT_EQ(write_error(error),
              R"({"error":{"message":"no \"model\"","type":"invalid_request_error",)"
              R"("param":"model","code":null}})");
    EXPECT_EQ(write_error(Error(Errc::unauthorized, "wrong key")),
              R"({"error":{"message":"wrong key","type":"invalid_request_error",)"
              R"("param":null,"code":"invalid_api_key"}})");
}

TEST(OpenAiErrors, CarryTheCodesThatClientsLookFor) {
    EXPECT_THAT(write_error(Error(Errc::model_not_found)),
                HasSubstr(R"("code":"model_not_found")"));
    EXPECT_THAT(write_error(Error(Errc::rate_limited)), HasSubstr(R"("type":"rate_limit_error")"));
    EXPECT_THAT(write_error(Error(Errc::upstream_invalid_response)),
                HasSubstr(R"("type":"upstream_invalid_response")"));
    EXPECT_THAT(write_error(Error(Errc::upstream_timeout)),
                HasSubstr(R"("type":"upstream_error","param":null,"code":"upstream_timeout")"));
}

TEST(OpenAiErrors, EveryKindHasAMessageAndAType) {
    for (int code = 0; code <= static_cast<int>(Errc::internal); ++code) {
        const std::string text = write_error(Error(static_cast<Errc>(code)));
        EXPECT_EQ(json::find_error(text), std::nullopt);
        EXPECT_THAT(text, Not(HasSubstr(R"("message":"")")));
        EXPECT_THAT(text, Not(HasSubstr(R"("type":"")")));
    }
}

TEST(OpenAiErrors, AreOneEventWithinAStream) {
    EXPECT_EQ(write_stream_error(Error(Errc::upstream_truncated, "a\nb")),
              "data: {\"error\":{\"message\":\"a\\nb\",\"type\":\"upstream_error\",\"param\":null,"
              "\"code\":\"upstream_truncated\"}}\n\n");
}

TEST(UpstreamErrors, AnEnvelopePassesAsItIs) {
    const std::string body =
        " { \"error\" : {\"message\":\"too long\",\"code\":\"x\",\"extra\":[1]}, \"more\":1 }\n";

    EXPECT_EQ(normalized(400, body), body);
}

TEST(UpstreamErrors, AnthropicsEnvelopeBecomesOpenAis) {
    EXPECT_EQ(normalized(529, R"({"type":"error","error":{"type":"overloaded_error",)"
                              R"("message":"Overloaded sk-secret"},"request_id":"req_1"})"),
              R"({"error":{"message":"Overloaded [redacted]","type":"service_unavailable_error",)"
              R"("param":null,"code":"server_is_overloaded"}})");
    const auto of_type = [](std::string_view type, std::string_view message) {
        return normalized(400, R"({"type":"error","error":{"type":")" + std::string(type) +
                                   R"(","message":")" + std::string(message) + R"("}})");
    };
    EXPECT_THAT(of_type("invalid_request_error", "prompt is too long: 3 tokens > 2 maximum"),
                HasSubstr(R"("code":"context_length_exceeded")"));
    EXPECT_THAT(of_type("invalid_request_error", "x"),
                HasSubstr(R"("type":"invalid_request_error","param":null,"code":null)"));
    EXPECT_THAT(of_type("authentication_error", "x"), HasSubstr(R"("code":"invalid_api_key")"));
    EXPECT_THAT(of_type("permission_error", "x"),
                HasSubstr(R"("code":"insufficient_permissions")"));
    EXPECT_THAT(of_type("not_found_error", "x"), HasSubstr(R"("code":"model_not_found")"));
    EXPECT_THAT(of_type("billing_error", "x"), HasSubstr(R"("type":"insufficient_quota")"));
    EXPECT_THAT(of_type("rate_limit_error", "x"), HasSubstr(R"("type":"rate_limit_error")"));
    EXPECT_THAT(of_type("timeout_error", "x"), HasSubstr(R"("code":"upstream_timeout")"));
    EXPECT_THAT(of_type("api_error", "x"), HasSubstr(R"("type":"server_error")"));
    EXPECT_THAT(of_type("request_too_large", "x"), HasSubstr(R"("code":"payload_too_large")"));
    EXPECT_THAT(of_type("new_error", "x"), HasSubstr(R"("type":"invalid_request_error")"));
}

TEST(OpenAiErrors, AnOverloadIsA503ForTheirClients) {
    EXPECT_EQ(client_status(529), 503);
    EXPECT_EQ(client_status(429), 429);
}

TEST(UpstreamErrors, ASecretIsMadeUnreadableWhereverItStands) {
    EXPECT_EQ(normalized(401, R"({"error":{"message":"key sk-secret","param":"sk-secret"}})"),
              R"({"error":{"message":"key [redacted]","param":"[redacted]"}})");
    EXPECT_THAT(normalized(500, "debug: sk-secret."), HasSubstr("debug: [redacted]."));
    EXPECT_THAT(normalized(500, R"({"error":"\u0073k-secret"})"), HasSubstr("[redacted]"));
}

TEST(UpstreamErrors, TextInWhateverShapeIsWrapped) {
    EXPECT_EQ(normalized(500, R"({"error":"model \"x\" not found"})"),
              R"({"error":{"message":"model \"x\" not found","type":"upstream_error",)"
              R"("param":null,"code":"upstream_status"}})");
    EXPECT_THAT(normalized(422, R"({"detail":"bad"})"),
                HasSubstr(R"("message":"bad","type":"invalid_request_error")"));
    EXPECT_THAT(normalized(429, "slow\r\n\x01 down"),
                HasSubstr(R"("message":"slow    down","type":"rate_limit_error")"));
}

TEST(UpstreamErrors, VenicesComplaintsAboutFieldsAreInTheMessage) {
    EXPECT_EQ(
        normalized(400, R"({"error":"Invalid request parameters","details":{"_errors":[]},)"
                        R"("issues":[{"code":"too_big","path":["messages",0,"name"],)"
                        R"("message":"too long"},{"path":[],"message":"no"},{"code":"x"},7]})"),
        R"({"error":{"message":"Invalid request parameters: messages.0.name: too long; no",)"
        R"("type":"invalid_request_error","param":"messages.0.name","code":"upstream_status"}})");
    EXPECT_EQ(
        normalized(400, R"({"error":"Invalid","details":{"_errors":[],"max_tokens":)"
                        R"({"_errors":["must be > 0","must be whole"]},"n":{}}})"),
        R"({"error":{"message":"Invalid: max_tokens: must be > 0; max_tokens: must be whole",)"
        R"("type":"invalid_request_error","param":"max_tokens","code":"upstream_status"}})");
    EXPECT_THAT(normalized(402, R"({"error":"Insufficient balance","details":"top up"})"),
                HasSubstr(R"("message":"Insufficient balance: top up")"));
    EXPECT_THAT(normalized(500, R"({"error":"x","details":[1],"issues":"y"})"),
                HasSubstr(R"("message":"x")"));
    EXPECT_THAT(normalized(400, R"({"issues":[{"path":["sk-secret"],"message":"sk-secret"}]})"),
                HasSubstr(R"("message":"[redacted]: [redacted]")"));
}

TEST(UpstreamErrors, ManyComplaintsStayBounded) {
    std::string body = R"({"error":"x","issues":[{"path":["a"],"message":"b"})";
    for (int i = 0; i < 5000; ++i) body += R"(,{"path":["field"],"message":"is wrong"})";

    EXPECT_LT(normalized(400, body + "]}").size(), kMaxErrorMessageBytes + 200);
}

TEST(Redact, EverySecretIsTakenOutTheLongestFirst) {
    constexpr std::array<std::string_view, 4> kSecrets{"sk-1", "", "sk-1-long", "other"};

    EXPECT_EQ(redact("sk-1-long sk-1 sk-1-lon other sk-", kSecrets),
              "[redacted] [redacted] [redacted]-lon [redacted] sk-");
    EXPECT_EQ(redact("", kSecrets), "");
    EXPECT_EQ(redact("sk-1sk-1", kSecrets), "[redacted][redacted]");
}

TEST(Redact, ASecretWrittenWithEscapesIsFound) {
    constexpr std::array<std::string_view, 1> kSecrets{"a/b+c"};

    EXPECT_EQ(redact(R"("a\/b\u002bc" a/b\u002Bc \u0061/b+c)", kSecrets),
              R"("[redacted]" [redacted] [redacted])");
    EXPECT_EQ(redact(R"(a\/b\u002 a\)", kSecrets), R"(a\/b\u002 a\)");
}

TEST(UpstreamErrors, HtmlAndNothingBecomeTheStatus) {
    for (const std::string_view body : {"", "  \n", "<html><h1>502</h1></html>"}) {
        EXPECT_THAT(normalized(502, body), HasSubstr("the upstream answered with status 502"));
    }
}

TEST(UpstreamErrors, NonsenseStaysBoundedAndValidUtf8) {
    std::string body;
    for (int i = 0; i < 5000; ++i) body += "\xE2\x82\xAC";

    const std::string wrapped = normalized(500, body);

    EXPECT_LT(wrapped.size(), kMaxErrorMessageBytes + 200);
    EXPECT_THAT(wrapped, HasSubstr("\xE2\x82\xAC..."));
    EXPECT_THAT(wrapped, Not(HasSubstr("\xEF\xBF\xBD")));
    EXPECT_THAT(normalized(500, "\xFF\xFE{"), HasSubstr("\xEF\xBF\xBD\xEF\xBF\xBD{"));
    EXPECT_THAT(normalized(500, R"({"error":{"message":"cut)"), HasSubstr("cut"));
}

}  // namespace
}  // namespace sluice::dialect::openai_chat
