#include "net/listener.h"

#include "net/test_loop.h"

#include <ctime>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <optional>
#include <sys/resource.h>
#include <vector>

namespace sluice::net {
namespace {

using namespace std::chrono_literals;
using testing::RawSocket;

class ListenerTest : public ::testing::Test {
protected:
    void accept_from(Listener& listener) {
        loop_.worker.spawn(listener.accept_all([this](Stream stream, Peer peer) {
            accepted_.push_back(std::move(stream));
            peers_.push_back(std::move(peer));
        }));
    }

    testing::TestLoop loop_;
    std::vector<Stream> accepted_;
    std::vector<Peer> peers_;
};

TEST_F(ListenerTest, TakesAFreePortAndAcceptsOnIt) {
    auto listener = Listener::open(loop_.worker, "127.0.0.1", 0);
    ASSERT_TRUE(listener.has_value());
    EXPECT_NE(listener->port(), 0);
    accept_from(*listener);

    const RawSocket first = RawSocket::connected_to(listener->port());
    const RawSocket second = RawSocket::connected_to(listener->port());
    loop_.turn(50ms);
    listener->stop();
    loop_.finish();

    ASSERT_EQ(accepted_.size(), 2U);
    EXPECT_EQ(peers_[0].address, "127.0.0.1");
    EXPECT_TRUE(peers_[0].loopback);
}

TEST_F(ListenerTest, AcceptedSocketsSendAtOnceAndNoticeAVanishedPeer) {  // SC-4
    auto listener = Listener::open(loop_.worker, "127.0.0.1", 0);
    ASSERT_TRUE(listener.has_value());
    accept_from(*listener);
    const RawSocket client = RawSocket::connected_to(listener->port());
    loop_.turn(30ms);
    listener->stop();
    loop_.finish();
    ASSERT_EQ(accepted_.size(), 1U);
    const auto option = [this](int level, int name) {
        int value = -1;
        socklen_t size = sizeof value;
        ::getsockopt(accepted_[0].native_handle(), level, name, &value, &size);
        return value;
    };

    EXPECT_EQ(option(IPPROTO_TCP, TCP_NODELAY), 1);
    EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_LE(option(IPPROTO_TCP, TCP_KEEPIDLE) +
                  (option(IPPROTO_TCP, TCP_KEEPINTVL) * option(IPPROTO_TCP, TCP_KEEPCNT)),
              120);
}

TEST_F(ListenerTest, WhatWasAcceptedGoesOnAfterStop) {
    auto listener = Listener::open(loop_.worker, "127.0.0.1", 0);
    ASSERT_TRUE(listener.has_value());
    accept_from(*listener);
    RawSocket client = RawSocket::connected_to(listener->port());
    loop_.turn(30ms);

    listener->stop();
    loop_.finish();

    ASSERT_EQ(accepted_.size(), 1U);
    const std::vector<std::string_view> pieces = {"hello"};
    EXPECT_EQ(accepted_[0].write_now(pieces).bytes, 5U);
    EXPECT_EQ(client.receive(), "hello");
}

TEST_F(ListenerTest, SaysThatTheAddressIsInUse) {
    const RawSocket other = RawSocket::listening();

    const auto listener = Listener::open(loop_.worker, "127.0.0.1", other.port());

    ASSERT_FALSE(listener.has_value());
    EXPECT_EQ(
        listener.error().message,
        "cannot listen on 127.0.0.1:" + std::to_string(other.port()) + ": Address already in use");
}

TEST_F(ListenerTest, SaysThatTheHostIsNotAnAddress) {
    const auto listener = Listener::open(loop_.worker, "no.such.host", 1);

    ASSERT_FALSE(listener.has_value());
    EXPECT_EQ(listener.error().message, "cannot listen on no.such.host:1: not an IP address");
}

TEST_F(ListenerTest, SeveralWorkersShareAnAddress) {
    auto first = Listener::open(loop_.worker, "127.0.0.1", 0);
    ASSERT_TRUE(first.has_value());
    Worker other(1);

    EXPECT_TRUE(Listener::open(other, "127.0.0.1", first->port()).has_value());
}

/// Leaves no descriptor free until it is destroyed.
class NoDescriptors {
public:
    NoDescriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        rlimit few = before_;
        few.rlim_cur = 64;
        ::setrlimit(RLIMIT_NOFILE, &few);
        for (int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC); fd >= 0;
             fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
            taken_.push_back(fd);
        }
    }
    NoDescriptors(const NoDescriptors&) = delete;
    NoDescriptors& operator=(const NoDescriptors&) = delete;
    ~NoDescriptors() {
        for (const int fd : taken_) ::close(fd);
        ::setrlimit(RLIMIT_NOFILE, &before_);
    }

private:
    rlimit before_{};
    std::vector<int> taken_;
};

std::chrono::nanoseconds cpu_time() {
    timespec spent{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    return std::chrono::seconds(spent.tv_sec) + std::chrono::nanoseconds(spent.tv_nsec);
}

TEST_F(ListenerTest, WithoutDescriptorsItDoesNotSpinAndGoesOnWhenThereAreSome) {
    auto listener = Listener::open(loop_.worker, "127.0.0.1", 0);
    ASSERT_TRUE(listener.has_value());
    accept_from(*listener);
    // UBSan needs descriptors when it first meets a class, so everything is done once before.
    const RawSocket before = RawSocket::connected_to(listener->port());
    loop_.run(loop_.worker.sleep(20ms));
    ASSERT_EQ(accepted_.size(), 1U);
    accepted_.clear();
    const RawSocket client = RawSocket::connected_to(listener->port());

    {
        const NoDescriptors shortage;
        const auto spent = cpu_time();
        loop_.turn(500ms);
        EXPECT_LT(cpu_time() - spent, 50ms);
        EXPECT_TRUE(accepted_.empty());
    }
    const auto freed = Clock::now();
    while (accepted_.empty() && Clock::now() - freed < 2s) loop_.turn(10ms);
    EXPECT_LT(Clock::now() - freed, 1s);
    listener->stop();
    loop_.finish();

    EXPECT_EQ(accepted_.size(), 1U);
}

}  // namespace
}  // namespace sluice::net
