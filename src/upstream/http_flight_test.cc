#include "upstream/http_flight.h"

#include "net/pause.h"
#include "net/test_loop.h"
#include "upstream/origin.h"

#include <gmock/gmock.h>

#include <array>
#include <functional>
#include <memory>
#include <sys/time.h>
#include <thread>

namespace sluice::upstream {
namespace {

using namespace std::chrono_literals;
using net::testing::RawSocket;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

class NoObserver final : public OriginObserver {
public:
    void on_reuse_race() override {}
};

/// What became of a flight.
struct Landing {
    Result<void> opened;
    ReplyInfo reply;
    std::string body;
    Result<void> ended;
    bool sent = false;
};

/// An upstream that a thread plays through plain sockets, and flights to it.
class HttpFlightTest : public ::testing::Test {
public:
    HttpFlightTest() {
        const timeval patience{.tv_sec = 3, .tv_usec = 0};
        ::setsockopt(listener_.fd(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        settings_.name = "main";
        settings_.base_url.host = "127.0.0.1";
        settings_.base_url.port = listener_.port();
        settings_.base_url.path = "/v1";
        settings_.timeouts.first_byte = 1s;
        settings_.timeouts.idle = 1s;
    }

    void with_keys(std::initializer_list<std::string> keys) {
        for (const std::string& key : keys) settings_.api_keys.emplace_back(key);
    }

    using Script = std::function<void(RawSocket&)>;

    /// Each of `scripts` plays one connection.
    Landing fly(const Ask& ask, const std::vector<Script>& scripts) {
        const std::jthread upstream([&] {
            for (const Script& script : scripts) {
                RawSocket connection = listener_.accept();
                script(connection);
            }
        });
        Landing landing;
        if (!origin_) {
            origin_ = Origin::make(loop_.worker, connector_, settings_, observer_).value();
        }
        loop_.run(run(ask, landing));
        return landing;
    }

    /// Reads a request without a body, and gives `answer`.
    Script answers(std::string_view answer) {
        return [this, answer](RawSocket& connection) {
            request_ = connection.receive_until("\r\n\r\n");
            connection.send(answer);
        };
    }

    net::Task<> run(const Ask& ask, Landing& landing) {
        const auto flight = origin_->flight();
        flight_ = flight.get();
        landing.opened = co_await flight->open(ask);
        landing.reply = flight->reply();
        landing.sent = flight->sent();
        while (landing.opened) {
            const auto piece = co_await flight->next();
            if (!piece) landing.ended = std::unexpected(piece.error());
            if (!piece || piece->empty()) break;
            landing.body += *piece;
            if (on_piece_) on_piece_();
        }
        flight_ = nullptr;
    }

    net::testing::TestLoop loop_;
    RawSocket listener_ = RawSocket::listening();
    config::Upstream settings_;
    net::Connector connector_{loop_.worker};
    NoObserver observer_;
    std::unique_ptr<Origin> origin_;
    Flight* flight_ = nullptr;
    std::function<void()> on_piece_;
    std::string request_;
};

Ask get(std::string_view path) {
    Ask ask;
    ask.path = path;
    return ask;
}

TEST_F(HttpFlightTest, ShowsTheKeyThatWasChosen) {
    with_keys({"sk-one", "sk-two"});
    for (const std::size_t key : {0UL, 1UL, 7UL}) {
        Ask ask = get("/models");
        ask.key = key;
        const Landing landing = fly(ask, {answers(kAnswer)});
        EXPECT_EQ(landing.body, "ok");
        EXPECT_THAT(request_, StartsWith("GET /v1/models HTTP/1.1\r\nhost: 127.0.0.1:"));
        EXPECT_THAT(request_, HasSubstr(key == 0 ? "\r\nauthorization: Bearer sk-one\r\n"
                                                 : "\r\nauthorization: Bearer sk-two\r\n"));
        origin_.reset();
    }
}

TEST_F(HttpFlightTest, ShowsTheKeyInTheHeaderThatItsProviderWants) {
    with_keys({"sk-one"});
    settings_.auth_header = config::AuthHeader::x_api_key;

    fly(get("/models"), {answers(kAnswer)});

    EXPECT_THAT(request_, HasSubstr("\r\nx-api-key: sk-one\r\n"));
    EXPECT_THAT(request_, Not(HasSubstr("authorization")));
}

TEST_F(HttpFlightTest, NamesAVersionWhereTheClientNamesNone) {
    settings_.version = "2023-06-01";
    Ask ask = get("/v1/models");
    ask.fields = "anthropic-beta: anthropic-version\r\n";

    fly(ask, {answers(kAnswer)});
    EXPECT_THAT(request_, HasSubstr("\r\nanthropic-version: 2023-06-01\r\n"));

    ask.fields = "anthropic-beta: b\r\nAnthropic-Version: 2026-10-21\r\n";
    fly(ask, {answers(kAnswer)});
    EXPECT_THAT(request_, HasSubstr("\r\nAnthropic-Version: 2026-10-21\r\n"));
    EXPECT_THAT(request_, Not(HasSubstr("2023-06-01")));
}

TEST_F(HttpFlightTest, ShowsTheClientsOwnCredentialInPlaceOfTheKey) {
    with_keys({"sk-one"});
    Ask ask = get("/models");
    ask.credential = "authorization: Bearer sk-client\r\n";

    const Landing landing =
        fly(ask,
            {answers("HTTP/1.1 200 OK\r\nx-request-id: of sk-client\r\nx-ratelimit-a: sk-client\r\n"
                     "x-ratelimit-b: sk-one\r\nx-ratelimit-c: 1\r\ncontent-length: 0\r\n\r\n")});

    EXPECT_THAT(request_, HasSubstr("\r\nauthorization: Bearer sk-client\r\n"));
    EXPECT_THAT(request_, Not(HasSubstr("sk-one")));
    EXPECT_EQ(landing.reply.fields, "x-ratelimit-c: 1\r\n");
    EXPECT_EQ(landing.reply.request_id, "");
}

TEST_F(HttpFlightTest, SendsWhatIsReadAsJsonAndUncoded) {
    const std::array<std::string_view, 2> body = {"{\"a\":", "1}"};
    Ask ask = get("/chat/completions");
    ask.body = body;

    fly(ask, {[this](RawSocket& connection) {
            request_ = connection.receive_until("1}");
            connection.send(kAnswer);
        }});

    EXPECT_THAT(request_,
                AllOf(StartsWith("POST /v1/chat/completions HTTP/1.1\r\n"),
                      HasSubstr("\r\naccept-encoding: identity\r\naccept: application/json\r\n"),
                      HasSubstr("\r\ncontent-type: application/json\r\n"),
                      EndsWith("\r\ncontent-length: 7\r\n\r\n{\"a\":1}")));
}

TEST_F(HttpFlightTest, ARawRequestCarriesTheFieldsItIsGivenAndNoOthers) {
    Ask ask = get("/files?limit=2");
    ask.method = "PATCH";
    ask.raw = true;
    ask.fields = "accept-encoding: br\r\n";

    const Landing landing = fly(
        ask, {answers("HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 2\r\n\r\nok")});

    EXPECT_THAT(request_, AllOf(StartsWith("PATCH /v1/files?limit=2 HTTP/1.1\r\n"),
                                HasSubstr("\r\naccept-encoding: br\r\n"),
                                HasSubstr("\r\ncontent-length: 0\r\n"), Not(HasSubstr("identity")),
                                Not(HasSubstr("accept: ")), Not(HasSubstr("content-type"))));
    EXPECT_EQ(landing.reply.fields, "content-encoding: br\r\n");
    EXPECT_EQ(landing.body, "ok");
}

TEST_F(HttpFlightTest, ACodedReplyToWhatIsReadIsRefused) {
    const Landing landing =
        fly(get("/models"),
            {answers("HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 2\r\n\r\nok")});

    ASSERT_FALSE(landing.opened);
    EXPECT_EQ(landing.opened.error().code, Errc::upstream_invalid_response);
}

TEST_F(HttpFlightTest, TheReplyToAHeadRequestHasNoBodyWhateverItSays) {
    Ask ask = get("/files/1");
    ask.method = "HEAD";
    ask.raw = true;

    const Landing landing = fly(ask, {answers("HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n")});

    EXPECT_TRUE(landing.opened);
    EXPECT_TRUE(landing.ended);
    EXPECT_EQ(landing.body, "");
    EXPECT_EQ(landing.reply.content_length, 12U);
    EXPECT_EQ(origin_->pool()->idle(), 1U);
}

constexpr std::string_view kStreamHead =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

/// A comment every 20 ms, at most 40 of them.
void comment_on(const RawSocket& connection) {
    for (int i = 0; i < 40; ++i) {
        connection.send("3\r\n:\n\n\r\n");
        std::this_thread::sleep_for(20ms);
    }
    connection.send("0\r\n\r\n");
}

TEST_F(HttpFlightTest, CommentsKeepAStreamAliveWhereTheyCount) {
    settings_.timeouts.idle = 150ms;

    const Landing landing = fly(get("/models"), {[this](RawSocket& connection) {
                                    answers(kStreamHead)(connection);
                                    comment_on(connection);
                                }});

    EXPECT_TRUE(landing.ended);
    EXPECT_EQ(landing.body.size(), 120U);
}

TEST_F(HttpFlightTest, AStreamOfCommentsTimesOutWhereOnlyDataCounts) {
    settings_.timeouts.idle = 150ms;
    settings_.timeouts.idle_counts_data_only = true;

    const Landing landing = fly(get("/models"), {[this](RawSocket& connection) {
                                    answers(kStreamHead)(connection);
                                    comment_on(connection);
                                }});

    ASSERT_FALSE(landing.ended);
    EXPECT_EQ(landing.ended.error().code, Errc::upstream_timeout);
    EXPECT_LT(landing.body.size(), 60U);
}

TEST_F(HttpFlightTest, ProgressThatIsNotedKeepsAStreamAlive) {
    settings_.timeouts.idle = 150ms;
    settings_.timeouts.idle_counts_data_only = true;
    on_piece_ = [this] { flight_->note_progress(); };

    const Landing landing = fly(get("/models"), {[this](RawSocket& connection) {
                                    answers(kStreamHead)(connection);
                                    comment_on(connection);
                                }});

    EXPECT_TRUE(landing.ended);
    EXPECT_EQ(landing.body.size(), 120U);
}

TEST_F(HttpFlightTest, NothingWasSentWhereNobodyListens) {
    listener_.close();

    const Landing landing = fly(get("/models"), {});

    EXPECT_FALSE(landing.opened);
    EXPECT_FALSE(landing.sent);
}

TEST_F(HttpFlightTest, SomethingWasSentWhereNoAnswerCame) {
    const Landing landing = fly(get("/models"), {answers("")});

    EXPECT_FALSE(landing.opened);
    EXPECT_TRUE(landing.sent);
}

/// A body that comes in pieces, each after a pause.
class SlowBody final : public BodySource {
public:
    SlowBody(net::Worker& worker, std::vector<std::string> pieces, net::Clock::duration pause)
        : worker_(worker),
          pieces_(std::move(pieces)),
          pause_time_(pause),
          pause_(worker) {}

    std::optional<std::uint64_t> size() const override { return size_; }
    net::Task<Result<std::string_view>> read() override {
        ++reads;
        if (stopped_) co_return fail(Errc::cancelled);
        net::Wake wake = net::Wake::ready;
        if (pause_time_ > 0ms) wake = co_await pause_.wait(pause_time_);
        if (wake == net::Wake::cancelled) co_return fail(Errc::cancelled);
        if (at_ == pieces_.size()) co_return end;
        // Where pieces of clients lie.
        const std::string& piece = pieces_[at_++];
        const auto scratch = worker_.scratch();
        piece.copy(scratch.data(), scratch.size());
        co_return std::string_view(scratch.data(), piece.size());
    }
    void stop() override {
        stopped_ = true;
        pause_.cancel();
    }
    void has_size() {
        size_ = 0;
        for (const std::string& piece : pieces_) *size_ += piece.size();
    }

    Result<std::string_view> end = std::string_view();
    int reads = 0;

private:
    net::Worker& worker_;
    std::vector<std::string> pieces_;
    net::Clock::duration pause_time_;
    net::Pause pause_;
    std::optional<std::uint64_t> size_;
    std::size_t at_ = 0;
    bool stopped_ = false;
};

Ask post(BodySource& source) {
    Ask ask = get("/files");
    ask.method = "POST";
    ask.raw = true;
    ask.source = &source;
    return ask;
}

TEST_F(HttpFlightTest, ABodyOfKnownSizeIsSentAsItComes) {
    SlowBody body(loop_.worker, {"abc", "defg"}, 5ms);
    body.has_size();

    const Landing landing = fly(post(body), {[this](RawSocket& connection) {
                                    request_ = connection.receive_until("defg");
                                    connection.send(kAnswer);
                                }});

    EXPECT_EQ(landing.body, "ok");
    EXPECT_THAT(request_, AllOf(StartsWith("POST /v1/files HTTP/1.1\r\n"),
                                EndsWith("\r\ncontent-length: 7\r\n\r\nabcdefg")));
    EXPECT_EQ(origin_->pool()->idle(), 1U);
}

TEST_F(HttpFlightTest, ABodyOfUnknownSizeIsSentInChunks) {
    SlowBody body(loop_.worker, {"abc", "0123456789abcdef"}, 5ms);

    const Landing landing = fly(post(body), {[this](RawSocket& connection) {
                                    request_ = connection.receive_until("0\r\n\r\n");
                                    connection.send(kAnswer);
                                }});

    EXPECT_EQ(landing.body, "ok");
    EXPECT_THAT(request_, EndsWith("\r\ntransfer-encoding: chunked\r\n\r\n"
                                   "3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"));
    EXPECT_EQ(origin_->pool()->idle(), 1U);
}

TEST_F(HttpFlightTest, ALargeBodyArrivesWholeAtAReaderThatIsSlow) {
    std::vector<std::string> pieces;
    std::string all;
    for (int i = 0; i < 300; ++i) {
        pieces.emplace_back(65'536, static_cast<char>('a' + i % 26));
        all += pieces.back();
    }
    SlowBody body(loop_.worker, std::move(pieces), {});
    body.has_size();
    std::string received;

    const Landing landing =
        fly(post(body), {[&](RawSocket& connection) {
                std::this_thread::sleep_for(100ms);
                while (received.size() < all.size() || !received.ends_with(all)) {
                    const std::string some = connection.receive();
                    if (some.empty()) break;
                    received += some;
                }
                connection.send(kAnswer);
            }});

    EXPECT_EQ(landing.opened, Result<void>());
    EXPECT_EQ(landing.body, "ok");
    EXPECT_TRUE(received.ends_with(all));
    EXPECT_EQ(received.size() - received.find("\r\n\r\n") - 4, all.size());
}

TEST_F(HttpFlightTest, ASlowUploadIsNotTheUpstreamsFault) {
    settings_.timeouts.first_byte = 100ms;
    settings_.timeouts.idle = 100ms;
    SlowBody body(loop_.worker, {"a", "b"}, 200ms);

    const Landing landing = fly(post(body), {[this](RawSocket& connection) {
                                    request_ = connection.receive_until("0\r\n\r\n");
                                    connection.send(kAnswer);
                                }});

    EXPECT_EQ(landing.body, "ok");
}

TEST_F(HttpFlightTest, TheFirstByteIsWaitedForFromTheLastOneSent) {
    settings_.timeouts.first_byte = 100ms;
    SlowBody body(loop_.worker, {"a"}, 100ms);
    const auto start = net::Clock::now();

    const Landing landing = fly(post(body), {[](RawSocket& connection) {
                                    while (!connection.receive().empty()) {
                                    }
                                }});

    ASSERT_FALSE(landing.opened);
    EXPECT_EQ(landing.opened.error().code, Errc::upstream_timeout);
    EXPECT_GE(net::Clock::now() - start, 300ms - net::Deadlines::kTick);
}

TEST_F(HttpFlightTest, AnUpstreamThatTakesNothingTimesOut) {
    settings_.timeouts.idle = 150ms;
    SlowBody body(loop_.worker, std::vector<std::string>(500, std::string(65'536, 'b')), {});

    const Landing landing =
        fly(post(body), {[](RawSocket&) { std::this_thread::sleep_for(600ms); }});

    ASSERT_FALSE(landing.opened);
    EXPECT_EQ(landing.opened.error().code, Errc::upstream_timeout);
}

TEST_F(HttpFlightTest, AnAnswerWhileTheClientIsWaitedForEndsTheUpload) {
    SlowBody body(loop_.worker, {"a"}, 2s);

    const auto start = net::Clock::now();
    const Landing landing =
        fly(post(body), {answers("HTTP/1.1 413 X\r\ncontent-length: 3\r\n\r\nbig")});

    EXPECT_EQ(landing.reply.status, 413);
    EXPECT_EQ(landing.body, "big");
    EXPECT_LT(net::Clock::now() - start, 1s);
    EXPECT_EQ(origin_->pool()->idle(), 0U);
}

TEST_F(HttpFlightTest, AnAnswerWhileTheUpstreamTakesNothingEndsTheUpload) {
    SlowBody body(loop_.worker, std::vector<std::string>(500, std::string(65'536, 'b')), {});

    const Landing landing =
        fly(post(body), {[](RawSocket& connection) {
                std::this_thread::sleep_for(100ms);
                connection.send("HTTP/1.1 413 X\r\ncontent-length: 3\r\n\r\nbig");
                std::this_thread::sleep_for(200ms);
            }});

    EXPECT_EQ(landing.reply.status, 413);
    EXPECT_EQ(landing.body, "big");
    EXPECT_LT(body.reads, 400);
    EXPECT_EQ(origin_->pool()->idle(), 0U);
}

TEST_F(HttpFlightTest, AnUpstreamThatLeavesDuringTheUploadIsNotWaitedFor) {
    SlowBody body(loop_.worker, {"a"}, 2s);

    const auto start = net::Clock::now();
    const Landing landing = fly(post(body), {answers("")});

    ASSERT_FALSE(landing.opened);
    EXPECT_EQ(landing.opened.error().code, Errc::upstream_unreachable);
    EXPECT_LT(net::Clock::now() - start, 1s);
}

TEST_F(HttpFlightTest, ABodyThatBreaksOffEndsTheConnection) {
    SlowBody body(loop_.worker, {"abc"}, 5ms);
    body.end = fail(Errc::client_gone);

    const Landing landing = fly(
        post(body), {[this](RawSocket& connection) { request_ = connection.receive_to_end(); }});

    ASSERT_FALSE(landing.opened);
    EXPECT_EQ(landing.opened.error().code, Errc::client_gone);
    EXPECT_THAT(request_, EndsWith("3\r\nabc\r\n"));
}

TEST_F(HttpFlightTest, CancelEndsAnUpload) {
    SlowBody body(loop_.worker, {"abc"}, 2s);
    loop_.worker.spawn([](HttpFlightTest& test) -> net::Task<> {
        co_await test.loop_.worker.sleep(50ms);
        test.flight_->cancel();
    }(*this));

    const Landing landing = fly(
        post(body), {[this](RawSocket& connection) { request_ = connection.receive_to_end(); }});

    ASSERT_FALSE(landing.opened);
    EXPECT_EQ(landing.opened.error().code, Errc::cancelled);
}

TEST_F(HttpFlightTest, TheWholeExchangeHasALimitDuringAnUploadToo) {
    settings_.timeouts.total = 100ms;
    SlowBody body(loop_.worker, {"abc"}, 2s);

    const Landing landing = fly(
        post(body), {[this](RawSocket& connection) { request_ = connection.receive_to_end(); }});

    ASSERT_FALSE(landing.opened);
    EXPECT_EQ(landing.opened.error().code, Errc::upstream_timeout);
}

}  // namespace
}  // namespace sluice::upstream
