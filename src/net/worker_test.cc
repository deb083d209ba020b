#include "net/worker.h"

#include "net/test_loop.h"

#include <atomic>
#include <thread>

namespace sluice::net {
namespace {

using namespace std::chrono_literals;

TEST(WorkerTest, RunsWhatOtherThreadsPost) {
    Worker worker(0);
    auto busy = asio::make_work_guard(worker.io());
    std::jthread thread([&] { worker.run(); });
    int seen = 0;  // the worker's thread alone touches it

    for (int i = 0; i < 1000; ++i) worker.post([&seen] { ++seen; });
    worker.post([&busy] { busy.reset(); });
    thread.join();

    EXPECT_EQ(seen, 1000);
}

TEST(WorkerTest, SleepTakesItsTime) {
    testing::TestLoop loop;
    const auto start = Clock::now();

    loop.run(loop.worker.sleep(30ms));

    EXPECT_GE(Clock::now() - start, 30ms);
}

TEST(WorkerTest, RunEndsWhenNothingIsLeft) {
    testing::TestLoop loop;
    bool ran = false;
    loop.worker.spawn([](Worker& worker, bool& done) -> Task<> {
        co_await worker.sleep(5ms);
        done = true;
    }(loop.worker, ran));

    loop.finish();

    EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace sluice::net
