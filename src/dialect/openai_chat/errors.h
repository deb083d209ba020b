#pragma once

/// Errors in OpenAI's envelope: {"error":{"message","type","param","code"}}.

#include "base/error.h"

#include <span>
#include <string>
#include <string_view>

namespace sluice::dialect::openai_chat {

/// The longest message taken over from an upstream's text.
inline constexpr std::size_t kMaxErrorMessageBytes = 2048;

/// The body of an error response; its status is http_status(error.code).
[[nodiscard]] std::string write_error(const Error& error);

/// The same as an event, for a stream that has begun. No `[DONE]` may follow it.
[[nodiscard]] std::string write_stream_error(const Error& error);

/// The body for a client whose upstream answered `status` (400 or more) with `body`. An OpenAI
/// envelope is passed on as it is; anything else is wrapped in one, with what is told of the single
/// fields at fault (Venice's `issues` and `details`) in its message. Occurrences of `secrets`
/// become `[redacted]`.
[[nodiscard]] std::string normalize_upstream_error(int status, std::string_view body,
                                                   std::span<const std::string_view> secrets);

/// Replaces every occurrence of a secret by `[redacted]`, also where its characters are written
/// with JSON's escapes; of secrets that begin alike the longest one that is there. Empty secrets
/// are passed over.
[[nodiscard]] std::string redact(std::string_view text, std::span<const std::string_view> secrets);

}  // namespace sluice::dialect::openai_chat
