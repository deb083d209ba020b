#include "routing/keys.h"

#include <algorithm>
#include <utility>

namespace sluice::routing {
namespace {

/// How long a key is left alone after it was refused so.
config::Milliseconds rest_after(config::FailureKind why, config::Milliseconds wait) {
    using config::FailureKind;
    using std::chrono::minutes;
    switch (why) {
        case FailureKind::unauthorized:
        case FailureKind::forbidden: return minutes(10);
        case FailureKind::no_credit: return minutes(5);
        case FailureKind::rate_limited: return wait;
        case FailureKind::connect:
        case FailureKind::broken:
        case FailureKind::timeout:
        case FailureKind::conflict:
        case FailureKind::overloaded:
        case FailureKind::server_error:
        case FailureKind::not_found:
        case FailureKind::too_long:
        case FailureKind::invalid_reply:
        case FailureKind::bad_request: return {};
    }
    return {};
}

}  // namespace

Keys::Keys(const std::vector<config::Secret>& keys) {
    configure(keys);
}

void Keys::configure(const std::vector<config::Secret>& keys) {
    const std::lock_guard lock(mutex_);
    std::vector<Key> configured;
    configured.reserve(keys.size());
    for (const config::Secret& secret : keys) {
        const auto known = std::ranges::find(keys_, secret, &Key::secret);
        configured.push_back(known == keys_.end() ? Key{.secret = secret} : *known);
    }
    keys_ = std::move(configured);
}

void Keys::order(std::size_t turn, TimePoint now, std::vector<Choice>& out) const {
    const std::lock_guard lock(mutex_);
    out.clear();
    std::size_t usable = 0;
    for (std::size_t i = 0; i < keys_.size(); ++i) {
        const std::size_t index = (turn + i) % keys_.size();
        const bool cools = keys_[index].cools_until > now;
        // Behind the usable ones, and among those that cool behind whoever is usable sooner.
        const auto begin = out.begin() + static_cast<std::ptrdiff_t>(usable);
        const auto place =
            cools ? std::upper_bound(begin, out.end(), keys_[index].cools_until,
                                     [this](TimePoint until, const Choice& choice) {
                                         return until < keys_[choice.index].cools_until;
                                     })
                  : begin;
        out.insert(place, Choice{.index = index, .cools = cools});
        if (!cools) ++usable;
    }
}

std::size_t Keys::next_turn() {
    return turn_.fetch_add(1, std::memory_order_relaxed);
}

void Keys::cool(std::size_t index, config::FailureKind why, config::Milliseconds wait,
                TimePoint now) {
    const TimePoint until = now + rest_after(why, wait);
    const std::lock_guard lock(mutex_);
    if (index < keys_.size()) keys_[index].cools_until = std::max(keys_[index].cools_until, until);
}

Keys::TimePoint Keys::cools_until(std::size_t index, TimePoint now) const {
    const std::lock_guard lock(mutex_);
    return index < keys_.size() ? std::max(keys_[index].cools_until, now) : now;
}

std::size_t Keys::count() const {
    const std::lock_guard lock(mutex_);
    return keys_.size();
}

}  // namespace sluice::routing
