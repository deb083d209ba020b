#pragma once

/// What a text in the configuration means: numbers, durations, sizes. The message of an error is
/// what was expected instead, to be put behind "expected ".

#include "base/error.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::config {

/// `true`, `yes`, `on` and their opposites, in any case.
[[nodiscard]] Result<bool> parse_bool(std::string_view text);

/// A whole decimal number within the bounds, which count as allowed.
[[nodiscard]] Result<std::uint64_t> parse_integer(std::string_view text, std::uint64_t lowest,
                                                  std::uint64_t highest);

/// A finite number from 0 to `highest`, with a decimal point where need be.
[[nodiscard]] Result<double> parse_number(std::string_view text, double highest);

/// `300` (seconds), `300s`, `5m`, `250ms`, `1h`, `1.5s`; at least `shortest`, at most seven days.
[[nodiscard]] Result<std::chrono::milliseconds> parse_duration(std::string_view text,
                                                               std::chrono::milliseconds shortest);

/// `1024`, `32KiB`, `32MiB`, `1GiB`, within the bounds.
[[nodiscard]] Result<std::size_t> parse_size(std::string_view text, std::size_t lowest,
                                             std::size_t highest);

/// The shortest form of each that is read back as the same value.
[[nodiscard]] std::string format_duration(std::chrono::milliseconds duration);
[[nodiscard]] std::string format_size(std::size_t bytes);
[[nodiscard]] std::string format_number(double number);

}  // namespace sluice::config
