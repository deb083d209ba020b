#pragma once

/// A circuit breaker: an upstream that fails is left alone for a while, then tried by a few
/// requests before all may come again.

#include "config/upstream.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::routing {

using Clock = std::chrono::steady_clock;

enum class BreakerState : std::uint8_t { closed, open, half_open };
[[nodiscard]] std::string_view to_string(BreakerState state) noexcept;

/// Thread-safe. Time comes in; nothing here waits.
class Breaker {
public:
    explicit Breaker(const config::Breaker& settings);

    /// Changed settings apply from now on; what has been counted stays.
    void configure(const config::Breaker& settings);

    /// A request's leave to go. `yes` and `probe` are each to be answered by one report() or
    /// forget() with what was given.
    enum class Leave : std::uint8_t { yes, probe, no };
    [[nodiscard]] Leave ask(Clock::time_point now);

    /// How it went. Set when the state has changed by it.
    std::optional<BreakerState> report(bool ok, Leave given, Clock::time_point now);

    /// The request ended in a way that tells nothing of the upstream: its client left.
    void forget(Leave given, Clock::time_point now);

    [[nodiscard]] BreakerState state(Clock::time_point now) const;

    /// When an open breaker lets a probe through; `now` where it is not open.
    [[nodiscard]] Clock::time_point closed_until(Clock::time_point now) const;
};

}  // namespace sluice::routing
