#pragma once

/// In which order the candidates of a route are asked.

#include "config/route.h"
#include "routing/board.h"
#include "routing/window.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

namespace sluice::routing {

/// A target with what is configured and what is known of its upstream. All outlive the requests
/// that see it.
struct Destination {
    const config::Target* target = nullptr;
    const config::Upstream* upstream = nullptr;
    UpstreamRecord* record = nullptr;
};

/// A destination with one of its upstream's keys.
struct Candidate {
    const Destination* destination = nullptr;
    std::size_t key = 0;  ///< index of the upstream's keys; 0 where it has none
};

/// What a request brings to the choice.
struct Chooser {
    std::chrono::steady_clock::time_point now;
    std::uint64_t random = 0;   ///< uniformly distributed
    std::string_view identity;  ///< of the session, else of the key: a split is stable for it
};

/// A route as requests use it. Immutable but for the turn; thread-safe.
class Plan {
public:
    /// `destinations` in the order of the route's targets.
    Plan(const config::Route& route, std::vector<Destination> destinations);

    /// The candidates in the order in which they are to be asked: tier by tier, within a tier by
    /// the route's balance, each with its keys in turn. Cooling keys and upstreams whose breaker is
    /// open come after all others of their tier, never nowhere. `out` is cleared first.
    void order(const Chooser& chooser, std::vector<Candidate>& out) const;

    [[nodiscard]] const config::Route& route() const noexcept { return *route_; }
    [[nodiscard]] std::span<const Destination> destinations() const noexcept {
        return destinations_;
    }

private:
    /// Equals.
    struct Tier {
        /// One step of a cycle in which everyone has as many turns as it has weight, evenly spread.
        struct Turn {
            std::uint32_t first = 0;   ///< index in `weighted`
            std::uint32_t second = 0;  ///< the other one that stands in for it, by weight too
        };
        std::vector<const Destination*> weighted;
        std::vector<const Destination*> spare;  ///< weight 0
        std::vector<Turn> cycle;
        std::size_t weight = 0;  ///< of all
    };
    struct Scored {
        double score = 0;
        const Destination* destination = nullptr;
    };
    using Equals = std::vector<Scored>;

    static void make_cycle(Tier& tier);
    static void begin_in_turn(const Tier& tier, std::uint32_t turn, Equals& equals);
    static void sort_by_load(Equals& equals);
    static void choose_of_two(const Chooser& chooser, Equals& equals);
    static void choose_share(const Tier& tier, const Chooser& chooser, Equals& equals);
    void order_equals(const Tier& tier, std::uint32_t turn, const Chooser& chooser,
                      Equals& equals) const;

    const config::Route* route_;
    std::vector<Destination> destinations_;
    std::vector<Tier> tiers_;
    mutable std::atomic<std::uint32_t> turn_ = 0;
};

/// Stable over processes and versions: the position of `identity` in [0, 1).
[[nodiscard]] double place_of(std::string_view identity) noexcept;

/// Bounds how many requests are hedged. Thread-safe.
class HedgeShare {
public:
    /// A request that might be hedged.
    void count_request(std::chrono::steady_clock::time_point now);
    /// Whether one more may be; counts it if so: at most `share` of the requests of the last ten
    /// seconds, and always the first one.
    [[nodiscard]] bool take(double share, std::chrono::steady_clock::time_point now);

private:
    std::mutex mutex_;
    Window window_;  // by mutex_
};

}  // namespace sluice::routing
