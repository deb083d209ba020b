#pragma once

/// The part of the transforms that reaches into a request's messages. Internal to shaping/.

#include "config/transforms.h"
#include "json/reader.h"
#include "json/splice.h"
#include "shaping/request.h"

#include <string_view>

namespace sluice::shaping {

/// What the fields of a message begin with in a list of fields to drop.
inline constexpr std::string_view kMessageField = "messages[].";

/// Renames the roles and drops the fields of the messages that stand at `messages` in `body`.
void shape_messages(std::string_view body, json::Span messages,
                    const config::Transforms& transforms, Changes& changes, json::Splice& splice);

}  // namespace sluice::shaping
