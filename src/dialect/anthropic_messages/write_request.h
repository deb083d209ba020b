#pragma once

/// The neutral request as a Messages body.

#include "chat/abilities.h"
#include "chat/change.h"
#include "chat/request.h"

#include <string>

namespace sluice::dialect::anthropic_messages {

/// `request` has been through shaping::adapt() for these abilities. What nevertheless cannot be
/// said is left out and noted in `changes`. max_tokens is written always: a request without one
/// gets `abilities.default_output_tokens`, else 8192. Consecutive messages of one role are merged;
/// empty texts are left out; arguments that are no JSON object become {"_raw": "..."}. The same
/// request always gives the same bytes, and a longer conversation the old ones first.
[[nodiscard]] std::string write_request(const chat::Request& request,
                                        const chat::Abilities& abilities, chat::Changes& changes);

}  // namespace sluice::dialect::anthropic_messages
