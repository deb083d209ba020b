#pragma once

/// The top-level members of a JSON object, found once and looked up often.

#include "json/reader.h"

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace sluice::json {

/// Places in the document it was read from.
struct Member {
    Span key;  ///< with its quotes
    Span value;
};

/// Whether the member's name is `name`, compared as it reads unescaped.
[[nodiscard]] bool is_named(const Member& member, std::string_view document, std::string_view name);

/// The first member of that name, compared as it reads unescaped; nullptr where there is none.
[[nodiscard]] const Member* find_member(std::span<const Member> members, std::string_view document,
                                        std::string_view name);

/// The member of an object that `reader`, which reads `text`, has come to.
[[nodiscard]] inline Member member_at(const Reader& reader, std::string_view text) noexcept {
    const std::string_view key = reader.raw_key();
    const std::string_view value = reader.value().raw;
    return {.key = {.offset = static_cast<std::size_t>(key.data() - text.data()) - 1,
                    .length = key.size() + 2},
            .value = {.offset = static_cast<std::size_t>(value.data() - text.data()),
                      .length = value.size()}};
}

/// The members of a checked object that stands at `object` in `document`, in the place of what
/// `members` holds. None where it is no object.
void read_members(std::string_view document, Span object, std::vector<Member>& members);

}  // namespace sluice::json
