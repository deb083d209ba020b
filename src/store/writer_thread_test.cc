#include "store/writer_thread.h"

#include "store/test_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <csignal>
#include <future>
#include <latch>
#include <memory>
#include <random>
#include <set>
#include <sys/resource.h>
#include <thread>
#include <vector>

namespace sluice::store {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using Loss = WriteJob::Loss;
using Kind = WriterReport::Kind;

constexpr std::array kSchema{Sql("CREATE TABLE numbers (n INTEGER PRIMARY KEY) STRICT")};
constexpr auto kLong = 30s;  // for what is sure to come

class WriterThreadTest : public testing::Test {
protected:
    [[nodiscard]] Database open() const {
        auto database = Database::open({.path = path_, .application_id = 1, .migrations = kSchema});
        if (!database) throw std::runtime_error(database.error().message);
        return *std::move(database);
    }

    void start(WriterOptions options = {}) {
        options.report = [this](const WriterReport& report) {
            const std::lock_guard lock(mutex_);
            reports_.push_back(report.kind);
        };
        writer_ = std::make_unique<WriterThread>(open(), std::move(options));
    }

    static Result<void> insert(Database& database, std::int64_t number) {
        auto query = database.query("INSERT INTO numbers (n) VALUES (?)");
        if (!query) return std::unexpected(query.error());
        query->bind(1, number);
        return query->run();
    }

    /// What became of each job is noted under its number.
    WriteJob job(std::int64_t number, Loss loss = Loss::allowed) {
        return {.run = [number](Database& database) { return insert(database, number); },
                .bytes = 10,
                .loss = loss,
                .done = [this, number](const Result<void>& result) { note(number, result); }};
    }

    void note(std::int64_t number, const Result<void>& result) {
        const std::lock_guard lock(mutex_);
        (result ? committed_ : failed_).push_back(number);
        if (!result) codes_.insert(result.error().code);
    }

    /// Holds the thread until the future that it returns is told to go on.
    std::promise<void> occupy() {
        std::promise<void> release;
        std::promise<void> running;
        auto is_running = running.get_future();
        EXPECT_TRUE(
            writer_->submit({.run = [go_on = release.get_future(),
                                     told = std::move(running)](Database&) mutable -> Result<void> {
                                 told.set_value();
                                 go_on.wait();
                                 return {};
                             },
                             .loss = Loss::forbidden}));
        is_running.wait();
        return release;
    }

    [[nodiscard]] std::vector<std::int64_t> stored() const {
        Database database = open();
        auto query = database.query("SELECT n FROM numbers ORDER BY n");
        std::vector<std::int64_t> numbers;
        while (query && query->next().value_or(false)) numbers.push_back(query->integer(0));
        return numbers;
    }

    TestFolder folder_;
    std::string path_ = folder_.file("state.db");
    std::mutex mutex_;
    std::vector<std::int64_t> committed_;
    std::vector<std::int64_t> failed_;
    std::set<Errc> codes_;
    std::vector<Kind> reports_;
    std::unique_ptr<WriterThread> writer_;  // ends first
};

TEST_F(WriterThreadTest, JobsAreCommittedInTheirOrder) {
    start();
    for (int i = 1; i <= 5; ++i) {
        EXPECT_TRUE(writer_->submit(job(i, i % 2 == 0 ? Loss::forbidden : Loss::allowed)));
    }

    ASSERT_TRUE(writer_->flush(kLong));

    EXPECT_THAT(committed_, ElementsAre(1, 2, 3, 4, 5));
    EXPECT_THAT(stored(), ElementsAre(1, 2, 3, 4, 5));
    EXPECT_EQ(writer_->stats().written, 5U);
    EXPECT_EQ(writer_->stats().queued, 0U);
    EXPECT_EQ(writer_->stats().queued_bytes, 0U);
}

TEST_F(WriterThreadTest, JobsThatWaitShareATransaction) {
    start();
    auto release = occupy();
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(writer_->submit(job(i, Loss::forbidden)));

    release.set_value();
    ASSERT_TRUE(writer_->flush(kLong));

    EXPECT_EQ(writer_->stats().commits, 2U);
    EXPECT_EQ(committed_.size(), 100U);
}

TEST_F(WriterThreadTest, ATransactionHasNoMoreThanItsShare) {
    start({.batch_jobs = 10});
    auto release = occupy();
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(writer_->submit(job(i)));

    release.set_value();
    ASSERT_TRUE(writer_->flush(kLong));

    EXPECT_EQ(writer_->stats().commits, 11U);
}

TEST_F(WriterThreadTest, WhatMayBeLostWaitsForCompany) {
    start({.linger = 1h});
    ASSERT_TRUE(writer_->submit(job(1)));
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(writer_->stats().written, 0U);

    std::promise<void> written;
    auto last = job(2, Loss::forbidden);
    last.done = [&](const Result<void>&) { written.set_value(); };
    ASSERT_TRUE(writer_->submit(std::move(last)));

    ASSERT_EQ(written.get_future().wait_for(kLong), std::future_status::ready);
    EXPECT_THAT(stored(), ElementsAre(1, 2));
}

TEST_F(WriterThreadTest, ButNotForLongerThanItsTime) {
    start({.linger = 1ms});
    std::promise<void> written;
    auto only = job(1);
    only.done = [&](const Result<void>&) { written.set_value(); };

    ASSERT_TRUE(writer_->submit(std::move(only)));

    EXPECT_EQ(written.get_future().wait_for(kLong), std::future_status::ready);
}

TEST_F(WriterThreadTest, WhenFullTheOldestThatMayBeLostGivesWay) {
    start({.max_jobs = 3});
    auto release = occupy();
    EXPECT_TRUE(writer_->submit(job(1, Loss::forbidden)));
    EXPECT_TRUE(writer_->submit(job(2)));
    EXPECT_TRUE(writer_->submit(job(3)));

    EXPECT_TRUE(writer_->submit(job(4)));
    EXPECT_TRUE(writer_->submit(job(5, Loss::forbidden)));

    EXPECT_THAT(failed_, ElementsAre(2, 3));
    EXPECT_THAT(codes_, ElementsAre(Errc::overloaded));
    release.set_value();
    ASSERT_TRUE(writer_->flush(kLong));
    EXPECT_THAT(committed_, ElementsAre(1, 4, 5));
    EXPECT_EQ(writer_->stats().dropped, 2U);
}

TEST_F(WriterThreadTest, TheBoundIsOnBytesToo) {
    start({.max_bytes = 25});
    auto release = occupy();
    EXPECT_TRUE(writer_->submit(job(1)));
    EXPECT_TRUE(writer_->submit(job(2)));
    EXPECT_EQ(writer_->stats().queued_bytes, 20U);

    EXPECT_TRUE(writer_->submit(job(3)));
    auto giant = job(4);
    giant.bytes = 26;
    EXPECT_FALSE(writer_->submit(std::move(giant)));

    EXPECT_THAT(failed_, ElementsAre(1));
    EXPECT_EQ(writer_->stats().queued, 2U);
    release.set_value();
}

TEST_F(WriterThreadTest, WhatMayNotBeLostIsRefusedWhenThereIsNoRoom) {
    start({.max_jobs = 2});
    auto release = occupy();
    EXPECT_TRUE(writer_->submit(job(1, Loss::forbidden)));
    EXPECT_TRUE(writer_->submit(job(2, Loss::forbidden)));

    const auto third = writer_->submit(job(3, Loss::forbidden));
    const auto fourth = writer_->submit(job(4));

    ASSERT_FALSE(third);
    EXPECT_EQ(third.error().code, Errc::overloaded);
    EXPECT_FALSE(fourth);
    EXPECT_TRUE(failed_.empty());
    release.set_value();
    ASSERT_TRUE(writer_->flush(kLong));
    EXPECT_THAT(stored(), ElementsAre(1, 2));
    EXPECT_EQ(writer_->stats().refused, 2U);
}

TEST_F(WriterThreadTest, AWrongJobFailsAlone) {
    start();
    auto release = occupy();
    for (const int number : {1, 2, 2, 3}) ASSERT_TRUE(writer_->submit(job(number)));
    auto thrower = job(4);
    thrower.run = [](Database&) -> Result<void> { throw std::runtime_error("by mistake"); };
    ASSERT_TRUE(writer_->submit(std::move(thrower)));

    release.set_value();
    ASSERT_TRUE(writer_->flush(kLong));

    EXPECT_THAT(committed_, ElementsAre(1, 2, 3));
    EXPECT_THAT(failed_, ElementsAre(2, 4));
    EXPECT_THAT(stored(), ElementsAre(1, 2, 3));
    EXPECT_EQ(writer_->stats().failed, 2U);
    EXPECT_THAT(reports_, ElementsAre(Kind::rejected));
}

TEST_F(WriterThreadTest, AFailureOfTheFileIsToldOnceAndOvercome) {
    start({.first_retry = 1ms, .longest_retry = 2ms});
    std::atomic<int> runs = 0;
    auto unlucky = job(1);
    unlucky.run = [&](Database& database) -> Result<void> {
        if (auto inserted = insert(database, 1); !inserted) return inserted;
        if (++runs < 5) return fail(Errc::overloaded, "disk full");
        return {};
    };
    ASSERT_TRUE(writer_->submit(std::move(unlucky)));

    ASSERT_TRUE(writer_->flush(kLong));

    EXPECT_EQ(runs, 5);
    EXPECT_THAT(committed_, ElementsAre(1));
    EXPECT_THAT(reports_, ElementsAre(Kind::failing, Kind::recovered));
    EXPECT_FALSE(writer_->stats().failing);
}

TEST_F(WriterThreadTest, WhatCannotBeWrittenInTimeHasFailed) {
    start({.first_retry = 1ms, .retry_for = 20ms});
    auto hopeless = job(1);
    hopeless.run = [](Database&) -> Result<void> { return fail(Errc::overloaded, "disk full"); };
    ASSERT_TRUE(writer_->submit(std::move(hopeless)));

    ASSERT_TRUE(writer_->flush(kLong));

    EXPECT_THAT(failed_, ElementsAre(1));
    EXPECT_THAT(codes_, ElementsAre(Errc::overloaded));
    EXPECT_EQ(writer_->stats().failed, 1U);
    EXPECT_TRUE(writer_->stats().failing);

    ASSERT_TRUE(writer_->submit(job(2)));
    ASSERT_TRUE(writer_->flush(kLong));
    EXPECT_THAT(reports_, ElementsAre(Kind::failing, Kind::recovered));
}

TEST_F(WriterThreadTest, FlushSaysWhenItWasNotInTime) {
    start();
    auto release = occupy();

    EXPECT_FALSE(writer_->flush(1ms));

    release.set_value();
    EXPECT_TRUE(writer_->flush(kLong));
}

TEST_F(WriterThreadTest, StoppingWritesWhatWaits) {
    start({.linger = 1h});
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(writer_->submit(job(i)));

    writer_->stop(kLong);

    EXPECT_EQ(committed_.size(), 10U);
    EXPECT_EQ(stored().size(), 10U);
    const auto late = writer_->submit(job(11));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Errc::cancelled);
}

TEST_F(WriterThreadTest, StoppingDropsWhatCannotBeWrittenInTime) {
    start({.batch_jobs = 1, .first_retry = 1ms, .retry_for = 1h});
    auto hopeless = job(1);
    hopeless.run = [](Database&) -> Result<void> { return fail(Errc::overloaded, "disk full"); };
    ASSERT_TRUE(writer_->submit(std::move(hopeless)));
    ASSERT_TRUE(writer_->submit(job(2)));

    writer_->stop(30ms);

    EXPECT_THAT(failed_, ElementsAre(1, 2));
    EXPECT_THAT(codes_, testing::UnorderedElementsAre(Errc::overloaded, Errc::cancelled));
    EXPECT_TRUE(stored().empty());
}

TEST_F(WriterThreadTest, AnotherProcessLocksTheFileForAWhile) {
    start({.first_retry = 1ms, .lock_timeout = 5ms});
    Database other = open();
    ASSERT_TRUE(other.begin());
    ASSERT_TRUE(writer_->submit(job(1)));
    EXPECT_FALSE(writer_->flush(50ms));

    ASSERT_TRUE(other.commit());

    ASSERT_TRUE(writer_->flush(kLong));
    EXPECT_THAT(stored(), ElementsAre(1));
}

TEST_F(WriterThreadTest, TicksComeWhileThereIsNothingToDo) {
    std::latch ticks(3);
    std::atomic<int> left = 3;
    start({.tick =
               [&] {
                   if (left.fetch_sub(1) > 0) ticks.count_down();
               },
           .tick_every = 1ms});

    ticks.wait();
}

TEST_F(WriterThreadTest, ManyThreadsSubmitAtOnce) {
    constexpr int kThreads = 4;
    constexpr int kJobs = 500;
    start({.linger = 0ms});
    {
        std::vector<std::jthread> threads;
        threads.reserve(kThreads);
        for (int thread = 0; thread < kThreads; ++thread) {
            threads.emplace_back([this, thread] {
                for (int i = 0; i < kJobs; ++i) {
                    const auto loss = i % 2 == 0 ? Loss::forbidden : Loss::allowed;
                    EXPECT_TRUE(writer_->submit(job(thread * kJobs + i, loss)));
                    if (i % 100 == 0) (void)writer_->stats();
                }
            });
        }
    }
    ASSERT_TRUE(writer_->flush(kLong));

    EXPECT_EQ(committed_.size(), static_cast<std::size_t>(kThreads) * kJobs);
    EXPECT_EQ(stored().size(), committed_.size());
}

TEST_F(WriterThreadTest, AFullDiskLosesNothingThatWasSubmittedWhileSpaceReturns) {
    const pid_t child = start_child([this] {
        (void)::signal(SIGXFSZ, SIG_IGN);
        start({.first_retry = 1ms, .longest_retry = 5ms});
        const rlimit full{.rlim_cur = 4096, .rlim_max = RLIM_INFINITY};
        const rlimit free{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
        ::setrlimit(RLIMIT_FSIZE, &full);
        for (int i = 0; i < 100; ++i) {
            if (!writer_->submit(job(i, Loss::forbidden))) return 1;
        }
        if (writer_->flush(50ms)) return 2;
        if (!writer_->stats().failing) return 3;
        ::setrlimit(RLIMIT_FSIZE, &free);
        if (!writer_->flush(kLong)) return 4;
        if (writer_->stats().failing) return 5;
        return stored().size() == 100 ? 0 : 6;
    });
    EXPECT_EQ(wait_for(child), 0);
}

/// CD-1, as far as it is the writer's: what was acknowledged is there after a SIGKILL.
TEST_F(WriterThreadTest, NothingThatWasAcknowledgedIsLostByAKill) {
    constexpr int kRounds = 20;
    std::mt19937 random(7);
    std::set<std::int64_t> acknowledged;
    for (int round = 0; round < kRounds; ++round) {
        std::array<int, 2> pipe{};
        ASSERT_EQ(::pipe(pipe.data()), 0);
        const pid_t child = start_child([&] {
            start();
            for (std::int64_t i = 0; i < 1'000'000; ++i) {
                const std::int64_t number = std::int64_t{1'000'000} * round + i;
                auto next = job(number, Loss::forbidden);
                next.done = [&pipe, number](const Result<void>& result) {
                    if (result && ::write(pipe[1], &number, sizeof number) < 0) ::_exit(3);
                };
                if (!writer_->submit(std::move(next))) return 1;
                if (i % 64 == 0 && !writer_->flush(kLong)) return 2;
            }
            return 0;
        });
        ::close(pipe[1]);
        std::int64_t number = 0;
        ASSERT_EQ(::read(pipe[0], &number, sizeof number), static_cast<ssize_t>(sizeof number));
        acknowledged.insert(number);
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 20'000));
        ::kill(child, SIGKILL);
        while (::read(pipe[0], &number, sizeof number) > 0) acknowledged.insert(number);
        ::close(pipe[0]);
        EXPECT_EQ(wait_for(child), 128 + SIGKILL);

        Database database = open();
        auto query = database.query("PRAGMA integrity_check");
        ASSERT_TRUE(query && query->next().value_or(false));
        EXPECT_EQ(query->text(0), "ok");
    }
    const auto there = stored();
    for (const std::int64_t number : acknowledged) {
        EXPECT_TRUE(std::ranges::binary_search(there, number)) << number;
    }
}

}  // namespace
}  // namespace sluice::store
