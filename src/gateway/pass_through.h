#pragma once

/// Requests for paths that are none of ours, handed on as they are to one upstream: any method,
/// bodies of any size in both directions, none of them held.

#include "base/error.h"
#include "gateway/exchange.h"
#include "net/types.h"

namespace sluice::gateway {

/// Hands the request on to the upstream of `config.pass_through`; `exchange.path_argument` is the
/// path below the prefix, with its leading slash.
net::Task<Result<void>> pass_through(Exchange& exchange);

}  // namespace sluice::gateway
