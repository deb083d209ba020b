#include "routing/in_flight.h"

#include <algorithm>

namespace sluice::routing {

InFlight::InFlight(const config::Concurrency& settings) {
    configure(settings);
}

void InFlight::configure(const config::Concurrency& settings) {
    Waiter* admitted = nullptr;
    {
        const std::lock_guard lock(mutex_);
        settings_ = settings;
        switch (settings.kind) {
            case config::Concurrency::Kind::unlimited: limit_ = 0; break;
            case config::Concurrency::Kind::fixed:
                limit_ = std::max<std::size_t>(settings.limit, 1);
                break;
            case config::Concurrency::Kind::adaptive:
                gradient_.configure(settings.limit, settings.max_limit);
                limit_ = gradient_.value();
                break;
        }
        admitted = admit();
    }
    tell(admitted);
}

InFlight::Entry InFlight::enter(Waiter& waiter) {
    const std::lock_guard lock(mutex_);
    if (first_ == nullptr && has_room()) {
        ++active_;
        return Entry::admitted;
    }
    if (waiting_ >= settings_.queue) return Entry::full;
    append(waiter);
    return Entry::waiting;
}

bool InFlight::abandon(Waiter& waiter) {
    const std::lock_guard lock(mutex_);
    if (!waiter.waiting_) return false;
    remove(waiter);
    return true;
}

void InFlight::leave(Outcome outcome, std::chrono::nanoseconds first_byte, TimePoint now) {
    Waiter* admitted = nullptr;
    {
        const std::lock_guard lock(mutex_);
        if (settings_.kind == config::Concurrency::Kind::adaptive) {
            switch (outcome) {
                case Outcome::ok: gradient_.record(first_byte, active_, now); break;
                case Outcome::overloaded: gradient_.shrink(now); break;
                case Outcome::unknown: break;
            }
            limit_ = gradient_.value();
        }
        --active_;
        admitted = admit();
    }
    tell(admitted);
}

std::size_t InFlight::active() const {
    const std::lock_guard lock(mutex_);
    return active_;
}

std::size_t InFlight::waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_;
}

std::size_t InFlight::limit() const {
    const std::lock_guard lock(mutex_);
    return limit_;
}

void InFlight::append(Waiter& waiter) {
    waiter.next_ = nullptr;
    waiter.previous_ = last_;
    waiter.waiting_ = true;
    (last_ == nullptr ? first_ : last_->next_) = &waiter;
    last_ = &waiter;
    ++waiting_;
}

void InFlight::remove(Waiter& waiter) {
    (waiter.previous_ == nullptr ? first_ : waiter.previous_->next_) = waiter.next_;
    (waiter.next_ == nullptr ? last_ : waiter.next_->previous_) = waiter.previous_;
    waiter.next_ = nullptr;
    waiter.previous_ = nullptr;
    waiter.waiting_ = false;
    --waiting_;
}

bool InFlight::has_room() const {
    return limit_ == 0 || active_ < limit_;
}

/// Gives those who are first in line the places there are. They are returned as a list of their
/// own, to be told when nothing is locked any more.
InFlight::Waiter* InFlight::admit() {
    Waiter* admitted = nullptr;
    Waiter** end = &admitted;
    while (first_ != nullptr && has_room()) {
        Waiter& waiter = *first_;
        remove(waiter);
        ++active_;
        *end = &waiter;
        end = &waiter.next_;
    }
    return admitted;
}

void InFlight::tell(Waiter* admitted) {
    while (admitted != nullptr) {
        Waiter* const next = admitted->next_;  // read first: the waiter may be gone once it is told
        admitted->on_admitted();
        admitted = next;
    }
}

}  // namespace sluice::routing
