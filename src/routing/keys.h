#pragma once

/// The keys of one upstream: taken in turn, and left alone for a while when one is refused.

#include "config/route.h"
#include "config/upstream.h"

#include <chrono>
#include <cstddef>
#include <vector>

namespace sluice::routing {

/// Thread-safe.
class Keys {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    explicit Keys(const std::vector<config::Secret>& keys);
    /// Keys that were there before keep what is known of them.
    void configure(const std::vector<config::Secret>& keys);

    /// The index of the key whose turn it is; keys that cool come last, the soonest usable first.
    /// `nth` is 0 for the first key to try for a request, 1 for the next one, and so on; `turn` is
    /// what next_turn() gave for this request.
    [[nodiscard]] std::size_t choose(std::size_t turn, std::size_t nth, TimePoint now) const;
    [[nodiscard]] std::size_t next_turn();

    /// A request with this key failed so: 401 and 403 cool it for ten minutes, 402 for five, 429
    /// for `wait`.
    void cool(std::size_t index, config::FailureKind why, config::Milliseconds wait, TimePoint now);

    /// Until when the key is not to be used; `now` where it may be.
    [[nodiscard]] TimePoint cools_until(std::size_t index, TimePoint now) const;

    [[nodiscard]] std::size_t count() const;
};

}  // namespace sluice::routing
