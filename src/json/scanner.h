#pragma once

/// The grammar of RFC 8259, checked byte by byte without recursion or memory. Internal to json/.

#include "json/reader.h"

namespace sluice::json {

struct Failure {
    const char* reason = nullptr;  ///< a literal; null while all is well
    const char* at = nullptr;
};

/// Where white space ends.
[[nodiscard]] const char* skip_space(const char* at, const char* end) noexcept;

/// Past the string whose opening quote is at `at`; null on failure.
[[nodiscard]] const char* skip_string(const char* at, const char* end, Failure& failure) noexcept;

/// Past the value that begins at `at` (no white space before it), which already stands within
/// `depth` containers; null on failure.
[[nodiscard]] const char* skip_value(const char* at, const char* end, unsigned depth,
                                     Failure& failure) noexcept;

/// Told by the first byte; meaningful only for a value that has been checked.
[[nodiscard]] Kind kind_of(char first) noexcept;

/// "unexpected end at byte 17"
[[nodiscard]] std::string describe(const Failure& failure, std::string_view text);

}  // namespace sluice::json
