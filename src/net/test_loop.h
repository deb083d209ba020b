#pragma once

/// For the tests of this layer: a worker with a time limit, and plain sockets for the other end,
/// which know nothing of the code under test.

#include "net/stream.h"
#include "net/worker.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <exception>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace sluice::net::testing {

using namespace std::chrono_literals;

/// A file descriptor of a TCP socket, used with blocking calls and a patience of a few seconds.
class RawSocket {
public:
    RawSocket() = default;
    explicit RawSocket(int fd) : fd_(fd) {}
    RawSocket(RawSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    RawSocket& operator=(RawSocket&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~RawSocket() { close(); }

    [[nodiscard]] static RawSocket listening(int backlog = 16) {
        RawSocket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address = loopback(0);
        EXPECT_EQ(0, ::bind(socket.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address));
        EXPECT_EQ(0, ::listen(socket.fd(), backlog));
        return socket;
    }
    [[nodiscard]] static RawSocket connected_to(std::uint16_t port) {
        RawSocket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address = loopback(port);
        EXPECT_EQ(0, ::connect(socket.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address));
        const int on = 1;
        ::setsockopt(socket.fd(), IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
        return socket;
    }
    [[nodiscard]] RawSocket accept() const {
        return RawSocket(::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC));
    }
    [[nodiscard]] std::uint16_t port() const {
        sockaddr_in address{};
        socklen_t size = sizeof address;
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
        return ntohs(address.sin_port);
    }

    void send(std::string_view bytes) const {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }

    /// What comes next, at most `size` bytes; empty at the end, after a reset or `patience`.
    [[nodiscard]] std::string receive(std::chrono::milliseconds patience = 3s,
                                      std::size_t size = 65'536) {
        std::string bytes(size, '\0');
        pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
        ssize_t count = 0;
        if (::poll(&ready, 1, static_cast<int>(patience.count())) == 1) {
            count = ::recv(fd_, bytes.data(), size, 0);
            ended_ = count == 0;
            reset_ = count < 0 && errno == ECONNRESET;
        }
        bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
        return bytes;
    }
    [[nodiscard]] std::string receive_until(std::string_view last,
                                            std::chrono::milliseconds patience = 3s) {
        std::string bytes;
        while (!bytes.ends_with(last)) {
            const std::string piece = receive(patience);
            if (piece.empty()) break;
            bytes += piece;
        }
        return bytes;
    }
    [[nodiscard]] std::string receive_to_end(std::chrono::milliseconds patience = 3s) {
        std::string bytes;
        for (;;) {
            const std::string piece = receive(patience);
            if (piece.empty()) return bytes;
            bytes += piece;
        }
    }
    /// How the last receive ended.
    [[nodiscard]] bool ended() const { return ended_; }
    [[nodiscard]] bool was_reset() const { return reset_; }

    void shutdown_send() const { ::shutdown(fd_, SHUT_WR); }
    void close() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }
    void reset() {
        const linger now{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close();
    }
    [[nodiscard]] int fd() const { return fd_; }

    static sockaddr_in loopback(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return address;
    }

private:
    int fd_ = -1;
    bool ended_ = false;
    bool reset_ = false;
};

/// A worker that is run by the test's own thread.
class TestLoop {
public:
    Worker worker{0};

    /// Runs until `task` has ended, or fails the test after `limit`.
    void run(Task<> task, Clock::duration limit = 5s) {
        bool done = false;
        asio::co_spawn(worker.io(), std::move(task), [&](const std::exception_ptr& escaped) {
            done = true;
            worker.io().stop();
            if (escaped) std::rethrow_exception(escaped);
        });
        worker.io().restart();
        worker.io().run_for(limit);
        EXPECT_TRUE(done) << "the task did not end in time";
    }

    /// Runs until nothing is left to do, or fails the test after `limit`.
    void finish(Clock::duration limit = 2s) {
        worker.io().restart();
        worker.io().run_for(limit);
        EXPECT_TRUE(worker.io().stopped()) << "something is still waiting";
    }

    void turn(Clock::duration time) {
        worker.io().restart();
        worker.io().run_for(time);
    }

    /// A stream and the plain socket at its other end.
    struct Pair {
        Stream stream;
        RawSocket peer;
    };
    [[nodiscard]] Pair connected() {
        const RawSocket listener = RawSocket::listening();
        RawSocket peer = RawSocket::connected_to(listener.port());
        return {.stream = adopt(listener.accept()), .peer = std::move(peer)};
    }
    [[nodiscard]] Stream adopt(RawSocket socket) {
        TcpSocket adopted(worker.executor());
        adopted.assign(tcp::v4(), ::dup(socket.fd()));
        return {worker.deadlines(), std::move(adopted)};
    }
};

}  // namespace sluice::net::testing
