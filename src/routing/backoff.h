#pragma once

/// How long to wait before an attempt is repeated.

#include "config/upstream.h"

#include <chrono>
#include <optional>
#include <string_view>

namespace sluice::routing {

/// Exponential with full jitter: between nothing and base_delay * 2^retry, at most max_delay.
/// `random` is from [0, 1); `retry` counts from 0.
[[nodiscard]] config::Milliseconds backoff(const config::Retry& settings, std::size_t retry,
                                           double random);

/// The wait that a refusal's header lines ask for. `fields` are whole lines ("name: value\r\n",
/// names in lower case). In order: retry-after-ms, Retry-After (seconds, also with a fraction, or
/// an HTTP date), then the x-ratelimit-reset-* and anthropic-ratelimit-*-reset of those limits
/// whose `remaining` is 0, or, where none says so, the shortest of them. Shapes are told apart by
/// how they look: Unix seconds, Unix milliseconds, seconds, 6m0s, 1m2.5s, 12ms, RFC 3339, HTTP
/// date (shared facts, conventions D.2). A moment in the past is no wait; nullopt where nothing, or
/// nothing sensible, is said. -1 and 0 without Retry-After count as nothing said.
/// Without `is_rate_limited` limits with something left say nothing: many replies tell of them.
[[nodiscard]] std::optional<config::Milliseconds> read_retry_wait(
    std::string_view fields, std::chrono::system_clock::time_point now,
    bool is_rate_limited = true);

}  // namespace sluice::routing
