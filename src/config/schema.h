#pragma once

/// Every key that the configuration file knows. Unknown-key errors, `sluice check` and the test of
/// docs/configuration.md all read this one table.

#include <array>
#include <span>
#include <string_view>

namespace sluice::config {

template <class... Names>
constexpr auto names(Names... all) {
    return std::array<std::string_view, sizeof...(all)>{all...};
}

inline constexpr auto kTopKeys = names("listen", "admin", "data_dir", "keys", "upstreams", "routes",
                                       "default_route", "limits", "cors", "log", "workers");
inline constexpr auto kAdminKeys = names("listen", "key");
inline constexpr auto kKeyKeys = names("name", "secret", "group", "scopes");
inline constexpr auto kUpstreamKeys = names("kind", "preset", "base_url", "api_key", "ca_file",
                                            "timeouts", "pool", "embedded", "retry", "transforms");
inline constexpr auto kTimeoutsKeys = names("connect", "first_byte", "idle", "total");
inline constexpr auto kPoolKeys = names("max_idle_per_worker", "idle_timeout", "max_connections");
inline constexpr auto kEmbeddedKeys = names("tokens_per_second", "tokens", "faults");
inline constexpr auto kRouteKeys = names("model", "to");
inline constexpr auto kLimitsKeys =
    names("body_bytes", "head_bytes", "connections_per_address", "head_timeout", "idle_timeout",
          "body_min_rate", "drain_timeout");
inline constexpr auto kCorsKeys = names("allow_origins");
inline constexpr auto kLogKeys = names("level", "format", "access", "prompts_file");

/// The environment variables that are read by name.
inline constexpr auto kVariables =
    names("OPENAI_BASE_URL", "OPENAI_API_KEY", "DEEPSEEK_API_KEY", "ALLOWED_API_KEYS", "HOST",
          "PORT", "LOG_LEVEL", "TIMEOUT", "SLUICE_ADMIN_LISTEN", "SLUICE_ADMIN_KEY",
          "SLUICE_DATA_DIR", "STATE_DIRECTORY", "HOME");

/// One map of the file.
struct Schema {
    std::string_view path;  ///< how the documentation calls it; empty for the top level
    std::span<const std::string_view> keys;
};

inline constexpr Schema kTopSchema{.path = "", .keys = kTopKeys};
inline constexpr Schema kAdminSchema{.path = "admin", .keys = kAdminKeys};
inline constexpr Schema kKeySchema{.path = "keys[]", .keys = kKeyKeys};
inline constexpr Schema kUpstreamSchema{.path = "upstreams.NAME", .keys = kUpstreamKeys};
inline constexpr Schema kTimeoutsSchema{.path = "upstreams.NAME.timeouts", .keys = kTimeoutsKeys};
inline constexpr Schema kPoolSchema{.path = "upstreams.NAME.pool", .keys = kPoolKeys};
inline constexpr Schema kEmbeddedSchema{.path = "upstreams.NAME.embedded", .keys = kEmbeddedKeys};
inline constexpr Schema kRouteSchema{.path = "routes[]", .keys = kRouteKeys};
inline constexpr Schema kLimitsSchema{.path = "limits", .keys = kLimitsKeys};
inline constexpr Schema kCorsSchema{.path = "cors", .keys = kCorsKeys};
inline constexpr Schema kLogSchema{.path = "log", .keys = kLogKeys};

inline constexpr std::array kSchemas{
    kTopSchema,      kAdminSchema, kKeySchema,    kUpstreamSchema, kTimeoutsSchema, kPoolSchema,
    kEmbeddedSchema, kRouteSchema, kLimitsSchema, kCorsSchema,     kLogSchema};

}  // namespace sluice::config
