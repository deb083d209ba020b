#pragma once

/// Reading the configuration of this process: its flags, environment and working directory.

#include "config/load.h"

#include <optional>

namespace sluice::app {

/// nullopt after the problems were printed to stderr, one a line.
[[nodiscard]] std::optional<config::Loaded> load_configuration(const config::Flags& flags);

}  // namespace sluice::app
