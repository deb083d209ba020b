#include "observe/access_log.h"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace sluice::observe {
namespace {

using namespace std::chrono_literals;

AccessRecord full_record() {
    return {.start = std::chrono::system_clock::time_point(1'700'000'000'123ms),
            .request_id = "req_0123456789abcdef",
            .method = "POST",
            .path = "/v1/chat/completions",
            .key_name = "alice",
            .route = "gpt-*",
            .variant = {},
            .upstream = "openai",
            .tried = {},
            .model = "gpt-4o",
            .reply_model = "gpt-4o-2024-08-06",
            .error = {},
            .upstream_request_id = "req_abc",
            .finish_reason = "stop",
            .dropped = {},
            .status = 200,
            .stream = true,
            .bytes_in = 1234,
            .bytes_out = 56789,
            .input_tokens = 300,
            .cached_tokens = 128,
            .output_tokens = 200,
            .reasoning_tokens = 0,
            .queue = 0ms,
            .upstream_first_byte = 321ms,
            .total = 4567ms,
            .attempts = 1};
}

struct Blocks {
    std::vector<std::string> blocks;

    AccessLog::Sink sink() {
        return [this](std::string_view lines) { blocks.emplace_back(lines); };
    }
};

TEST(AccessLogTest, LineTellsTheWholeRequest) {
    Blocks got;
    AccessLog log(LogFormat::json, got.sink());
    log.record(full_record());
    EXPECT_TRUE(got.blocks.empty());
    log.flush();
    ASSERT_EQ(got.blocks.size(), 1);
    EXPECT_EQ(
        got.blocks[0],
        "{\"time\":\"2023-11-14T22:13:20.123Z\",\"level\":\"info\",\"message\":\"request\","
        "\"request_id\":\"req_0123456789abcdef\",\"method\":\"POST\","
        "\"path\":\"/v1/chat/completions\",\"status\":200,\"key\":\"alice\",\"route\":\"gpt-*\","
        "\"upstream\":\"openai\",\"model\":\"gpt-4o\",\"reply_model\":\"gpt-4o-2024-08-06\","
        "\"upstream_request_id\":\"req_abc\",\"attempts\":1,\"stream\":true,"
        "\"finish_reason\":\"stop\",\"bytes_in\":1234,\"bytes_out\":56789,\"input_tokens\":300,"
        "\"cached_tokens\":128,\"output_tokens\":200,\"reasoning_tokens\":0,\"queue_ms\":0.000,"
        "\"upstream_first_byte_ms\":321.000,\"total_ms\":4567.000}\n");
}

TEST(AccessLogTest, LineTellsHowAnUpstreamWasFound) {
    Blocks got;
    AccessLog log(LogFormat::text, got.sink());
    AccessRecord record;
    record.status = 200;
    record.variant = "b";
    record.upstream = "second";
    record.tried = "first:503,second:ok";
    record.attempts = 2;
    record.hedged = true;
    record.dropped = "logit_bias,user";
    log.record(record);
    log.flush();
    ASSERT_EQ(got.blocks.size(), 1);
    EXPECT_EQ(got.blocks[0],
              "00:00:00.000 info  request status=200 variant=b upstream=second attempts=2 "
              "tried=first:503,second:ok hedged=true stream=false dropped=logit_bias,user "
              "bytes_in=0 bytes_out=0 total_ms=0.000\n");
}

TEST(AccessLogTest, WhatIsNotKnownIsLeftOut) {
    Blocks got;
    AccessLog log(LogFormat::text, got.sink());
    AccessRecord record;
    record.method = "GET";
    record.path = "/nope";
    record.error = "not_found";
    record.status = 404;
    log.record(record);
    log.flush();
    ASSERT_EQ(got.blocks.size(), 1);
    EXPECT_EQ(got.blocks[0],
              "00:00:00.000 info  request method=GET path=/nope status=404 error=not_found "
              "attempts=0 stream=false bytes_in=0 bytes_out=0 total_ms=0.000\n");
}

TEST(AccessLogTest, HostileFieldsStayOneLine) {
    std::string hostile = "\r\n{\"x\":1}\x1b[31m\xff\u2028";
    hostile += std::string(4000, '\n');
    for (const LogFormat format : {LogFormat::json, LogFormat::text}) {
        Blocks got;
        AccessLog log(format, got.sink());
        AccessRecord record = full_record();
        record.method = record.path = record.model = record.reply_model = hostile;
        record.upstream_request_id = record.finish_reason = record.key_name = hostile;
        record.tried = record.variant = record.dropped = hostile;
        log.record(record);
        log.flush();
        ASSERT_EQ(got.blocks.size(), 1);
        EXPECT_EQ(std::ranges::count(got.blocks[0], '\n'), 1);
        EXPECT_EQ(std::ranges::count(got.blocks[0], '\r'), 0);
        EXPECT_EQ(std::ranges::count(got.blocks[0], '\x1b'), 0);
        if (format == LogFormat::json) {
            EXPECT_NO_THROW(boost::json::parse(got.blocks[0]));
        }
    }
}

TEST(AccessLogTest, FullBlocksOfWholeLinesAreHandedOn) {
    Blocks got;
    AccessLog log(LogFormat::json, got.sink());
    for (int i = 0; i < 1000; ++i) log.record(full_record());
    EXPECT_GT(got.blocks.size(), 10);
    log.flush();
    log.flush();
    std::ptrdiff_t lines = 0;
    for (const std::string& block : got.blocks) {
        EXPECT_FALSE(block.empty());
        EXPECT_TRUE(block.ends_with("}\n"));
        EXPECT_LT(block.size(), AccessLog::kBlockBytes + 4096);
        lines += std::ranges::count(block, '\n');
    }
    EXPECT_EQ(lines, 1000);
}

TEST(AccessLogTest, LastRecordsAreHandedOnWhenTheLogGoes) {
    Blocks got;
    {
        AccessLog(LogFormat::json, got.sink()).record(full_record());
    }
    EXPECT_EQ(got.blocks.size(), 1);
}

TEST(AccessLogTest, NothingIsWrittenAboveInfo) {
    Blocks got;
    AccessLog log(LogFormat::json, got.sink());
    set_log_level(LogLevel::warn);
    log.record(full_record());
    set_log_level(LogLevel::info);
    log.flush();
    EXPECT_TRUE(got.blocks.empty());
}

}  // namespace
}  // namespace sluice::observe
