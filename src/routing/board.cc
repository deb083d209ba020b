#include "routing/board.h"

namespace sluice::routing {

void LastWord::report_up(TimePoint now) {
    const std::lock_guard lock(mutex_);
    entry_.since = now;
    entry_.up = true;
    entry_.reason.clear();
}

void LastWord::report_down(std::string_view reason, TimePoint now) {
    const std::lock_guard lock(mutex_);
    entry_.since = now;
    entry_.up = false;
    entry_.reason = reason;
}

LastWord::Entry LastWord::read() const {
    const std::lock_guard lock(mutex_);
    return entry_;
}

UpstreamRecord::UpstreamRecord(const config::Upstream& settings)
    : breaker(settings.breaker),
      retries(settings.retry),
      in_flight(settings.concurrency),
      keys(settings.api_keys) {}

void UpstreamRecord::configure(const config::Upstream& settings) {
    breaker.configure(settings.breaker);
    retries.configure(settings.retry);
    in_flight.configure(settings.concurrency);
    keys.configure(settings.api_keys);
}

UpstreamRecord& Board::record(const config::Upstream& settings) {
    const std::lock_guard lock(mutex_);
    const auto [found, is_new] = records_.try_emplace(settings.name, settings);
    if (!is_new) found->second.configure(settings);
    return found->second;
}

}  // namespace sluice::routing
