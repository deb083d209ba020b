#pragma once

/// How long it makes sense to go on trying.

#include "gateway/exchange.h"
#include "net/types.h"

namespace sluice::gateway {

/// When the client stops waiting, as far as it has said so (`x-stainless-timeout`, which the
/// vendors' libraries send in seconds), or when `timeouts.total` of the upstream is over; max()
/// where neither is known. A client that has an event stream's head waits for as long as comments
/// come.
[[nodiscard]] net::Clock::time_point deadline_of(const Exchange& exchange,
                                                 const config::Upstream& upstream);

}  // namespace sluice::gateway
