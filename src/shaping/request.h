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
    /// What the client gave, by the name it gave it, and the upstream does not get.
    std::vector<std::string> dropped;
    /// That changed something: "transforms.rename", ".roles", ".drop", ".default", ".force",
    /// ".clamp", and ".models" for what came with the alias.
    std::vector<std::string_view> rules;
};

/// The alias for a model that the upstream no longer calls so; nullptr where there is none.
[[nodiscard]] const config::ModelAlias* find_alias(const config::Transforms& transforms,
                                                   std::string_view model);

/// Adds to `splice`, whose original is `body`, the edits that `transforms`, and `alias` if there is
/// one, want of that checked JSON object, whose top-level members are `members`. Model, messages,
/// stream and stream_options are left to the caller, messages but for roles and `messages[].NAME`.
/// Null counts as not given. A clamped number is the bound, without a fraction where it has none.
/// Errors: bad_request with `param` set for a field that is to be rejected; then no edit is added.
[[nodiscard]] Result<Changes> shape(std::string_view body, std::span<const json::Member> members,
                                    const config::Transforms& transforms,
                                    const config::ModelAlias* alias, json::Splice& splice);

}  // namespace sluice::shaping
