#pragma once

/// JSON as chat templates write it: what Python's json.dumps makes of a document, so that its
/// tokens can be counted. Texts that are not JSON are taken as they are; nothing here fails.

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::context {

/// Appends `text` in quotes, escaped.
void append_json_string(std::string& out, std::string_view text);

/// Appends the document with a space behind each comma and colon and without any other space
/// outside of strings.
void append_spaced_json(std::string& out, std::string_view json);

/// How many members the object has; 0 for anything else.
[[nodiscard]] std::size_t count_members(std::string_view json) noexcept;

}  // namespace sluice::context
