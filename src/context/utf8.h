#pragma once

/// UTF-8 that may be broken.

#include <string>
#include <string_view>

namespace sluice::context {

[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// `text` with U+FFFD in the place of what is not UTF-8: one for each byte that can begin no
/// character, and one for the valid beginning of each character that is cut off, as Python's
/// errors="replace", Rust's lossy conversion and the web's decoders do.
[[nodiscard]] std::string repaired_utf8(std::string_view text);

}  // namespace sluice::context
