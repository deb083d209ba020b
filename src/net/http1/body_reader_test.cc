#include "net/http1/body_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace sluice::net::http1 {
namespace {

using namespace std::string_literals;

struct Read {
    Progress progress = Progress::need_more;
    std::string payload;
    std::string rest;
    Errc code = Errc::internal;

    friend bool operator==(const Read&, const Read&) = default;
};

Read read_chunked(std::string_view bytes, std::size_t piece_size, const Limits& limits = {}) {
    BodyReader body(limits);
    body.start_chunked();
    Read read;
    std::size_t at = 0;
    while (read.progress == Progress::need_more && at < bytes.size()) {
        std::string_view input = bytes.substr(at, piece_size);
        at += input.size();
        std::string_view piece;
        do {
            read.progress = body.read(input, piece);
            read.payload += piece;
        } while (read.progress == Progress::need_more && !input.empty());
        at -= input.size();
    }
    if (read.progress == Progress::failed) {
        read.code = body.fault().code;
    } else {
        read.rest = bytes.substr(at);
    }
    return read;
}

Read read_chunked(std::string_view bytes) {
    const Read whole = read_chunked(bytes, bytes.size());
    for (std::size_t piece = 1; piece < bytes.size(); ++piece) {
        EXPECT_EQ(read_chunked(bytes, piece), whole) << ::testing::PrintToString(bytes);
    }
    return whole;
}

Read done(std::string payload, std::string rest = {}) {
    return {.progress = Progress::done, .payload = std::move(payload), .rest = std::move(rest)};
}

TEST(BodyReader, TakesTheFramingOffChunks) {
    EXPECT_EQ(read_chunked("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nnext"),
              done("hello world", "next"));
    EXPECT_EQ(read_chunked("0\r\n\r\n"), done(""));
    EXPECT_EQ(read_chunked("00a\r\n0123456789\r\n000\r\n\r\n"), done("0123456789"));
    EXPECT_EQ(read_chunked("1\r\n\n\r\n1\r\n\r\r\n0\r\n\r\n"), done("\n\r"));
}

TEST(BodyReader, TakesExtensionsByTheirGrammar) {
    for (const std::string extension :
         {";a", ";a=b", "; a", " ;a", "\t; \ta", ";a;b=c", ";a = b", ";a=\"b c\"", R"(;a="\"" ;b)",
          ";a=\"\xC3\xA9\t\"", ";a ;b"}) {
        EXPECT_EQ(read_chunked("1" + extension + "\r\nx\r\n0" + extension + "\r\n\r\n"), done("x"))
            << extension;
    }
}

TEST(BodyReader, RefusesMalformedChunksAtTheByteThatShowsIt) {
    for (const std::string& bytes : {"x"s,
                                     "\r"s,
                                     ";"s,
                                     " "s,
                                     "-"s,
                                     "+"s,
                                     "0x"s,
                                     "1_"s,
                                     "1 \r"s,
                                     "1\n"s,
                                     "1\r\r"s,
                                     "1\rx"s,
                                     "1\r\nab"s,
                                     "1\r\na\n"s,
                                     "1\r\na\rx"s,
                                     "1;\r"s,
                                     "1;;"s,
                                     "1;="s,
                                     "1;a=\r"s,
                                     "1;a=b="s,
                                     "1;a b"s,
                                     "1;a=b c"s,
                                     "1;a \r"s,
                                     "1;a=b\t\r"s,
                                     "1;a=\"b\r"s,
                                     "1;a=\"\x01"s,
                                     "1;a=\"\0"s,
                                     "1;a=\"\\\r"s,
                                     R"(1;a="b"c)"s,
                                     "1;\xC3"s,
                                     "1;a\n"s,
                                     "11111111111111111"s,
                                     "0\r\n\n"s,
                                     "0\r\n\rx"s,
                                     "0\r\nX: y\n"s,
                                     "0\r\nX: y\rz"s,
                                     "0\r\nX : y\r\n"s,
                                     "0\r\nX\r\n"s,
                                     "0\r\n X: y\r\n"s,
                                     "0\r\nX: \x01\r\n"s}) {
        const Read read = read_chunked(bytes);
        EXPECT_EQ(read.progress, Progress::failed) << ::testing::PrintToString(bytes);
        EXPECT_EQ(read.code, Errc::bad_request);
        const Read before = read_chunked(bytes.substr(0, bytes.size() - 1));
        EXPECT_EQ(before.progress, Progress::need_more) << ::testing::PrintToString(bytes);
    }
}

TEST(BodyReader, RefusesTrailersThatWouldChangeWhatWasDecided) {
    EXPECT_EQ(read_chunked("0\r\nX-Checksum: 1\r\n\r\n"), done(""));
    for (const std::string name : {"Host", "Content-Length", "content-type", "Transfer-Encoding",
                                   "Authorization", "x-api-key", "Cookie", "Proxy-X", "TE"}) {
        EXPECT_EQ(read_chunked("0\r\n" + name + ": 1\r\n\r\n").code, Errc::bad_request) << name;
    }
}

TEST(BodyReader, HoldsItsLimits) {
    Limits limits;
    limits.body_bytes = 10;
    limits.chunk_line_bytes = 12;
    limits.head_bytes = 30;
    limits.fields = 2;
    const auto code = [&](std::string_view bytes) { return read_chunked(bytes, 1, limits).code; };

    EXPECT_EQ(code("5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n"), Errc::internal);
    EXPECT_EQ(code("5\r\nhello\r\n6\r\n"), Errc::payload_too_large);
    EXPECT_EQ(code("FFFFFFFF\r\n"), Errc::payload_too_large);
    EXPECT_EQ(code("1;aaaaaaaaa\r\nx"), Errc::internal);
    EXPECT_EQ(code("1;aaaaaaaaaaa"), Errc::bad_request);
    EXPECT_EQ(code("0000000000000"), Errc::bad_request);
    EXPECT_EQ(code("0\r\na: b\r\nc: d\r\n\r\n"), Errc::internal);
    EXPECT_EQ(code("0\r\na: b\r\nc: d\r\ne: f\r\n"), Errc::head_too_large);
    EXPECT_EQ(code("0\r\na: " + std::string(28, 'b')), Errc::head_too_large);
}

TEST(BodyReader, RefusesABodyThatIsMostlyExtensions) {
    std::string bytes;
    for (int i = 0; i < 200; ++i) bytes += "1;" + std::string(200, 'a') + "\r\nx\r\n";
    EXPECT_EQ(read_chunked(bytes, 1000).code, Errc::bad_request);
}

TEST(BodyReader, KnowsWhatIsLeftOfASizedBody) {
    BodyReader body(Limits{});
    body.start_sized(10);
    std::string_view input = "abc";
    std::string_view piece;

    EXPECT_EQ(body.remaining(), 10U);
    EXPECT_EQ(body.read(input, piece), Progress::need_more);
    EXPECT_EQ(piece, "abc");
    EXPECT_EQ(body.remaining(), 7U);
    EXPECT_FALSE(body.may_end_at_eof());
    input = "defghijk";
    EXPECT_EQ(body.read(input, piece), Progress::done);
    EXPECT_EQ(piece, "defghij");
    EXPECT_EQ(input, "k");
}

}  // namespace
}  // namespace sluice::net::http1
