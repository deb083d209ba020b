#include "upstream/http_flight.h"

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
protected:
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
        std::jthread upstream([&] {
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

}  // namespace
}  // namespace sluice::upstream
