#pragma once

/// What is counted of dispatch: how requests found an upstream that answered, and in what state the
/// upstreams are. Private to this layer.

#include "observe/families.h"

#include <cstddef>
#include <string_view>

namespace sluice::observe {

struct DispatchSeries {
    using Counters = LabelTable<2, prometheus::Counter*>;
    using Gauges = LabelTable<1, prometheus::Gauge*>;

    /// `limit` is how many label sets each family may grow to.
    DispatchSeries(Families& families, std::size_t limit);

    Counters retries;
    Counters fallbacks;
    Counters breaker_changes;
    Counters queue_refused;
    Counters hedges;
    Counters splits;
    Counters dropped_fields;
    LabelTable<1, prometheus::Counter*> budget_exhausted;
    Gauges breaker_state;
    Gauges in_flight;
    Gauges waiting;
    Gauges concurrency_limit;
    prometheus::Counter& keepalive_comments;
};

/// One more of what has these labels.
inline void count(DispatchSeries::Counters& counters, std::string_view first,
                  std::string_view second) {
    counters.get({clipped(first), clipped(second)})->Increment();
}

}  // namespace sluice::observe
