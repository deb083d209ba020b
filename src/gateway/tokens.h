#pragma once

/// How many tokens a request has, before anyone has counted them.

#include "chat/request.h"
#include "config/upstream.h"
#include "context/tokenizer.h"
#include "gateway/exchange.h"

#include <string_view>

namespace sluice::gateway {

/// The vocabulary that the upstream is configured to have, else the one that goes with the model.
[[nodiscard]] context::Vocabulary vocabulary_for(const config::Upstream& upstream,
                                                 std::string_view model);

/// Where tokens are counted at all, once in a while: the estimate for `request`, which goes to
/// `upstream` as `model`, is noted on the exchange: learn_from_usage() then sees how good it was.
void sample_estimate(Exchange& exchange, const config::Upstream& upstream,
                     const chat::Request& request);
void learn_from_usage(const Exchange& exchange);

}  // namespace sluice::gateway
