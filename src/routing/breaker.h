#pragma once

/// A circuit breaker: an upstream that fails is left alone for a while, then tried by a few
/// requests before all may come again.

#include "config/upstream.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

namespace sluice::routing {

using Clock = std::chrono::steady_clock;

enum class BreakerState : std::uint8_t { closed, open, half_open };
[[nodiscard]] std::string_view to_string(BreakerState state) noexcept;

/// Thread-safe. Time comes in; nothing here waits. The window slides in tenths of its length.
class Breaker {
public:
    explicit Breaker(const config::Breaker& settings);

    /// Changed settings apply from now on; what has been counted stays.
    void configure(const config::Breaker& settings);

    /// A request's leave to go. `yes` and `probe` are each to be answered by one report() or
    /// forget() with what was given. It knows since which change of state it was given: what a
    /// request of an earlier time has to report comes too late to count.
    struct Leave {
        enum class Answer : std::uint8_t { yes, probe, no };
        static const Leave yes;
        static const Leave probe;
        static const Leave no;

        Answer answer = Answer::no;
        std::uint32_t period = 0;

        /// Of the answers alone.
        friend bool operator==(const Leave& a, const Leave& b) noexcept {
            return a.answer == b.answer;
        }
    };
    [[nodiscard]] Leave ask(Clock::time_point now);

    /// How it went. Set when the state has changed by it.
    std::optional<BreakerState> report(bool ok, Leave given, Clock::time_point now);

    /// The request ended in a way that tells nothing of the upstream: its client left.
    void forget(Leave given, Clock::time_point now);

    [[nodiscard]] BreakerState state(Clock::time_point now) const;

    /// When an open breaker lets a probe through; `now` where it is not open.
    [[nodiscard]] Clock::time_point closed_until(Clock::time_point now) const;

private:
    struct Slice {
        std::size_t requests = 0;
        std::size_t failures = 0;
    };

    void count(bool ok, Clock::time_point now);
    void advance(Clock::time_point now);
    void change(BreakerState state);
    void open(Clock::time_point now);
    [[nodiscard]] bool is_failing() const;

    mutable std::mutex mutex_;
    config::Breaker settings_;                   // this and all below by mutex_
    BreakerState state_ = BreakerState::closed;  // open also when its time is over
    std::uint32_t period_ = 0;  // counts the changes of state that settle something
    Clock::time_point open_until_;
    std::size_t probing_ = 0;
    std::size_t in_a_row_ = 0;
    std::array<Slice, 10> slices_;
    std::size_t slice_ = 0;  // the one being filled
    Clock::time_point slice_end_;
    Slice total_;
};

inline constexpr Breaker::Leave Breaker::Leave::yes{.answer = Answer::yes};
inline constexpr Breaker::Leave Breaker::Leave::probe{.answer = Answer::probe};
inline constexpr Breaker::Leave Breaker::Leave::no{.answer = Answer::no};

}  // namespace sluice::routing
