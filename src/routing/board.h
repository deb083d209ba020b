#pragma once

/// What all workers know of the upstreams, by name, so that it outlives reloads.

#include "config/upstream.h"
#include "routing/breaker.h"
#include "routing/in_flight.h"
#include "routing/keys.h"
#include "routing/latency.h"
#include "routing/retry_budget.h"

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::routing {

/// The last that was heard of an upstream. Thread-safe.
class LastWord {
public:
    using TimePoint = std::chrono::steady_clock::time_point;
    struct Entry {
        std::optional<TimePoint> since;  ///< of the last report; unset: nothing tried yet
        bool up = false;
        std::string reason;  ///< why it is down
    };
    void report_up(TimePoint now);
    void report_down(std::string_view reason, TimePoint now);
    [[nodiscard]] Entry read() const;

private:
    mutable std::mutex mutex_;
    Entry entry_;  // by mutex_
};

/// One upstream. Each member locks for itself.
struct UpstreamRecord {
    explicit UpstreamRecord(const config::Upstream& settings);
    void configure(const config::Upstream& settings);

    Breaker breaker;
    RetryBudget retries;
    InFlight in_flight;
    Latency latency;
    Keys keys;
    LastWord last_word;
};

/// Thread-safe. A record lives as long as the board, also when its upstream has left the
/// configuration: flights may still be under way.
class Board {
public:
    /// The record of this upstream, made or set to these settings.
    UpstreamRecord& record(const config::Upstream& settings);

private:
    std::mutex mutex_;
    std::map<std::string, UpstreamRecord, std::less<>> records_;  // by mutex_
};

}  // namespace sluice::routing
