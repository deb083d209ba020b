#pragma once

/// What the upstream's reply turns out to be, once its head is there: a stream, a whole document,
/// or an error that is the client's to see.

#include "base/error.h"
#include "gateway/exchange.h"
#include "net/types.h"

namespace sluice::gateway {

/// Waits for the first content of the reply. Until then a failure can still become a status, or
/// another attempt. A refusal of the upstream's own (4xx, 5xx) counts as an answer.
net::Task<Result<void>> await_content(Exchange& exchange);

}  // namespace sluice::gateway
