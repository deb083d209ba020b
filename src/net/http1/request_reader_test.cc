#include "net/http1/request_reader.h"

#include "net/http1/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace sluice::net::http1 {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;

/// The error of reading `bytes`; nullopt when nothing was wrong with them (yet).
std::optional<Errc> error_of(std::string_view bytes, const Limits& limits = {}) {
    RequestReader reader(limits);
    const auto outcome = testing::read_in_pieces(reader, bytes, bytes.size() + 1);
    if (outcome.progress != Progress::failed) return std::nullopt;
    EXPECT_FALSE(outcome.error.message.empty());
    return outcome.error.code;
}

std::string get_with(std::string_view lines) {
    return "GET / HTTP/1.1\r\nHost: gw.test\r\n" + std::string(lines) + "\r\n\r\n";
}

/// A request whose head is read, together with the bytes that its views point into.
struct ReadRequest {
    explicit ReadRequest(std::string text) : bytes(std::move(text)) {
        progress = reader.read_head(bytes);
    }
    std::string bytes;
    RequestReader reader;
    Progress progress = Progress::need_more;
};

TEST(RequestReader, HandsOutTheHead) {
    const ReadRequest request(
        "POST /v1/chat/completions?trace=1&x=%41 HTTP/1.1\r\n"
        "Host: gw.test:8080\r\n"
        "Content-Length: 0003\r\n"
        "X-Empty:\r\n"
        "x-padded: \t a value \t\r\n"
        "Expect: 100-Continue\r\n\r\nabc");

    ASSERT_EQ(request.progress, Progress::done);
    const RequestHead& head = request.reader.head();
    EXPECT_EQ(head.method, "POST");
    EXPECT_EQ(head.target, "/v1/chat/completions?trace=1&x=%41");
    EXPECT_EQ(head.path, "/v1/chat/completions");
    EXPECT_EQ(head.query, "trace=1&x=%41");
    EXPECT_EQ(head.minor_version, 1);
    EXPECT_EQ(head.content_length, 3U);
    EXPECT_FALSE(head.chunked);
    EXPECT_TRUE(head.keep_alive);
    EXPECT_TRUE(head.expects_continue);
    ASSERT_EQ(head.fields.size(), 5U);
    EXPECT_EQ(head.fields[3], (Field{.name = "x-padded", .value = "a value"}));
    EXPECT_EQ(head.find("X-EMPTY"), "");
    EXPECT_EQ(head.find("absent"), std::nullopt);
    EXPECT_EQ(head.count("HOST"), 1U);
    EXPECT_EQ(request.bytes.substr(request.reader.head_size()), "abc");
    EXPECT_EQ(request.reader.body_remaining(), 3U);
}

TEST(RequestReader, ReadsTheBodyWhereItLies) {
    ReadRequest request(get_with("Content-Length: 5") + "helloNEXT");
    ASSERT_EQ(request.progress, Progress::done);
    std::string_view input = std::string_view(request.bytes).substr(request.reader.head_size());
    const char* const start = input.data();
    std::string_view piece;

    EXPECT_EQ(request.reader.read_body(input, piece), Progress::done);

    EXPECT_EQ(piece, "hello");
    EXPECT_EQ(piece.data(), start);
    EXPECT_EQ(input, "NEXT");
    EXPECT_TRUE(request.reader.body_done());
}

TEST(RequestReader, AMessageWithoutABodyIsDoneAtOnce) {
    ReadRequest request(get_with("Accept: */*"));
    std::string_view input;
    std::string_view piece;

    EXPECT_TRUE(request.reader.body_done());
    EXPECT_EQ(request.reader.read_body(input, piece), Progress::done);
    EXPECT_EQ(piece, "");
}

TEST(RequestReader, HeadViewsFollowBytesThatMovedWhileTheHeadWasIncomplete) {
    RequestReader reader;
    {
        const std::string start = "GET /path HTTP/1.1\r\nHost: gw.test\r\nX-A";
        ASSERT_EQ(reader.read_head(start), Progress::need_more);
    }
    const std::string whole = "GET /path HTTP/1.1\r\nHost: gw.test\r\nX-A: b\r\n\r\n";
    ASSERT_EQ(reader.read_head(whole), Progress::done);

    EXPECT_EQ(reader.head().path, "/path");
    EXPECT_EQ(reader.head().find("host"), "gw.test");
    EXPECT_EQ(reader.head().find("x-a"), "b");
}

TEST(RequestReader, KeepAliveFollowsVersionAndConnection) {
    const auto keep_alive = [](const std::string& bytes) {
        const ReadRequest request(bytes);
        EXPECT_EQ(request.progress, Progress::done) << bytes;
        return request.reader.head().keep_alive;
    };
    EXPECT_TRUE(keep_alive(get_with("Accept: */*")));
    EXPECT_TRUE(keep_alive(get_with("Connection: keep-alive, x")));
    EXPECT_FALSE(keep_alive(get_with("Connection: x, Close")));
    EXPECT_FALSE(keep_alive(get_with("Connection: keep-alive\r\nConnection: close")));
    EXPECT_FALSE(keep_alive("GET / HTTP/1.0\r\n\r\n"));
    EXPECT_TRUE(keep_alive("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
    EXPECT_FALSE(keep_alive(get_with("Connection: close, token, upgrade, token, keep-alive")));
}

TEST(RequestReader, SkipsUpToTwoEmptyLinesBeforeTheRequest) {
    EXPECT_EQ(error_of("\r\n\r\n" + get_with("A: b")), std::nullopt);
    EXPECT_EQ(error_of("\r\n\r\n\r\n" + get_with("A: b")), Errc::bad_request);
    EXPECT_EQ(error_of("\n" + get_with("A: b")), Errc::bad_request);
}

TEST(RequestReader, ReadsPipelinedRequestsOneByOne) {
    RequestReader reader;
    const auto outcome = testing::read_in_pieces(
        reader,
        "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        "GET /b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET /c",
        1000);

    EXPECT_EQ(outcome.messages, 2U);
    EXPECT_EQ(outcome.progress, Progress::done);
    EXPECT_EQ(outcome.surplus, "GET /c");
    EXPECT_THAT(outcome.seen, HasSubstr("abc\n.\nGET /b /b?"));
}

struct Refused {
    std::string bytes;
    Errc code = Errc::bad_request;
};

class RefusedRequest : public ::testing::TestWithParam<Refused> {};

TEST_P(RefusedRequest, FailsWholeAndByteByByte) {
    const auto& [bytes, code] = GetParam();
    EXPECT_EQ(error_of(bytes), code) << ::testing::PrintToString(bytes);
    RequestReader reader;
    EXPECT_EQ(testing::read_in_pieces(reader, bytes, 1).progress, Progress::failed)
        << ::testing::PrintToString(bytes);
}

// Each ends where the fault is plain: the head need not be complete.
INSTANTIATE_TEST_SUITE_P(
    LineEnds, RefusedRequest,
    ::testing::Values(Refused{"GET / HTTP/1.1\n"}, Refused{"GET / HTTP/1.1\r\nHost: a\n"},
                      Refused{"GET / HTTP/1.1\r\nX: a\rb"}, Refused{"GET / HTTP/1.1\rX"},
                      Refused{"GET / HTTP/1.1\r\nX: a\r\n\rb"},
                      Refused{"GET / HTTP/1.1\r\nX: a\r\n b: c\r\n"},
                      Refused{"GET / HTTP/1.1\r\nX: a\r\n\tb\r\n"},
                      Refused{"GET / HTTP/1.1\r\n X: a\r\n"}, Refused{"\x16\x03\x01\x02"}));

INSTANTIATE_TEST_SUITE_P(
    Fields, RefusedRequest,
    ::testing::Values(Refused{"GET / HTTP/1.1\r\nX : a\r\n"}, Refused{"GET / HTTP/1.1\r\nX\r\n"},
                      Refused{"GET / HTTP/1.1\r\n: a\r\n"}, Refused{"GET / HTTP/1.1\r\nX(: a\r\n"},
                      Refused{"GET / HTTP/1.1\r\nX\xC3\xA9: a\r\n"},
                      Refused{"GET / HTTP/1.1\r\nX: a\0"s}, Refused{"GET / HTTP/1.1\r\nX: a\x7F"},
                      Refused{"GET / HTTP/1.1\r\nX: \x1B[0m"},
                      Refused{"GET / HTTP/1.1\r\nContent_Length: 1\r\n"}));

INSTANTIATE_TEST_SUITE_P(
    RequestLines, RefusedRequest,
    ::testing::Values(Refused{"GET\r\n"}, Refused{"GET /\r\n"}, Refused{"GET  / HTTP/1.1\r\n"},
                      Refused{"GET /  HTTP/1.1\r\n"}, Refused{"GET / HTTP/1.1 \r\n"},
                      Refused{" GET / HTTP/1.1\r\n"}, Refused{"GE(T / HTTP/1.1\r\n"},
                      Refused{"GET\t/ HTTP/1.1\r\n"}, Refused{"GET / x HTTP/1.1\r\n"},
                      Refused{"GET / http/1.1\r\n"}, Refused{"GET / HTTP/1\r\n"},
                      Refused{"GET / HTTP/11.1\r\n"}, Refused{"GET / HTTP/1.10\r\n"},
                      Refused{"GET / FTP/1.1\r\n"},
                      Refused{"GET / HTTP/2.0\r\n", Errc::http_version},
                      Refused{"GET / HTTP/1.2\r\n", Errc::http_version},
                      Refused{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Errc::http_version},
                      Refused{"CONNECT a:443 HTTP/1.1\r\n", Errc::not_implemented}));

INSTANTIATE_TEST_SUITE_P(
    Targets, RefusedRequest,
    ::testing::Values(Refused{"GET * HTTP/1.1\r\n"}, Refused{"GET a/b HTTP/1.1\r\n"},
                      Refused{"GET a.test:80 HTTP/1.1\r\n"}, Refused{"GET /a#b HTTP/1.1\r\n"},
                      Refused{"GET /\xC3\xA9 HTTP/1.1\r\n"}, Refused{"GET /<a> HTTP/1.1\r\n"},
                      Refused{"GET /\"a\" HTTP/1.1\r\n"}, Refused{"GET /a\\b HTTP/1.1\r\n"},
                      Refused{"GET /a|b HTTP/1.1\r\n"}, Refused{"GET /{a}^` HTTP/1.1\r\n"},
                      Refused{"GET /%4 HTTP/1.1\r\n"}, Refused{"GET /%4g HTTP/1.1\r\n"},
                      Refused{"GET ftp://a/ HTTP/1.1\r\n"}, Refused{"GET http:/// HTTP/1.1\r\n"},
                      Refused{"GET http://u:p@a/ HTTP/1.1\r\n"},
                      Refused{"GET http://a:b/ HTTP/1.1\r\n"}));

INSTANTIATE_TEST_SUITE_P(
    Hosts, RefusedRequest,
    ::testing::Values(
        Refused{"GET / HTTP/1.1\r\n\r\n"}, Refused{"GET / HTTP/1.1\r\nHost:\r\n"},
        Refused{"GET / HTTP/1.0\r\nHost: a\r\nhost: a\r\n"},
        Refused{"GET / HTTP/1.1\r\nHost: a b\r\n"}, Refused{"GET / HTTP/1.1\r\nHost: a/b\r\n"},
        Refused{"GET / HTTP/1.1\r\nHost: localhost:4000/#@x\r\n"},
        Refused{"GET / HTTP/1.1\r\nHost: u@a\r\n"}, Refused{"GET / HTTP/1.1\r\nHost: a, b:1\r\n"},
        Refused{"GET / HTTP/1.1\r\nHost: a:65536\r\n"}, Refused{"GET / HTTP/1.1\r\nHost: a:-1\r\n"},
        Refused{"GET / HTTP/1.1\r\nHost: [::1\r\n"}, Refused{"GET / HTTP/1.1\r\nHost: [::1]a\r\n"},
        Refused{"GET / HTTP/1.1\r\nHost: [g::]\r\n"}));

INSTANTIATE_TEST_SUITE_P(
    Framing, RefusedRequest,
    ::testing::Values(
        Refused{"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n"},
        Refused{"POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n"},
        Refused{"POST / HTTP/1.1\r\nContent-Length: -1\r\n"},
        Refused{"POST / HTTP/1.1\r\nContent-Length: +1\r\n"},
        Refused{"POST / HTTP/1.1\r\nContent-Length: 1 2\r\n"},
        Refused{"POST / HTTP/1.1\r\nContent-Length: 0x1\r\n"},
        Refused{"POST / HTTP/1.1\r\nContent-Length:\r\n"},
        Refused{"POST / HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n"},
        Refused{"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n"},
        Refused{"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n"},
        Refused{"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n"},
        Refused{"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"},
        Refused{"POST / HTTP/1.1\r\nTransfer-Encoding:\r\n"},
        Refused{"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n", Errc::not_implemented},
        Refused{"POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\n", Errc::not_implemented},
        Refused{"POST / HTTP/1.1\r\nTransfer-Encoding: \"chunked\"\r\n", Errc::not_implemented},
        Refused{"POST / HTTP/1.1\r\nTransfer-Encoding: chunked,\r\n", Errc::not_implemented},
        Refused{"GET / HTTP/1.1\r\nConnection: a b\r\n"},
        Refused{get_with("Connection: upgrade\r\nUpgrade: h2c"), Errc::not_implemented},
        Refused{get_with("Upgrade: websocket\r\nConnection: x, Upgrade"), Errc::not_implemented},
        Refused{get_with("Expect: something"), Errc::expectation_failed}));

TEST(RequestReader, TakesEveryLegalTargetAndHost) {
    for (const std::string target :
         {"/", "//a///b", "/a;b=c?d=e?f/g", "/%20?x[]=1", "/a:b@c!$&'()*+,", "http://a.test",
          "http://a.test?q", "HTTPS://[::1]:8080/x", "/-._~"}) {
        EXPECT_EQ(error_of("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n"), std::nullopt)
            << target;
    }
    for (const std::string host : {"a", "a.test:8080", "127.0.0.1", "[::1]", "[::ffff:1.2.3.4]:1",
                                   "a:", "0.0.0.0=5000", "x%41"}) {
        EXPECT_EQ(error_of("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n"), std::nullopt) << host;
    }
    EXPECT_EQ(error_of("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"), std::nullopt);
    EXPECT_EQ(error_of("GET / HTTP/1.0\r\n\r\n"), std::nullopt);
    EXPECT_EQ(error_of(get_with("Upgrade: h2c")), std::nullopt);
    EXPECT_EQ(error_of(get_with("X: caf\xC3\xA9 \xFF")), std::nullopt);
}

TEST(RequestReader, AnAbsoluteTargetWithoutAPathMeansTheRoot) {
    const ReadRequest request("GET http://a.test?q=1 HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_EQ(request.progress, Progress::done);
    EXPECT_EQ(request.reader.head().path, "/");
    EXPECT_EQ(request.reader.head().query, "q=1");
}

TEST(RequestReader, TheHeadIsThereWhenOnlyTheBodyIsRefused) {
    const ReadRequest request(get_with("Content-Length: 33554433"));

    EXPECT_EQ(request.progress, Progress::failed);
    EXPECT_EQ(request.reader.error().code, Errc::payload_too_large);
    ASSERT_TRUE(request.reader.has_head());
    EXPECT_EQ(request.reader.head().path, "/");
}

TEST(RequestReader, HoldsItsLimitsToTheByte) {
    const Limits limits{.head_bytes = 100, .line_bytes = 60, .target_bytes = 20, .fields = 3};
    const std::string start = "GET / HTTP/1.1\r\nHost: h\r\n";

    const std::string room(100 - start.size() - 2 - 5, 'x');  // as much as the head's limit leaves
    EXPECT_EQ(error_of(start + "a: " + room.substr(0, 57) + "\r\n\r\n", limits), std::nullopt);
    EXPECT_EQ(error_of(start + "a: " + room.substr(0, 57) + "x\r\n", limits), Errc::head_too_large);
    EXPECT_EQ(error_of(start + "a: 1\r\nb: 2\r\n\r\n", limits), std::nullopt);
    EXPECT_EQ(error_of(start + "a: 1\r\nb: 2\r\nc: 3\r\n", limits), Errc::head_too_large);
    const std::string path = "/" + std::string(19, 'p');
    EXPECT_EQ(error_of("GET " + path + " HTTP/1.0\r\n\r\n", limits), std::nullopt);
    EXPECT_EQ(error_of("GET " + path + "p HTTP/1.0\r\n", limits), Errc::uri_too_long);

    const std::string lines = start + "a: " + std::string(30, 'x') + "\r\nb: ";
    const std::string rest(100 - lines.size() - 4, 'y');
    EXPECT_EQ(error_of(lines + rest + "\r\n\r\n", limits), std::nullopt);
    EXPECT_EQ(error_of(lines + rest + "y\r\n\r\n", limits), Errc::head_too_large);
}

TEST(RequestReader, RefusesEndlessLinesBeforeTheirEnd) {
    EXPECT_EQ(error_of("GET /" + std::string(9000, 'a')), Errc::uri_too_long);
    EXPECT_EQ(error_of("GET / HTTP/1.1\r\nX: " + std::string(17000, 'a')), Errc::head_too_large);
    std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
    for (int i = 0; i < 100; ++i) many += "x: y\r\n";
    EXPECT_EQ(error_of(many), Errc::head_too_large);
}

TEST(RequestReader, FailureLastsUntilReset) {
    RequestReader reader;
    ASSERT_EQ(reader.read_head("GET / HTTP/1.1\r\nX\r\n"), Progress::failed);
    std::string_view input = "x";
    std::string_view piece;
    EXPECT_EQ(reader.read_head(get_with("A: b")), Progress::failed);
    EXPECT_EQ(reader.read_body(input, piece), Progress::failed);

    reader.reset();
    const std::string good = get_with("A: b");
    EXPECT_EQ(reader.read_head(good), Progress::done);
    EXPECT_EQ(reader.head().fields.size(), 2U);
}

TEST(RequestReader, EverySplitReadsTheSame) {
    const std::string bytes =
        "\r\nPOST /a?b HTTP/1.1\r\nHost: gw.test\r\nTransfer-Encoding: chunked\r\nX:  y \r\n\r\n"
        "5;a=\"b;\\\"c\" ; d\r\nhello\r\n00B\r\n big world!\r\n0\r\nX-T: v\r\nX-U: w\r\n\r\n"
        "PUT /c HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabcrest";
    RequestReader reader;
    const auto whole = testing::read_all(reader, bytes, {});
    ASSERT_EQ(whole.messages, 2U) << whole.error.message;
    EXPECT_THAT(whole.seen, HasSubstr("hello big world!"));
    EXPECT_EQ(whole.surplus, "rest");
    for (std::size_t first = 1; first < bytes.size(); ++first) {
        reader.reset();
        EXPECT_EQ(testing::read_all(reader, bytes, {first}), whole) << first;
        reader.reset();
        EXPECT_EQ(testing::read_in_pieces(reader, bytes, first), whole) << first;
    }
}

}  // namespace
}  // namespace sluice::net::http1
