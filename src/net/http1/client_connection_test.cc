#include "net/http1/client_connection.h"

#include "net/test_loop.h"

#include <gmock/gmock.h>

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sluice::net::http1 {
namespace {

using namespace std::chrono_literals;
using net::testing::RawSocket;

/// What one exchange came to.
struct Seen {
    int status = 0;
    std::string type;
    std::string body;
    std::optional<Errc> error;
    bool reusable = false;
    bool nothing_received = false;

    friend bool operator==(const Seen&, const Seen&) = default;
};

class ClientConnectionTest : public ::testing::Test {
public:
    Task<> exchange(std::string_view request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n") {
        seen_ = Seen();
        const std::array<std::string_view, 1> pieces = {request};
        const auto sent = co_await connection_.send(pieces);
        if (!sent) co_return failed(sent.error());
        const auto head = co_await connection_.read_head();
        if (!head) co_return failed(head.error());
        seen_.status = connection_.head().status;
        seen_.type = connection_.head().find("content-type").value_or("");
        for (;;) {
            const auto piece = co_await connection_.read_body();
            if (!piece) co_return failed(piece.error());
            if (piece->empty()) break;
            seen_.body += *piece;
            co_await loop_.worker.sleep(0ms);
            std::ranges::fill(loop_.worker.scratch(), '#');
        }
        seen_.reusable = connection_.reusable();
    }

    void failed(const Error& error) {
        seen_.error = error.code;
        seen_.reusable = connection_.reusable();
        seen_.nothing_received = connection_.nothing_received();
    }

    /// The exchange, while the upstream does `steps` in turn of the loop.
    void exchange_while(const std::vector<std::function<void()>>& steps) {
        loop_.worker.spawn(steps_in_turn(steps));
        loop_.run(exchange());
    }
    Task<> steps_in_turn(std::vector<std::function<void()>> steps) {
        for (const auto& step : steps) {
            step();
            co_await loop_.worker.sleep(2ms);
        }
    }
    std::function<void()> says(std::string_view bytes) {
        return [this, bytes] { upstream_.send(bytes); };
    }

    net::testing::TestLoop loop_;
    net::testing::TestLoop::Pair pair_ = loop_.connected();
    ClientConnection connection_{loop_.worker, std::move(pair_.stream)};
    RawSocket& upstream_ = pair_.peer;
    Seen seen_;
};

constexpr std::string_view kSized =
    "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 5\r\n\r\nhello";
constexpr std::string_view kChunked =
    "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n"
    "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n";
constexpr std::string_view kInterim =
    "HTTP/1.1 100 Continue\r\n\r\n"
    "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"
    "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 5\r\n\r\nhello";
const Seen whole_reply{
    .status = 200, .type = "a/b", .body = "hello", .error = {}, .reusable = true};

TEST_F(ClientConnectionTest, ReadsEveryFramingCutAtEveryOffsetOnOneConnection) {
    for (const std::string_view reply : {kSized, kChunked, kInterim}) {
        for (std::size_t cut = 0; cut < reply.size(); ++cut) {
            exchange_while({says(reply.substr(0, cut)), says(reply.substr(cut))});
            ASSERT_EQ(seen_, whole_reply) << cut;
            loop_.turn(3ms);
        }
    }
    EXPECT_TRUE(connection_.is_reused());
}

TEST_F(ClientConnectionTest, SendsTheRequestAsItIs) {
    exchange_while({says(kSized)});

    EXPECT_EQ(upstream_.receive(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
}

TEST_F(ClientConnectionTest, ABodyMayEndWithTheConnection) {
    exchange_while(
        {says("HTTP/1.1 200 OK\r\n\r\nhe"), says("llo"), [&] { upstream_.shutdown_send(); }});

    EXPECT_EQ(seen_, (Seen{.status = 200, .type = "", .body = "hello", .error = {}}));
}

TEST_F(ClientConnectionTest, AConnectionThatSaysCloseIsNotReused) {
    exchange_while({says("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx")});

    EXPECT_EQ(seen_.body, "x");
    EXPECT_FALSE(seen_.reusable);
}

TEST_F(ClientConnectionTest, BytesBehindTheReplyMakeTheConnectionUnfit) {
    for (const std::string_view reply : {kSized, kChunked}) {
        auto fresh = loop_.connected();
        ClientConnection connection(loop_.worker, std::move(fresh.stream));
        fresh.peer.send(std::string(reply) + "HTTP/1.1 200 OK\r\n");
        std::string body;
        loop_.run([](ClientConnection& from, std::string& all) -> Task<> {
            const std::array<std::string_view, 1> request = {"GET / HTTP/1.1\r\n\r\n"};
            [[maybe_unused]] const auto sent = co_await from.send(request);
            [[maybe_unused]] const auto head = co_await from.read_head();
            for (;;) {
                const auto piece = co_await from.read_body();
                if (!piece || piece->empty()) break;
                all += *piece;
            }
        }(connection, body));
        EXPECT_EQ(body, "hello");
        EXPECT_FALSE(connection.reusable());
    }
}

TEST_F(ClientConnectionTest, ACutBodyIsTruncated) {
    exchange_while({says(kSized.substr(0, kSized.size() - 2)), [&] { upstream_.shutdown_send(); }});
    EXPECT_EQ(seen_.error, Errc::upstream_truncated);
    EXPECT_EQ(seen_.body, "hel");
    EXPECT_FALSE(seen_.reusable);
}

TEST_F(ClientConnectionTest, ACutChunkedBodyIsTruncated) {
    exchange_while(
        {says(kChunked.substr(0, kChunked.size() - 5)), [&] { upstream_.shutdown_send(); }});
    EXPECT_EQ(seen_.error, Errc::upstream_truncated);
    EXPECT_EQ(seen_.body, "hello");
}

TEST_F(ClientConnectionTest, AMalformedChunkIsToldAfterTheBytesBeforeIt) {
    exchange_while(
        {says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\nzz\r\n")});
    EXPECT_EQ(seen_.body, "he");
    EXPECT_EQ(seen_.error, Errc::upstream_protocol);
    EXPECT_FALSE(seen_.reusable);
}

TEST_F(ClientConnectionTest, AResetBeforeAnyByteSaysThatNothingWasReceived) {
    exchange_while({[&] { upstream_.reset(); }});
    EXPECT_EQ(seen_.error, Errc::upstream_unreachable);
    EXPECT_TRUE(seen_.nothing_received);
}

TEST_F(ClientConnectionTest, AnEndBeforeAnyByteSaysThatNothingWasReceived) {
    exchange_while({[&] { upstream_.shutdown_send(); }});
    EXPECT_EQ(seen_.error, Errc::upstream_unreachable);
    EXPECT_TRUE(seen_.nothing_received);
}

TEST_F(ClientConnectionTest, AnEndInTheMiddleOfTheHeadSaysThatSomethingWasReceived) {
    exchange_while({says("HTTP/1.1 200"), [&] { upstream_.shutdown_send(); }});
    EXPECT_EQ(seen_.error, Errc::upstream_unreachable);
    EXPECT_FALSE(seen_.nothing_received);
}

TEST_F(ClientConnectionTest, WhatIsNotHttpIsAProtocolError) {
    exchange_while({says("SSH-2.0-OpenSSH\r\n")});
    EXPECT_EQ(seen_.error, Errc::upstream_protocol);
}

TEST_F(ClientConnectionTest, SilenceEndsWithTheDeadline) {
    connection_.stream().deadline().expire_after(30ms);
    exchange_while({});
    EXPECT_EQ(seen_.error, Errc::upstream_timeout);
}

TEST_F(ClientConnectionTest, CancelEndsTheExchange) {
    exchange_while({[] {}, [&] { connection_.stream().cancel(); }});
    EXPECT_EQ(seen_.error, Errc::cancelled);
}

TEST_F(ClientConnectionTest, AnAnswerThatComesBeforeTheRequestWasTakenCounts) {
    const std::string request(32UL * 1024 * 1024, 'r');
    upstream_.send("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig");
    connection_.stream().deadline().expire_after(1s);

    loop_.run(exchange(request));

    EXPECT_EQ(seen_, (Seen{.status = 413, .type = "", .body = "big", .error = {}}));
}

TEST_F(ClientConnectionTest, AnAnswerThatComesWhileTheRequestIsOnItsWayCounts) {
    const std::string request(32UL * 1024 * 1024, 'r');
    loop_.worker.spawn(steps_in_turn(
        {[] {}, [] {}, says("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")}));
    connection_.stream().deadline().expire_after(1s);

    loop_.run(exchange(request));

    EXPECT_EQ(seen_, (Seen{.status = 413, .type = "", .body = "big", .error = {}}));
}

TEST_F(ClientConnectionTest, AnEndWhileTheRequestIsOnItsWayIsNotWaitedOut) {
    const std::string request(32UL * 1024 * 1024, 'r');
    loop_.worker.spawn(steps_in_turn({[] {}, [&] { upstream_.shutdown_send(); }}));
    connection_.stream().deadline().expire_after(1s);

    loop_.run(exchange(request));

    EXPECT_EQ(seen_.error, Errc::upstream_unreachable);
    EXPECT_TRUE(seen_.nothing_received);
}

TEST_F(ClientConnectionTest, ARetiredConnectionIsNotReused) {
    loop_.worker.spawn(
        steps_in_turn({says(kSized.substr(0, kSized.size() - 1)), [&] { connection_.retire(); },
                       says(kSized.substr(kSized.size() - 1))}));

    loop_.run(exchange());

    EXPECT_EQ(seen_.body, "hello");
    EXPECT_FALSE(seen_.reusable);
}

TEST_F(ClientConnectionTest, ALargeBodyComesThroughWhole) {
    std::string body;
    for (int i = 0; body.size() < 1'000'000; ++i) body += std::to_string(i);
    std::vector<std::function<void()>> steps;
    const std::string head =
        "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    steps.push_back(says(head));
    for (std::size_t at = 0; at < body.size(); at += 50'000) {
        steps.push_back(says(std::string_view(body).substr(at, 50'000)));
    }

    exchange_while(steps);

    EXPECT_TRUE(seen_.body == body);
    EXPECT_TRUE(seen_.reusable);
}

}  // namespace
}  // namespace sluice::net::http1
