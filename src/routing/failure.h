#pragma once

/// What kind of failure an attempt ended in.

#include "base/error.h"
#include "config/route.h"

#include <string_view>

namespace sluice::routing {

/// `status` is the upstream's, 0 where there was no reply's head; `body` its error text, as far as
/// it was read (looked into for context lengths and insufficient_system_resource). For a failure
/// without a status, `error` decides.
[[nodiscard]] config::FailureKind classify(const Error& error, int status, std::string_view body);

/// Whether it speaks against the upstream as a whole, so that its breaker counts it: what could not
/// be reached, broke, took too long, is overloaded or failed; not what the client or a key did.
[[nodiscard]] bool is_upstream_fault(config::FailureKind kind) noexcept;

/// Whether it speaks against the key that was used: 401, 402, 403 and 429.
[[nodiscard]] bool is_key_fault(config::FailureKind kind) noexcept;

}  // namespace sluice::routing
