#include "gateway/health.h"

#include <gtest/gtest.h>

namespace sluice::gateway {
namespace {

const net::Clock::time_point kNow{};

TEST(HealthBoardTest, AnUpstreamNobodyAskedIsUnknown) {
    const HealthBoard board;

    EXPECT_EQ(board.of("a").state, UpstreamState::unknown);
}

TEST(HealthBoardTest, AFailureOfTheUpstreamMarksItDownWithTheReason) {
    HealthBoard board;

    board.report_error("a", Error(Errc::upstream_unreachable, "refused"), kNow);

    EXPECT_EQ(board.of("a").state, UpstreamState::down);
    EXPECT_EQ(board.of("a").reason, "refused");
    EXPECT_EQ(board.of("b").state, UpstreamState::unknown);
}

TEST(HealthBoardTest, WhatIsNotTheUpstreamsFaultChangesNothing) {
    HealthBoard board;
    board.report_up("a", kNow);

    board.report_error("a", Error(Errc::client_gone), kNow);
    board.report_error("a", Error(Errc::cancelled), kNow);
    board.report_error("a", Error(Errc::overloaded), kNow);

    EXPECT_EQ(board.of("a").state, UpstreamState::up);
}

TEST(HealthBoardTest, ABadAnswerIsAnAnswer) {
    HealthBoard board;

    board.report_error("a", Error(Errc::upstream_invalid_response), kNow);
    board.report_error("b", Error(Errc::upstream_status), kNow);
    board.report_error("c", Error(Errc::upstream_truncated), kNow);

    EXPECT_EQ(board.of("a").state, UpstreamState::up);
    EXPECT_EQ(board.of("b").state, UpstreamState::up);
    EXPECT_EQ(board.of("c").state, UpstreamState::up);
}

TEST(HealthBoardTest, OneAnswerMakesItUpAgain) {
    HealthBoard board;
    board.report_error("a", Error(Errc::upstream_timeout), kNow);

    board.report_up("a", kNow);

    EXPECT_EQ(board.of("a").state, UpstreamState::up);
    EXPECT_EQ(board.of("a").reason, "");
}

}  // namespace
}  // namespace sluice::gateway
