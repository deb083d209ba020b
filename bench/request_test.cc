#include "request.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::bench {
namespace {

TEST(Request, TheUpstreamReadsWhatTheGeneratorAsked) {
    const Question asked{.stream = true, .events = 7, .interval_us = 250, .reply_bytes = 99};
    const std::string request = request_bytes(asked, {.key = "k"});
    const std::string body = request.substr(request.find("\r\n\r\n") + 4);
    EXPECT_EQ(body.size(), asked.body_bytes);
    const Question read = read_question(body, {});
    EXPECT_TRUE(read.stream);
    EXPECT_EQ(read.events, 7);
    EXPECT_EQ(read.interval_us, 250);
    EXPECT_EQ(read.reply_bytes, 99);
}

TEST(Request, AnAnthropicClientAsksForAsManyEventsInABodyOfTheSameSize) {
    const Question asked{.stream = true, .events = 7, .interval_us = 250};
    const std::string request = request_bytes(asked, {.key = "k"}, Dialect::anthropic);
    EXPECT_TRUE(request.starts_with("POST /v1/messages HTTP/1.1\r\n"));
    EXPECT_TRUE(request.contains("\r\nanthropic-version: "));
    const std::string body = request.substr(request.find("\r\n\r\n") + 4);
    EXPECT_EQ(body.size(), asked.body_bytes);
    EXPECT_FALSE(body.contains("stream_options"));
    const Question read = read_question(body, {.interval_us = 3});
    EXPECT_TRUE(read.stream);
    EXPECT_EQ(read.events, 7);
    EXPECT_EQ(read.interval_us, 3);
}

TEST(Request, AFieldThatIsAbsentKeepsItsDefault) {
    const Question read = read_question(R"({"model":"m","stream": true})", {.events = 3});
    EXPECT_TRUE(read.stream);
    EXPECT_EQ(read.events, 3);
    EXPECT_EQ(number_field(R"({"max_tokens": 12})", "max_tokens", 1), 12);
}

}  // namespace
}  // namespace sluice::bench
