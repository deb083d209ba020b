#pragma once

/// Errors in OpenAI's envelope: {"error":{"message","type","param","code"}}.

#include "base/error.h"
#include "dialect/upstream_error.h"

#include <span>
#include <string>
#include <string_view>

namespace sluice::dialect::openai_chat {

using dialect::kMaxErrorMessageBytes;
using dialect::redact;

/// The body of an error response; its status is http_status(error.code).
[[nodiscard]] std::string write_error(const Error& error);

/// The same as an event, for a stream that has begun. No `[DONE]` may follow it.
[[nodiscard]] std::string write_stream_error(const Error& error);

/// The status that OpenAI's clients know for an upstream's: 503 for Anthropic's 529 (overloaded).
[[nodiscard]] int client_status(int status) noexcept;

/// The body for a client whose upstream answered `status` (400 or more) with `body`. An OpenAI
/// envelope is passed on as it is; anything else, Anthropic's envelope included, is wrapped in one,
/// with what read_complaint() makes of it. Occurrences of `secrets` become `[redacted]`.
[[nodiscard]] std::string normalize_upstream_error(int status, std::string_view body,
                                                   std::span<const std::string_view> secrets);

}  // namespace sluice::dialect::openai_chat
