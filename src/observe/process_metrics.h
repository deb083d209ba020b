#pragma once

/// The `process_*` families that Prometheus' clients share. Private to this layer.

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <vector>

namespace sluice::observe {

/// Reads /proc at each collection; what cannot be read is 0.
class ProcessMetrics final : public prometheus::Collectable {
public:
    [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;
};

}  // namespace sluice::observe
