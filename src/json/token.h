#pragma once

/// The spelling of scalars, which simdjson would check only while converting them: and to convert
/// is to refuse big integers. Internal to json/.

#include "json/reader.h"

#include <string_view>

namespace sluice::json {

[[nodiscard]] constexpr bool is_space(char c) noexcept {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/// Told by the first byte; meaningful only for a value that has been checked.
[[nodiscard]] Kind kind_of(char first) noexcept;

/// Where `token`, not empty and without white space around it, breaks the grammar of a number, a
/// string or a word; null when it does not. A string's end and its control characters are taken
/// for checked.
[[nodiscard]] const char* find_flaw(std::string_view token) noexcept;

}  // namespace sluice::json
