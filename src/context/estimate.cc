#include "context/estimate.h"

#include <algorithm>
#include <cmath>

namespace sluice::context {
namespace {

constexpr double kWeight = 0.125;

}  // namespace

double Calibration::factor(std::string_view model) const {
    const std::scoped_lock lock(mutex_);
    const auto known = models_.find(model);
    return known == models_.end() ? 1 : known->second.factor;
}

std::uint64_t Calibration::apply(std::string_view model, std::uint64_t estimate) const {
    return static_cast<std::uint64_t>(std::llround(static_cast<double>(estimate) * factor(model)));
}

void Calibration::learn(std::string_view model, std::uint64_t estimate, std::uint64_t reported) {
    if (estimate == 0 || reported == 0 || most_models_ == 0) return;
    const double ratio = std::clamp(static_cast<double>(reported) / static_cast<double>(estimate),
                                    kLeastFactor, kMostFactor);
    const std::scoped_lock lock(mutex_);
    auto found = models_.find(model);
    if (found == models_.end()) {
        if (models_.size() >= most_models_) forget_oldest();
        found = models_.emplace(model, Known{}).first;
    }
    Known& known = found->second;
    known.last = ++reports_;
    const double weight = std::max(kWeight, 1 / static_cast<double>(++known.reports));
    known.factor += weight * (ratio - known.factor);
}

void Calibration::forget_oldest() {
    const auto oldest =
        std::ranges::min_element(models_, {}, [](const auto& entry) { return entry.second.last; });
    if (oldest != models_.end()) models_.erase(oldest);
}

}  // namespace sluice::context
