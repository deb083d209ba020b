#include "net/http1/connection_pool.h"

#include "net/test_loop.h"

#include <array>
#include <optional>
#include <vector>

namespace sluice::net::http1 {
namespace {

using namespace std::chrono_literals;
using net::testing::RawSocket;

class ConnectionPoolTest : public ::testing::Test {
public:
    /// A new connection, accepted by the upstream.
    ConnectionPool::Connection connect() {
        ConnectionPool::Connection connection;
        loop_.run([](ConnectionPoolTest& test, ConnectionPool::Connection& made) -> Task<> {
            auto opened = co_await test.pool_->connect(1s);
            if (opened) {
                made = std::move(*opened);
            } else {
                test.error_ = opened.error().code;
            }
        }(*this, connection));
        if (connection) accepted_.push_back(upstream_.accept());
        return connection;
    }
    /// Does one exchange, so that the connection may be used again.
    void use(ClientConnection& connection, RawSocket& peer) {
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        loop_.run([](ClientConnection& with) -> Task<> {
            const std::array<std::string_view, 1> request = {"GET / HTTP/1.1\r\n\r\n"};
            [[maybe_unused]] const auto sent = co_await with.send(request);
            [[maybe_unused]] const auto head = co_await with.read_head();
            [[maybe_unused]] const auto body = co_await with.read_body();
        }(connection));
    }
    /// So many connections, used and given back in their order.
    std::vector<ClientConnection*> idle(std::size_t count) {
        std::vector<ConnectionPool::Connection> connections;
        std::vector<ClientConnection*> order;
        connections.reserve(count);
        for (std::size_t i = 0; i < count; ++i) connections.push_back(connect());
        for (auto& connection : connections) {
            order.push_back(connection.get());
            use(*connection, accepted_[order.size() - 1]);
            pool_->give_back(std::move(connection));
        }
        return order;
    }
    void make_pool(PoolLimits limits) {
        pool_.emplace(loop_.worker, connector_, Endpoint{"127.0.0.1", upstream_.port()}, limits);
    }

    net::testing::TestLoop loop_;
    RawSocket upstream_ = RawSocket::listening();
    Connector connector_{loop_.worker};
    std::optional<ConnectionPool> pool_{std::in_place, loop_.worker, connector_,
                                        Endpoint{"127.0.0.1", upstream_.port()}, PoolLimits{}};
    std::vector<RawSocket> accepted_;
    std::optional<Errc> error_;
};

TEST_F(ConnectionPoolTest, HasNothingAtFirst) {
    EXPECT_EQ(pool_->take_idle(), nullptr);
    EXPECT_EQ(pool_->idle(), 0U);
    EXPECT_EQ(pool_->busy(), 0U);
}

TEST_F(ConnectionPoolTest, TheLastOneGivenBackIsTakenFirst) {
    const auto order = idle(3);
    EXPECT_EQ(pool_->idle(), 3U);

    std::vector<ConnectionPool::Connection> taken;
    taken.reserve(3);
    for (int i = 0; i < 3; ++i) taken.push_back(pool_->take_idle());

    EXPECT_EQ(taken[0].get(), order[2]);
    EXPECT_EQ(taken[1].get(), order[1]);
    EXPECT_EQ(taken[2].get(), order[0]);
    EXPECT_EQ(pool_->take_idle(), nullptr);
    EXPECT_EQ(pool_->busy(), 3U);
    for (auto& connection : taken) pool_->give_back(std::move(connection));
}

TEST_F(ConnectionPoolTest, OneThatWasTakenAgainServesAnotherExchange) {
    idle(1);
    auto connection = pool_->take_idle();

    use(*connection, accepted_[0]);

    EXPECT_TRUE(connection->reusable());
    EXPECT_TRUE(connection->is_reused());
    pool_->give_back(std::move(connection));
    EXPECT_EQ(pool_->idle(), 1U);
}

TEST_F(ConnectionPoolTest, OneOnWhichUnaskedBytesHaveJustComeIsNotTaken) {  // UP-6
    idle(2);
    accepted_[1].send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray");

    auto connection = pool_->take_idle();

    ASSERT_NE(connection, nullptr);
    EXPECT_EQ(pool_->idle(), 0U) << "the one with the stray bytes is gone";
    use(*connection, accepted_[0]);
    pool_->give_back(std::move(connection));
}

TEST_F(ConnectionPoolTest, OneThatMayNotBeReusedIsClosed) {
    auto connection = connect();

    pool_->give_back(std::move(connection));

    EXPECT_EQ(pool_->idle(), 0U);
    EXPECT_EQ(pool_->busy(), 0U);
    EXPECT_EQ(accepted_[0].receive(), "");
    EXPECT_TRUE(accepted_[0].ended());
}

TEST_F(ConnectionPoolTest, IdleOnesAreClosedAfterTheirTime) {
    make_pool({.max_idle = 8, .idle_timeout = 50ms});
    idle(2);

    loop_.turn(150ms);

    EXPECT_EQ(pool_->idle(), 0U);
    [[maybe_unused]] const std::string request = accepted_[0].receive();
    EXPECT_EQ(accepted_[0].receive(), "");
    EXPECT_TRUE(accepted_[0].ended());
}

TEST_F(ConnectionPoolTest, TheIdleTimeEndsWhenOneIsTaken) {
    make_pool({.max_idle = 8, .idle_timeout = 50ms});
    idle(1);
    auto connection = pool_->take_idle();
    loop_.turn(120ms);

    use(*connection, accepted_[0]);

    EXPECT_TRUE(connection->reusable());
    pool_->give_back(std::move(connection));
}

TEST_F(ConnectionPoolTest, OneThatTheUpstreamClosesOrSpeaksOnIsDropped) {
    idle(3);

    accepted_[0].close();
    accepted_[1].send("HTTP/1.1 408 Request Timeout\r\n\r\n");
    loop_.turn(50ms);

    EXPECT_EQ(pool_->idle(), 1U);
}

TEST_F(ConnectionPoolTest, KeepsNoMoreIdleOnesThanAllowed) {
    make_pool({.max_idle = 2});
    idle(4);

    EXPECT_EQ(pool_->idle(), 2U);
    EXPECT_EQ(pool_->busy(), 0U);
}

TEST_F(ConnectionPoolTest, OpensNoMoreThanAllowed) {
    make_pool({.max_idle = 8, .max_connections = 2});
    auto first = connect();
    auto second = connect();

    EXPECT_EQ(connect(), nullptr);
    EXPECT_EQ(error_, Errc::overloaded);

    pool_->give_back(std::move(first));
    pool_->give_back(std::move(second));
    EXPECT_EQ(pool_->busy(), 0U);
}

TEST_F(ConnectionPoolTest, AnIdleOneMakesRoomForANewOne) {
    make_pool({.max_idle = 8, .max_connections = 2});
    idle(2);

    auto fresh = connect();

    EXPECT_NE(fresh, nullptr);
    EXPECT_EQ(pool_->idle() + pool_->busy(), 2U);
    pool_->give_back(std::move(fresh));
}

TEST_F(ConnectionPoolTest, AFailedConnectLeavesNoTrace) {
    const std::uint16_t closed = RawSocket::listening().port();
    pool_->configure(Endpoint{"127.0.0.1", closed}, PoolLimits{});

    EXPECT_EQ(connect(), nullptr);

    EXPECT_EQ(error_, Errc::upstream_unreachable);
    EXPECT_EQ(pool_->busy(), 0U);
}

TEST_F(ConnectionPoolTest, ConnectionsToTheOldPlaceAreNotUsedForTheNewOne) {
    idle(1);
    auto busy = connect();
    use(*busy, accepted_[1]);

    pool_->configure(Endpoint{"127.0.0.2", upstream_.port()}, PoolLimits{});
    pool_->give_back(std::move(busy));

    EXPECT_EQ(pool_->take_idle(), nullptr);
}

TEST_F(ConnectionPoolTest, ConnectionsSurviveAReloadThatMovesNothing) {
    idle(1);

    pool_->configure(Endpoint{"127.0.0.1", upstream_.port()}, PoolLimits{.max_idle = 4});

    EXPECT_EQ(pool_->idle(), 1U);
}

}  // namespace
}  // namespace sluice::net::http1
