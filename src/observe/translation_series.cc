#include "observe/translation_series.h"

namespace sluice::observe {
namespace {

constexpr std::size_t kRules = 128;  // docs/dialects.md lists fewer

prometheus::Histogram::BucketBoundaries ratio_buckets() {
    return {0.5, 0.75, 0.9, 0.95, 0.98, 1.0, 1.02, 1.05, 1.1, 1.25, 1.5, 2.0};
}

}  // namespace

TranslationSeries::TranslationSeries(Families& families)
    : changes(table<1>(families.counter("sluice_translation_changes_total",
                                        "What translations could not keep as it was."),
                       kRules, {"rule"}, {true})),
      reasoning(table<1>(families.counter("sluice_reasoning_replayed_total",
                                          "Assistant messages without their reasoning."),
                         2, {"result"}, {false})),
      estimate_ratio(families
                         .histogram("sluice_token_estimate_ratio",
                                    "Estimated input tokens over those reported.")
                         .Add({}, ratio_buckets())),
      state_queued(families.gauge("sluice_state_queued", "Writes that wait for state.db.").Add({})),
      state_lost(
          families.gauge("sluice_state_lost", "Writes that state.db did not get since the start.")
              .Add({})) {}

}  // namespace sluice::observe
