#include "net/http1/server_connection.h"

#include "net/http1/test_server.h"
#include "net/pause.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <string>
#include <vector>

namespace sluice::net::http1 {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using testing::answer;
using testing::echo;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::RawSocket;
using ::testing::StartsWith;
using testing::TestServer;

std::size_t count(std::string_view text, std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
        ++found;
    }
    return found;
}

/// Answers when told to; gives up when the client has gone or the server stops.
class Held final : public ClientWatch {
public:
    Task<> hold(Transaction& transaction) {
        Pause pause(*worker);
        pause_ = &pause;
        transaction.watch_client(this);
        started.set_value();
        [[maybe_unused]] const Wake wake = co_await pause.wait(5s);
        transaction.watch_client(nullptr);
        pause_ = nullptr;
        if (!gone_) answer(transaction, "held");
        ended.set_value(gone_);
    }
    void on_client_gone() override {
        gone_ = true;
        pause_->cancel();
    }
    void on_server_stopping() override { on_client_gone(); }
    /// To be called on the worker's thread.
    void release() { pause_->cancel(); }

    Worker* worker = nullptr;
    std::promise<void> started;
    std::promise<bool> ended;  // whether because the client had gone

private:
    Pause* pause_ = nullptr;
    bool gone_ = false;
};

/// How long it takes until `held` knows that its client has gone; more than a second if never.
Clock::duration time_to_notice(Held& held, const std::function<void()>& leave) {
    auto ended = held.ended.get_future();
    held.started.get_future().wait();
    std::this_thread::sleep_for(20ms);
    const auto left = Clock::now();
    leave();
    const bool noticed = ended.wait_for(2s) == std::future_status::ready && ended.get();
    return noticed ? Clock::now() - left : 1h;
}

TEST(ServerConnectionTest, AnswersOneRequestAfterAnotherOnOneConnection) {
    TestServer server(echo);
    RawSocket client = server.connect();
    for (const std::string_view path : {"/a", "/b", "/c"}) {
        client.send(std::string("GET ") + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n");
        const std::string reply = client.receive_until("GET " + std::string(path) + " ");
        EXPECT_THAT(reply,
                    AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("GET /"),
                          HasSubstr("content-length: 7\r\n"), Not(HasSubstr("connection:"))));
    }
    EXPECT_EQ(server.connections(), 1U);
}

TEST(ServerConnectionTest, AnswersPipelinedRequestsInTheirOrder) {
    TestServer server(echo);

    const std::string replies = server.exchange(
        "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none"
        "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n"
        "POST /3 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntri\r\n0\r\n\r\n"
        "GET /4 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        "GET /5 HTTP/1.1\r\nHost: x\r\n\r\n");

    EXPECT_EQ(count(replies, "HTTP/1.1 200 OK\r\n"), 4U);
    const std::vector<std::size_t> at = {replies.find("POST /1 one"), replies.find("GET /2 "),
                                         replies.find("POST /3 tri"), replies.find("GET /4 ")};
    EXPECT_TRUE(std::ranges::is_sorted(at));
    EXPECT_NE(at.back(), std::string::npos);
    EXPECT_EQ(count(replies, "connection: close\r\n"), 1U);
}

TEST(ServerConnectionTest, ReadsARequestCutAtEveryOffset) {
    TestServer server(echo);
    const std::vector<std::string> requests = {
        "POST /s HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nsized",
        "POST /s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        "2\r\nsi\r\n3;a=b\r\nzed\r\n0\r\n\r\n"};
    for (const std::string& request : requests) {
        RawSocket client = server.connect();
        for (std::size_t cut = 1; cut < request.size(); ++cut) {
            client.send(request.substr(0, cut));
            std::this_thread::sleep_for(1ms);
            client.send(request.substr(cut));
            ASSERT_THAT(client.receive_until("sized"), EndsWith("\r\n\r\nPOST /s sized")) << cut;
        }
    }
}

TEST(ServerConnectionTest, ReadsARequestThatComesByteByByte) {
    TestServer server(echo);
    const RawSocket slow = server.connect();
    RawSocket client = server.connect();
    for (const char c :
         std::string_view("POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
                          "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n")) {
        client.send({&c, 1});
        std::this_thread::sleep_for(1ms);
    }

    const std::string replies = client.receive_until("GET /2 ");

    EXPECT_THAT(replies, AllOf(HasSubstr("POST /1 body"), EndsWith("GET /2 ")));
}

TEST(ServerConnectionTest, ReadsALargeBodyOfEitherFraming) {
    TestServer server([](Transaction& transaction) -> Task<> {
        const auto body = co_await transaction.read_body(8UL * 1024 * 1024);
        const std::string text(body.value().view());
        const bool right = text.find_first_not_of('x') == std::string::npos;
        answer(transaction, std::to_string(text.size()) + (right ? " right" : " wrong"));
    });
    const std::string body(3'000'000, 'x');
    RawSocket client = server.connect();

    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" + body);
    EXPECT_THAT(client.receive_until("right"), EndsWith("3000000 right"));
    std::string chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 30; ++i) chunked += "186a0\r\n" + body.substr(0, 100'000) + "\r\n";
    client.send(chunked + "0\r\n\r\n");

    EXPECT_THAT(client.receive_until("right"), EndsWith("3000000 right"));
}

TEST(ServerConnectionTest, TheBodyHasPaddingBehindIt) {
    TestServer server([](Transaction& transaction) -> Task<> {
        const auto body = co_await transaction.read_body(1000);
        answer(transaction, body->capacity - body->size >= Body::kPadding ? "padded" : "short");
    });
    for (const std::string_view request :
         {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab",
          "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
          "1\r\na\r\n0\r\n\r\n"}) {
        EXPECT_THAT(server.exchange(request), EndsWith("padded"));
    }
}

TEST(ServerConnectionTest, Http10ClosesUnlessAskedToKeep) {
    TestServer server(echo);

    EXPECT_THAT(server.exchange("GET / HTTP/1.0\r\n\r\n"), HasSubstr("connection: close\r\n"));
    RawSocket client = server.connect();
    client.send("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_THAT(client.receive_until("GET /1 "), HasSubstr("connection: keep-alive\r\n"));
    client.send("GET /2 HTTP/1.0\r\n\r\n");

    EXPECT_THAT(client.receive_to_end(), EndsWith("GET /2 "));
    EXPECT_TRUE(client.ended());
}

Task<> stream_three(Transaction& transaction) {
    [[maybe_unused]] const auto body = co_await transaction.read_body(1000);
    transaction.release_request();
    transaction.start(ReplyHead{200, "content-type: text/plain\r\n"});
    for (const std::string_view piece : {"one,", "two,", "three"}) {
        const std::array<std::string_view, 1> pieces = {piece};
        [[maybe_unused]] const Sent sent = transaction.write(pieces, piece == "three");
        [[maybe_unused]] const auto flushed = co_await transaction.flush();
    }
}

TEST(ServerConnectionTest, StreamsInChunksAfterTheRequestWasReleased) {
    TestServer server(stream_three);
    RawSocket client = server.connect();
    for (int i = 0; i < 2; ++i) {
        client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}");
        EXPECT_THAT(client.receive_until("0\r\n\r\n"),
                    AllOf(HasSubstr("transfer-encoding: chunked\r\n"),
                          EndsWith("\r\n\r\n4\r\none,\r\n4\r\ntwo,\r\n5\r\nthree\r\n0\r\n\r\n")));
    }
}

TEST(ServerConnectionTest, StreamsToHttp10UntilTheConnectionEnds) {
    TestServer server(stream_three);

    const std::string reply = server.exchange("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");

    EXPECT_THAT(reply, AllOf(HasSubstr("connection: close\r\n"), EndsWith("\r\n\r\none,two,three"),
                             Not(HasSubstr("chunked"))));
}

TEST(ServerConnectionTest, HeadGetsTheHeadAlone) {
    TestServer server(echo);
    TestServer streaming(stream_three);
    for (const TestServer* each : {&server, &streaming}) {
        const std::string replies = each->exchange(
            "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"
            "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        EXPECT_EQ(count(replies, "HTTP/1.1 200 OK\r\n"), 2U);
        EXPECT_EQ(count(replies, "\r\n\r\n"), 2U);
        EXPECT_THAT(replies, EndsWith("\r\n\r\n"));
    }
}

TEST(ServerConnectionTest, SendsMoreThanSixteenPieces) {
    TestServer server([](Transaction& transaction) -> Task<> {
        const std::vector<std::string_view> pieces(40, "ab");
        if (transaction.head().path == "/whole") {
            [[maybe_unused]] const Sent sent = transaction.send(ReplyHead{}, pieces);
        } else {
            transaction.start(ReplyHead{});
            [[maybe_unused]] const Sent sent = transaction.write(pieces, true);
        }
        co_return;
    });
    std::string all;
    for (int i = 0; i < 40; ++i) all += "ab";

    EXPECT_THAT(server.exchange("GET /whole HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
                EndsWith("\r\n\r\n" + all));
    EXPECT_THAT(server.exchange("GET /stream HTTP/1.0\r\n\r\n"), EndsWith("\r\n\r\n" + all));
}

TEST(ServerConnectionTest, AsksForTheBodyOnlyWhenItIsRead) {
    TestServer server([](Transaction& transaction) -> Task<> {
        if (transaction.head().path == "/no") {
            answer(transaction, "no", 401);
        } else {
            co_await echo(transaction);
        }
    });
    RawSocket client = server.connect();
    client.send(
        "POST /yes HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(client.receive_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("ok");
    EXPECT_THAT(client.receive_until("ok"), EndsWith("POST /yes ok"));

    client.send(
        "POST /no HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");

    EXPECT_THAT(client.receive_to_end(),
                AllOf(StartsWith("HTTP/1.1 401 "), HasSubstr("connection: close\r\n")));
}

TEST(ServerConnectionTest, DoesNotAskForABodyThatIsOnItsWay) {
    TestServer server(echo);

    EXPECT_THAT(server.exchange("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
                                "Connection: close\r\nExpect: 100-continue\r\n\r\nok"),
                AllOf(StartsWith("HTTP/1.1 200 "), Not(HasSubstr("100 Continue"))));
}

TEST(ServerConnectionTest, NeverTakesARequestOutOfABodyThatWasNotRead) {
    std::atomic<int> handled = 0;
    TestServer server([&handled](Transaction& transaction) -> Task<> {
        ++handled;
        answer(transaction, "early", 403);
        co_return;
    });
    const std::string hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";

    const std::string sized = server.exchange(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(hidden.size()) +
        "\r\n\r\n" + hidden + hidden);
    const std::string chunked = server.exchange(
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + hidden);

    EXPECT_EQ(handled, 2);
    for (const std::string& reply : {sized, chunked}) {
        EXPECT_EQ(count(reply, "HTTP/1.1 "), 1U);
        EXPECT_THAT(reply, AllOf(HasSubstr("connection: close\r\n"), EndsWith("early")));
    }
}

TEST(ServerConnectionTest, AnEarlyAnswerArrivesThoughTheBodyFollowsIt) {
    TestServer server([](Transaction& transaction) -> Task<> {
        answer(transaction, "early", 403);
        co_return;
    });
    RawSocket client = server.connect();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n");
    std::this_thread::sleep_for(30ms);
    client.send(std::string(60'000, 'b'));

    EXPECT_THAT(client.receive_to_end(), EndsWith("early"));
    EXPECT_TRUE(client.ended());
    client.close();
    EXPECT_TRUE(server.comes_to(0));
}

TEST(ServerConnectionTest, ABodyWithoutEndIsNotDrainedForEver) {
    TestServer server([](Transaction& transaction) -> Task<> {
        answer(transaction, "early", 403);
        co_return;
    });
    const RawSocket client = server.connect();
    const auto start = Clock::now();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\n");
    client.send(std::string(30'000'000, 'b'));

    EXPECT_TRUE(server.comes_to(0));
    EXPECT_LT(Clock::now() - start, 2s);
}

TEST(ServerConnectionTest, RefusesABodyOverTheLimitOfEitherFraming) {
    TestServer server([](Transaction& transaction) -> Task<> {
        const auto body = co_await transaction.read_body(10);
        const Errc code = body ? Errc::internal : body.error().code;
        answer(transaction, "", body ? 200 : http_status(code));
    });
    const std::string sized = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ";
    const std::string chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

    EXPECT_THAT(server.exchange(sized + "11\r\n\r\n12345678901"), StartsWith("HTTP/1.1 413 "));
    EXPECT_THAT(server.exchange(sized + "11\r\nExpect: 100-continue\r\n\r\n"),
                StartsWith("HTTP/1.1 413 "));
    EXPECT_THAT(server.exchange(chunked + "6\r\n123456\r\n5\r\n78901\r\n0\r\n\r\n"),
                StartsWith("HTTP/1.1 413 "));
    EXPECT_THAT(server.exchange(chunked + "b\r\n"), StartsWith("HTTP/1.1 413 "));
    EXPECT_THAT(server.exchange(chunked + "6\r\n123456\r\n4\r\n7890\r\n0\r\n\r\n"
                                          "GET / HTTP/1.0\r\n\r\n"),
                AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("connection: close")));
}

TEST(ServerConnectionTest, AMalformedChunkIsToldToTheHandlerAndClosesTheConnection) {
    TestServer server(echo);

    const std::string reply =
        server.exchange("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");

    EXPECT_THAT(reply, AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("connection: close\r\n")));
}

TEST(ServerConnectionTest, AHeadThatIsWrongIsRefusedAndTheConnectionClosed) {
    TestServer server(echo);

    EXPECT_THAT(server.exchange("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
                AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("connection: close\r\n"),
                      EndsWith("Host is missing")));
}

ServerLimits short_limits() {
    ServerLimits limits;
    limits.head_timeout = 100ms;
    limits.idle_timeout = 200ms;
    limits.write_timeout = 150ms;
    limits.body_grace = 150ms;
    return limits;
}

TEST(ServerConnectionTest, AHeadThatDoesNotEndGets408InAllAndNotPerRead) {
    TestServer server(echo, short_limits());
    RawSocket client = server.connect();
    const auto start = Clock::now();
    std::string reply;
    for (const char c : std::string_view("GET / HTTP/1.1\r\nHost: x\r\nA: 12345678901234567890")) {
        client.send({&c, 1});
        reply = client.receive(10ms);
        if (!reply.empty()) break;
    }

    EXPECT_THAT(reply, StartsWith("HTTP/1.1 408 "));
    EXPECT_GE(Clock::now() - start, 100ms - Deadlines::kTick);
    EXPECT_LT(Clock::now() - start, 300ms);
}

TEST(ServerConnectionTest, AnIdleConnectionIsClosedWithoutAWord) {
    TestServer server(echo, short_limits());
    RawSocket fresh = server.connect();
    RawSocket used = server.connect();
    used.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(used.receive_until("GET /1 "), EndsWith("GET /1 "));

    EXPECT_EQ(fresh.receive_to_end(1s), "");
    EXPECT_TRUE(fresh.ended());
    EXPECT_EQ(used.receive_to_end(1s), "");
    EXPECT_TRUE(used.ended());
}

TEST(ServerConnectionTest, ABodyThatDoesNotComeGets408) {
    TestServer server(echo, short_limits());
    const std::vector<std::string> starts = {"Content-Length: 10\r\n\r\nabc",
                                             "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"};
    for (const std::string& start : starts) {
        EXPECT_THAT(server.exchange("POST / HTTP/1.1\r\nHost: x\r\n" + start),
                    StartsWith("HTTP/1.1 408 "));
    }
}

TEST(ServerConnectionTest, ABodyBelowTheLeastRateGets408) {
    ServerLimits limits;
    limits.body_rate_grace = 100ms;
    limits.body_min_bytes_per_second = 1000;
    TestServer server(echo, limits);
    RawSocket fast = server.connect();
    RawSocket slow = server.connect();
    for (const RawSocket* client : {&fast, &slow}) {
        client->send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n");
    }
    for (int i = 0; i < 30; ++i) {
        fast.send(std::string(30, 'f'));
        slow.send(std::string(5, 's'));
        std::this_thread::sleep_for(10ms);
    }

    EXPECT_THAT(fast.receive(), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(slow.receive(10ms), StartsWith("HTTP/1.1 408 "));
}

TEST(ServerConnectionTest, AClientThatLeavesInTheMiddleOfItsRequestIsForgotten) {
    TestServer server(echo);
    for (const std::string_view part :
         {"GET / HT", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
          "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab"}) {
        RawSocket client = server.connect();
        client.send(part);
        std::this_thread::sleep_for(20ms);
    }

    EXPECT_TRUE(server.comes_to(0, 500ms));
}

class ClientGoneTest : public ::testing::Test {
protected:
    void SetUp() override { held_.worker = &server_.worker(); }

    static constexpr std::string_view kRequest = "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n";
    Held held_;
    TestServer server_{[this](Transaction& transaction) { return held_.hold(transaction); }};
    RawSocket client_ = server_.connect();
};

TEST_F(ClientGoneTest, AnOrderlyEndIsNoticed) {
    client_.send(kRequest);
    EXPECT_LT(time_to_notice(held_, [&] { client_.close(); }), 250ms);
}

TEST_F(ClientGoneTest, AResetIsNoticed) {
    client_.send(kRequest);
    EXPECT_LT(time_to_notice(held_, [&] { client_.reset(); }), 250ms);
}

TEST_F(ClientGoneTest, AnEndBehindAPipelinedRequestIsNoticed) {
    client_.send(std::string(kRequest) + std::string(kRequest));
    EXPECT_LT(time_to_notice(held_, [&] { client_.close(); }), 250ms);
}

TEST_F(ClientGoneTest, AnEndBehindBytesThatCameLaterIsNoticed) {
    client_.send(kRequest);
    const auto leave = [&] {
        client_.send(kRequest);
        client_.close();
    };
    EXPECT_LT(time_to_notice(held_, leave), 250ms);
}

TEST_F(ClientGoneTest, AnAnswerStillComesWhenTheClientStays) {
    client_.send(kRequest);
    held_.started.get_future().wait();
    server_.on_worker([this] { held_.release(); });

    EXPECT_THAT(client_.receive_until("held"), EndsWith("held"));
    EXPECT_FALSE(held_.ended.get_future().get());
}

TEST_F(ClientGoneTest, CancelAllEndsAHandlerThatWaitsForSomethingElse) {
    client_.send(kRequest);
    const auto cancel = [this] { server_.on_worker([this] { server_.server().cancel_all(); }); };
    EXPECT_LT(time_to_notice(held_, cancel), 250ms);
    EXPECT_TRUE(server_.comes_to(0, 250ms));
}

TEST(ServerConnectionTest, AnEndIsNoticedWhenBytesWereSeenDuringThePreviousRequest) {
    // The second request lies in the buffer already when the third comes to the socket: whoever
    // heard of the third's bytes then must hear of the end during the second all the same.
    Held first;
    Held second;
    std::atomic<int> handled = 0;
    TestServer server([&](Transaction& transaction) -> Task<> {
        return (handled++ == 0 ? first : second).hold(transaction);
    });
    first.worker = second.worker = &server.worker();
    RawSocket client = server.connect();
    client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    first.started.get_future().wait();
    client.send("GET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
    std::this_thread::sleep_for(50ms);
    server.on_worker([&] { first.release(); });

    EXPECT_LT(time_to_notice(second, [&] { client.close(); }), 250ms);
}

TEST(ServerConnectionTest, ADrainLetsAWholeReplyReachItsSlowReader) {  // DR-3
    const std::string body(16UL * 1024 * 1024, 'w');
    TestServer server([&body](Transaction& transaction) -> Task<> {
        const std::array<std::string_view, 1> pieces = {body};
        [[maybe_unused]] const Sent sent = transaction.send(ReplyHead{}, pieces);
        transaction.release_request();
        co_return;
    });
    RawSocket client = server.connect();
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    std::this_thread::sleep_for(50ms);

    server.on_worker([&] { server.server().drain(); });
    std::this_thread::sleep_for(50ms);
    const std::string reply = client.receive_to_end();

    EXPECT_GT(reply.size(), body.size());
}

TEST(ServerConnectionTest, ASlowReaderHoldsTheHandlerBack) {
    std::atomic<std::size_t> written = 0;
    TestServer server([&written](Transaction& transaction) -> Task<> {
        const std::string piece(64UL * 1024, 'p');
        const std::array<std::string_view, 1> pieces = {piece};
        transaction.start(ReplyHead{});
        for (int i = 0; i < 320; ++i) {
            const Sent sent = transaction.write(pieces, i == 319);
            if (sent == Sent::gone) co_return;
            const auto flushed = co_await transaction.flush();
            if (!flushed) co_return;
            written += piece.size();
        }
    });
    RawSocket client = server.connect();
    client.send("GET / HTTP/1.0\r\n\r\n");
    std::this_thread::sleep_for(200ms);
    const std::size_t before = written;

    EXPECT_LT(before, 16UL * 1024 * 1024);
    const std::string all = client.receive_to_end();

    EXPECT_TRUE(client.ended());
    EXPECT_EQ(all.size() - all.find("\r\n\r\n") - 4, 320UL * 64 * 1024);
}

TEST(ServerConnectionTest, AReaderThatTakesNothingIsCutAfterTheWriteTimeout) {
    std::promise<Errc> why;
    TestServer server(
        [&why](Transaction& transaction) -> Task<> {
            const std::string huge(32UL * 1024 * 1024, 'h');
            answer(transaction, huge);
            const auto flushed = co_await transaction.flush();
            why.set_value(flushed ? Errc::internal : flushed.error().code);
        },
        short_limits());
    const RawSocket client = server.connect();
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");

    EXPECT_EQ(why.get_future().get(), Errc::client_gone);
    EXPECT_TRUE(server.comes_to(0, 500ms));
}

TEST(ServerConnectionTest, AnAbortedStreamEndsWithoutItsLastChunk) {
    TestServer server([](Transaction& transaction) -> Task<> {
        const std::array<std::string_view, 1> pieces = {"part"};
        transaction.start(ReplyHead{});
        [[maybe_unused]] const Sent sent = transaction.write(pieces, false);
        transaction.abort();
        co_return;
    });
    const std::string more = "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n";

    RawSocket client = server.connect();
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n" + more);
    EXPECT_THAT(client.receive_to_end(), EndsWith("\r\n\r\n4\r\npart\r\n"));
    RawSocket old = server.connect();
    old.send("GET / HTTP/1.0\r\n\r\n");

    [[maybe_unused]] const std::string part = old.receive_to_end();
    EXPECT_TRUE(old.was_reset());
}

TEST(ServerConnectionTest, TheLastWordsOfAnAbortedStreamArriveThoughBytesLieUnread) {
    Held held;
    TestServer server([&held](Transaction& transaction) -> Task<> {
        transaction.start(ReplyHead{});
        Pause pause(*held.worker);
        [[maybe_unused]] const Wake wake = co_await pause.wait(60ms);
        const std::array<std::string_view, 1> pieces = {"error"};
        [[maybe_unused]] const Sent sent = transaction.write(pieces, false);
        transaction.abort();
    });
    held.worker = &server.worker();
    RawSocket client = server.connect();
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    std::this_thread::sleep_for(20ms);
    client.send("GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    std::this_thread::sleep_for(150ms);

    EXPECT_THAT(client.receive_to_end(), EndsWith("5\r\nerror\r\n"));
    EXPECT_TRUE(client.ended());
}

TEST(ServerConnectionTest, DrainClosesIdleConnectionsNowAndBusyOnesAfterTheirAnswer) {
    Held held;
    TestServer server([&held](Transaction& transaction) { return held.hold(transaction); });
    held.worker = &server.worker();
    RawSocket idle = server.connect();
    RawSocket busy = server.connect();
    busy.send("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    held.started.get_future().wait();

    server.on_worker([&] { server.server().drain(); });
    EXPECT_EQ(idle.receive_to_end(500ms), "");
    EXPECT_TRUE(idle.ended());
    server.on_worker([&] { held.release(); });
    const std::string reply = busy.receive_to_end();

    EXPECT_THAT(reply, AllOf(HasSubstr("connection: close\r\n"), EndsWith("held")));
    EXPECT_EQ(count(reply, "HTTP/1.1"), 1U);
}

TEST(ServerConnectionTest, AConnectionThatComesAfterCancelAllEndsAtOnce) {
    TestServer server(echo);
    server.on_worker([&] { server.server().cancel_all(); });

    RawSocket client = server.connect();
    EXPECT_EQ(client.receive_to_end(500ms), "");

    EXPECT_TRUE(client.ended() || client.was_reset());
}

TEST(ServerConnectionTest, CancelAllEndsHalfReadAndHalfWrittenRequests) {
    TestServer server([](Transaction& transaction) -> Task<> {
        if (transaction.head().path == "/out") {
            const std::string huge(32UL * 1024 * 1024, 'h');
            answer(transaction, huge);
        } else {
            co_await echo(transaction);
        }
    });
    RawSocket idle = server.connect();
    RawSocket head = server.connect();
    RawSocket body = server.connect();
    RawSocket out = server.connect();
    head.send("GET /");
    body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    out.send("GET /out HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(server.comes_to(4));
    std::this_thread::sleep_for(50ms);

    server.on_worker([&] { server.server().cancel_all(); });

    EXPECT_TRUE(server.comes_to(0, 500ms));
}

TEST(ServerConnectionTest, CountsTheBytesOfEachExchange) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> counts;
    TestServer server([&counts](Transaction& transaction) -> Task<> {
        co_await echo(transaction);
        counts.emplace_back(transaction.bytes_received(), transaction.bytes_sent());
    });
    const std::string first = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab";
    const std::string second = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    const std::string replies = server.exchange(first + second);
    EXPECT_TRUE(server.comes_to(0));

    ASSERT_EQ(counts.size(), 2U);
    EXPECT_EQ(counts[0].first, first.size());
    EXPECT_EQ(counts[1].first, second.size());
    EXPECT_EQ(counts[0].second + counts[1].second, replies.size());
}

TEST(RequestBufferTest, OwnsNothingBetweenRequests) {
    RequestBuffer buffer;
    buffer.head().reserve(4096);
    buffer.head().append("GET / HTTP/1.1\r\n\r\n");
    buffer.body().append(std::string(100'000, 'b'));

    buffer.next_request();

    EXPECT_EQ(buffer.head().capacity(), 0U);
    EXPECT_EQ(buffer.body().capacity(), 0U);
    EXPECT_LT(sizeof(ServerConnection), 2048U);
}

TEST(RequestBufferTest, ReleaseKeepsWhatIsBehindTheRequest) {
    RequestBuffer buffer;
    buffer.head().append("first|second");
    buffer.behind_is(buffer.head().view().substr(6));

    buffer.release_request();
    EXPECT_EQ(buffer.head().capacity(), 0U);
    EXPECT_EQ(buffer.behind(), "second");
    buffer.release_request();
    EXPECT_EQ(buffer.behind(), "second");
    buffer.next_request();

    EXPECT_EQ(buffer.head().view(), "second");
    EXPECT_EQ(buffer.behind(), "");
}

}  // namespace
}  // namespace sluice::net::http1
