#pragma once

/// The course of one request over its candidates: who is asked next, and when. A failed request
/// goes to the next candidate at once where the table lets it; the same one is asked again, after
/// its wait, only when no other is left (ADR 9). Pure: time and chance come in.

#include "config/route.h"
#include "routing/plan.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

namespace sluice::routing {

class Course {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    /// Both must outlive the course. `candidates` in order of preference.
    Course(const std::vector<Candidate>& candidates, const config::FailureTable& table);

    struct Step {
        std::size_t index = 0;     ///< of the candidates
        TimePoint not_before;      ///< ask then, not earlier
        bool is_retry = false;     ///< its upstream was asked before in this course
        bool is_fallback = false;  ///< another candidate has failed before it
    };
    /// nullopt when nobody is left.
    [[nodiscard]] std::optional<Step> next(TimePoint now) const;

    /// What became of a step.
    struct Failure {
        config::FailureKind kind = config::FailureKind::broken;
        int status = 0;  ///< 0 where none came
        /// The wait that the upstream asked for.
        std::optional<config::Milliseconds> asked_wait;
        bool forbids_retry = false;  ///< `x-should-retry: false`
    };
    /// Whom to ask beside this candidate, when it takes long: someone who was not asked yet, of
    /// another upstream.
    [[nodiscard]] std::optional<std::size_t> rival_of(std::size_t index) const;

    /// The candidate was asked in vain. `random` is from [0, 1).
    void failed(std::size_t index, const Failure& failure, TimePoint now, double random);

    /// It was not asked, because its breaker is open, its line full or its budget used up: it is
    /// not tried again.
    void pass_over(std::size_t index);

    /// The wait that the failure would have the client keep, for Retry-After.
    [[nodiscard]] static std::optional<config::Milliseconds> wait_after(
        const config::Retry& settings, const Failure& failure);

private:
    struct Standing {
        TimePoint not_before = TimePoint::min();
        std::size_t retries = 0;
        bool asked = false;
        bool out = false;
    };

    void hold_back(std::size_t index, TimePoint until);

    const std::vector<Candidate>& candidates_;
    const config::FailureTable& table_;
    std::vector<Standing> standings_;
    std::optional<std::size_t> bound_to_;  // the last failure lets no other candidate be asked
};

}  // namespace sluice::routing
