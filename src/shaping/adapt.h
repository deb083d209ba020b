#pragma once

/// A request that is to be translated, made into one that its upstream can express. Whatever is
/// dropped, folded or downgraded on the way is noted (docs/dialects.md has every rule).

#include "base/error.h"
#include "chat/abilities.h"
#include "chat/change.h"
#include "chat/request.h"

namespace sluice::shaping {

/// Without a look at anything but the request: the same conversation, one turn longer, is adapted
/// to the same and more, so that the upstream's prefix cache keeps serving.
/// Errors: bad_request, with `param`, for what must not be done by halves (n > 1 where the upstream
/// speaks Anthropic's dialect).
Result<void> adapt(chat::Request& request, const chat::Abilities& abilities,
                   chat::Changes& changes);

}  // namespace sluice::shaping
