#include "observe/log.h"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <array>
#include <fcntl.h>
#include <sstream>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace sluice::observe {
namespace {

using namespace std::chrono_literals;

/// A pipe whose reading end is read only when the test says so.
class Pipe {
public:
    Pipe() { EXPECT_EQ(pipe2(ends_.data(), O_CLOEXEC), 0); }
    ~Pipe() {
        close_reader();
        close(ends_[1]);
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;

    [[nodiscard]] int writer() const { return ends_[1]; }

    /// Everything that is there now.
    std::string read_all() const {
        std::string all;
        std::array<char, 4096> piece{};
        fcntl(ends_[0], F_SETFL, O_NONBLOCK);  // NOLINT(cppcoreguidelines-pro-type-vararg)
        for (ssize_t got = 0; (got = read(ends_[0], piece.data(), piece.size())) > 0;) {
            all.append(piece.data(), static_cast<std::size_t>(got));
        }
        return all;
    }

    void close_reader() {
        if (ends_[0] >= 0) close(ends_[0]);
        ends_[0] = -1;
    }

private:
    std::array<int, 2> ends_{};
};

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

TEST(LogTest, RecordsArriveAsJsonLinesInOrder) {
    const Pipe pipe;
    init_log({.fd = pipe.writer()});
    EXPECT_EQ(log_format(), LogFormat::json);  // a pipe is no terminal
    log_info("first", {{"text", "a\nb"}, {"number", 7}, {"ratio", 0.25}, {"flag", true}});
    log_error("second");
    log_debug("not at this level");
    shutdown_log();
    const auto lines = lines_of(pipe.read_all());
    ASSERT_EQ(lines.size(), 2);
    const auto first = boost::json::parse(lines[0]).as_object();
    EXPECT_EQ(first.at("message").as_string(), "first");
    EXPECT_EQ(first.at("text").as_string(), "a\nb");
    EXPECT_EQ(first.at("number").as_int64(), 7);
    EXPECT_EQ(first.at("ratio").as_double(), 0.25);
    EXPECT_TRUE(first.at("flag").as_bool());
    EXPECT_EQ(boost::json::parse(lines[1]).at("level").as_string(), "error");
}

TEST(LogTest, LevelDecidesWhatIsWritten) {
    const Pipe pipe;
    init_log({.level = LogLevel::error, .format = LogFormat::text, .fd = pipe.writer()});
    log_warn("hidden");
    EXPECT_FALSE(log_enabled(LogLevel::warn));
    set_log_level(LogLevel::debug);
    log_debug("shown");
    set_log_level(LogLevel::off);
    log_error("hidden too");
    EXPECT_FALSE(log_enabled(LogLevel::off));
    shutdown_log();
    set_log_level(LogLevel::info);
    const auto lines = lines_of(pipe.read_all());
    ASSERT_EQ(lines.size(), 1);
    EXPECT_TRUE(lines[0].ends_with(" debug shown")) << lines[0];
}

TEST(LogTest, LevelNamesAreReadInAnyCase) {
    EXPECT_EQ(log_level_from("DEBUG"), LogLevel::debug);
    EXPECT_EQ(log_level_from("Warning"), LogLevel::warn);
    EXPECT_EQ(log_level_from("off"), LogLevel::off);
    EXPECT_EQ(log_level_from("loud"), std::nullopt);
    EXPECT_EQ(log_level_from(""), std::nullopt);
}

TEST(LogTest, AStuckReaderCostsTheOldestRecordsAndNoWaiting) {
    Pipe pipe;
    const std::uint64_t dropped_before = log_dropped();
    init_log({.fd = pipe.writer(), .queue_records = 16});
    const std::string block(4096, 'x');
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 200; ++i) log_info(block, {{"i", i}});
    EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
    // 64 KiB fit in the pipe, 16 records in the queue, one is in the writer's hands.
    EXPECT_GT(log_dropped() - dropped_before, 150);
    std::thread reader([&] {
        std::this_thread::sleep_for(50ms);
        const auto deadline = std::chrono::steady_clock::now() + 1s;
        std::string text;
        while (!text.contains("\"i\":199}") && std::chrono::steady_clock::now() < deadline) {
            text += pipe.read_all();
        }
        EXPECT_TRUE(text.contains("\"i\":199}"));
    });
    shutdown_log();
    reader.join();
}

TEST(LogTest, ShutdownGivesUpOnAReaderThatNeverReads) {
    const Pipe pipe;
    init_log({.fd = pipe.writer()});
    const std::string block(8000, 'x');
    for (int i = 0; i < 100; ++i) log_info(block);
    const std::uint64_t dropped_before = log_dropped();
    const auto start = std::chrono::steady_clock::now();
    shutdown_log();
    EXPECT_LT(std::chrono::steady_clock::now() - start, 4s);
    EXPECT_GT(log_dropped(), dropped_before);
}

TEST(LogTest, AReaderThatLeavesDoesNotEndTheProgram) {
    Pipe pipe;
    init_log({.fd = pipe.writer()});
    pipe.close_reader();
    const std::uint64_t dropped_before = log_dropped();
    log_info("into the void");
    shutdown_log();
    EXPECT_EQ(log_dropped(), dropped_before + 1);
}

TEST(LogTest, ThreadsMayLogWhileTheLogStartsAndStops) {
    const Pipe pipe;
    init_log({.fd = pipe.writer(), .queue_records = 4096});
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([t] {
            for (int i = 0; i < 100; ++i) log_info("m", {{"thread", t}, {"i", i}});
        });
    }
    set_log_level(LogLevel::debug);
    (void)log_dropped();
    for (std::thread& thread : threads) thread.join();
    std::thread late([] {
        for (int i = 0; i < 3; ++i) log_debug("around the end of the log");
    });
    shutdown_log();
    late.join();
    set_log_level(LogLevel::info);
    const auto lines = lines_of(pipe.read_all());
    EXPECT_GE(lines.size(), 400);
    for (const std::string& line : lines) EXPECT_NO_THROW(boost::json::parse(line)) << line;
}

}  // namespace
}  // namespace sluice::observe
