#pragma once

/// The keys of one upstream: taken in turn, and left alone for a while when one is refused.

#include "config/route.h"
#include "config/upstream.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <vector>

namespace sluice::routing {

/// Thread-safe.
class Keys {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    explicit Keys(const std::vector<config::Secret>& keys);
    /// Keys that were there before keep what is known of them.
    void configure(const std::vector<config::Secret>& keys);

    struct Choice {
        std::size_t index = 0;
        bool cools = false;
    };
    /// All keys, beginning with the one whose turn it is; those that cool come last, the soonest
    /// usable first. `turn` is what next_turn() gave for this request. `out` is cleared first.
    void order(std::size_t turn, TimePoint now, std::vector<Choice>& out) const;
    [[nodiscard]] std::size_t next_turn();

    /// A request with this key failed so: 401 and 403 cool it for ten minutes, 402 for five, 429
    /// for `wait`.
    void cool(std::size_t index, config::FailureKind why, config::Milliseconds wait, TimePoint now);

    /// Until when the key is not to be used; `now` where it may be.
    [[nodiscard]] TimePoint cools_until(std::size_t index, TimePoint now) const;

    [[nodiscard]] std::size_t count() const;

private:
    struct Key {
        config::Secret secret;
        TimePoint cools_until = TimePoint::min();
    };

    mutable std::mutex mutex_;
    std::vector<Key> keys_;  // by mutex_
    std::atomic<std::size_t> turn_ = 0;
};

}  // namespace sluice::routing
