#include "net/http1/response_reader.h"

#include "net/http1/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace sluice::net::http1 {
namespace {

using namespace std::string_literals;

testing::Outcome read(std::string_view bytes) {
    ResponseReader reader;
    auto whole = testing::read_in_pieces(reader, bytes, bytes.size() + 1, 1);
    ResponseReader other;
    EXPECT_EQ(testing::read_in_pieces(other, bytes, 1, 1), whole)
        << ::testing::PrintToString(bytes);
    return whole;
}

std::string ok_with(std::string_view lines) {
    return "HTTP/1.1 200 OK\r\n" + std::string(lines) + "\r\n\r\n";
}

TEST(ResponseReader, HandsOutTheHead) {
    const std::string bytes = ok_with("Content-Type: a/b\r\nx_y:\r\nContent-Length: 4") + "body";
    ResponseReader reader;

    ASSERT_EQ(reader.read_head(bytes), Progress::done);

    EXPECT_EQ(reader.head().status, 200);
    EXPECT_EQ(reader.head().minor_version, 1);
    EXPECT_TRUE(reader.head().keep_alive);
    EXPECT_FALSE(reader.head().until_close);
    EXPECT_EQ(reader.head().content_length, 4U);
    EXPECT_EQ(reader.head().find("content-type"), "a/b");
    EXPECT_EQ(reader.head().fields[1].name, "x_y");
    EXPECT_EQ(bytes.substr(reader.head_size()), "body");
}

TEST(ResponseReader, TakesStatusLinesWithOddOrNoReason) {
    for (const std::string line :
         {"HTTP/1.1 301", "HTTP/1.1 301 ", "HTTP/1.0 500 Ori\xEBntatie", "HTTP/1.1 599 a  b\t"}) {
        EXPECT_EQ(read(line + "\r\nContent-Length: 0\r\n\r\n").progress, Progress::done) << line;
    }
}

TEST(ResponseReader, NoBodyFollowsHeadRequestsNorTheStatusesWithoutOne) {
    for (const std::string status : {"204", "304"}) {
        const auto outcome = read("HTTP/1.1 " + status + " X\r\nContent-Length: 10\r\n\r\nmore");
        EXPECT_EQ(outcome.progress, Progress::done);
        EXPECT_EQ(outcome.surplus, "more");
    }
    ResponseReader reader;
    reader.expect(/*head_request=*/true);
    const std::string bytes = ok_with("Transfer-Encoding: chunked");
    ASSERT_EQ(reader.read_head(bytes), Progress::done);
    EXPECT_TRUE(reader.body_done());
}

TEST(ResponseReader, PassesOverInterimResponses) {
    const std::string interim = "HTTP/1.1 103 Early Hints\r\nContent-Length: 7\r\n\r\n";
    std::string bytes = "HTTP/1.1 100\r\n\r\n\r\n";
    for (int i = 0; i < 9; ++i) bytes += interim;
    bytes += ok_with("Content-Length: 2") + "ab";

    const auto outcome = read(bytes);
    EXPECT_EQ(outcome.messages, 1U) << outcome.error.message;
    EXPECT_EQ(outcome.seen, "200 1.1 keep length=2\nContent-Length=2\n\nab\n.\n");
    EXPECT_EQ(read(interim + bytes).error.code, Errc::upstream_protocol);
}

TEST(ResponseReader, ABodyWithoutFramingEndsWithTheConnection) {
    ResponseReader reader;
    const std::string bytes = ok_with("Content-Type: a/b") + "some";
    ASSERT_EQ(reader.read_head(bytes), Progress::done);
    EXPECT_TRUE(reader.head().until_close);
    EXPECT_FALSE(reader.head().keep_alive);
    std::string_view input = std::string_view(bytes).substr(reader.head_size());
    std::string_view piece;

    EXPECT_EQ(reader.read_body(input, piece), Progress::need_more);
    EXPECT_EQ(piece, "some");
    EXPECT_EQ(reader.read_eof(), Progress::done);
    EXPECT_TRUE(reader.body_done());
}

TEST(ResponseReader, AnEndBeforeTheEndIsTruncation) {
    for (const std::string& bytes :
         {""s, "HTTP/1.1 2"s, "HTTP/1.1 200 OK\r\n"s, "HTTP/1.1 100 C\r\n\r\n"s,
          ok_with("Content-Length: 5") + "abcd",
          ok_with("Transfer-Encoding: chunked") + "1\r\na\r\n",
          ok_with("Transfer-Encoding: chunked") + "1\r\na\r\n0\r\n"}) {
        ResponseReader reader;
        auto progress = reader.read_head(bytes);
        if (progress == Progress::done) {
            std::string_view input = std::string_view(bytes).substr(reader.head_size());
            std::string_view piece;
            while (!input.empty()) progress = reader.read_body(input, piece);
        }
        ASSERT_EQ(progress, Progress::need_more);
        EXPECT_EQ(reader.read_eof(), Progress::failed) << bytes;
        EXPECT_EQ(reader.error().code, Errc::upstream_truncated);
    }
}

TEST(ResponseReader, BytesBehindTheBodyAreLeftToTheCaller) {
    EXPECT_EQ(read(ok_with("Content-Length: 2") + "abHTTP").surplus, "HTTP");
    EXPECT_EQ(read(ok_with("Transfer-Encoding: chunked") + "0\r\n\r\n\r\n").surplus, "\r\n");
}

TEST(ResponseReader, RefusesWhatIsNotPlainlyHttp) {
    for (const std::string& bytes :
         {"<html>"s,
          "HTP/1.1"s,
          "RTSP/1.1 200 OK\r\n"s,
          "HTTP/2"s,
          "HTTP/1.2 200 OK\r\n"s,
          "HTTP/1.1\t200 OK\r\n"s,
          "HTTP/1.1  200 OK\r\n"s,
          "HTTP/1.1 20 OK\r\n"s,
          "HTTP/1.1 2000 OK\r\n"s,
          "HTTP/1.1 099 OK\r\n"s,
          "HTTP/1.1 600 OK\r\n"s,
          "HTTP/1.1 +20 OK\r\n"s,
          "HTTP/1.1 200 O\x01K\r\n"s,
          "HTTP/1.1 200 OK\n"s,
          "HTTP/1.1 101 Switching Protocols\r\n"s,
          "\r\n\r\n\r\n"s,
          "HTTP/1.1 200 OK\r\nX: a\rb"s,
          "HTTP/1.1 200 OK\r\nX: a\0"s,
          "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n"s,
          "HTTP/1.1 200 OK\r\nX : a\r\n"s,
          "HTTP/1.1 200 OK\r\nX\r\n"s,
          ok_with("Content-Length: 1\r\nContent-Length: 1"),
          ok_with("Content-Length: -1"),
          ok_with("Content-Length: 1\r\nTransfer-Encoding: chunked"),
          ok_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
          ok_with("Transfer-Encoding: gzip"),
          "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n"s,
          ok_with("Transfer-Encoding: chunked") + "1 \r\n",
          ok_with("Transfer-Encoding: chunked") + "fffffffffffffffff",
          "HTTP/1.1 200 OK\r\nX: " + std::string(16385, 'a')}) {
        const auto outcome = read(bytes);
        EXPECT_EQ(outcome.progress, Progress::failed) << ::testing::PrintToString(bytes);
        EXPECT_EQ(outcome.error.code, Errc::upstream_protocol);
    }
}

TEST(ResponseReader, BoundsTheHeadWithItsInterimResponses) {
    std::string many = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 101; ++i) many += "x: y\r\n";
    EXPECT_EQ(read(many).progress, Progress::failed);
    std::string large = "HTTP/1.1 103 X\r\n";
    for (int i = 0; i < 3; ++i) large += "x: " + std::string(11000, 'y') + "\r\n";
    EXPECT_EQ(read(large).progress, Progress::failed);
}

TEST(ResponseReader, EverySplitReadsTheSame) {
    const std::string bytes = "HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" +
                              ok_with("Transfer-Encoding: chunked\r\nX-A: b") +
                              "5;a=b\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nX-T: v\r\n\r\nleft";
    ResponseReader reader;
    const auto whole = testing::read_all(reader, bytes, {}, 1);
    ASSERT_EQ(whole.messages, 1U) << whole.error.message;
    EXPECT_THAT(whole.seen, ::testing::HasSubstr("hello world"));
    EXPECT_EQ(whole.surplus, "left");
    for (std::size_t first = 1; first < bytes.size(); ++first) {
        reader.reset();
        EXPECT_EQ(testing::read_all(reader, bytes, {first}, 1), whole) << first;
    }
}

}  // namespace
}  // namespace sluice::net::http1
