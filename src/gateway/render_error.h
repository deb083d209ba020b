#pragma once

/// Errors in the client's dialect.

#include "base/error.h"
#include "gateway/lane.h"

#include <span>
#include <string>
#include <string_view>

namespace sluice::gateway {

class Exchange;  // NOLINT(cppcoreguidelines-virtual-class-destructor): it is final

/// The dialect in which `exchange` is told of an error: its endpoint's own; where that has none,
/// the one whose headers it shows.
[[nodiscard]] Dialect error_dialect(const Exchange& exchange);

/// The status that `dialect` has for one of ours.
[[nodiscard]] int status_for(Dialect dialect, int status) noexcept;

[[nodiscard]] std::string write_error(Dialect dialect, const Error& error,
                                      std::string_view request_id);
[[nodiscard]] std::string write_stream_error(Dialect dialect, const Error& error,
                                             std::string_view request_id);
/// What an upstream of any dialect answered with `status` (400 or more).
[[nodiscard]] std::string normalize_upstream_error(Dialect dialect, int status,
                                                   std::string_view body,
                                                   std::span<const std::string_view> secrets,
                                                   std::string_view request_id);

}  // namespace sluice::gateway
