#include "net/pause.h"

#include "net/test_loop.h"

#include <optional>

namespace sluice::net {
namespace {

using namespace std::chrono_literals;

class PauseTest : public ::testing::Test {
public:
    Task<> wait(Clock::duration time) { ended_ = co_await pause_->wait(time); }

    testing::TestLoop loop_;
    std::optional<Pause> pause_{loop_.worker};
    std::optional<Wake> ended_;
};

TEST_F(PauseTest, EndsAfterItsTime) {
    const auto start = Clock::now();

    loop_.run(wait(40ms));

    EXPECT_EQ(ended_, Wake::ready);
    EXPECT_GE(Clock::now() - start, 40ms - Deadlines::kTick);
    EXPECT_LT(Clock::now() - start, 140ms);
}

TEST_F(PauseTest, CanBeEndedByAnother) {
    loop_.worker.spawn([](PauseTest& test) -> Task<> {
        co_await test.loop_.worker.sleep(20ms);
        test.pause_->cancel();
    }(*this));
    const auto start = Clock::now();

    loop_.run(wait(1h));

    EXPECT_EQ(ended_, Wake::cancelled);
    EXPECT_LT(Clock::now() - start, 500ms);
}

TEST_F(PauseTest, StaysEnded) {
    pause_->cancel();

    loop_.run(wait(1h));

    EXPECT_EQ(ended_, Wake::cancelled);
}

TEST_F(PauseTest, TheWaiterGoesOnFromTheLoopAndNotInsideCancel) {
    loop_.worker.spawn(wait(1h));
    loop_.turn(10ms);

    pause_->cancel();
    EXPECT_FALSE(ended_.has_value());
    pause_.reset();
    loop_.finish();

    EXPECT_EQ(ended_, Wake::cancelled);
}

TEST_F(PauseTest, CanWaitAgain) {
    loop_.run(wait(10ms));
    ended_.reset();

    loop_.run(wait(10ms));

    EXPECT_EQ(ended_, Wake::ready);
}

}  // namespace
}  // namespace sluice::net
