#pragma once

/// Points in time as header fields write them.

#include <chrono>
#include <optional>
#include <string_view>

namespace sluice::routing {

/// To the millisecond, so that every year with four digits can be told.
using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

/// `2026-11-01T12:00:00.5+01:00` (RFC 3339); fractions are rounded up.
[[nodiscard]] std::optional<Timestamp> read_rfc3339(std::string_view text);

/// The three forms of RFC 9110: `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT`
/// and `Sun Nov  6 08:49:37 1994`. Two digits of a year mean one that is at most 50 years after
/// `now`. The day of the week is not compared with the date.
[[nodiscard]] std::optional<Timestamp> read_http_date(std::string_view text, Timestamp now);

}  // namespace sluice::routing
