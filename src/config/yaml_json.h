#pragma once

/// YAML values as JSON text, for what is handed on to upstreams and clients as it is.

#include "config/reader.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::config {

/// Refused beyond these: such a value stands in every request.
inline constexpr std::size_t kMaxJsonDepth = 16;
inline constexpr std::size_t kMaxJsonBytes = 64 * kKibibyte;

/// The value of `node` by the core schema of YAML 1.2: a plain `true`, `12`, `1.5` or `null` is
/// what it looks like, everything else is a string; maps and lists may be nested. `${NAME}` is
/// replaced first. nullopt, after a report that calls it `what`, for what JSON cannot say.
[[nodiscard]] std::optional<std::string> to_json(const Reader& reader, const Node& node,
                                                 std::string_view what);

/// `text` between quotes, escaped.
[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace sluice::config
