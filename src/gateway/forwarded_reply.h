#pragma once

/// The reply to a request that was handed on as it is, on its way to the client.

#include "base/error.h"
#include "gateway/exchange.h"
#include "net/types.h"

#include <span>
#include <string_view>

namespace sluice::gateway {

/// Passes on the reply of `exchange.flight()`, whose head is there: status, content codings, bytes.
/// A short text with which the upstream refuses is rid of `secrets`; a redirect is an
/// upstream_status (UP-15); a reply that breaks off ends uncleanly.
net::Task<Result<void>> relay_as_it_is(Exchange& exchange,
                                       std::span<const std::string_view> secrets);

}  // namespace sluice::gateway
