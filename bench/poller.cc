#include "poller.h"

#include "arguments.h"

#include <algorithm>
#include <ctime>
#include <unistd.h>

namespace sluice::bench {

std::int64_t monotonic_ns() noexcept {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

Poller::Poller() : fd_(epoll_create1(EPOLL_CLOEXEC)) {
    if (fd_ < 0) fail("epoll_create1 failed");
}

Poller::~Poller() {
    close(fd_);
}

void Poller::add(int fd, std::uint32_t events, std::uint64_t tag) {
    epoll_event event{.events = events, .data = {.u64 = tag}};
    if (epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl(ADD) failed");
}

void Poller::change(int fd, std::uint32_t events, std::uint64_t tag) {
    epoll_event event{.events = events, .data = {.u64 = tag}};
    if (epoll_ctl(fd_, EPOLL_CTL_MOD, fd, &event) != 0) fail("epoll_ctl(MOD) failed");
}

std::span<const epoll_event> Poller::wait(std::int64_t deadline_ns) {
    const std::int64_t left = std::max<std::int64_t>(deadline_ns - monotonic_ns(), 0);
    const timespec timeout{.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
    const int count =
        epoll_pwait2(fd_, events_.data(), static_cast<int>(events_.size()), &timeout, nullptr);
    return {events_.data(), static_cast<std::size_t>(std::max(count, 0))};
}

}  // namespace sluice::bench
