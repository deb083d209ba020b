#include "dialect/upstream_error.h"

#include <gtest/gtest.h>

#include <array>

namespace sluice::dialect {
namespace {

Complaint complaint_of(std::string_view body) {
    static constexpr std::array<std::string_view, 1> kSecrets{"sk-secret"};
    return read_complaint(body, kSecrets);
}

TEST(UpstreamComplaint, EnvelopesAreToldApart) {
    const Complaint openai =
        complaint_of(R"({"error":{"message":"no\nfunds","type":"unknown_error","param":"model"}})");
    EXPECT_EQ(openai.envelope, Complaint::Envelope::openai);
    EXPECT_EQ(openai.message, "no\nfunds");
    EXPECT_EQ(openai.type, "unknown_error");
    EXPECT_EQ(openai.param, "model");

    const Complaint anthropic = complaint_of(
        R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})");
    EXPECT_EQ(anthropic.envelope, Complaint::Envelope::anthropic);
    EXPECT_EQ(anthropic.message, "Overloaded");
    EXPECT_EQ(anthropic.type, "overloaded_error");

    EXPECT_EQ(complaint_of(R"({"type":"error","error":{"message":"x"}})").envelope,
              Complaint::Envelope::openai);
    EXPECT_EQ(complaint_of(R"({"error":"x"})").envelope, Complaint::Envelope::none);
    EXPECT_EQ(complaint_of(R"({"error":"x"})").message, "x");
}

TEST(UpstreamComplaint, NoSecretIsInIt) {
    const Complaint complaint = complaint_of(
        R"({"error":{"message":"sk-secret!","type":"sk-secret","param":"a.sk-secret"}})");

    EXPECT_EQ(complaint.message, "[redacted]!");
    EXPECT_EQ(complaint.type, "[redacted]");
    EXPECT_EQ(complaint.param, "a.[redacted]");
}

TEST(UpstreamComplaint, HtmlSaysNothing) {
    EXPECT_EQ(complaint_of(" <!doctype html><p>502").message, "");
    EXPECT_EQ(complaint_of("").message, "");
    EXPECT_EQ(complaint_of("upstream connect error").message, "upstream connect error");
}

}  // namespace
}  // namespace sluice::dialect
