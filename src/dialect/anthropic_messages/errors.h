#pragma once

/// Errors in Anthropic's envelope: {"type":"error","error":{"type","message"},"request_id"}.

#include "base/error.h"

#include <span>
#include <string>
#include <string_view>

namespace sluice::dialect::anthropic_messages {

/// The `error.type` that goes with a status, by facts/anthropic-openai-mapping.md 7.
[[nodiscard]] std::string_view error_type(int status) noexcept;

/// The status that this dialect has for one of ours: 529 for an overload (503).
[[nodiscard]] int client_status(int status) noexcept;

/// The body of an error response; its status is client_status(http_status(error.code)).
[[nodiscard]] std::string write_error(const Error& error, std::string_view request_id);

/// The same as `event: error`, for a stream that has begun.
[[nodiscard]] std::string write_stream_error(const Error& error, std::string_view request_id);

/// The body for a client whose upstream, of any dialect, answered `status` (400 or more) with
/// `body`. An envelope of this dialect is passed on; of anything else the message is kept word for
/// word, since Claude Code goes by the wording ("prompt is too long: N tokens > M maximum",
/// "maximum context length"). Occurrences of `secrets` become `[redacted]`.
[[nodiscard]] std::string normalize_upstream_error(int status, std::string_view body,
                                                   std::span<const std::string_view> secrets,
                                                   std::string_view request_id);

}  // namespace sluice::dialect::anthropic_messages
