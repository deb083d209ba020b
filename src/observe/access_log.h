#pragma once

/// The access log: one line for every request, also for those refused or abandoned.

#include "observe/log.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::observe {

/// What one line tells. Empty views and absent numbers are left out of the line.
struct AccessRecord {
    std::chrono::system_clock::time_point start;
    std::string_view request_id;
    std::string_view method;
    std::string_view path;      ///< without the query
    std::string_view key_name;  ///< the key's name, never the key
    std::string_view route;
    std::string_view variant;  ///< of a split route
    std::string_view upstream;
    std::string_view tried;        ///< every attempt with its outcome: "a:503,b:reset,b:ok"
    std::string_view model;        ///< as the client asked for it
    std::string_view reply_model;  ///< as the upstream answered
    std::string_view error;        ///< to_string(Errc); empty when all went well
    std::string_view upstream_request_id;
    std::string_view finish_reason;
    std::string_view dropped;  ///< fields that the upstream did not get: "logit_bias,user"
    int status = 0;
    bool stream = false;
    bool hedged = false;  ///< a second candidate was asked meanwhile; left out when false
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::optional<std::uint64_t> input_tokens;
    std::optional<std::uint64_t> cached_tokens;
    std::optional<std::uint64_t> output_tokens;
    std::optional<std::uint64_t> reasoning_tokens;
    std::optional<std::chrono::nanoseconds> queue;
    std::optional<std::chrono::nanoseconds> upstream_first_byte;
    std::chrono::nanoseconds total{0};
    int attempts = 0;
};

/// One per worker; not thread-safe. Records gather in a buffer that is handed on when it is full,
/// at flush() and on destruction; the hand-over copies and never waits for a write.
class AccessLog {
public:
    /// Takes whole lines; the view lives for the call only.
    using Sink = std::function<void(std::string_view lines)>;

    static constexpr std::size_t kBlockBytes = 32UL * 1024;

    /// Create after init_log(), whose format is the default.
    explicit AccessLog(LogFormat format = log_format(), Sink sink = write_log_block);
    ~AccessLog();

    AccessLog(const AccessLog&) = delete;
    AccessLog& operator=(const AccessLog&) = delete;

    /// Writes nothing when the log's level is above info. Texts are cut at 1 KiB. Allocates nothing
    /// once the buffer has its size.
    void record(const AccessRecord& record);

    /// The worker calls this at most every 200 ms, and when it stops.
    void flush();

private:
    LogFormat format_;
    Sink sink_;
    std::string buffer_;
};

}  // namespace sluice::observe
