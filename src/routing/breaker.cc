#include "routing/breaker.h"

#include <algorithm>

namespace sluice::routing {

std::string_view to_string(BreakerState state) noexcept {
    switch (state) {
        case BreakerState::closed: return "closed";
        case BreakerState::open: return "open";
        case BreakerState::half_open: return "half_open";
    }
    return "";
}

Breaker::Breaker(const config::Breaker& settings) : settings_(settings) {}

void Breaker::configure(const config::Breaker& settings) {
    const std::lock_guard lock(mutex_);
    settings_ = settings;
    if (!settings_.enabled && state_ != BreakerState::closed) change(BreakerState::closed);
}

Breaker::Leave Breaker::ask(Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    switch (state_) {
        case BreakerState::closed: return {.answer = Leave::Answer::yes, .period = period_};
        case BreakerState::open:
            if (now < open_until_) return Leave::no;
            state_ = BreakerState::half_open;
            break;
        case BreakerState::half_open: break;
    }
    if (probing_ >= std::max<std::size_t>(settings_.probes, 1)) return Leave::no;
    ++probing_;
    return {.answer = Leave::Answer::probe, .period = period_};
}

std::optional<BreakerState> Breaker::report(bool ok, Leave given, Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    if (!settings_.enabled || given.period != period_) return std::nullopt;
    switch (given.answer) {
        case Leave::Answer::no: return std::nullopt;
        case Leave::Answer::yes:
            count(ok, now);
            if (ok || !is_failing()) return std::nullopt;
            open(now);
            return BreakerState::open;
        case Leave::Answer::probe:
            if (!ok) {
                open(now);
                return BreakerState::open;
            }
            change(BreakerState::closed);
            return BreakerState::closed;
    }
    return std::nullopt;
}

void Breaker::forget(Leave given, Clock::time_point /*now*/) {
    const std::lock_guard lock(mutex_);
    if (given == Leave::probe && given.period == period_) --probing_;
}

BreakerState Breaker::state(Clock::time_point now) const {
    const std::lock_guard lock(mutex_);
    const bool is_over = state_ == BreakerState::open && now >= open_until_;
    return is_over ? BreakerState::half_open : state_;
}

Clock::time_point Breaker::closed_until(Clock::time_point now) const {
    const std::lock_guard lock(mutex_);
    return state_ == BreakerState::open ? std::max(open_until_, now) : now;
}

void Breaker::count(bool ok, Clock::time_point now) {
    advance(now);
    in_a_row_ = ok ? 0 : in_a_row_ + 1;
    for (Slice* slice : {&slices_[slice_], &total_}) {
        ++slice->requests;
        if (!ok) ++slice->failures;
    }
}

void Breaker::advance(Clock::time_point now) {
    if (now < slice_end_) return;
    const auto slices = static_cast<Clock::rep>(slices_.size());
    const Clock::duration length =
        std::max<Clock::duration>(settings_.window / slices, std::chrono::milliseconds(1));
    const auto passed = static_cast<std::size_t>((now - slice_end_) / length) + 1;
    slice_end_ += passed * length;
    for (std::size_t i = std::min(passed, slices_.size()); i > 0; --i) {
        slice_ = (slice_ + 1) % slices_.size();
        total_.requests -= slices_[slice_].requests;
        total_.failures -= slices_[slice_].failures;
        slices_[slice_] = Slice{};
    }
}

/// Nothing of what was before is known any more.
void Breaker::change(BreakerState state) {
    state_ = state;
    ++period_;
    probing_ = 0;
    in_a_row_ = 0;
    slices_.fill(Slice{});
    total_ = Slice{};
}

void Breaker::open(Clock::time_point now) {
    change(BreakerState::open);
    open_until_ = now + settings_.open_for;
}

bool Breaker::is_failing() const {
    if (in_a_row_ >= std::max<std::size_t>(settings_.consecutive_failures, 1)) return true;
    return total_.requests >= settings_.min_requests &&
           static_cast<double>(total_.failures) >=
               settings_.error_rate * static_cast<double>(total_.requests);
}

}  // namespace sluice::routing
