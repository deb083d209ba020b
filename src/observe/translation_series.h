#pragma once

/// What is counted of translations between dialects. Private to this layer.

#include "observe/families.h"

#include <cstddef>

namespace sluice::observe {

struct TranslationSeries {
    explicit TranslationSeries(Families& families);

    LabelTable<1, prometheus::Counter*> changes;
    LabelTable<1, prometheus::Counter*> reasoning;
    prometheus::Histogram& estimate_ratio;
    prometheus::Gauge& state_queued;
    prometheus::Gauge& state_lost;
};

}  // namespace sluice::observe
