#pragma once

/// What is asked of a candidate: the client's request as that upstream is to get it.

#include "base/error.h"
#include "gateway/attempt.h"
#include "gateway/exchange.h"

namespace sluice::gateway {

/// The exchange's request for this attempt's candidate. Notes on the exchange what was changed.
/// Errors: bad_request where the upstream's transforms reject a field.
[[nodiscard]] Result<Question> ask_for(Exchange& exchange, const Attempt& attempt);

}  // namespace sluice::gateway
