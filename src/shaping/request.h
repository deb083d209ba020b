#pragma once

/// A request changed for its upstream, as the configuration's transforms say.

#include "base/error.h"
#include "config/transforms.h"
#include "json/members.h"
#include "json/splice.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::shaping {

/// What was done to a request, for the client to see and for logs.
struct Changes {
    std::vector<std::string> dropped;     ///< fields that the upstream does not get
    std::vector<std::string_view> rules;  ///< "transforms.rename", "transforms.force", ...
};

/// The alias for a model that the upstream no longer calls so; nullptr where there is none.
[[nodiscard]] const config::ModelAlias* find_alias(const config::Transforms& transforms,
                                                   std::string_view model);

/// Adds to `splice` the edits that `transforms`, and `alias` if there is one, want of the JSON
/// object `body`, whose top-level members are `members`. The members named in `kept` (model,
/// messages, stream, stream_options) are left to the caller; messages only for roles and for
/// `messages[].NAME`. Errors: bad_request with `param` set for a field that is to be rejected; null
/// counts as not given.
[[nodiscard]] Result<Changes> shape(std::string_view body, std::span<const json::Member> members,
                                    const config::Transforms& transforms,
                                    const config::ModelAlias* alias, json::Splice& splice);

}  // namespace sluice::shaping
