#include "sockets.h"

#include "arguments.h"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sluice::bench {

namespace {

constexpr int kBacklog = 4096;
constexpr std::size_t kScratch = std::size_t{256} * 1024;

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

void set_flag(int fd, int level, int option) {
    const int on = 1;
    setsockopt(fd, level, option, &on, sizeof on);
}

}  // namespace

int listen_on(std::uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
    const sockaddr_in address = loopback(port);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        listen(fd, kBacklog) != 0) {
        fail("cannot listen on the port");
    }
    return fd;
}

int accept_from(int listener) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
    return fd;
}

int connect_to(std::uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
    const sockaddr_in address = loopback(port);
    const int result = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (result != 0 && errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}

Received receive(int fd, std::string_view& bytes) {
    thread_local std::array<char, kScratch> scratch;
    const ssize_t size = recv(fd, scratch.data(), scratch.size(), 0);
    if (size > 0) {
        bytes = {scratch.data(), static_cast<std::size_t>(size)};
        return Received::bytes;
    }
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return Received::nothing_yet;
    return Received::closed;
}

std::ptrdiff_t send_some(int fd, std::string_view bytes) {
    const ssize_t size = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size >= 0) return size;
    return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

}  // namespace sluice::bench
