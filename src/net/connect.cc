#include "net/connect.h"

#include <boost/asio/async_result.hpp>
#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <functional>
#include <memory>
#include <sys/socket.h>
#include <utility>

namespace sluice::net {
namespace {

constexpr std::chrono::seconds kNameLifetime{30};
constexpr std::size_t kMaxAddresses = 8;

using Resolver = asio::ip::basic_resolver<tcp, Executor>;

/// One look-up, which the caller may give up on: getaddrinfo() itself cannot be interrupted, so
/// whichever of the answer and the deadline comes second finds nobody waiting. Owned by both.
class Lookup final : public Deadline, public std::enable_shared_from_this<Lookup> {
public:
    explicit Lookup(Worker& worker) : Deadline(worker.deadlines()), resolver_(worker.executor()) {}

    void start(const std::string& host, std::uint16_t port, Clock::time_point deadline) {
        expire_at(deadline);
        resolver_.async_resolve(
            host, std::to_string(port),
            [self = shared_from_this()](error_code, const Resolver::results_type& results) {
                self->never();
                for (const auto& entry : results) {
                    if (self->addresses.size() < kMaxAddresses) {
                        self->addresses.push_back(entry.endpoint());
                    }
                }
                self->wake();
            });
    }

    Task<> done() {
        return asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(
            [this](auto handler) { waiter_ = std::move(handler); }, use_task);
    }

    [[nodiscard]] bool timed_out() const noexcept { return timed_out_; }

    std::vector<tcp::endpoint> addresses;

private:
    void on_expired() override {
        timed_out_ = true;
        wake();
    }
    void wake() {
        if (waiter_) std::exchange(waiter_, nullptr)();
    }

    Resolver resolver_;
    std::move_only_function<void()> waiter_;
    bool timed_out_ = false;
};

Error unreachable(const Endpoint& endpoint, const std::string& why) {
    return Error(Errc::upstream_unreachable, "cannot connect to " + endpoint.host + ": " + why);
}

Error too_slow(const Endpoint& endpoint) {
    return Error(Errc::upstream_timeout, "connecting to " + endpoint.host + " took too long");
}

}  // namespace

Task<Result<Stream>> Connector::connect_tcp(const Endpoint& endpoint, tcp::endpoint address,
                                            Clock::time_point deadline, Connecting& connecting) {
    TcpSocket socket(worker_.executor());
    error_code ec;
    socket.open(address.protocol(), ec);
    if (ec) co_return std::unexpected(unreachable(endpoint, ec.message()));
    Stream stream(worker_.deadlines(), std::move(socket));
    stream.set_no_delay();
    stream.deadline().expire_at(deadline);
    if (::connect(stream.native_handle(), address.data(), static_cast<socklen_t>(address.size())) !=
        0) {
        if (errno != EINPROGRESS) {
            const error_code refused(errno, boost::system::system_category());
            co_return std::unexpected(unreachable(endpoint, refused.message()));
        }
        const Connecting::Guard guard(connecting, stream);
        const Wake wake = co_await stream.writable();
        if (wake == Wake::timed_out) co_return std::unexpected(too_slow(endpoint));
        if (wake == Wake::cancelled) co_return fail(Errc::cancelled);
        int failure = 0;
        socklen_t size = sizeof failure;
        ::getsockopt(stream.native_handle(), SOL_SOCKET, SO_ERROR, &failure, &size);
        if (failure != 0) {
            const error_code refused(failure, boost::system::system_category());
            co_return std::unexpected(unreachable(endpoint, refused.message()));
        }
    }
    stream.forget_write_interest();
    co_return std::move(stream);
}

Task<Result<std::vector<tcp::endpoint>>> Connector::resolve(const Endpoint& endpoint,
                                                            Clock::time_point deadline) {
    error_code not_literal;
    const auto literal = asio::ip::make_address(endpoint.host, not_literal);
    if (!not_literal) co_return std::vector{tcp::endpoint(literal, endpoint.port)};

    const std::string name = endpoint.host + ":" + std::to_string(endpoint.port);
    if (const auto known = names_.find(name);
        known != names_.end() && known->second.good_until > Clock::now()) {
        co_return known->second.addresses;
    }
    const auto lookup = std::make_shared<Lookup>(worker_);
    lookup->start(endpoint.host, endpoint.port, deadline);
    co_await lookup->done();
    if (lookup->timed_out()) co_return std::unexpected(too_slow(endpoint));
    if (lookup->addresses.empty()) {
        co_return std::unexpected(unreachable(endpoint, "the name does not resolve"));
    }
    names_[name] =
        Resolved{.addresses = lookup->addresses, .good_until = Clock::now() + kNameLifetime};
    co_return lookup->addresses;
}

Task<Result<Stream>> Connector::connect(Endpoint endpoint, Clock::duration timeout) {
    Connecting nobody_cancels;
    co_return co_await connect(std::move(endpoint), timeout, nobody_cancels);
}

Task<Result<Stream>> Connector::connect(Endpoint endpoint, Clock::duration timeout,
                                        Connecting& connecting) {
    const auto deadline = Clock::now() + timeout;
    const auto addresses = co_await resolve(endpoint, deadline);
    if (!addresses) co_return std::unexpected(addresses.error());

    Error last = unreachable(endpoint, "no address");
    std::size_t left = addresses->size();
    for (const tcp::endpoint& address : *addresses) {
        // An address that swallows every packet must not use up the time of the others.
        const auto now = Clock::now();
        const auto share = now + (deadline - now) / static_cast<Clock::rep>(left--);
        auto stream = co_await connect_tcp(endpoint, address, share, connecting);
        if (!stream) {
            last = stream.error();
            if (last.code == Errc::cancelled) break;
            continue;
        }
        if (endpoint.tls != nullptr) {
            stream->use_tls(endpoint.tls->session(endpoint.host, stream->native_handle()));
            stream->deadline().expire_at(deadline);
            const Connecting::Guard guard(connecting, *stream);
            const auto shaken = co_await tls_handshake(*stream, endpoint.host);
            if (!shaken) co_return std::unexpected(shaken.error());
        }
        stream->deadline().never();
        co_return std::move(*stream);
    }
    names_.erase(endpoint.host + ":" + std::to_string(endpoint.port));
    co_return std::unexpected(std::move(last));
}

}  // namespace sluice::net
