#include "gateway/health.h"

namespace sluice::gateway {

std::string_view to_string(UpstreamState state) noexcept {
    switch (state) {
        case UpstreamState::unknown: return "unknown";
        case UpstreamState::up: return "up";
        case UpstreamState::down: return "down";
    }
    return "unknown";
}

void HealthBoard::report_up(std::string_view upstream, net::Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    auto entry = entries_.find(upstream);
    if (entry == entries_.end()) entry = entries_.try_emplace(std::string(upstream)).first;
    entry->second.state = UpstreamState::up;
    entry->second.since = now;
    entry->second.reason.clear();
}

void HealthBoard::report_error(std::string_view upstream, const Error& error,
                               net::Clock::time_point now) {
    const bool silent = error.code == Errc::upstream_unreachable ||
                        error.code == Errc::upstream_timeout ||
                        error.code == Errc::upstream_protocol;
    if (is_retryable(error.code) && !silent) report_up(upstream, now);
    if (!silent) return;
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[std::string(upstream)];
    entry.state = UpstreamState::down;
    entry.since = now;
    entry.reason = error.message.empty() ? std::string(to_string(error.code)) : error.message;
}

HealthBoard::Entry HealthBoard::of(std::string_view upstream) const {
    const std::lock_guard lock(mutex_);
    const auto entry = entries_.find(upstream);
    return entry != entries_.end() ? entry->second : Entry();
}

}  // namespace sluice::gateway
