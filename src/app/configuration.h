#pragma once

/// Reading the configuration of this process: its flags, environment and working directory.

#include "config/load.h"

#include <optional>
#include <string>

namespace sluice::app {

/// nullopt after `report` was called with each problem: "file:line: what is wrong".
[[nodiscard]] std::optional<config::Loaded> load_configuration(
    const config::Flags& flags, void (*report)(const std::string& problem));

/// A way to report, for before there is a log: a line on stderr.
void print_problem(const std::string& problem);

}  // namespace sluice::app
