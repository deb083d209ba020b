#include "observe/log.h"

#include "base/text.h"
#include "observe/log_line.h"

#include <spdlog/async.h>
#include <spdlog/sinks/sink.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <memory>
#include <poll.h>
#include <shared_mutex>
#include <string>
#include <unistd.h>
#include <utility>

namespace sluice::observe {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kTextLimit = 8UL * 1024;
constexpr auto kPatience = std::chrono::seconds(2);

/// A pipe that poll() calls writable has room for this much, so that write() will not block.
constexpr std::size_t kWriteBytes = 4096;

enum class Writable : std::uint8_t { now, not_yet, never };

Writable wait_writable(int fd) noexcept {
    pollfd waiting{.fd = fd, .events = POLLOUT, .revents = 0};
    const int ready = poll(&waiting, 1, 100);
    if (ready < 0) return errno == EINTR ? Writable::not_yet : Writable::never;
    if (ready == 0) return Writable::not_yet;
    return (waiting.revents & (POLLERR | POLLNVAL)) != 0 ? Writable::never : Writable::now;
}

/// Writes all of `text`, or returns false when the descriptor is dead or `expired()`.
template <class Expired>
bool write_fully(int fd, std::string_view text, const Expired& expired) {
    while (!text.empty()) {
        const Writable writable = wait_writable(fd);
        if (writable == Writable::never || (writable == Writable::not_yet && expired()))
            return false;
        if (writable == Writable::not_yet) continue;
        const ssize_t written = write(fd, text.data(), std::min(text.size(), kWriteBytes));
        if (written > 0) {
            text.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno != EINTR && errno != EAGAIN) {
            return false;
        }
    }
    return true;
}

/// Writes payloads as they are. Used by the writing thread alone, but for give_up_after().
class DescriptorSink final : public spdlog::sinks::sink {
public:
    explicit DescriptorSink(int fd) noexcept : fd_(fd) {}

    void log(const spdlog::details::log_msg& msg) override {
        const auto expired = [this] { return Clock::now().time_since_epoch() > deadline_.load(); };
        const bool whole =
            !expired() && write_fully(fd_, {msg.payload.data(), msg.payload.size()}, expired);
        if (!whole) lost_.fetch_add(1, std::memory_order_relaxed);
    }
    void flush() override {}
    void set_pattern(const std::string& /*pattern*/) override {}
    void set_formatter(std::unique_ptr<spdlog::formatter> /*formatter*/) override {}

    void give_up_after(Clock::time_point deadline) noexcept {
        deadline_.store(deadline.time_since_epoch());
    }
    [[nodiscard]] std::uint64_t lost() const noexcept {
        return lost_.load(std::memory_order_relaxed);
    }

private:
    int fd_;
    std::atomic<Clock::duration> deadline_ = Clock::duration::max();
    std::atomic<std::uint64_t> lost_ = 0;
};

void block_sigpipe() noexcept {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

/// The queue with its thread.
class Writer {
public:
    explicit Writer(const LogOptions& options)
        : sink_(std::make_shared<DescriptorSink>(options.fd)),
          pool_(std::make_shared<spdlog::details::thread_pool>(
              std::max<std::size_t>(options.queue_records, 1), 1, block_sigpipe)),
          logger_(std::make_shared<spdlog::async_logger>(
              "sluice", sink_, pool_, spdlog::async_overflow_policy::overrun_oldest)) {
        logger_->set_level(spdlog::level::trace);
    }

    void post(std::string_view lines) {
        logger_->log(spdlog::level::info, spdlog::string_view_t(lines.data(), lines.size()));
    }

    [[nodiscard]] std::uint64_t lost() const { return pool_->overrun_counter() + sink_->lost(); }

    /// Returns how many records were lost in its whole life.
    std::uint64_t finish() {
        sink_->give_up_after(Clock::now() + kPatience);
        const std::uint64_t overrun = pool_->overrun_counter();
        pool_.reset();  // drains the queue and joins the thread
        return overrun + sink_->lost();
    }

private:
    std::shared_ptr<DescriptorSink> sink_;
    std::shared_ptr<spdlog::details::thread_pool> pool_;
    std::shared_ptr<spdlog::async_logger> logger_;
};

struct Log {
    std::atomic<LogLevel> level = LogLevel::info;
    std::atomic<LogFormat> format = LogFormat::text;
    std::atomic<std::uint64_t> lost_before = 0;  ///< by writers that are gone
    std::shared_mutex mutex;
    std::unique_ptr<Writer> writer;  // by mutex
};

/// Never destroyed: threads and static objects may still log while the program ends.
Log& the_log() {
    static Log& log = *new Log;
    return log;
}

LogFormat settle(LogFormat format, int fd) noexcept {
    if (format != LogFormat::automatic) return format;
    return isatty(fd) == 1 ? LogFormat::text : LogFormat::json;
}

void replace_writer(std::unique_ptr<Writer> next) {
    {
        const std::unique_lock lock(the_log().mutex);
        std::swap(the_log().writer, next);
    }
    if (next) the_log().lost_before += next->finish();
}

}  // namespace

std::optional<LogLevel> log_level_from(std::string_view name) noexcept {
    struct Name {
        std::string_view text;
        LogLevel level;
    };
    static constexpr std::array kNames = {
        Name{.text = "debug", .level = LogLevel::debug},
        Name{.text = "trace", .level = LogLevel::debug},
        Name{.text = "info", .level = LogLevel::info},
        Name{.text = "warn", .level = LogLevel::warn},
        Name{.text = "warning", .level = LogLevel::warn},
        Name{.text = "error", .level = LogLevel::error},
        Name{.text = "critical", .level = LogLevel::error},
        Name{.text = "off", .level = LogLevel::off},
    };
    const auto* const found =
        std::ranges::find_if(kNames, [&](const Name& each) { return iequals(each.text, name); });
    if (found == kNames.end()) return std::nullopt;
    return found->level;
}

void init_log(const LogOptions& options) {
    the_log().level = options.level;
    the_log().format = settle(options.format, options.fd);
    replace_writer(std::make_unique<Writer>(options));
}

void shutdown_log() {
    replace_writer(nullptr);
    the_log().format = LogFormat::text;
}

void set_log_level(LogLevel level) noexcept {
    the_log().level = level;
}

bool log_enabled(LogLevel level) noexcept {
    return level != LogLevel::off && level >= the_log().level.load(std::memory_order_relaxed);
}

LogFormat log_format() noexcept {
    return the_log().format.load(std::memory_order_relaxed);
}

std::uint64_t log_dropped() noexcept {
    const std::shared_lock lock(the_log().mutex);
    return the_log().lost_before + (the_log().writer ? the_log().writer->lost() : 0);
}

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
    if (!log_enabled(level)) return;
    std::string line;
    LineWriter writer(line, log_format(), kTextLimit);
    writer.begin(std::chrono::system_clock::now(), level, message);
    for (const LogField& field : fields) {
        std::visit([&](auto value) { writer.field(field.name, value); }, field.value);
    }
    writer.end();
    write_log_block(line);
}

void write_log_block(std::string_view lines) {
    const std::shared_lock lock(the_log().mutex);
    if (the_log().writer) {
        the_log().writer->post(lines);
        return;
    }
    const auto deadline = Clock::now() + kPatience;
    if (!write_fully(STDERR_FILENO, lines, [&] { return Clock::now() > deadline; })) {
        ++the_log().lost_before;
    }
}

}  // namespace sluice::observe
