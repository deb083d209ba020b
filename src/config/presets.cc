#include "config/presets.h"

#include <algorithm>

namespace sluice::config {

const Preset* find_preset(std::span<const Preset> presets, std::string_view name) {
    const auto found = std::ranges::find(presets, name, &Preset::name);
    return found == presets.end() ? nullptr : &*found;
}

std::string preset_names(std::span<const Preset> presets) {
    std::string names;
    for (std::size_t i = 0; i < presets.size(); ++i) {
        if (i > 0) names += i + 1 == presets.size() ? " or " : ", ";
        names += presets[i].name;
    }
    return names;
}

}  // namespace sluice::config
