#include "config/schema.h"

#include <array>

namespace sluice::config {
namespace {

using Keys = std::string_view[];

constexpr Keys kTop = {"listen",        "admin",  "data_dir", "keys", "upstreams", "routes",
                       "default_route", "limits", "cors",     "log",  "workers"};
constexpr Keys kAdmin = {"listen", "key"};
constexpr Keys kKey = {"name", "secret", "group", "scopes"};
constexpr Keys kUpstream = {"kind",     "preset", "base_url", "api_key", "ca_file",
                            "timeouts", "pool",   "embedded", "retry",   "transforms"};
constexpr Keys kTimeouts = {"connect", "first_byte", "idle", "total"};
constexpr Keys kPool = {"max_idle_per_worker", "idle_timeout", "max_connections"};
constexpr Keys kEmbedded = {"tokens_per_second", "tokens", "faults"};
constexpr Keys kRoute = {"model", "to"};
constexpr Keys kLimits = {"body_bytes",   "head_bytes",   "connections_per_address",
                          "head_timeout", "idle_timeout", "body_min_rate",
                          "drain_timeout"};
constexpr Keys kCors = {"allow_origins"};
constexpr Keys kLog = {"level", "format", "access", "prompts_file"};

constexpr Keys kVariables = {"OPENAI_BASE_URL",
                             "OPENAI_API_KEY",
                             "DEEPSEEK_API_KEY",
                             "ALLOWED_API_KEYS",
                             "HOST",
                             "PORT",
                             "LOG_LEVEL",
                             "TIMEOUT",
                             "SLUICE_ADMIN_LISTEN",
                             "SLUICE_ADMIN_KEY",
                             "SLUICE_DATA_DIR",
                             "STATE_DIRECTORY",
                             "HOME"};

}  // namespace

const Schema kTopSchema{.path = "", .keys = kTop};
const Schema kAdminSchema{.path = "admin", .keys = kAdmin};
const Schema kKeySchema{.path = "keys[]", .keys = kKey};
const Schema kUpstreamSchema{.path = "upstreams.NAME", .keys = kUpstream};
const Schema kTimeoutsSchema{.path = "upstreams.NAME.timeouts", .keys = kTimeouts};
const Schema kPoolSchema{.path = "upstreams.NAME.pool", .keys = kPool};
const Schema kEmbeddedSchema{.path = "upstreams.NAME.embedded", .keys = kEmbedded};
const Schema kRouteSchema{.path = "routes[]", .keys = kRoute};
const Schema kLimitsSchema{.path = "limits", .keys = kLimits};
const Schema kCorsSchema{.path = "cors", .keys = kCors};
const Schema kLogSchema{.path = "log", .keys = kLog};

std::span<const Schema* const> schemas() {
    static constexpr std::array kAll{&kTopSchema,      &kAdminSchema,    &kKeySchema,
                                     &kUpstreamSchema, &kTimeoutsSchema, &kPoolSchema,
                                     &kEmbeddedSchema, &kRouteSchema,    &kLimitsSchema,
                                     &kCorsSchema,     &kLogSchema};
    return kAll;
}

std::span<const std::string_view> environment_variables() {
    return kVariables;
}

}  // namespace sluice::config
