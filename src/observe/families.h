#pragma once

/// Families of metrics in one registry, and tables of their series. Private to this layer.

#include "observe/label_table.h"
#include "observe/log_line.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::observe {

/// A registry that remembers the names of its families.
class Families {
public:
    prometheus::Family<prometheus::Counter>& counter(const char* name, const char* help) {
        return add<prometheus::Counter>(prometheus::BuildCounter(), name, help);
    }
    prometheus::Family<prometheus::Gauge>& gauge(const char* name, const char* help) {
        return add<prometheus::Gauge>(prometheus::BuildGauge(), name, help);
    }
    prometheus::Family<prometheus::Histogram>& histogram(const char* name, const char* help) {
        return add<prometheus::Histogram>(prometheus::BuildHistogram(), name, help);
    }

    prometheus::Registry registry;
    std::vector<std::string> names;

private:
    template <class Metric, class Builder>
    prometheus::Family<Metric>& add(Builder builder, const char* name, const char* help) {
        names.emplace_back(name);
        return builder.Name(name).Help(help).Register(registry);
    }
};

inline std::string_view clipped(std::string_view value) noexcept {
    constexpr std::size_t kLabelBytes = 128;
    return value.substr(0, kLabelBytes);
}

/// Labels by name, without the empty ones: to Prometheus the two are the same.
template <std::size_t N>
prometheus::Labels labelled(const std::array<const char*, N>& names, const LabelViews<N>& values) {
    prometheus::Labels labels;
    for (std::size_t i = 0; i < N; ++i) {
        if (values.at(i).empty()) continue;
        std::string clean;
        append_escaped(clean, values.at(i), Quotes::kept);
        labels.emplace(names.at(i), std::move(clean));
    }
    return labels;
}

/// A table of plain counters or gauges.
template <std::size_t N, class Metric>
LabelTable<N, Metric*> table(prometheus::Family<Metric>& family, std::size_t limit,
                             std::array<const char*, N> names, std::array<bool, N> open) {
    return {limit, open, [&family, names](const LabelViews<N>& values) {
                return &family.Add(labelled(names, values));
            }};
}

}  // namespace sluice::observe
