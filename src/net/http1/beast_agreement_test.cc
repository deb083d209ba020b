#include "net/http1/beast_oracle.h"
#include "net/http1/request_reader.h"

#include <gtest/gtest.h>

namespace sluice::net::http1 {
namespace {

class AcceptedRequest : public ::testing::TestWithParam<std::string> {};

TEST_P(AcceptedRequest, IsReadTheSameByBeast) {
    const std::string& bytes = GetParam();
    RequestReader reader;
    ASSERT_EQ(reader.read_head(bytes), Progress::done) << reader.error().message;

    const testing::BeastRequest beast(bytes);

    EXPECT_EQ(beast.difference(reader.head()), "") << ::testing::PrintToString(bytes);
}

INSTANTIATE_TEST_SUITE_P(
    Heads, AcceptedRequest,
    ::testing::Values(
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.0\r\n\r\n",
        "-x /a?b=c[]%41 HTTP/1.1\r\nHost: [::1]:1\r\nX:\r\nY: \t a \t b \t\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\nX: caf\xC3\xA9\r\n\r\n",
        "GET http://a.test/b HTTP/1.1\r\nhost: a\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 0042\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nConnection:close,token ,upgrade\t, keep-alive\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nX!#$%&'*+-.^`|~9: v\r\nX: \"quoted, text\"; a=b\r\n\r\n"));

}  // namespace
}  // namespace sluice::net::http1
