#include "net/listener.h"

#include <boost/asio/as_tuple.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <utility>

namespace sluice::net {
namespace {

constexpr std::chrono::milliseconds kPauseWithoutDescriptors{50};
constexpr int kBacklog = 4096;

void share_port(TcpAcceptor& acceptor, error_code& ec) {
    const int on = 1;
    if (::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
        ec.assign(errno, boost::system::system_category());
    }
}

/// Linux hands these down to the sockets that are accepted. A client whose machine has vanished
/// without a word is found within 60 s + 3 x 15 s (SC-4).
void set_inherited_options(TcpAcceptor& acceptor, error_code& ec) {
    struct Option {
        int level;
        int name;
        int value;
    };
    static constexpr std::array kOptions = {
        Option{.level = IPPROTO_TCP, .name = TCP_NODELAY, .value = 1},
        Option{.level = SOL_SOCKET, .name = SO_KEEPALIVE, .value = 1},
        Option{.level = IPPROTO_TCP, .name = TCP_KEEPIDLE, .value = 60},
        Option{.level = IPPROTO_TCP, .name = TCP_KEEPINTVL, .value = 15},
        Option{.level = IPPROTO_TCP, .name = TCP_KEEPCNT, .value = 3},
    };
    for (const Option& option : kOptions) {
        if (::setsockopt(acceptor.native_handle(), option.level, option.name, &option.value,
                         sizeof option.value) != 0) {
            ec.assign(errno, boost::system::system_category());
            return;
        }
    }
}

Error cannot_listen(const std::string& host, std::uint16_t port, const std::string& why) {
    return Error(Errc::bad_request,
                 "cannot listen on " + host + ":" + std::to_string(port) + ": " + why);
}

Result<TcpAcceptor> listen(asio::io_context& io, const std::string& host, std::uint16_t port,
                           bool shared) {
    error_code ec;
    const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, ec);
    if (ec) return std::unexpected(cannot_listen(host, port, "not an IP address"));
    const tcp::endpoint endpoint(address, port);
    TcpAcceptor acceptor(io.get_executor());
    acceptor.open(endpoint.protocol(), ec);
    if (!ec) acceptor.set_option(asio::socket_base::reuse_address(true), ec);
    if (!ec && shared) share_port(acceptor, ec);
    if (!ec) set_inherited_options(acceptor, ec);
    if (!ec) acceptor.bind(endpoint, ec);
    if (!ec) acceptor.listen(kBacklog, ec);
    if (ec) return std::unexpected(cannot_listen(host, port, ec.message()));
    return acceptor;
}

}  // namespace

Result<Listener> Listener::open(Worker& worker, const std::string& host, std::uint16_t port) {
    auto acceptor = listen(worker.io(), host, port, true);
    if (!acceptor) return std::unexpected(std::move(acceptor.error()));
    return Listener(worker, std::move(*acceptor));
}

Result<void> Listener::check_free(const std::string& host, std::uint16_t port) {
    asio::io_context io;
    const auto acceptor = listen(io, host, port, false);
    if (!acceptor) return std::unexpected(acceptor.error());
    return {};
}

std::uint16_t Listener::port() const {
    error_code ignored;
    return acceptor_.local_endpoint(ignored).port();
}

Task<> Listener::accept_all(OnAccept on_accept) {
    while (acceptor_.is_open()) {
        tcp::endpoint remote;
        TcpSocket socket(worker_->executor());
        const auto [ec] = co_await acceptor_.async_accept(socket, remote, asio::as_tuple(use_task));
        if (ec == asio::error::operation_aborted) break;
        if (ec) {
            // A connection that was gone before it was accepted costs nothing; anything else is a
            // shortage that only time mends.
            if (ec != asio::error::connection_aborted) {
                co_await worker_->sleep(kPauseWithoutDescriptors);
            }
            continue;
        }
        Stream stream(worker_->deadlines(), std::move(socket));
        on_accept(std::move(stream), Peer{.address = remote.address().to_string(),
                                          .loopback = remote.address().is_loopback()});
    }
}

void Listener::stop() {
    error_code ignored;
    acceptor_.close(ignored);
}

}  // namespace sluice::net
