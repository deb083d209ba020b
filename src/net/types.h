#pragma once

/// The only place that names Asio's template soup. The executor is the concrete one of io_context,
/// not any_io_executor: one thread runs one io_context, so there are no strands and nothing to
/// erase.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <ctime>

namespace sluice {

namespace asio = boost::asio;
using boost::system::error_code;

}  // namespace sluice

namespace sluice::net {

using Clock = std::chrono::steady_clock;
using Executor = asio::io_context::executor_type;
using tcp = asio::ip::tcp;
using TcpSocket = asio::basic_stream_socket<tcp, Executor>;
using TcpAcceptor = asio::basic_socket_acceptor<tcp, Executor>;

/// Every coroutine of the gateway returns this; a function that returns Task may suspend.
template <class T = void>
using Task = asio::awaitable<T, Executor>;

/// Clock::now() to within a few milliseconds, at a tenth of its cost: for deadlines.
[[nodiscard]] inline Clock::time_point coarse_now() noexcept {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return Clock::time_point(std::chrono::seconds(now.tv_sec) +
                             std::chrono::nanoseconds(now.tv_nsec));
}

inline constexpr asio::use_awaitable_t<Executor> use_task{};

}  // namespace sluice::net
