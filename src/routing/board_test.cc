#include "routing/board.h"

#include <gtest/gtest.h>

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;

constexpr Clock::time_point kStart{};

config::Upstream upstream(const char* name) {
    config::Upstream upstream;
    upstream.name = name;
    upstream.breaker.consecutive_failures = 1;
    upstream.concurrency.kind = config::Concurrency::Kind::fixed;
    upstream.concurrency.limit = 3;
    return upstream;
}

TEST(Board, ARecordOutlivesAReload) {
    Board board;
    UpstreamRecord& record = board.record(upstream("a"));
    record.breaker.report(false, record.breaker.ask(kStart), kStart);
    config::Upstream changed = upstream("a");
    changed.concurrency.limit = 5;
    changed.api_keys.emplace_back("key");

    const UpstreamRecord& again = board.record(changed);

    EXPECT_EQ(&again, &record);
    EXPECT_EQ(again.breaker.state(kStart), BreakerState::open);
    EXPECT_EQ(again.in_flight.limit(), 5U);
    EXPECT_EQ(again.keys.count(), 1U);
}

TEST(Board, EachUpstreamHasItsOwnRecord) {
    Board board;
    UpstreamRecord& a = board.record(upstream("a"));
    const UpstreamRecord& b = board.record(upstream("b"));

    a.breaker.report(false, a.breaker.ask(kStart), kStart);

    EXPECT_NE(&a, &b);
    EXPECT_EQ(b.breaker.state(kStart), BreakerState::closed);
}

TEST(LastWord, IsWhatWasReportedLast) {
    LastWord word;
    EXPECT_FALSE(word.read().since);

    word.report_down("no route to host", kStart + 1s);
    EXPECT_EQ(word.read().since, kStart + 1s);
    EXPECT_FALSE(word.read().up);
    EXPECT_EQ(word.read().reason, "no route to host");

    word.report_up(kStart + 2s);
    EXPECT_EQ(word.read().since, kStart + 2s);
    EXPECT_TRUE(word.read().up);
    EXPECT_EQ(word.read().reason, "");
}

}  // namespace
}  // namespace sluice::routing
