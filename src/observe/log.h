#pragma once

/// The program's own log: one record is one line, whatever its fields hold. Nothing here knows a
/// secret from a word, so callers must not pass any: no keys, no prompts, no query strings.
///
/// Thread-safe throughout. Records are formatted by the caller and written by one thread behind a
/// bounded queue, whose oldest records give way when the reader of the log is too slow. Before
/// init_log() and after shutdown_log() records go straight to stderr as text.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <variant>

namespace sluice::observe {

enum class LogLevel : std::uint8_t { debug, info, warn, error, off };

/// "debug", "Info", "warning", ...: any case; nullopt for anything else.
[[nodiscard]] std::optional<LogLevel> log_level_from(std::string_view name) noexcept;

enum class LogFormat : std::uint8_t {
    automatic,  ///< text on a terminal, otherwise json
    json,
    text,
};

struct LogOptions {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::automatic;
    int fd = 2;                        ///< open until shutdown_log()
    std::size_t queue_records = 1024;  ///< a block of access records counts as one
};

/// Starts the writing thread. A second call without shutdown_log() between replaces the first.
void init_log(const LogOptions& options);

/// Writes what is queued and ends the thread; after 2 s the rest is dropped.
void shutdown_log();

void set_log_level(LogLevel level) noexcept;

/// One relaxed load: ask before computing costly fields.
[[nodiscard]] bool log_enabled(LogLevel level) noexcept;

/// json or text: what init_log() settled on.
[[nodiscard]] LogFormat log_format() noexcept;

/// Records lost since the program started, to a full queue or a dead descriptor.
[[nodiscard]] std::uint64_t log_dropped() noexcept;

struct LogField {
    using Value = std::variant<std::string_view, std::int64_t, double, bool>;

    LogField(std::string_view field, std::string_view text) : name(field), value(text) {}
    LogField(std::string_view field, const char* text)
        : name(field),
          value(std::string_view(text)) {}
    LogField(std::string_view field, double number) : name(field), value(number) {}
    LogField(std::string_view field, bool flag) : name(field), value(flag) {}
    template <std::integral T>
        requires(!std::same_as<T, bool>)
    LogField(std::string_view field, T number)
        : name(field),
          value(static_cast<std::int64_t>(number)) {}

    std::string_view name;
    Value value;
};

/// Views need to live for the call only. Texts are cut at 8 KiB.
void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});

inline void log_debug(std::string_view message, std::initializer_list<LogField> fields = {}) {
    if (log_enabled(LogLevel::debug)) log(LogLevel::debug, message, fields);
}
inline void log_info(std::string_view message, std::initializer_list<LogField> fields = {}) {
    if (log_enabled(LogLevel::info)) log(LogLevel::info, message, fields);
}
inline void log_warn(std::string_view message, std::initializer_list<LogField> fields = {}) {
    if (log_enabled(LogLevel::warn)) log(LogLevel::warn, message, fields);
}
inline void log_error(std::string_view message, std::initializer_list<LogField> fields = {}) {
    if (log_enabled(LogLevel::error)) log(LogLevel::error, message, fields);
}

/// Queues whole, already formatted lines (the access log) as one record; never waits for a write.
void write_log_block(std::string_view lines);

}  // namespace sluice::observe
