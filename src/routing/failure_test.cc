#include "routing/failure.h"

#include <gtest/gtest.h>

namespace sluice::routing {
namespace {

using config::FailureKind;

FailureKind classify_status(int status, std::string_view body = {}) {
    return classify(Error(Errc::upstream_status), status, body);
}

FailureKind classify_code(Errc code, int status = 0) {
    return classify(Error(code), status, {});
}

TEST(Classify, StatusesAreWhatTheTableSays) {
    EXPECT_EQ(classify_status(400), FailureKind::bad_request);
    EXPECT_EQ(classify_status(401), FailureKind::unauthorized);
    EXPECT_EQ(classify_status(402), FailureKind::no_credit);
    EXPECT_EQ(classify_status(403), FailureKind::forbidden);
    EXPECT_EQ(classify_status(404), FailureKind::not_found);
    EXPECT_EQ(classify_status(405), FailureKind::bad_request);
    EXPECT_EQ(classify_status(408), FailureKind::conflict);
    EXPECT_EQ(classify_status(409), FailureKind::conflict);
    EXPECT_EQ(classify_status(413), FailureKind::bad_request);
    EXPECT_EQ(classify_status(422), FailureKind::bad_request);
    EXPECT_EQ(classify_status(429), FailureKind::rate_limited);
    EXPECT_EQ(classify_status(499), FailureKind::bad_request);
    EXPECT_EQ(classify_status(500), FailureKind::server_error);
    EXPECT_EQ(classify_status(502), FailureKind::server_error);
    EXPECT_EQ(classify_status(503), FailureKind::overloaded);
    EXPECT_EQ(classify_status(504), FailureKind::server_error);
    EXPECT_EQ(classify_status(529), FailureKind::overloaded);
    EXPECT_EQ(classify_status(599), FailureKind::server_error);
    EXPECT_EQ(classify_status(302), FailureKind::invalid_reply);
    EXPECT_EQ(classify_status(304), FailureKind::invalid_reply);
}

TEST(Classify, WithoutAStatusTheErrorDecides) {
    EXPECT_EQ(classify_code(Errc::upstream_unreachable), FailureKind::connect);
    EXPECT_EQ(classify_code(Errc::upstream_truncated), FailureKind::broken);
    EXPECT_EQ(classify_code(Errc::upstream_protocol), FailureKind::broken);
    EXPECT_EQ(classify_code(Errc::upstream_timeout), FailureKind::timeout);
    EXPECT_EQ(classify_code(Errc::overloaded), FailureKind::overloaded);
    EXPECT_EQ(classify_code(Errc::upstream_invalid_response), FailureKind::invalid_reply);
    EXPECT_EQ(classify_code(Errc::upstream_status), FailureKind::invalid_reply);
    EXPECT_EQ(classify_code(Errc::client_gone), FailureKind::bad_request);
    EXPECT_EQ(classify_code(Errc::cancelled), FailureKind::bad_request);
}

TEST(Classify, WhatHappensAfterAGoodHeadIsTheErrors) {
    EXPECT_EQ(classify_code(Errc::upstream_truncated, 200), FailureKind::broken);
    EXPECT_EQ(classify_code(Errc::upstream_timeout, 200), FailureKind::timeout);
    EXPECT_EQ(classify_code(Errc::upstream_invalid_response, 200), FailureKind::invalid_reply);
}

TEST(Classify, KnowsAContextThatIsTooLongByItsWords) {
    for (
        const char* body : {
            R"({"error":{"message":"x","code":"context_length_exceeded"}})",
            R"({"error":{"message":"This model's maximum context length is 65536 tokens. However, )"
            R"(you requested 70000 tokens"}})",
            R"({"message":"The decoder prompt (length 5000) is longer than the maximum model )"
            R"(length of 4096."})",
            R"({"error":{"code":400,"message":"the request exceeds the available context size.",)"
            R"("type":"exceed_context_size_error"}})",
            R"({"type":"error","error":{"message":"prompt is too long: 200001 tokens > 200000"}})",
            R"({"error":"input length exceeds the context length"})",
            R"({"error":{"message":"Your input exceeds the context window of this model."}})",
            R"({"error":{"message":"Too Many Tokens in the request"}})",
            R"({"error":{"message":"Please reduce the length of the messages or completion."}})",
            R"({"message":"Range of input length should be [1, 6000]"})",
        }) {
        EXPECT_EQ(classify_status(400, body), FailureKind::too_long) << body;
        EXPECT_EQ(classify_status(413, body), FailureKind::too_long) << body;
        EXPECT_EQ(classify_status(422, body), FailureKind::too_long) << body;
        EXPECT_EQ(classify_status(429, body), FailureKind::rate_limited) << body;
        EXPECT_EQ(classify_status(500, body), FailureKind::server_error) << body;
    }
}

TEST(Classify, AnOrdinaryMistakeIsNoLongContext) {
    EXPECT_EQ(classify_status(400, R"({"error":{"message":"max_tokens must be at most 4096"}})"),
              FailureKind::bad_request);
    EXPECT_EQ(classify_status(400, R"({"error":{"message":"messages: field required"}})"),
              FailureKind::bad_request);
}

TEST(Classify, LackOfResourcesIsOverload) {
    constexpr std::string_view kBody =
        R"({"choices":[{"finish_reason":"insufficient_system_resource"}]})";

    EXPECT_EQ(classify(Error(Errc::upstream_status), 200, kBody), FailureKind::overloaded);
    EXPECT_EQ(classify_status(500, kBody), FailureKind::overloaded);
    EXPECT_EQ(classify_status(503, kBody), FailureKind::overloaded);
}

TEST(Classify, OnlyTheBeginningOfALongTextIsRead) {
    EXPECT_EQ(classify_status(400, std::string(1 << 20, 'x') + "context length"),
              FailureKind::bad_request);
}

TEST(Faults, AreTheUpstreamsOrTheKeysOrNeither) {
    std::size_t of_upstream = 0;
    std::size_t of_key = 0;
    for (std::size_t i = 0; i < config::kFailureKinds; ++i) {
        const auto kind = static_cast<FailureKind>(i);
        EXPECT_FALSE(is_upstream_fault(kind) && is_key_fault(kind)) << to_string(kind);
        of_upstream += is_upstream_fault(kind) ? 1 : 0;
        of_key += is_key_fault(kind) ? 1 : 0;
    }
    EXPECT_EQ(of_upstream, 6U);
    EXPECT_EQ(of_key, 4U);
    EXPECT_TRUE(is_upstream_fault(FailureKind::timeout));
    EXPECT_FALSE(is_upstream_fault(FailureKind::bad_request));
    EXPECT_FALSE(is_upstream_fault(FailureKind::rate_limited));
    EXPECT_TRUE(is_key_fault(FailureKind::rate_limited));
}

}  // namespace
}  // namespace sluice::routing
