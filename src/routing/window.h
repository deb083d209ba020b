#pragma once

/// What happened in the last ten seconds: requests, and what was done beyond them.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace sluice::routing {

/// Slides in tenths of a second, and in doubt to the safe side: what extras() counts is never
/// less, and what requests() counts never more, than what the ten seconds saw. Not thread-safe:
/// its owner locks.
class Window {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    void count_request(TimePoint now);
    void count_extra(TimePoint now);

    [[nodiscard]] std::size_t requests(TimePoint now);
    [[nodiscard]] std::size_t extras(TimePoint now);

private:
    struct Slice {
        std::uint32_t requests = 0;
        std::uint32_t extras = 0;
    };

    void advance(TimePoint now);

    std::array<Slice, 101> slices_;  // the oldest is only partly within the ten seconds
    std::size_t slice_ = 0;          // the one being filled
    TimePoint slice_end_;
    Slice total_;
};

}  // namespace sluice::routing
