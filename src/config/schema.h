#pragma once

/// Every key that the configuration file knows. Unknown-key errors, `sluice check` and the test of
/// docs/configuration.md all read this one table.

#include <span>
#include <string_view>

namespace sluice::config {

/// One map of the file.
struct Schema {
    std::string_view path;  ///< how the documentation calls it; empty for the top level
    std::span<const std::string_view> keys;
};

extern const Schema kTopSchema;
extern const Schema kAdminSchema;
extern const Schema kKeySchema;
extern const Schema kUpstreamSchema;
extern const Schema kTimeoutsSchema;
extern const Schema kPoolSchema;
extern const Schema kEmbeddedSchema;
extern const Schema kRouteSchema;
extern const Schema kLimitsSchema;
extern const Schema kCorsSchema;
extern const Schema kLogSchema;

/// All of the above.
[[nodiscard]] std::span<const Schema* const> schemas();

/// The environment variables that are read by name.
[[nodiscard]] std::span<const std::string_view> environment_variables();

}  // namespace sluice::config
