#pragma once

/// Content blocks of a request as parts of the neutral model. Internal to this folder.

#include "base/error.h"
#include "chat/request.h"
#include "dialect/anthropic_messages/place.h"
#include "dialect/walk.h"
#include "json/reader.h"

#include <vector>

namespace sluice::dialect::anthropic_messages {

/// A string or a list of blocks, which stands where `walk` does. Of blocks that nobody knows, or
/// that only this dialect has, the whole JSON is kept. A document made of blocks becomes documents
/// of text and images.
Result<std::vector<chat::Part>> read_content(Walk& walk, const Place& place);

/// The same for `system`, which has Text parts only; what holds no text is passed over.
Result<std::vector<chat::Part>> read_system(const json::Value& system, const Place& place);

}  // namespace sluice::dialect::anthropic_messages
