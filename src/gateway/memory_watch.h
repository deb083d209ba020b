#pragma once

/// Keeps the process within its memory budget (OV-3): nearly at it, connections are not kept open
/// any more; at it, new requests are refused until others have ended.

#include "net/deadlines.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace sluice::gateway {

enum class Pressure : std::uint8_t {
    none,
    shed,    ///< from 95 % of the budget: answers close their connections
    refuse,  ///< from 98 %: new requests get a 503
};

[[nodiscard]] Pressure pressure_of(std::size_t resident, std::size_t budget) noexcept;

/// Looks ten times a second, where there is a budget. One for the process, on one worker.
class MemoryWatch final : public net::Deadline {
public:
    /// `pressure` is told and must outlive the watch.
    MemoryWatch(net::Deadlines& deadlines, std::atomic<Pressure>& pressure)
        : Deadline(deadlines),
          pressure_(pressure) {}

    /// From now on; without a budget there is no pressure.
    void begin(std::optional<std::size_t> budget);

private:
    void on_expired() override;

    std::atomic<Pressure>& pressure_;
    std::optional<std::size_t> budget_;
    net::Clock::time_point released_at_;
};

}  // namespace sluice::gateway
