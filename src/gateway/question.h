#pragma once

/// What is asked of a candidate: the client's request as that upstream is to get it.

#include "base/error.h"
#include "gateway/attempt.h"
#include "gateway/exchange.h"

namespace sluice::gateway {

/// The exchange's request for this attempt's candidate, which is prepared for the reply. Notes on
/// the exchange what was changed. Errors: bad_request where the upstream's transforms reject a
/// field, or where the request cannot be translated.
[[nodiscard]] Result<Question> ask_for(Exchange& exchange, Attempt& attempt);

}  // namespace sluice::gateway
