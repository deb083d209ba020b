#include "store/state.h"

#include "store/test_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <random>
#include <string>
#include <sys/resource.h>
#include <thread>

namespace sluice::store {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

std::array<Key, 1> keys(std::uint8_t number) {
    Key key{};
    key.fill(number);
    return {key};
}

class StateTest : public testing::Test {
protected:
    [[nodiscard]] std::unique_ptr<State> open() const {
        return State::open({.data_dir = data_dir_});
    }
    [[nodiscard]] std::string file() const { return data_dir_ + "/state.db"; }

    TestFolder folder_;
    std::string data_dir_ = folder_.file("data");
};

TEST_F(StateTest, ReasoningSurvivesARestart) {
    open()->reasoning().put(keys(1), "because");

    const auto state = open();

    EXPECT_THAT(state->notice(), IsEmpty());
    EXPECT_TRUE(state->is_persistent());
    EXPECT_EQ(state->reasoning().find(keys(1)[0]), "because");
    EXPECT_EQ(mode_of(data_dir_), 0700U);
    EXPECT_EQ(mode_of(file()), 0600U);
}

TEST_F(StateTest, WhatHasExpiredGoesByItself) {
    std::atomic<std::int64_t> hours = 500'000;
    const auto clock = [&hours] {
        return std::chrono::system_clock::time_point(std::chrono::hours(hours.load()));
    };
    const auto state = State::open(
        {.data_dir = data_dir_, .reasoning = {.clock = clock}, .writer = {.tick_every = 1ms}});
    state->reasoning().put(keys(1), "because");

    hours += 25;

    const auto give_up = std::chrono::steady_clock::now() + 30s;
    while (state->reasoning().stats().texts > 0 && std::chrono::steady_clock::now() < give_up) {
        std::this_thread::sleep_for(1ms);
    }
    EXPECT_EQ(state->reasoning().stats().texts, 0U);
}

TEST_F(StateTest, WithoutAFolderNothingIsKept) {
    const auto state = State::open({});

    EXPECT_FALSE(state->is_persistent());
    EXPECT_THAT(state->notice(), IsEmpty());
    state->reasoning().put(keys(1), "because");
    EXPECT_TRUE(state->reasoning().find(keys(1)[0]));
    state->stop(1s);
    EXPECT_EQ(state->writer_stats().written, 0U);
}

TEST_F(StateTest, AFolderThatCannotBeMadeIsToldAndLeavesMemory) {
    write_all(data_dir_, "a file in its place");

    const auto state = open();

    EXPECT_FALSE(state->is_persistent());
    EXPECT_THAT(state->notice(), HasSubstr("nothing is kept over a restart"));
    EXPECT_THAT(state->notice(), HasSubstr(data_dir_));
    state->reasoning().put(keys(1), "because");
    EXPECT_TRUE(state->reasoning().find(keys(1)[0]));
}

TEST_F(StateTest, ADamagedFileIsSetAsideAndToldOf) {
    open()->reasoning().put(keys(1), "because");
    write_all(file(), std::string(10'000, 'z'));

    const auto state = open();

    EXPECT_TRUE(state->is_persistent());
    EXPECT_THAT(state->notice(), HasSubstr("begun anew"));
    EXPECT_THAT(state->notice(), HasSubstr(file() + ".damaged"));
    EXPECT_EQ(read_all(file() + ".damaged"), std::string(10'000, 'z'));
    state->reasoning().put(keys(2), "works");
    state->stop(30s);
    EXPECT_EQ(state->writer_stats().failed, 0U);
    EXPECT_TRUE(open()->reasoning().find(keys(2)[0]));
}

TEST_F(StateTest, DamageInsideOfTheFileIsSetAsideAndToldOf) {
    {
        const auto state = open();
        for (std::uint8_t i = 0; i < 200; ++i) {
            state->reasoning().put(keys(i), std::string(3000, static_cast<char>(i)));
        }
    }
    std::string bytes = read_all(file());
    ASSERT_GT(bytes.size(), 500'000U);
    for (std::size_t at = 8192; at + 4096 <= bytes.size(); at += 8192) {
        bytes.replace(at, 4096, std::string(4096, '\x55'));
    }
    write_all(file(), bytes);

    const auto state = open();

    EXPECT_TRUE(state->is_persistent());
    EXPECT_THAT(state->notice(), HasSubstr(file() + ".damaged"));
    state->reasoning().put(keys(250), "works");
    state->stop(30s);
    EXPECT_EQ(state->writer_stats().failed, 0U);
    EXPECT_TRUE(open()->reasoning().find(keys(250)[0]));
}

TEST_F(StateTest, AFlippedByteAnywhereIsNeverFatal) {
    {
        const auto state = open();
        for (std::uint8_t i = 0; i < 10; ++i) {
            state->reasoning().put(keys(i), std::string(3000, static_cast<char>('a' + i)));
        }
    }
    const std::string sound = read_all(file());
    std::mt19937 random(3);
    for (int round = 0; round < 60; ++round) {
        std::string bytes = sound;
        const std::size_t at = round < 30 ? random() % 200 : random() % bytes.size();
        bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(1U << (random() % 8)));
        for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(file() + suffix);
        write_all(file(), bytes);

        const auto state = open();

        state->reasoning().put(keys(100), "still here");
        EXPECT_TRUE(state->reasoning().find(keys(100)[0]));
    }
}

TEST_F(StateTest, ANewerFileIsLeftAloneAndToldOf) {
    open()->reasoning().put(keys(1), "because");
    {
        auto database = Database::open({.path = file(),
                                        .application_id = 0x736c7374,
                                        .migrations = ReasoningStore::migrations()});
        ASSERT_TRUE(database) << database.error().message;
        ASSERT_TRUE(database->execute("PRAGMA user_version = 99"));
    }

    const auto state = open();

    EXPECT_FALSE(state->is_persistent());
    EXPECT_THAT(state->notice(), HasSubstr("has schema version 99"));
    EXPECT_FALSE(std::filesystem::exists(file() + ".damaged"));
}

TEST_F(StateTest, TwoGatewaysShareAFile) {
    const auto first = open();
    const auto second = open();
    for (std::uint8_t i = 0; i < 100; i += 2) {
        first->reasoning().put(keys(i), "first's");
        second->reasoning().put(keys(static_cast<std::uint8_t>(i + 1)), "second's");
    }
    first->stop(30s);
    second->stop(30s);
    EXPECT_EQ(first->writer_stats().failed + second->writer_stats().failed, 0U);

    const auto third = open();

    EXPECT_EQ(third->reasoning().stats().texts, 100U);
}

TEST_F(StateTest, AKillLosesNothingThatWasWrittenAndDamagesNothing) {
    std::mt19937 random(11);
    for (int round = 0; round < 10; ++round) {
        std::array<int, 2> pipe{};
        ASSERT_EQ(::pipe(pipe.data()), 0);
        const pid_t child = start_child([&] {
            const auto state = open();
            if (!state->is_persistent()) return 1;
            state->reasoning().put(keys(static_cast<std::uint8_t>(round)), "written");
            while (state->writer_stats().written < 1) std::this_thread::sleep_for(1ms);
            if (::write(pipe[1], "w", 1) != 1) return 2;
            for (std::uint64_t i = 0;; ++i) {
                Key key{};
                key[0] = static_cast<std::uint8_t>(i);
                key[9] = static_cast<std::uint8_t>(i >> 8U);
                key[31] = 200;
                state->reasoning().put({&key, 1}, std::string(5000, 'x'));
                if (i % 100 == 0) std::this_thread::sleep_for(1ms);
            }
        });
        char told = 0;
        ASSERT_EQ(::read(pipe[0], &told, 1), 1);
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 30'000));
        ::kill(child, SIGKILL);
        EXPECT_EQ(wait_for(child), 128 + SIGKILL);
        ::close(pipe[0]);
        ::close(pipe[1]);

        const auto state = open();
        EXPECT_THAT(state->notice(), IsEmpty());
        EXPECT_EQ(state->reasoning().find(keys(static_cast<std::uint8_t>(round))[0]), "written");
    }
}

TEST_F(StateTest, AFullDiskIsSurvived) {
    const pid_t child = start_child([this] {
        (void)::signal(SIGXFSZ, SIG_IGN);
        const rlimit full{.rlim_cur = 40'000, .rlim_max = RLIM_INFINITY};
        ::setrlimit(RLIMIT_FSIZE, &full);
        const auto state =
            State::open({.data_dir = data_dir_, .writer = {.first_retry = 1ms, .retry_for = 20ms}});
        for (std::uint8_t i = 0; i < 100; ++i) {
            state->reasoning().put(keys(i), std::string(5000, 'x'));
        }
        for (std::uint8_t i = 0; i < 100; ++i) {
            if (!state->reasoning().find(keys(i)[0])) return 1;
        }
        state->stop(5s);
        return 0;
    });
    EXPECT_EQ(wait_for(child), 0);
    EXPECT_THAT(open()->notice(), IsEmpty());
}

}  // namespace
}  // namespace sluice::store
