#pragma once

/// The presets that stand in config/presets/ of the repository and are built into the program.

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice::config {

struct Preset {
    std::string_view name;
    std::string_view file;  ///< where it stands in the repository
    std::string_view text;  ///< YAML
};

/// What `preset:` of an upstream may name: keys of one upstream.
[[nodiscard]] std::span<const Preset> upstream_presets();

/// What `--preset` may name: top-level keys.
[[nodiscard]] std::span<const Preset> serve_presets();

/// Null where there is none of that name.
[[nodiscard]] const Preset* find_preset(std::span<const Preset> presets, std::string_view name);

/// `a, b or c`, for errors.
[[nodiscard]] std::string preset_names(std::span<const Preset> presets);

}  // namespace sluice::config
