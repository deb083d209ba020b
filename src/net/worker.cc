#include "net/worker.h"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <exception>
#include <utility>

namespace sluice::net {

void Worker::post(std::move_only_function<void()> task) {
    asio::post(io_, [run = std::move(task)]() mutable { run(); });
}

void Worker::spawn(Task<> task) {
    asio::co_spawn(io_, std::move(task), [](const std::exception_ptr& escaped) {
        if (escaped) std::rethrow_exception(escaped);
    });
}

Task<> Worker::sleep(Clock::duration wait) {
    asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> timer(io_, wait);
    co_await timer.async_wait(use_task);
}

void Worker::run() {
    io_.run();
}

}  // namespace sluice::net
