#include "net/deadlines.h"

#include <algorithm>

namespace sluice::net {

Deadline::~Deadline() {
    if (is_linked()) wheel_.forget(*this);
}

void Deadline::expire_at(Clock::time_point when) {
    when_ = when;
    expired_ = false;
    // A later deadline is left where it is: the wheel comes by early, sees it and puts it back.
    if (is_linked() && wheel_.tick_of(when) >= tick_) return;
    if (is_linked()) {
        unlink();
        --wheel_.linked_;
    }
    wheel_.schedule(*this);
}

void Deadline::expire_after(Clock::duration wait) {
    expire_at(coarse_now() + wait);
}

Deadlines::Deadlines(asio::io_context& io) : timer_(io), start_(Clock::now()) {}

std::int64_t Deadlines::tick_of(Clock::time_point when) const noexcept {
    if (when == Clock::time_point::max()) return INT64_MAX;
    return std::chrono::ceil<std::chrono::milliseconds>(when - start_) / kTick + 1;
}

void Deadlines::schedule(Deadline& deadline) {
    // The wheel may have slept past many empty slots; only what is ahead of it counts.
    if (armed_for_ < 0 && !working_) current_ = std::max(current_, tick_of(Clock::now()) - 1);
    const std::int64_t tick =
        std::clamp(tick_of(deadline.when_), current_ + 1, current_ + kSlots - 1);
    deadline.tick_ = tick;
    slots_[static_cast<std::size_t>(tick % kSlots)].push_back(deadline);
    ++linked_;
    if (!working_ && (armed_for_ < 0 || tick < armed_for_)) arm_timer(tick);
}

/// With the last deadline goes the timer: it would keep a worker running that has nothing to do.
void Deadlines::forget(Deadline& deadline) noexcept {
    deadline.unlink();
    --linked_;
    if (linked_ > 0 || working_ || armed_for_ < 0) return;
    armed_for_ = -1;
    timer_.cancel();
}

void Deadlines::arm_timer(std::int64_t tick) {
    armed_for_ = tick;
    timer_.expires_at(start_ + tick * kTick);
    timer_.async_wait([this](error_code ec) {
        if (!ec) on_timer();
    });
}

void Deadlines::on_timer() {
    const auto now = Clock::now();
    const std::int64_t reached = tick_of(now) - 1;
    working_ = true;
    // After a stall of more than a round each slot is looked at once, by the tick it has now.
    current_ = std::max(current_, reached - kSlots);
    while (current_ < reached) expire_slot(++current_, now);
    armed_for_ = -1;
    working_ = false;
    if (linked_ == 0) return;
    for (std::int64_t tick = current_ + 1; tick < current_ + kSlots; ++tick) {
        if (!slots_[static_cast<std::size_t>(tick % kSlots)].empty()) {
            arm_timer(tick);
            return;
        }
    }
}

void Deadlines::expire_slot(std::int64_t tick, Clock::time_point now) {
    Slot due;
    due.swap(slots_[static_cast<std::size_t>(tick % kSlots)]);
    while (!due.empty()) {
        Deadline& deadline = due.front();
        due.pop_front();
        --linked_;
        if (deadline.when_ == Clock::time_point::max()) continue;
        if (deadline.when_ > now) {
            schedule(deadline);
            continue;
        }
        deadline.when_ = Clock::time_point::max();
        deadline.expired_ = true;
        deadline.on_expired();
    }
}

}  // namespace sluice::net
