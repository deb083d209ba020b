#pragma once

/// Reads a `.env` file: `NAME=value` lines, parsed and never executed. Values stand for themselves;
/// no variable and no command in them is expanded.

#include "config/load.h"
#include "config/yaml.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::config {

struct DotEnvValue {
    std::string value;
    int line = 0;
};

using DotEnv = std::map<std::string, DotEnvValue, std::less<>>;

/// The last of several lines for a name counts. Appends what is wrong.
[[nodiscard]] DotEnv parse_dotenv(std::string_view text, const std::string& file,
                                  std::vector<Problem>& problems);

}  // namespace sluice::config
