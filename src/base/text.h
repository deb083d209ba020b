#pragma once

/// Small text tools that several layers need. ASCII only: HTTP names, configuration keys, globs.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice {

[[nodiscard]] constexpr char to_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] std::string to_lower(std::string_view text);

/// Equal but for the case of ASCII letters.
[[nodiscard]] bool iequals(std::string_view a, std::string_view b) noexcept;

/// Without the spaces and tabs around it.
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;

/// The names one after another, `separator` between them.
[[nodiscard]] std::string join(std::span<const std::string> names, std::string_view separator);

/// The value in 16 hexadecimal digits, written to `text`.
void write_hex(char* text, std::uint64_t value) noexcept;

/// `*` stands for any run of characters, everything else for itself. Linear in both lengths times
/// the number of stars at worst; never recursive.
[[nodiscard]] bool glob_match(std::string_view pattern, std::string_view text) noexcept;

/// The candidate nearest to a mistyped word by edit distance; nullopt when none is near enough to
/// be what was meant. The view points into `candidates`.
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view word,
                                                      std::span<const std::string_view> candidates);

}  // namespace sluice
