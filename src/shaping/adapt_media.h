#pragma once

/// The words that stand in for media which an upstream cannot be given. They never change, since
/// they become part of cached prefixes. Internal to shaping/.

#include "chat/request.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::shaping {

/// A document that is plain text, with its title and what it is about in front.
[[nodiscard]] std::string document_text(const chat::Media& document);

/// "[image omitted: <why>]", or the same of a document, whose title is named.
[[nodiscard]] std::string omitted_text(const chat::Media& media, std::string_view why);

/// What stands in a tool's result for the `number`-th image or document that follows the results.
[[nodiscard]] std::string lifted_text(const chat::Media& media, std::size_t number);

}  // namespace sluice::shaping
