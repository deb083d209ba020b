#include "net/deadlines.h"

#include "net/test_loop.h"

#include <gmock/gmock.h>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace sluice::net {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto kSlack = 60ms;  // for a busy machine

class Alarm final : public Deadline {
public:
    Alarm(Deadlines& wheel, std::function<void()> act) : Deadline(wheel), act_(std::move(act)) {}

    std::vector<Clock::time_point> fired;

private:
    void on_expired() override {
        fired.push_back(Clock::now());
        // A copy, because the act may destroy this.
        if (const auto act = act_; act) act();
    }
    std::function<void()> act_;
};

class DeadlinesTest : public ::testing::Test {
protected:
    Deadlines& wheel() { return loop_.worker.deadlines(); }

    testing::TestLoop loop_;
    std::vector<int> order_;
};

TEST_F(DeadlinesTest, FireInTheirOrderAndNeverEarly) {
    Alarm third(wheel(), [&] { order_.push_back(3); });
    Alarm first(wheel(), [&] { order_.push_back(1); });
    Alarm second(wheel(), [&] { order_.push_back(2); });
    const auto start = Clock::now();

    third.expire_at(start + 90ms);
    first.expire_at(start + 20ms);
    second.expire_at(start + 50ms);
    loop_.turn(200ms);

    EXPECT_THAT(order_, ElementsAre(1, 2, 3));
    EXPECT_GE(first.fired.at(0) - start, 20ms);
    EXPECT_LT(first.fired.at(0) - start, 20ms + 2 * Deadlines::kTick + kSlack);
    EXPECT_GE(second.fired.at(0) - start, 50ms);
    EXPECT_GE(third.fired.at(0) - start, 90ms);
}

TEST_F(DeadlinesTest, FireOnceAnExpiry) {
    Alarm alarm(wheel(), {});

    alarm.expire_after(10ms);
    loop_.turn(100ms);
    EXPECT_EQ(alarm.fired.size(), 1U);
    EXPECT_EQ(alarm.when(), Clock::time_point::max());
    alarm.expire_after(10ms);
    loop_.turn(100ms);

    EXPECT_EQ(alarm.fired.size(), 2U);
}

TEST_F(DeadlinesTest, ALaterDeadlineCountsAndTheFirstDoesNotFire) {
    Alarm alarm(wheel(), {});
    const auto start = Clock::now();

    alarm.expire_at(start + 20ms);
    alarm.expire_at(start + 120ms);
    loop_.turn(250ms);

    ASSERT_EQ(alarm.fired.size(), 1U);
    EXPECT_GE(alarm.fired[0] - start, 120ms);
    EXPECT_LT(alarm.fired[0] - start, 140ms + kSlack);
}

TEST_F(DeadlinesTest, AnEarlierDeadlineMovesForward) {
    Alarm alarm(wheel(), {});
    const auto start = Clock::now();

    alarm.expire_at(start + 5s);
    loop_.turn(20ms);
    alarm.expire_at(start + 50ms);
    loop_.turn(200ms);

    ASSERT_EQ(alarm.fired.size(), 1U);
    EXPECT_LT(alarm.fired[0] - start, 70ms + kSlack);
}

TEST_F(DeadlinesTest, OneThatIsClearedDoesNotFire) {
    Alarm alarm(wheel(), {});

    alarm.expire_after(20ms);
    alarm.never();
    loop_.turn(100ms);

    EXPECT_THAT(alarm.fired, IsEmpty());
}

TEST_F(DeadlinesTest, OneInThePastFiresFromTheLoopAndNotAtOnce) {
    Alarm alarm(wheel(), {});

    alarm.expire_at(Clock::now() - 1h);
    EXPECT_THAT(alarm.fired, IsEmpty());
    loop_.turn(100ms);

    EXPECT_EQ(alarm.fired.size(), 1U);
}

TEST_F(DeadlinesTest, MayBeDestroyedByItsOwnCallback) {
    std::unique_ptr<Alarm> alarm;
    alarm = std::make_unique<Alarm>(wheel(), [&] { alarm.reset(); });

    alarm->expire_after(10ms);
    loop_.turn(80ms);

    EXPECT_EQ(alarm, nullptr);
}

TEST_F(DeadlinesTest, ACallbackMayDestroyAndMoveOthersThatAreDueInTheSameTick) {
    auto destroyed = std::make_unique<Alarm>(wheel(), [&] { order_.push_back(2); });
    Alarm moved(wheel(), [&] { order_.push_back(3); });
    Alarm first(wheel(), [&] {
        order_.push_back(1);
        destroyed.reset();
        moved.expire_after(50ms);
    });
    const auto when = Clock::now() + 30ms;

    first.expire_at(when);
    destroyed->expire_at(when);
    moved.expire_at(when);
    loop_.turn(50ms);
    EXPECT_THAT(order_, ElementsAre(1));
    loop_.turn(120ms);

    EXPECT_THAT(order_, ElementsAre(1, 3));
}

TEST_F(DeadlinesTest, ACallbackMaySetItsOwnAgain) {
    std::unique_ptr<Alarm> alarm;
    alarm = std::make_unique<Alarm>(wheel(), [&] {
        if (alarm->fired.size() < 3) alarm->expire_after(10ms);
    });

    alarm->expire_after(10ms);
    loop_.turn(250ms);

    EXPECT_EQ(alarm->fired.size(), 3U);
}

TEST_F(DeadlinesTest, ASlotOfTheWheelIsNotMistakenForAnotherRound) {
    // 1024 ticks of 10 ms make a round: these three would lie in neighbouring slots without it.
    Alarm near(wheel(), [&] { order_.push_back(1); });
    Alarm far(wheel(), [&] { order_.push_back(2); });
    Alarm beyond(wheel(), [&] { order_.push_back(3); });
    const auto start = Clock::now();

    beyond.expire_at(start + 1h);
    far.expire_at(start + 10'240ms + 40ms);
    near.expire_at(start + 40ms);
    loop_.turn(150ms);

    EXPECT_THAT(order_, ElementsAre(1));
}

TEST_F(DeadlinesTest, AShortOneIsPunctualWhileALongOneWaits) {
    Alarm far(wheel(), {});
    far.expire_after(1h);
    loop_.turn(300ms);
    Alarm near(wheel(), {});
    const auto start = Clock::now();

    near.expire_after(30ms);
    loop_.turn(150ms);

    ASSERT_EQ(near.fired.size(), 1U);
    EXPECT_LT(near.fired[0] - start, 50ms + kSlack);
}

TEST_F(DeadlinesTest, DoesNotKeepAnEmptyLoopAlive) {
    auto alarm = std::make_unique<Alarm>(wheel(), [] {});
    alarm->expire_after(1h);
    loop_.turn(10ms);
    const auto start = Clock::now();

    alarm.reset();
    loop_.finish(3s);

    EXPECT_LT(Clock::now() - start, 500ms);
}

TEST_F(DeadlinesTest, AThousandAllFireInOrder) {
    std::vector<std::unique_ptr<Alarm>> alarms;
    const auto start = Clock::now();
    for (int i = 0; i < 1000; ++i) {
        alarms.push_back(std::make_unique<Alarm>(wheel(), [this, i] { order_.push_back(i); }));
        alarms.back()->expire_at(start + std::chrono::milliseconds(100 + (i / 10) * 3));
    }

    loop_.turn(700ms);

    ASSERT_EQ(order_.size(), 1000U);
    for (std::size_t i = 0; i < 1000; ++i) {
        EXPECT_GE(alarms[i]->fired.at(0), start + 100ms + (i / 10) * 3ms);
    }
}

}  // namespace
}  // namespace sluice::net
