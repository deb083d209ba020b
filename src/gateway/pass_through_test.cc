#include "gateway/pass_through.h"

#include "gateway/test_gateway.h"
#include "net/test_loop.h"

#include <gmock/gmock.h>

#include <string>
#include <sys/time.h>
#include <thread>
#include <vector>

namespace sluice::gateway {
namespace {

using net::testing::RawSocket;
using ::testing::HasSubstr;
using testing::TestGateway;
using testing::TestTransaction;

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// A gateway before an upstream that a thread plays, one connection a request.
class PassThroughTest : public ::testing::Test {
protected:
    PassThroughTest() {
        const timeval patience{.tv_sec = 3, .tv_usec = 0};
        ::setsockopt(listener_.fd(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        config_.listeners.push_back({"127.0.0.1", 0});
        config_.log.access = false;
        config_.pass_through.upstream = "main";
        config::Upstream upstream;
        upstream.name = "main";
        upstream.base_url.host = "127.0.0.1";
        upstream.base_url.port = listener_.port();
        upstream.retry.max_retries = 0;
        upstream.pool.max_idle_per_worker = 0;
        config_.upstreams.emplace("main", upstream);
    }

    config::Upstream& upstream() { return config_.upstreams.find("main")->second; }

    TestGateway& gateway() {
        if (!gateway_) gateway_.emplace(config_);
        return *gateway_;
    }

    /// Handles the request, which gets each of `answers` on a connection of its own.
    void run(TestTransaction& transaction, const std::vector<std::string>& answers) {
        const std::jthread player([&] {
            for (const std::string& answer : answers) {
                RawSocket connection = listener_.accept();
                requests_.push_back(connection.receive_until("\r\n\r\n"));
                connection.send(answer);
            }
        });
        gateway().run(transaction);
    }

    config::Config config_;
    RawSocket listener_ = RawSocket::listening();
    std::optional<TestGateway> gateway_;
    std::vector<std::string> requests_;
};

TEST_F(PassThroughTest, TheAnswerOfTheUpstreamIsTheAnswer) {
    TestTransaction transaction("DELETE", "/v1/files/7");

    run(transaction, {std::string(kOk)});

    EXPECT_EQ(transaction.status, 200);
    EXPECT_EQ(transaction.reply, "ok");
    EXPECT_TRUE(transaction.finished);
    EXPECT_THAT(requests_.at(0), ::testing::StartsWith("DELETE /files/7 HTTP/1.1\r\n"));
}

TEST_F(PassThroughTest, KeysTakeTurnsAndOneThatWasRefusedIsLeftAlone) {
    upstream().api_keys = {config::Secret("sk-one"), config::Secret("sk-two")};
    const std::string refusal = "HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n";
    for (const std::string& answer :
         {std::string(kOk), refusal, std::string(kOk), std::string(kOk)}) {
        TestTransaction transaction("GET", "/v1/files");
        run(transaction, {answer});
    }

    EXPECT_THAT(requests_.at(0), HasSubstr("Bearer sk-one\r\n"));
    EXPECT_THAT(requests_.at(1), HasSubstr("Bearer sk-two\r\n"));
    EXPECT_THAT(requests_.at(2), HasSubstr("Bearer sk-one\r\n"));
    EXPECT_THAT(requests_.at(3), HasSubstr("Bearer sk-one\r\n"));
}

TEST_F(PassThroughTest, AnUpstreamThatKeepsFailingIsLeftAlone) {
    upstream().breaker.consecutive_failures = 2;
    for (int i = 0; i < 3; ++i) {
        TestTransaction transaction("POST", "/v1/files");
        const bool asked = i < 2;
        run(transaction, asked ? std::vector<std::string>{""} : std::vector<std::string>());
        EXPECT_EQ(transaction.status, asked ? 502 : 503);
        EXPECT_EQ(transaction.fields.contains("retry-after: "), !asked);
    }
    EXPECT_EQ(requests_.size(), 2U);
}

TEST_F(PassThroughTest, AReplyThatBreaksOffIsAborted) {
    TestTransaction transaction("GET", "/v1/files/7");

    run(transaction, {"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\npart"});

    EXPECT_EQ(transaction.reply, "part");
    EXPECT_TRUE(transaction.aborted);
    EXPECT_FALSE(transaction.finished);
}

TEST_F(PassThroughTest, AnErrorTextThatIsTooLongIsNone) {
    TestTransaction transaction("GET", "/v1/files/7");
    const std::string text(70'000, 'e');

    run(transaction,
        {"HTTP/1.1 500 X\r\ntransfer-encoding: chunked\r\n\r\n11170\r\n" + text + "\r\n0\r\n\r\n"});

    EXPECT_EQ(transaction.status, 502);
    EXPECT_THAT(transaction.reply, HasSubstr("upstream_invalid_response"));
}

TEST_F(PassThroughTest, AKeyOfOursIsNotForStrangers) {
    config_.listeners.front().host = "0.0.0.0";
    upstream().api_keys = {config::Secret("sk-ours")};
    config::Upstream other = upstream();
    other.name = "other";
    other.auth = config::Auth::passthrough;
    config_.upstreams.emplace("other", other);
    TestTransaction transaction("GET", "/v1/files");
    transaction.with("authorization", "Bearer anything");

    run(transaction, {});

    EXPECT_EQ(transaction.status, 403);
}

}  // namespace
}  // namespace sluice::gateway
