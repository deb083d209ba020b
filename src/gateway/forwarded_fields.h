#pragma once

/// What of a request that is handed on as it is goes to the upstream, and where to.

#include "net/http1/head.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::gateway {

/// Whose account at the upstream the request is for.
enum class Account : std::uint8_t { ours, clients };

/// The header lines that go on, names in lower case: those on a list of what says how to read the
/// body and what is wanted in return. Never credentials, cookies, what tells of the way here, what
/// belongs to this connection (by its nature, or as Connection names it), nor, for our account,
/// which organization and project of it is to pay.
[[nodiscard]] std::string forwarded_fields(const net::http1::RequestHead& head, Account account);

/// The request's target at the upstream; `path` begins with a slash. nullopt where it has dot
/// segments, plain or escaped: they could lead out of the base URL's path.
[[nodiscard]] std::optional<std::string> forwarded_target(std::string_view path,
                                                          std::string_view query);

}  // namespace sluice::gateway
