#include "net/http1/server_connection.h"
#include "net/http1/test_server.h"
#include "net/pause.h"

#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <string>

namespace sluice::net::http1 {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using testing::answer;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::RawSocket;
using ::testing::StartsWith;
using testing::TestServer;

/// Answers with the target and the body, which it reads piece by piece; the scratch is spoilt
/// between the pieces, as other connections would.
struct StreamEcho {
    TestServer* server = nullptr;
    Clock::duration pause{};
    bool release = false;

    Task<> operator()(Transaction& transaction) const {
        std::string text(transaction.head().target);
        const auto size = transaction.body_size();
        text.append(size ? "=" + std::to_string(*size) : "=?").push_back(' ');
        if (release) transaction.release_request();
        for (;;) {
            const auto piece = co_await transaction.read_some();
            if (!piece) {
                answer(transaction, piece.error().message, http_status(piece.error().code));
                co_return;
            }
            if (piece->empty()) break;
            text += *piece;
            if (server == nullptr) continue;
            co_await server->worker().sleep(pause);
            std::ranges::fill(server->worker().scratch(), '#');
        }
        answer(transaction, text);
    }
};

/// `echo` reads its references when a request comes.
TestServer::Script script(const StreamEcho& echo) {
    return [&echo](Transaction& transaction) { return echo(transaction); };
}

constexpr std::string_view kSized =
    "POST /s HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789";
constexpr std::string_view kChunked =
    "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3\r\n012\r\n6;a=b\r\n345678\r\n1\r\n9\r\n0\r\nx-check: t\r\n\r\n";
constexpr std::string_view kNext = "GET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

TEST(ServerBodyStreamTest, ReadsEitherFramingCutAtEveryOffset) {
    StreamEcho echo;
    for (const bool release : {false, true}) {
        TestServer server(script(echo));
        server.on_worker([&] {
            echo.server = &server;
            echo.release = release;
        });
        for (const std::string_view request : {kSized, kChunked}) {
            const std::string expected = request == kSized ? "/s=10 0123456789" : "/c=? 0123456789";
            for (std::size_t cut = 1; cut < request.size(); ++cut) {
                RawSocket client = server.connect();
                client.send(request.substr(0, cut));
                std::this_thread::sleep_for(500us);
                client.send(std::string(request.substr(cut)) + std::string(kNext));
                const std::string replies = client.receive_to_end();
                ASSERT_THAT(replies, HasSubstr(expected + "HTTP/1.1 200 OK\r\n")) << cut;
                ASSERT_THAT(replies, EndsWith("/next=0 ")) << cut;
            }
        }
    }
}

TEST(ServerBodyStreamTest, ARequestWithoutABodyIsAtItsEndAtOnce) {
    const StreamEcho echo;
    const TestServer server(script(echo));

    EXPECT_THAT(server.exchange(kNext), EndsWith("\r\n\r\n/next=0 "));
}

TEST(ServerBodyStreamTest, ABodyHasNoLimitOfSize) {
    std::atomic<std::size_t> largest = 0;
    ServerLimits limits;
    limits.request.body_bytes = 10;
    const TestServer server(
        [&largest](Transaction& transaction) -> Task<> {
            std::uint64_t size = 0;
            for (;;) {
                const auto piece = co_await transaction.read_some();
                if (!piece || piece->empty()) break;
                size += piece->size();
                largest = std::max(largest.load(), piece->size());
            }
            answer(transaction, std::to_string(size));
        },
        limits);
    constexpr std::size_t kSize = 40UL * 1024 * 1024;
    RawSocket client = server.connect();

    client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(kSize) +
                "\r\n\r\n");
    for (std::size_t sent = 0; sent < kSize; sent += 65'536) client.send(std::string(65'536, 'b'));

    EXPECT_THAT(client.receive_until(std::to_string(kSize)), EndsWith(std::to_string(kSize)));
    EXPECT_LE(largest, Worker::kScratchBytes);
}

TEST(ServerBodyStreamTest, AsksForTheBodyWhenItIsRead) {
    const StreamEcho echo;
    const TestServer server(script(echo));
    RawSocket client = server.connect();
    client.send("POST /e HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");

    EXPECT_EQ(client.receive(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("ab");

    EXPECT_THAT(client.receive_until("ab"), EndsWith("/e=2 ab"));
}

TEST(ServerBodyStreamTest, AClientThatFallsSilentGets408) {
    const StreamEcho echo;
    ServerLimits limits;
    limits.body_idle = 100ms;
    const TestServer server(script(echo), limits);
    const auto start = Clock::now();

    EXPECT_THAT(server.exchange(kSized.substr(0, kSized.size() - 1)),
                AllOf(StartsWith("HTTP/1.1 408 "), HasSubstr("connection: close\r\n")));
    EXPECT_GE(Clock::now() - start, 100ms - Deadlines::kTick);
}

TEST(ServerBodyStreamTest, AClientBelowTheLeastRateGets408ThoughItIsNeverSilent) {
    const StreamEcho echo;
    ServerLimits limits;
    limits.body_rate_grace = 100ms;
    limits.body_min_bytes_per_second = 1000;
    const TestServer server(script(echo), limits);
    RawSocket client = server.connect();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");

    std::string reply;
    for (int i = 0; i < 100 && reply.empty(); ++i) {
        client.send("b");
        reply = client.receive(10ms);
    }

    EXPECT_THAT(reply, StartsWith("HTTP/1.1 408 "));
}

TEST(ServerBodyStreamTest, WhatTheReaderTakesItsTimeForDoesNotCountAgainstTheClient) {
    StreamEcho echo;
    ServerLimits limits;
    limits.body_rate_grace = 100ms;
    limits.body_idle = 100ms;
    TestServer server(script(echo), limits);
    server.on_worker([&] {
        echo.server = &server;
        echo.pause = 150ms;
    });

    EXPECT_THAT(server.exchange(std::string(kChunked) + std::string(kNext)),
                HasSubstr("/c=? 0123456789"));
}

TEST(ServerBodyStreamTest, AClientThatLeavesIsTold) {
    std::promise<Errc> why;
    TestServer server([&why](Transaction& transaction) -> Task<> {
        auto piece = co_await transaction.read_some();
        while (piece && !piece->empty()) piece = co_await transaction.read_some();
        why.set_value(piece ? Errc::internal : piece.error().code);
    });
    RawSocket client = server.connect();
    client.send(kSized.substr(0, kSized.size() - 1));
    std::this_thread::sleep_for(20ms);
    client.close();

    EXPECT_EQ(why.get_future().get(), Errc::client_gone);
    EXPECT_TRUE(server.comes_to(0));
}

/// Reads one piece and then is busy with it until the client leaves.
class BusyReader final : public ClientWatch {
public:
    Task<> read_one(Transaction& transaction) {
        Pause pause(*worker);
        pause_ = &pause;
        transaction.watch_client(this);
        const auto piece = co_await transaction.read_some();
        read.set_value(piece.has_value());
        [[maybe_unused]] const Wake wake = co_await pause.wait(5s);
        transaction.watch_client(nullptr);
        pause_ = nullptr;
        ended.set_value(gone_);
    }
    void on_client_gone() override {
        gone_ = true;
        pause_->cancel();
    }
    void on_server_stopping() override { pause_->cancel(); }

    Worker* worker = nullptr;
    std::promise<bool> read;
    std::promise<bool> ended;  // whether because the client had gone

private:
    Pause* pause_ = nullptr;
    bool gone_ = false;
};

TEST(ServerBodyStreamTest, AClientThatLeavesWhileItsBytesAreBeingUsedIsTold) {
    BusyReader reader;
    TestServer server([&reader](Transaction& transaction) { return reader.read_one(transaction); });
    server.on_worker([&] { reader.worker = &server.worker(); });
    RawSocket client = server.connect();
    // The body comes after the head, so that nothing of it has been seen when the watch begins.
    client.send(kSized.substr(0, kSized.size() - 10));
    std::this_thread::sleep_for(50ms);
    client.send("012");
    ASSERT_TRUE(reader.read.get_future().get());
    client.send("345");
    client.close();

    EXPECT_TRUE(reader.ended.get_future().get());
    EXPECT_TRUE(server.comes_to(0));
}

TEST(ServerBodyStreamTest, AMalformedChunkIsToldAndClosesTheConnection) {
    const StreamEcho echo;
    const TestServer server(script(echo));

    const std::string reply = server.exchange(
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n" +
        std::string(kNext));

    EXPECT_THAT(reply, AllOf(StartsWith("HTTP/1.1 400 "), Not(HasSubstr("/next"))));
}

TEST(ServerBodyStreamTest, AnAnswerBeforeTheBodysEndClosesTheConnection) {
    const TestServer server([](Transaction& transaction) -> Task<> {
        const auto piece = co_await transaction.read_some();
        answer(transaction, piece ? *piece : "failed");
    });
    const std::string chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

    const std::string reply =
        server.exchange(chunked + "2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n" + std::string(kNext));

    EXPECT_THAT(reply, AllOf(HasSubstr("connection: close\r\n"), EndsWith("\r\n\r\nab")));
}

TEST(ServerBodyStreamTest, StopReadingEndsTheReadAndLeavesTheAnswerPossible) {
    std::promise<Transaction*> begun;
    std::promise<Errc> why;
    TestServer server([&](Transaction& transaction) -> Task<> {
        begun.set_value(&transaction);
        const auto piece = co_await transaction.read_some();
        const auto again = co_await transaction.read_some();
        why.set_value(piece || again || again.error() != piece.error() ? Errc::internal
                                                                       : piece.error().code);
        answer(transaction, "enough");
    });
    RawSocket client = server.connect();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n");
    Transaction* const transaction = begun.get_future().get();
    std::this_thread::sleep_for(20ms);
    const auto start = Clock::now();

    server.on_worker([&] { transaction->stop_reading(); });

    EXPECT_EQ(why.get_future().get(), Errc::cancelled);
    EXPECT_LT(Clock::now() - start, 200ms);
    client.send("123456789");
    EXPECT_THAT(client.receive_to_end(),
                AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("\r\n\r\nenough")));
    EXPECT_TRUE(client.ended());
}

/// Streams `pieces` under a length of 6.
TestServer::Script six_bytes(const std::vector<std::string>& pieces, int status = 200) {
    return [pieces, status](Transaction& transaction) -> Task<> {
        ReplyHead head;
        head.status = status;
        head.content_length = 6;
        transaction.start(head);
        for (std::size_t i = 0; i < pieces.size(); ++i) {
            const std::array<std::string_view, 1> piece = {pieces[i]};
            [[maybe_unused]] const Sent sent = transaction.write(piece, i + 1 == pieces.size());
        }
        co_return;
    };
}

std::string get(std::string_view method, std::string_view version) {
    return std::string(method) + " / HTTP/" + std::string(version) + "\r\nHost: x\r\n";
}

TEST(ServerReplyLengthTest, AStreamOfKnownLengthSaysItAndKeepsTheConnection) {
    const TestServer server(six_bytes({"abc", "def"}));
    const std::string last = get("GET", "1.1") + "Connection: close\r\n\r\n";

    const std::string replies = server.exchange(get("GET", "1.1") + "\r\n" + last);

    EXPECT_THAT(replies, AllOf(HasSubstr("content-length: 6\r\n\r\nabcdefHTTP/1.1 200"),
                               EndsWith("\r\n\r\nabcdef"), Not(HasSubstr("chunked"))));
}

TEST(ServerReplyLengthTest, WithHttp10TheConnectionMayLiveOn) {
    const TestServer server(six_bytes({"abcdef"}));

    const std::string replies = server.exchange(
        get("GET", "1.0") + "Connection: keep-alive\r\n\r\n" + get("GET", "1.0") + "\r\n");

    EXPECT_THAT(replies,
                AllOf(HasSubstr("connection: keep-alive\r\ncontent-length: 6\r\n\r\nabcdefHTTP"),
                      EndsWith("\r\n\r\nabcdef")));
}

TEST(ServerReplyLengthTest, TheReplyToHeadHasTheLengthAlone) {
    const TestServer server(six_bytes({""}));

    EXPECT_THAT(server.exchange(get("HEAD", "1.1") + "Connection: close\r\n\r\n"),
                EndsWith("content-length: 6\r\n\r\n"));
}

TEST(ServerReplyLengthTest, AStatusWithoutABodyHasNoLength) {
    for (const int status : {204, 304}) {
        const TestServer server(six_bytes({""}, status));
        EXPECT_THAT(server.exchange(get("GET", "1.1") + "Connection: close\r\n\r\n"),
                    AllOf(EndsWith("connection: close\r\n\r\n"), Not(HasSubstr("content-length"))));
    }
}

TEST(ServerReplyLengthTest, WhatIsShorterOrLongerEndsUncleanly) {
    for (const std::vector<std::string>& pieces :
         {std::vector<std::string>{"abc", "de"}, {"abc", "defg"}, {"abcdefg"}, {}}) {
        const TestServer server(six_bytes(pieces));
        RawSocket client = server.connect();
        client.send(get("GET", "1.1") + "\r\n" + get("GET", "1.1") + "\r\n");
        const std::string reply = client.receive_to_end();
        const auto end = reply.find("\r\n\r\n");
        const std::size_t body = end == std::string::npos ? 0 : reply.size() - end - 4;

        EXPECT_LT(body, 6U);
        EXPECT_TRUE(client.ended() || client.was_reset());
    }
}

}  // namespace
}  // namespace sluice::net::http1
