#pragma once

/// `sluice serve`: the gateway as a process.

#include "config/load.h"

namespace sluice::app {

/// Serves until SIGTERM or SIGINT and then lets open replies end; SIGHUP reads the configuration
/// again. Returns the exit code: 0 after an orderly stop, 2 for a configuration that is refused, 1
/// when the addresses cannot be listened on.
[[nodiscard]] int serve(const config::Flags& flags);

/// `sluice check`: prints the effective configuration with secrets masked. 0, or 2 with the
/// problems on stderr.
[[nodiscard]] int check(const config::Flags& flags);

}  // namespace sluice::app
