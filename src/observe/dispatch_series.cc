#include "observe/dispatch_series.h"

namespace sluice::observe {

DispatchSeries::DispatchSeries(Families& families, std::size_t limit)
    : retries(table<2>(families.counter("sluice_upstream_retries_total",
                                        "Attempts that asked the same upstream again."),
                       limit, {"upstream", "reason"}, {false, true})),
      fallbacks(table<2>(
          families.counter("sluice_upstream_fallbacks_total", "Requests that left an upstream."),
          limit, {"upstream", "reason"}, {false, true})),
      breaker_changes(table<2>(families.counter("sluice_upstream_breaker_changes_total",
                                                "Changes of a breaker's state."),
                               limit, {"upstream", "state"}, {false, true})),
      queue_refused(
          table<2>(families.counter("sluice_upstream_queue_refused_total",
                                    "Requests that got no place among those of an upstream."),
                   limit, {"upstream", "reason"}, {false, true})),
      hedges(table<2>(families.counter("sluice_hedges_total", "Requests asked a second time."),
                      limit, {"route", "result"}, {true, false})),
      splits(table<2>(families.counter("sluice_split_requests_total",
                                       "Requests of routes that are split into variants."),
                      limit, {"route", "variant"}, {true, true})),
      dropped_fields(table<2>(
          families.counter("sluice_dropped_fields_total", "Fields that an upstream did not get."),
          limit, {"upstream", "field"}, {false, true})),
      budget_exhausted(table<1>(families.counter("sluice_retry_budget_exhausted_total",
                                                 "Retries that the budget did not allow."),
                                limit, {"upstream"}, {true})),
      breaker_state(table<1>(
          families.gauge("sluice_upstream_breaker_state", "0 closed, 1 half open, 2 open."), limit,
          {"upstream"}, {true})),
      in_flight(
          table<1>(families.gauge("sluice_upstream_in_flight", "Requests that upstreams work on."),
                   limit, {"upstream"}, {true})),
      waiting(table<1>(families.gauge("sluice_upstream_waiting", "Requests that wait for a place."),
                       limit, {"upstream"}, {true})),
      concurrency_limit(table<1>(families.gauge("sluice_upstream_concurrency_limit",
                                                "Most requests at once; 0 is no limit."),
                                 limit, {"upstream"}, {true})),
      keepalive_comments(families
                             .counter("sluice_keepalive_comments_total",
                                      "Comments sent to clients while nothing else was there.")
                             .Add({})) {}

}  // namespace sluice::observe
