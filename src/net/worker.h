#pragma once

/// One thread's world: its event loop, its deadlines and the buffer that its reads share. A
/// connection never changes worker, so nothing in here is locked.

#include "net/deadlines.h"
#include "net/types.h"

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace sluice::net {

class Worker {
public:
    static constexpr std::size_t kScratchBytes = 64UL * 1024;

    explicit Worker(unsigned index) : index_(index), deadlines_(io_), scratch_(kScratchBytes) {}
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    [[nodiscard]] unsigned index() const noexcept { return index_; }
    [[nodiscard]] asio::io_context& io() noexcept { return io_; }
    [[nodiscard]] Executor executor() noexcept { return io_.get_executor(); }
    [[nodiscard]] Deadlines& deadlines() noexcept { return deadlines_; }

    /// Where reads put their bytes. Valid only until the caller next suspends: then another
    /// connection reads into it.
    [[nodiscard]] std::span<char> scratch() noexcept { return scratch_; }

    /// Runs `task` on this worker's thread. The only member that other threads may call.
    void post(std::move_only_function<void()> task);

    /// Starts a coroutine of its own on this worker. What escapes from it ends the process.
    void spawn(Task<> task);

    /// Suspends the caller for `wait`.
    Task<> sleep(Clock::duration wait);

    /// Works until stop(), or until nothing is left to do: no listener, connection or timer.
    void run();

    /// Ends run(). What still waits is never woken: cancel it first.
    void stop() { io_.stop(); }

private:
    unsigned index_;
    asio::io_context io_{1};
    Deadlines deadlines_;
    std::vector<char> scratch_;
};

}  // namespace sluice::net
