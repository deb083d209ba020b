#include "routing/retry_budget.h"

#include <algorithm>

namespace sluice::routing {
namespace {

// What the floor may be set to before memory, 8 bytes each, bounds it.
constexpr std::size_t kMaxFloor = 100'000;

}  // namespace

RetryBudget::RetryBudget(const config::Retry& settings) {
    set(settings);
}

void RetryBudget::configure(const config::Retry& settings) {
    const std::lock_guard lock(mutex_);
    set(settings);
}

void RetryBudget::count_request(TimePoint now) {
    const std::lock_guard lock(mutex_);
    window_.count_request(now);
}

bool RetryBudget::take_retry(TimePoint now) {
    const std::lock_guard lock(mutex_);
    // A product such as 0.29 * 100 may come out a little below the whole number that is meant.
    const double allowed = budget_ * static_cast<double>(window_.requests(now)) + 1e-9;
    const bool within = static_cast<double>(window_.extras(now) + 1) <= allowed;
    const bool below_floor =
        !latest_.empty() &&
        (latest_[oldest_] == TimePoint::min() || now - latest_[oldest_] >= std::chrono::seconds(1));
    if (!within && !below_floor) return false;

    window_.count_extra(now);
    if (!latest_.empty()) {
        latest_[oldest_] = now;
        oldest_ = (oldest_ + 1) % latest_.size();
    }
    return true;
}

void RetryBudget::set(const config::Retry& settings) {
    budget_ = settings.budget;
    const std::size_t floor = std::min(settings.budget_floor, kMaxFloor);
    if (floor == latest_.size()) return;
    // The youngest go to the end; before them, if there are more places now, nothing has been.
    std::ranges::rotate(latest_, latest_.begin() + static_cast<std::ptrdiff_t>(oldest_));
    if (floor < latest_.size()) {
        latest_.erase(latest_.begin(), latest_.end() - static_cast<std::ptrdiff_t>(floor));
    } else {
        latest_.insert(latest_.begin(), floor - latest_.size(), TimePoint::min());
    }
    oldest_ = 0;
}

}  // namespace sluice::routing
