#pragma once

/// From flags, environment, `.env` and a YAML file to a validated Config. Reading is pure: the
/// environment comes as a function, and nothing is kept between two calls, so that a reload is
/// simply another call.

#include "config/config.h"

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::config {

/// What the command line said; it wins over everything else.
struct Flags {
    std::optional<std::string> config_file;
    std::optional<std::string> preset;
    std::optional<std::string> listen;  ///< HOST:PORT; not together with host or port
    std::optional<std::string> host;
    std::optional<unsigned> port;
    std::optional<std::string> log_level;
    std::optional<unsigned> workers;
    bool insecure_no_auth = false;  ///< serve without keys beyond loopback, with a warning
};

/// The value of an environment variable, nullopt where it is not set.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

/// Something wrong in what a person wrote.
struct Problem {
    std::string file;     ///< a path, or where else it stood: `environment`, `command line`
    int line = 0;         ///< from 1; 0 where lines mean nothing
    std::string message;  ///< what is wrong, what was expected; without secrets
};

/// `file:line: message`, without the line where there is none.
[[nodiscard]] std::string to_string(const Problem& problem);

struct Loaded {
    Config config;
    std::vector<std::string> warnings;  ///< for the start log
};

/// Reads the configuration in the order flag > environment > file > preset > default. With no
/// config file named in the flags there is none. All problems that can be found are returned.
[[nodiscard]] std::expected<Loaded, std::vector<Problem>> load(
    const Flags& flags, const Environment& environment, const std::string& working_directory);

/// The effective configuration as YAML of the same keys, secrets masked.
[[nodiscard]] std::string describe(const Config& config);

}  // namespace sluice::config
