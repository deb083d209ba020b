#pragma once

/// Level-triggered epoll and the clock that the events are stamped with.

#include <array>
#include <cstdint>
#include <span>
#include <sys/epoll.h>

namespace sluice::bench {

/// CLOCK_MONOTONIC, which all processes of a machine share.
[[nodiscard]] std::int64_t monotonic_ns() noexcept;

class Poller {
public:
    /// Ends the program when the kernel refuses an epoll descriptor.
    Poller();
    ~Poller();
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;

    /// `tag` comes back in `epoll_event::data.u64`. Closing a descriptor removes it.
    void add(int fd, std::uint32_t events, std::uint64_t tag);
    void change(int fd, std::uint32_t events, std::uint64_t tag);

    /// Returns at the first events or at `deadline_ns`; a deadline in the past only polls.
    /// The span is valid until the next call.
    [[nodiscard]] std::span<const epoll_event> wait(std::int64_t deadline_ns);

private:
    int fd_;
    std::array<epoll_event, 512> events_{};
};

}  // namespace sluice::bench
