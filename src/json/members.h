#pragma once

/// The top-level members of a JSON object, found once and looked up often.

#include "json/reader.h"

#include <span>
#include <string_view>

namespace sluice::json {

/// Places in the document it was read from.
struct Member {
    Span key;  ///< with its quotes
    Span value;
};

/// The member of that name, compared as it reads unescaped; nullptr where there is none.
[[nodiscard]] const Member* find_member(std::span<const Member> members, std::string_view document,
                                        std::string_view name);

}  // namespace sluice::json
