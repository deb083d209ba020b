#include "routing/course.h"

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;
using config::FailureKind;
using TimePoint = Course::TimePoint;

constexpr TimePoint kStart = TimePoint{} + 1h;
constexpr double kHalf = 0.5;  // of the longest back-off

/// Upstreams by number, and candidates at them in the order of their making.
class Site {
public:
    Site() = default;
    /// So many upstreams with a model each.
    explicit Site(std::size_t upstreams) {
        for (std::size_t i = 0; i < upstreams; ++i) {
            add_upstream();
            add_model(i);
        }
    }

    void add_upstream() {
        config::Upstream& upstream = upstreams_.emplace_back();
        upstream.name = "upstream" + std::to_string(upstreams_.size());
        upstream.retry.max_retries = 2;
    }

    /// A model of that upstream, with so many keys of it.
    void add_model(std::size_t upstream, std::size_t keys = 1) {
        config::Target& target = targets_.emplace_back();
        target.upstream = upstreams_.at(upstream).name;
        target.model = "model" + std::to_string(targets_.size());
        destinations_.push_back({.target = &target,
                                 .upstream = &upstreams_.at(upstream),
                                 .record = &board_.record(upstreams_.at(upstream))});
        for (std::size_t key = 0; key < keys; ++key) {
            candidates.push_back({.destination = &destinations_.back(), .key = key});
        }
    }

    config::Retry& retry(std::size_t upstream) { return upstreams_.at(upstream).retry; }
    void set(FailureKind kind, bool retry, bool fall_back) {
        table.rules.at(static_cast<std::size_t>(kind)) = {.retry = retry, .fall_back = fall_back};
    }
    Course course() const { return {candidates, table}; }

    std::vector<Candidate> candidates;
    config::FailureTable table;

private:
    std::deque<config::Upstream> upstreams_;
    std::deque<config::Target> targets_;
    std::deque<Destination> destinations_;
    Board board_;
};

Course::Failure failure(FailureKind kind, int status = 0) {
    Course::Failure failed;
    failed.kind = kind;
    failed.status = status;
    return failed;
}

std::optional<std::size_t> index_of(const std::optional<Course::Step>& step) {
    return step ? std::optional(step->index) : std::nullopt;
}

TEST(CourseTest, TheCandidatesAreAskedInTheirOrderWithoutAWait) {
    const Site site(3);
    Course course = site.course();

    for (std::size_t i = 0; i < 3; ++i) {
        const auto step = course.next(kStart);
        ASSERT_EQ(index_of(step), i);
        EXPECT_EQ(step->not_before, kStart);
        EXPECT_FALSE(step->is_retry);
        EXPECT_EQ(step->is_fallback, i > 0);
        course.failed(i, failure(FailureKind::server_error, 500), kStart, kHalf);
    }
}

TEST(CourseTest, WithNoCandidateThereIsNoStep) {
    const Site site;

    EXPECT_FALSE(site.course().next(kStart));
}

TEST(CourseTest, OnlyWhenNobodyNewIsLeftIsSomeoneAskedAgainAfterABackoff) {
    const Site site(2);
    Course course = site.course();
    course.failed(0, failure(FailureKind::server_error, 500), kStart, kHalf);
    course.failed(1, failure(FailureKind::server_error, 500), kStart + 100ms, 0.1);

    const auto step = course.next(kStart + 100ms);

    ASSERT_EQ(index_of(step), 1U) << "whose wait is over first: 100 ms + 0.1 s against 0.5 s";
    EXPECT_EQ(step->not_before, kStart + 200ms);
    EXPECT_TRUE(step->is_retry);
    EXPECT_FALSE(step->is_fallback) << "it is asked again, after whoever";
}

TEST(CourseTest, AWaitThatIsOverIsNotWaitedForAgain) {
    const Site site(1);
    Course course = site.course();
    course.failed(0, failure(FailureKind::connect), kStart, kHalf);

    const auto step = course.next(kStart + 10s);

    ASSERT_TRUE(step);
    EXPECT_EQ(step->not_before, kStart + 10s);
}

TEST(CourseTest, TheBackoffGrowsWithEachRetryOfACandidate) {
    Site site(1);
    site.retry(0).max_retries = 3;
    Course course = site.course();

    for (const auto longest : {1'000ms, 2'000ms, 4'000ms}) {
        course.failed(0, failure(FailureKind::connect), kStart, kHalf);
        const auto step = course.next(kStart);
        ASSERT_TRUE(step);
        EXPECT_EQ(step->not_before, kStart + longest / 2);
    }
    course.failed(0, failure(FailureKind::connect), kStart, kHalf);
    EXPECT_FALSE(course.next(kStart)) << "max_retries is 3";
}

TEST(CourseTest, WithoutRetriesEachCandidateIsAskedOnce) {
    Site site(2);
    site.retry(0).max_retries = site.retry(1).max_retries = 0;
    Course course = site.course();
    course.failed(0, failure(FailureKind::connect), kStart, kHalf);
    EXPECT_EQ(index_of(course.next(kStart)), 1U);
    course.failed(1, failure(FailureKind::connect), kStart, kHalf);

    EXPECT_FALSE(course.next(kStart + 1h));
}

TEST(CourseTest, AFailureThatLetsNobodyElseBeAskedEndsTheCourse) {
    const Site site(3);
    Course course = site.course();

    course.failed(0, failure(FailureKind::bad_request, 400), kStart, kHalf);

    EXPECT_FALSE(course.next(kStart));
    EXPECT_FALSE(course.next(kStart + 1h));
}

TEST(CourseTest, AFailureThatMayOnlyBeRepeatedBindsTheCourseToItsCandidate) {
    Site site(2);
    site.set(FailureKind::overloaded, true, false);
    Course course = site.course();

    for (std::size_t i = 0; i < 3; ++i) {
        ASSERT_EQ(index_of(course.next(kStart)), 0U);
        course.failed(0, failure(FailureKind::overloaded, 503), kStart, kHalf);
    }

    EXPECT_FALSE(course.next(kStart))
        << "its retries are used up, and the other is not to be asked";
}

TEST(CourseTest, TheBondEndsWithAFailureOfAnotherKind) {
    Site site(2);
    site.set(FailureKind::overloaded, true, false);
    Course course = site.course();
    course.failed(0, failure(FailureKind::overloaded, 503), kStart, kHalf);
    course.failed(0, failure(FailureKind::server_error, 500), kStart, kHalf);

    EXPECT_EQ(index_of(course.next(kStart)), 1U);
}

TEST(CourseTest, ACandidateThatIsPassedOverWhileTheCourseIsBoundToItEndsTheCourse) {
    Site site(2);
    site.set(FailureKind::overloaded, true, false);
    Course course = site.course();
    course.failed(0, failure(FailureKind::overloaded, 503), kStart, kHalf);

    course.pass_over(0);

    EXPECT_FALSE(course.next(kStart));
}

TEST(CourseTest, WhatIsNotToBeRepeatedIsAskedOnce) {
    const Site site(2);
    for (const FailureKind kind : {FailureKind::timeout, FailureKind::unauthorized,
                                   FailureKind::not_found, FailureKind::invalid_reply}) {
        Course course = site.course();
        course.failed(0, failure(kind), kStart, kHalf);
        EXPECT_EQ(index_of(course.next(kStart)), 1U) << to_string(kind);
        course.failed(1, failure(kind), kStart, kHalf);

        EXPECT_FALSE(course.next(kStart)) << to_string(kind);
    }
}

TEST(CourseTest, AnUpstreamThatForbidsItIsNotAskedAgain) {
    const Site site(1);
    Course course = site.course();
    auto forbidden = failure(FailureKind::overloaded, 503);
    forbidden.forbids_retry = true;

    course.failed(0, forbidden, kStart, kHalf);

    EXPECT_FALSE(course.next(kStart));
}

TEST(CourseTest, TheWaitThatAnUpstreamAsksForWinsOverTheBackoff) {
    const Site site(1);
    for (const FailureKind kind : {FailureKind::overloaded, FailureKind::rate_limited}) {
        for (const auto asked : {1ms, 7'000ms, 3'600'000ms}) {
            Course course = site.course();
            auto failed = failure(kind, kind == FailureKind::overloaded ? 503 : 429);
            failed.asked_wait = asked;

            course.failed(0, failed, kStart, kHalf);

            const auto step = course.next(kStart);
            ASSERT_TRUE(step);
            EXPECT_EQ(step->not_before, kStart + asked);
        }
    }
}

TEST(CourseTest, ARateLimitThatNamesNoResetWaitsAsConfigured) {
    Site site(1);
    site.retry(0).rate_limit_wait = 12s;
    Course course = site.course();

    course.failed(0, failure(FailureKind::rate_limited, 429), kStart, kHalf);

    const auto step = course.next(kStart);
    ASSERT_TRUE(step);
    EXPECT_EQ(step->not_before, kStart + 12s);
}

TEST(CourseTest, TheClientIsToldOfAWaitOnlyWhereOneIsKnown) {
    config::Retry settings;
    settings.rate_limit_wait = 12s;
    auto asked = failure(FailureKind::rate_limited, 429);
    asked.asked_wait = 3s;

    EXPECT_EQ(Course::wait_after(settings, asked), 3s);
    EXPECT_EQ(Course::wait_after(settings, failure(FailureKind::rate_limited, 429)), 12s);
    EXPECT_EQ(Course::wait_after(settings, failure(FailureKind::overloaded, 503)), std::nullopt);
}

TEST(CourseTest, TheUpstreamsListSaysWhichStatusesAreRepeated) {
    using Case = std::tuple<FailureKind, int, bool, bool>;
    for (const auto& [kind, status, listed, again] : {
             Case(FailureKind::overloaded, 503, true, true),
             Case(FailureKind::overloaded, 503, false, false),
             Case(FailureKind::conflict, 409, true, true),
             Case(FailureKind::conflict, 409, false, false),
             Case(FailureKind::unauthorized, 401, false, false),
             Case(FailureKind::unauthorized, 401, true, true),
             Case(FailureKind::bad_request, 418, false, false),
             Case(FailureKind::bad_request, 418, true, true),
             Case(FailureKind::overloaded, 200, false, true),  // insufficient_system_resource
             Case(FailureKind::connect, 0, false, true),
             Case(FailureKind::timeout, 0, true, false),
         }) {
        Site site(1);
        site.retry(0).on.statuses.set(static_cast<std::size_t>(status), listed);
        Course course = site.course();

        course.failed(0, failure(kind, status), kStart, kHalf);

        EXPECT_EQ(course.next(kStart).has_value(), again)
            << status << (listed ? " is" : " is not") << " in the list";
    }
}

TEST(CourseTest, AListedStatusIsNotRepeatedWhereTheTableForbidsItsKind) {
    Site site(1);
    site.set(FailureKind::overloaded, false, true);
    Course course = site.course();

    course.failed(0, failure(FailureKind::overloaded, 503), kStart, kHalf);

    EXPECT_FALSE(course.next(kStart));
}

TEST(CourseTest, WhatIsWrongWithAKeyLetsTheNextKeyBeAskedAtOnce) {
    for (const FailureKind kind : {FailureKind::unauthorized, FailureKind::no_credit,
                                   FailureKind::forbidden, FailureKind::rate_limited}) {
        Site site;
        site.add_upstream();
        site.add_model(0, 2);
        Course course = site.course();

        course.failed(0, failure(kind), kStart, kHalf);

        const auto step = course.next(kStart);
        ASSERT_EQ(index_of(step), 1U) << to_string(kind);
        EXPECT_EQ(step->not_before, kStart);
        EXPECT_TRUE(step->is_retry) << "the upstream was asked before";
        EXPECT_TRUE(step->is_fallback);
    }
}

TEST(CourseTest, WhatIsWrongWithAnUpstreamHoldsItsOtherKeysBack) {
    Site site;
    site.add_upstream();
    site.add_model(0, 2);
    Course course = site.course();

    course.failed(0, failure(FailureKind::overloaded, 503), kStart, kHalf);

    const auto step = course.next(kStart);
    ASSERT_TRUE(step);
    EXPECT_EQ(step->not_before, kStart + 500ms) << "whoever of the two it is";
    const auto later = course.next(kStart + 500ms);
    ASSERT_EQ(index_of(later), 1U) << "then the key that was not asked yet comes first";
    EXPECT_TRUE(later->is_retry);
}

TEST(CourseTest, AnUpstreamThatIsOutIsOutByAllOfItsKeys) {
    Site site;
    site.add_upstream();
    site.add_upstream();
    site.add_model(0, 3);
    site.add_model(1);
    Course course = site.course();

    course.failed(0, failure(FailureKind::timeout), kStart, kHalf);

    EXPECT_EQ(index_of(course.next(kStart)), 3U);
    course.failed(3, failure(FailureKind::timeout), kStart, kHalf);
    EXPECT_FALSE(course.next(kStart + 1h));
}

TEST(CourseTest, AnotherModelOfAFailedUpstreamIsTriedAllTheSame) {
    Site site;
    site.add_upstream();
    site.add_model(0);
    site.add_model(0);
    Course course = site.course();

    course.failed(0, failure(FailureKind::timeout), kStart, kHalf);

    const auto step = course.next(kStart);
    ASSERT_EQ(index_of(step), 1U);
    EXPECT_EQ(step->not_before, kStart);
    EXPECT_TRUE(step->is_retry) << "it draws on the upstream's budget";
    EXPECT_TRUE(step->is_fallback);
}

TEST(CourseTest, WhoIsPassedOverIsNotTriedAgain) {
    const Site site(3);
    Course course = site.course();
    course.pass_over(0);

    const auto step = course.next(kStart);

    ASSERT_EQ(index_of(step), 1U);
    EXPECT_FALSE(step->is_retry);
    EXPECT_FALSE(step->is_fallback) << "nobody has been asked yet";
    course.pass_over(1);
    course.pass_over(2);
    EXPECT_FALSE(course.next(kStart + 1h));
}

TEST(CourseTest, ARivalIsOfAnotherUpstreamAndWasNotAskedYet) {
    Site site;
    site.add_upstream();
    site.add_upstream();
    site.add_model(0, 2);
    site.add_model(0);
    site.add_model(1);
    Course course = site.course();

    EXPECT_EQ(course.rival_of(0), 3U);
    EXPECT_EQ(course.rival_of(3), 0U);
    course.pass_over(0);
    EXPECT_EQ(course.rival_of(3), 1U);
    course.failed(3, failure(FailureKind::timeout), kStart, kHalf);
    EXPECT_EQ(course.rival_of(0), std::nullopt);
}

TEST(CourseTest, ALoneCandidateHasNoRival) {
    const Site site(1);

    EXPECT_EQ(site.course().rival_of(0), std::nullopt);
}

/// A route as it may come, and failures as they may come.
class RandomCourse {
public:
    explicit RandomCourse(unsigned seed) : chance_(seed) {
        const std::size_t upstreams = 1 + draw(4);
        for (std::size_t i = 0; i < upstreams; ++i) {
            site_.add_upstream();
            site_.retry(i).max_retries = draw(4);
            site_.add_model(i, 1 + draw(3));
            if (draw(3) == 0) site_.add_model(i, 1 + draw(2));
        }
        for (std::size_t kind = 0; kind < config::kFailureKinds; ++kind) {
            if (draw(4) == 0) site_.set(FailureKind(kind), draw(2) == 0, draw(2) == 0);
        }
    }

    void run() {
        Course course = site_.course();
        std::map<std::size_t, std::size_t> asked;
        std::map<std::size_t, TimePoint> may_ask;
        TimePoint now = kStart;
        std::size_t most = 0;
        for (const Candidate& candidate : site_.candidates) most += steps_of(candidate);
        std::size_t steps = 0;
        while (const auto step = course.next(now)) {
            ASSERT_LT(step->index, site_.candidates.size());
            const Candidate& candidate = site_.candidates[step->index];
            ASSERT_LE(++steps, most) << "it ends";
            ASSERT_GE(step->not_before, now);
            if (may_ask.contains(step->index)) {
                ASSERT_GE(step->not_before, may_ask[step->index]);
            }
            now = step->not_before;
            if (draw(8) == 0) {
                course.pass_over(step->index);
                asked[step->index] = most;  // not to come again
                continue;
            }
            ASSERT_LE(++asked[step->index], steps_of(candidate));
            now += std::chrono::milliseconds(draw(100));
            const auto failed = draw_failure();
            may_ask[step->index] = now + failed.asked_wait.value_or(0ms);
            course.failed(step->index, failed, now, 0.01 * static_cast<double>(draw(100)));
        }
    }

private:
    std::size_t draw(std::size_t below) { return chance_() % below; }
    static std::size_t steps_of(const Candidate& candidate) {
        return 1 + candidate.destination->upstream->retry.max_retries;
    }

    Course::Failure draw_failure() {
        constexpr std::array kStatuses = {0, 200, 400, 401, 404, 409, 418, 429, 500, 503};
        auto failed =
            failure(FailureKind(draw(config::kFailureKinds)), kStatuses.at(draw(kStatuses.size())));
        if (draw(4) == 0) failed.asked_wait = std::chrono::milliseconds(draw(5'000));
        failed.forbids_retry = draw(10) == 0;
        return failed;
    }

    std::mt19937 chance_;
    Site site_;
};

TEST(CourseTest, WhateverFailsEveryCourseEndsAndKeepsItsWaits) {
    for (unsigned seed = 0; seed < 2'000; ++seed) {
        SCOPED_TRACE(seed);
        RandomCourse(seed).run();
        if (HasFatalFailure()) return;
    }
}

}  // namespace
}  // namespace sluice::routing
