#include "routing/course.h"

#include "routing/backoff.h"
#include "routing/failure.h"

#include <algorithm>

namespace sluice::routing {
namespace {

/// Whether the failure may be repeated at this upstream. A failure without a status is judged by
/// the table alone; a status must be one of the upstream's list, and where its kind is usually
/// repeated the table must let it.
bool may_retry(const config::FailureTable& table, const config::Retry& settings,
               const Course::Failure& failure) {
    static const config::FailureTable usual;
    const bool allowed = table[failure.kind].retry;
    if (failure.forbids_retry) return false;
    if (failure.status < 400) return allowed;
    return settings.on.has(failure.status) && (allowed || !usual[failure.kind].retry);
}

}  // namespace

Course::Course(const std::vector<Candidate>& candidates, const config::FailureTable& table)
    : candidates_(candidates),
      table_(table),
      standings_(candidates.size()) {}

std::optional<Course::Step> Course::next(TimePoint now) const {
    const Standing* best = nullptr;
    bool any_asked = false;
    bool same_upstream_asked = false;
    for (const Standing& standing : standings_) any_asked = any_asked || standing.asked;
    for (std::size_t i = 0; i < standings_.size(); ++i) {
        const Standing& standing = standings_[i];
        if (standing.out || (bound_to_ && *bound_to_ != i)) continue;
        const bool newcomer = !standing.asked && standing.not_before <= now;
        const bool best_is_newcomer = best != nullptr && !best->asked && best->not_before <= now;
        if (best == nullptr || (newcomer && !best_is_newcomer) ||
            (newcomer == best_is_newcomer && !newcomer && standing.not_before < best->not_before)) {
            best = &standing;
        }
    }
    if (best == nullptr) return std::nullopt;
    const auto index = static_cast<std::size_t>(best - standings_.data());
    for (std::size_t i = 0; i < standings_.size(); ++i) {
        same_upstream_asked = same_upstream_asked ||
                              (standings_[i].asked && candidates_[i].destination->record ==
                                                          candidates_[index].destination->record);
    }
    Step step;
    step.index = index;
    step.not_before = std::max(now, best->not_before);
    step.is_retry = same_upstream_asked;
    step.is_fallback = any_asked && !best->asked;
    return step;
}

std::optional<std::size_t> Course::rival_of(std::size_t index) const {
    for (std::size_t i = 0; i < standings_.size(); ++i) {
        const bool free = !standings_[i].asked && !standings_[i].out;
        if (free && candidates_[i].destination->record != candidates_[index].destination->record) {
            return i;
        }
    }
    return std::nullopt;
}

void Course::failed(std::size_t index, const Failure& failure, TimePoint now, double random) {
    const config::FailureRule& rule = table_[failure.kind];
    const config::Retry& settings = candidates_[index].destination->upstream->retry;
    Standing& standing = standings_[index];
    standing.asked = true;
    if (!rule.fall_back) {
        bound_to_ = index;
    } else if (bound_to_ == index) {
        bound_to_.reset();
    }
    if (!may_retry(table_, settings, failure) || standing.retries >= settings.max_retries) {
        standing.out = true;
        // What is wrong with the upstream is wrong with it by any key.
        if (!is_key_fault(failure.kind)) hold_back(index, TimePoint::max());
        return;
    }
    const auto asked = wait_after(settings, failure);
    const auto wait = asked.value_or(backoff(settings, standing.retries, random));
    ++standing.retries;
    standing.not_before = now + wait;
    if (!is_key_fault(failure.kind)) hold_back(index, standing.not_before);
}

/// The same upstream by another key is no better off.
void Course::hold_back(std::size_t index, TimePoint until) {
    for (std::size_t i = 0; i < standings_.size(); ++i) {
        if (i == index || candidates_[i].destination != candidates_[index].destination) continue;
        if (until == TimePoint::max()) {
            standings_[i].out = true;
        } else {
            standings_[i].not_before = std::max(standings_[i].not_before, until);
        }
    }
}

void Course::pass_over(std::size_t index) {
    standings_[index].out = true;
}

std::optional<config::Milliseconds> Course::wait_after(const config::Retry& settings,
                                                       const Failure& failure) {
    if (failure.asked_wait) return failure.asked_wait;
    if (failure.kind == config::FailureKind::rate_limited) return settings.rate_limit_wait;
    return std::nullopt;
}

}  // namespace sluice::routing
