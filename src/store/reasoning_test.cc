#include "store/reasoning.h"

#include "store/test_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

namespace sluice::store {
namespace {

using namespace std::chrono_literals;
using testing::Optional;
using TimePoint = std::chrono::system_clock::time_point;

constexpr std::size_t kMiB = 1024UL * 1024;

/// Spread over all its bytes, as a digest is.
Key key(std::uint64_t number) {
    std::mt19937_64 random(number);
    Key made;
    for (std::size_t at = 0; at < made.size(); at += sizeof(std::uint64_t)) {
        const std::uint64_t bits = random();
        std::memcpy(made.data() + at, &bits, sizeof bits);
    }
    return made;
}

std::vector<Key> keys(std::initializer_list<std::uint64_t> numbers) {
    std::vector<Key> made;
    for (const std::uint64_t number : numbers) made.push_back(key(number));
    return made;
}

class ReasoningTest : public testing::Test {
protected:
    [[nodiscard]] ReasoningOptions options(std::size_t max_bytes = kMiB) {
        return {.max_bytes = max_bytes,
                .clock = [this] { return TimePoint(std::chrono::milliseconds(now_ms_.load())); }};
    }
    void pass(std::chrono::milliseconds time) { now_ms_ += time.count(); }

    void put(ReasoningStore& store, std::uint64_t number, std::string_view text) {
        store.put(keys({number}), text);
        pass(1s);
    }

    std::atomic<std::int64_t> now_ms_ = 1'790'000'000'000;
};

TEST_F(ReasoningTest, ATextIsFoundUnderEachOfItsKeys) {
    ReasoningStore store(options());
    const auto three = keys({1, 2, 3});

    store.put(three, "because");

    for (const Key& each : three) EXPECT_THAT(store.find(each), Optional(std::string("because")));
    EXPECT_EQ(store.find(key(4)), std::nullopt);
    EXPECT_EQ(store.stats().texts, 1U);
    EXPECT_EQ(store.stats().hits, 3U);
    EXPECT_EQ(store.stats().misses, 1U);
}

TEST_F(ReasoningTest, NothingIsKeptWithoutATextOrAKey) {
    ReasoningStore store(options());
    store.put(keys({1}), "");
    store.put({}, "text");

    EXPECT_EQ(store.find(key(1)), std::nullopt);
    EXPECT_EQ(store.stats().texts, 0U);
}

TEST_F(ReasoningTest, AKeyLeadsToTheLatestText) {
    ReasoningStore store(options());
    store.put(keys({1, 2}), "first");

    store.put(keys({2, 3}), "second");

    EXPECT_THAT(store.find(key(1)), Optional(std::string("first")));
    EXPECT_THAT(store.find(key(2)), Optional(std::string("second")));
    EXPECT_EQ(store.stats().texts, 2U);
}

TEST_F(ReasoningTest, ATextWithoutKeysIsForgotten) {
    ReasoningStore store(options());
    store.put(keys({1, 2}), "first");
    store.put(keys({2}), "second");

    store.put(keys({1}), "third");

    EXPECT_EQ(store.stats().texts, 2U);
    EXPECT_THAT(store.find(key(1)), Optional(std::string("third")));
    EXPECT_THAT(store.find(key(2)), Optional(std::string("second")));
}

TEST_F(ReasoningTest, TheSameAgainIsNotKeptTwice) {
    ReasoningStore store(options());
    store.put(keys({1, 2}), "same");
    const auto before = store.stats();

    store.put(keys({1, 2}), "same");

    EXPECT_EQ(store.stats().texts, 1U);
    EXPECT_EQ(store.stats().bytes, before.bytes);
}

TEST_F(ReasoningTest, AKeyNamedTwiceIsOne) {
    ReasoningStore store(options());
    store.put(keys({1, 1}), "once");
    EXPECT_THAT(store.find(key(1)), Optional(std::string("once")));

    store.put(keys({1}), "later");

    EXPECT_THAT(store.find(key(1)), Optional(std::string("later")));
    EXPECT_EQ(store.stats().texts, 1U);
}

TEST_F(ReasoningTest, WhatWasUsedLongestAgoGoesFirst) {
    ReasoningStore store(options(100'000));
    const std::string text(10'000, 'x');
    for (std::uint64_t i = 0; i < 9; ++i) put(store, i, text);
    ASSERT_EQ(store.stats().texts, 9U);
    ASSERT_TRUE(store.find(key(0)));
    pass(1s);

    put(store, 9, text);
    put(store, 10, text);

    EXPECT_EQ(store.stats().evicted, 2U);
    EXPECT_EQ(store.find(key(1)), std::nullopt);
    EXPECT_EQ(store.find(key(2)), std::nullopt);
    for (const std::uint64_t left : {0U, 3U, 4U, 5U, 6U, 7U, 8U, 9U, 10U}) {
        EXPECT_TRUE(store.find(key(left))) << left;
    }
}

TEST_F(ReasoningTest, EveryUseCountsAmongMany) {
    constexpr std::uint64_t kTexts = 300;
    ReasoningStore store(options(500'000));
    const std::string text(800, 'x');
    for (std::uint64_t i = 0; i < kTexts; ++i) put(store, i, text);
    ASSERT_EQ(store.stats().texts, kTexts);
    for (std::uint64_t i = 0; i < kTexts; i += 3) {
        ASSERT_TRUE(store.find(key(i)));
        pass(1s);
    }

    std::uint64_t next = kTexts;
    while (store.stats().evicted < 2 * kTexts / 3) put(store, next++, text);

    for (std::uint64_t i = 0; i < kTexts; ++i) {
        EXPECT_EQ(store.find(key(i)).has_value(), i % 3 == 0) << i;
    }
}

TEST_F(ReasoningTest, PuttingTheSameAgainIsAUse) {
    ReasoningStore store(options(100'000));
    const std::string text(10'000, 'x');
    for (std::uint64_t i = 0; i < 9; ++i) put(store, i, text);

    put(store, 0, text);
    put(store, 9, text);

    EXPECT_TRUE(store.find(key(0)));
    EXPECT_EQ(store.find(key(1)), std::nullopt);
}

TEST_F(ReasoningTest, TheBoundHoldsForSmallTextsWithTheirKeysToo) {
    ReasoningStore store(options(200'000));

    for (std::uint64_t i = 0; i < 5000; ++i) put(store, i, "x");

    EXPECT_LE(store.stats().bytes, 200'000U);
    EXPECT_GT(store.stats().texts, 300U);
    EXPECT_TRUE(store.find(key(4999)));
    EXPECT_EQ(store.stats().texts + store.stats().evicted, 5000U);
}

TEST_F(ReasoningTest, ATextThatWouldCrowdOutTheOthersIsNotTaken) {
    ReasoningStore store(options(80'000));
    put(store, 1, "small");

    put(store, 2, std::string(10'000, 'x'));

    EXPECT_EQ(store.find(key(2)), std::nullopt);
    EXPECT_TRUE(store.find(key(1)));
    EXPECT_EQ(store.stats().too_large, 1U);
}

TEST_F(ReasoningTest, ATextExpiresADayAfterItsLastUse) {
    ReasoningStore store(options());
    put(store, 1, "used");
    put(store, 2, "not used");
    pass(23h);
    EXPECT_TRUE(store.find(key(1)));

    pass(2h);

    EXPECT_TRUE(store.find(key(1)));
    EXPECT_EQ(store.find(key(2)), std::nullopt);
    EXPECT_EQ(store.stats().texts, 1U);
    pass(25h);
    store.expire();
    EXPECT_EQ(store.stats().texts, 0U);
    EXPECT_EQ(store.stats().bytes, 0U);
    EXPECT_EQ(store.stats().expired, 2U);
}

TEST_F(ReasoningTest, PuttingFreesWhatHasExpired) {
    ReasoningStore store(options());
    for (std::uint64_t i = 0; i < 20; ++i) put(store, i, "x");
    pass(25h);

    for (std::uint64_t i = 100; i < 103; ++i) put(store, i, "x");

    EXPECT_EQ(store.stats().texts, 3U);
}

TEST_F(ReasoningTest, AClockThatIsSetBackLosesNothing) {
    ReasoningStore store(options());
    put(store, 1, "one");
    pass(-1h);

    put(store, 2, "two");

    EXPECT_TRUE(store.find(key(1)));
    EXPECT_TRUE(store.find(key(2)));
}

/// With a file and a writer, as a gateway has them.
class ReasoningFileTest : public ReasoningTest {
protected:
    struct Running {
        explicit Running(ReasoningOptions options) : store(std::move(options)) {}
        ReasoningStore store;
        std::unique_ptr<WriterThread> writer;  // ends first
    };

    [[nodiscard]] Database open() const {
        auto database = Database::open({.path = folder_.file("state.db"),
                                        .application_id = 1,
                                        .migrations = ReasoningStore::migrations()});
        if (!database) throw std::runtime_error(database.error().message);
        return *std::move(database);
    }
    std::unique_ptr<Running> run(std::size_t max_bytes = kMiB, WriterOptions writing = {}) {
        auto running = std::make_unique<Running>(options(max_bytes));
        Database database = open();
        EXPECT_TRUE(running->store.load(database));
        running->writer = std::make_unique<WriterThread>(std::move(database), std::move(writing));
        running->store.persist(*running->writer);
        return running;
    }
    [[nodiscard]] std::int64_t rows() const {
        Database database = open();
        auto query = database.query("SELECT count(*) FROM reasoning");
        return query && query->next().value_or(false) ? query->integer(0) : -1;
    }
    void alter(Sql sql) const {
        Database database = open();
        const auto altered = database.execute(sql);
        ASSERT_TRUE(altered) << altered.error().message;
    }

    TestFolder folder_;
};

TEST_F(ReasoningFileTest, TextsAreThereAfterARestart) {
    const std::string text("a\0b \xf0\x9f\x8c\x8a", 8);
    run()->store.put(keys({1, 2}), text);

    const auto again = run();

    EXPECT_THAT(again->store.find(key(1)), Optional(text));
    EXPECT_THAT(again->store.find(key(2)), Optional(text));
    EXPECT_EQ(again->store.stats().texts, 1U);
}

TEST_F(ReasoningFileTest, EvictedTextsLeaveTheFile) {
    {
        const auto running = run(100'000);
        for (std::uint64_t i = 0; i < 50; ++i) put(running->store, i, std::string(10'000, 'x'));
        EXPECT_EQ(running->store.stats().texts, 9U);
    }
    EXPECT_EQ(rows(), 9);
}

TEST_F(ReasoningFileTest, TheLastUsedAreLoadedUpToTheBoundAndTheRestIsDeleted) {
    {
        const auto running = run();
        for (std::uint64_t i = 0; i < 20; ++i) put(running->store, i, std::string(10'000, 'x'));
    }
    {
        const auto smaller = run(100'000);
        EXPECT_EQ(smaller->store.stats().texts, 9U);
        for (std::uint64_t i = 0; i < 20; ++i) {
            EXPECT_EQ(smaller->store.find(key(i)).has_value(), i >= 11) << i;
        }
    }
    EXPECT_EQ(rows(), 9);
}

TEST_F(ReasoningFileTest, TheOrderOfUseSurvivesARestart) {
    {
        const auto running = run(100'000);
        for (std::uint64_t i = 0; i < 9; ++i) put(running->store, i, std::string(10'000, 'x'));
        pass(2h);
        EXPECT_TRUE(running->store.find(key(0)));
        pass(1s);
    }
    const auto again = run(100'000);

    put(again->store, 9, std::string(10'000, 'x'));

    EXPECT_TRUE(again->store.find(key(0)));
    EXPECT_EQ(again->store.find(key(1)), std::nullopt);
}

TEST_F(ReasoningFileTest, AKeyLeadsToTheLatestTextAfterARestart) {
    {
        const auto running = run();
        running->store.put(keys({1, 2}), "first");
        pass(1s);
        running->store.put(keys({2}), "second");
    }
    const auto again = run();

    EXPECT_THAT(again->store.find(key(1)), Optional(std::string("first")));
    EXPECT_THAT(again->store.find(key(2)), Optional(std::string("second")));
}

TEST_F(ReasoningFileTest, TheLatestTextIsTheOnePutLastThoughTheClockWasSetBack) {
    run()->store.put(keys({1, 2}), "first");
    pass(-48h);
    run()->store.put(keys({2}), "second");

    const auto again = run();

    EXPECT_THAT(again->store.find(key(2)), Optional(std::string("second")));
}

TEST_F(ReasoningFileTest, TheLatestTextIsTheOnePutLastNotTheOneUsedLast) {
    {
        const auto running = run();
        running->store.put(keys({1, 2}), "first");
        pass(1s);
        running->store.put(keys({2}), "second");
        pass(2h);
        EXPECT_TRUE(running->store.find(key(1)));  // the first is now the last used
    }
    const auto again = run();

    EXPECT_THAT(again->store.find(key(1)), Optional(std::string("first")));
    EXPECT_THAT(again->store.find(key(2)), Optional(std::string("second")));
}

TEST_F(ReasoningFileTest, TextsThatLostAllTheirKeysLeaveTheFile) {
    {
        const auto running = run();
        running->store.put(keys({1}), "first");
        running->store.put(keys({1}), "second");
    }
    EXPECT_EQ(rows(), 1);
    EXPECT_THAT(run()->store.find(key(1)), Optional(std::string("second")));
}

TEST_F(ReasoningFileTest, WhatHasExpiredIsNeitherLoadedNorLeftInTheFile) {
    put(run()->store, 1, "old");
    pass(25h);
    {
        const auto again = run();
        EXPECT_EQ(again->store.find(key(1)), std::nullopt);
    }
    EXPECT_EQ(rows(), 0);
}

TEST_F(ReasoningFileTest, RowsThatNobodyKnowsLeaveTheFileInTime) {
    const auto running = run();
    {
        const auto other = run();  // as by another process
        put(other->store, 1, "theirs");
    }
    ASSERT_EQ(rows(), 1);
    running->store.expire();
    pass(27h);

    running->store.expire();

    ASSERT_TRUE(running->writer->flush(30s));
    EXPECT_EQ(rows(), 0);
}

TEST_F(ReasoningFileTest, RowsThatMakeNoSenseAreDeleted) {
    put(run()->store, 1, "good");
    alter("INSERT INTO reasoning VALUES (1, 1790000000000, x'0102', x'41')");
    alter("INSERT INTO reasoning VALUES (2, 1790000000000, x'', x'41')");
    alter("INSERT INTO reasoning VALUES (3, 1790000000000, zeroblob(32), x'')");
    alter("INSERT INTO reasoning VALUES (4, 1790000000000, zeroblob(32000), x'41')");
    alter("INSERT INTO reasoning VALUES (5, 1790000000000, zeroblob(32), zeroblob(900000))");

    const auto again = run();

    EXPECT_EQ(again->store.stats().texts, 1U);
    EXPECT_TRUE(again->store.find(key(1)));
    ASSERT_TRUE(again->writer->flush(30s));
    EXPECT_EQ(rows(), 1);
}

TEST_F(ReasoningFileTest, TextsOfTheFutureAreOfToday) {
    put(run()->store, 1, "from tomorrow");
    pass(-48h);

    const auto again = run();
    put(again->store, 2, "today");

    EXPECT_TRUE(again->store.find(key(1)));
    pass(25h);
    EXPECT_EQ(again->store.find(key(1)), std::nullopt);
}

TEST_F(ReasoningFileTest, AHundredThousandTextsComeAndGo) {
    constexpr std::uint64_t kTexts = 100'000;
    {
        const auto running = run(256 * kMiB);
        for (std::uint64_t i = 0; i < kTexts; ++i) {
            running->store.put(keys({i}), std::to_string(i));
            if (i % 1000 == 0) {
                ASSERT_TRUE(running->writer->flush(60s));
            }
        }
        EXPECT_EQ(running->store.stats().texts, kTexts);
    }
    EXPECT_EQ(rows(), static_cast<std::int64_t>(kTexts));

    const auto again = run(256 * kMiB);

    EXPECT_EQ(again->store.stats().texts, kTexts);
    for (std::uint64_t i = 0; i < kTexts; i += 997) {
        EXPECT_THAT(again->store.find(key(i)), Optional(std::to_string(i)));
    }
}

TEST_F(ReasoningFileTest, ThreadsPutFindAndExpireAtOnce) {
    constexpr int kThreads = 4;
    constexpr std::uint64_t kRounds = 3000;
    {
        const auto running = run(200'000, {.max_jobs = 1'000'000, .max_bytes = 1024 * kMiB});
        ReasoningStore& store = running->store;
        {
            std::vector<std::jthread> threads;
            threads.reserve(kThreads);
            for (int thread = 0; thread < kThreads; ++thread) {
                threads.emplace_back([&, thread] {
                    std::mt19937_64 random(static_cast<std::uint64_t>(thread));
                    for (std::uint64_t i = 0; i < kRounds; ++i) {
                        // Few keys, so that threads take them from each other.
                        const std::uint64_t a = random() % 400;
                        const std::uint64_t b = random() % 400;
                        const std::string text = std::to_string(a) + "," + std::to_string(b) +
                                                 std::string(random() % 2000, '.');
                        store.put(keys({a, b}), text);
                        const std::uint64_t wanted = random() % 400;
                        if (const auto found = store.find(key(wanted))) {
                            const std::string name = std::to_string(wanted);
                            EXPECT_TRUE(found->starts_with(name + ",") ||
                                        found->contains("," + name))
                                << *found;
                        }
                        pass(1min);
                        if (i % 100 == 0) store.expire();
                        if (i % 100 == 50) (void)store.stats();
                    }
                });
            }
        }
        EXPECT_LE(store.stats().bytes, 200'000U);
        ASSERT_TRUE(running->writer->flush(60s));
        EXPECT_EQ(running->writer->stats().failed, 0U);
        EXPECT_EQ(running->writer->stats().dropped, 0U);
        EXPECT_EQ(rows(), static_cast<std::int64_t>(store.stats().texts));

        pass(48h);
        store.expire();
        EXPECT_EQ(store.stats().texts, 0U);
        EXPECT_EQ(store.stats().bytes, 0U);
    }
    EXPECT_EQ(rows(), 0);
}

}  // namespace
}  // namespace sluice::store
