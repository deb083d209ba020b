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

inline constexpr auto kTopKeys =
    names("listen", "admin", "data_dir", "keys", "upstreams", "routes", "default_route", "failures",
          "pass_through", "limits", "cors", "log", "workers", "default_model", "reasoning_store",
          "debug");
inline constexpr auto kAdminKeys = names("listen", "key");
inline constexpr auto kKeyKeys = names("name", "secret", "group", "scopes", "models");
inline constexpr auto kUpstreamKeys =
    names("kind", "preset", "base_url", "api_key", "api_keys", "auth", "ca_file", "paths",
          "timeouts", "pool", "retry", "breaker", "concurrency", "health_check", "transforms",
          "embeddings", "embedded", "abilities", "text_models", "auth_header", "version",
          "default_thinking", "tokenizer");
inline constexpr auto kPathsKeys =
    names("chat", "completions", "embeddings", "models", "messages", "count_tokens");
inline constexpr auto kAbilitiesKeys = names(
    "thinking", "reasoning_history", "reasoning_required", "forced_tools_when_thinking",
    "output_limit_field", "max_output_tokens", "default_output_tokens", "max_stop", "max_tools",
    "images", "documents", "json_schema", "mid_system", "system_role", "user_field",
    "parallel_tool_calls", "strict_tools", "sampling", "service_tier", "signatures", "server_tools",
    "count_tokens", "deferred_tools", "billing_header", "custom_tools", "prefix");
inline constexpr auto kTimeoutsKeys =
    names("connect", "first_byte", "idle", "total", "idle_counts_data_only");
inline constexpr auto kPoolKeys = names("max_idle_per_worker", "idle_timeout", "max_connections");
inline constexpr auto kRetryKeys =
    names("max_retries", "base_delay", "max_delay", "rate_limit_wait", "max_wait", "on", "budget",
          "budget_floor");
inline constexpr auto kBreakerKeys = names("enabled", "consecutive_failures", "error_rate",
                                           "min_requests", "window", "open_for", "probes");
inline constexpr auto kConcurrencyKeys =
    names("limit", "start", "max_limit", "queue", "queue_time");
inline constexpr auto kHealthCheckKeys = names("enabled", "path", "interval", "timeout");
inline constexpr auto kTransformsKeys =
    names("reject", "rename", "roles", "drop", "default", "force", "clamp", "models");
inline constexpr auto kModelAliasKeys = names("model", "default", "force");
inline constexpr auto kEmbeddingsKeys = names("max_batch", "token_arrays", "encoding");
inline constexpr auto kEmbeddedKeys = names("tokens_per_second", "tokens", "faults");
inline constexpr auto kRouteKeys = names("model", "to", "balance", "hedge", "reply");
inline constexpr auto kDefaultRouteKeys = names("to", "balance", "hedge", "reply");
inline constexpr auto kTargetKeys = names("to", "weight", "variant");
inline constexpr auto kHedgeKeys = names("enabled", "after", "share", "max_tokens");
inline constexpr auto kReplyKeys =
    names("model", "drop", "rename", "set", "drop_headers", "set_headers");
inline constexpr auto kFailuresKeys =
    names("connect", "broken", "timeout", "conflict", "rate_limited", "overloaded", "server_error",
          "unauthorized", "no_credit", "forbidden", "not_found", "too_long", "invalid_reply",
          "bad_request");
inline constexpr auto kPassThroughKeys = names("upstream", "prefix", "retry");
inline constexpr auto kLimitsKeys =
    names("body_bytes", "head_bytes", "connections_per_address", "head_timeout", "idle_timeout",
          "body_min_rate", "drain_timeout", "keepalive_after", "memory_bytes");
inline constexpr auto kCorsKeys = names("allow_origins");
inline constexpr auto kReasoningStoreKeys = names("enabled", "max_bytes", "max_age");
inline constexpr auto kDebugKeys = names("changes");
inline constexpr auto kLogKeys = names("level", "format", "access", "prompts_file");

/// The environment variables that are read by name.
inline constexpr auto kVariables =
    names("OPENAI_BASE_URL", "OPENAI_API_KEY", "DEEPSEEK_API_KEY", "ALLOWED_API_KEYS", "HOST",
          "PORT", "LOG_LEVEL", "TIMEOUT", "MAX_RETRIES", "BASE_RETRY_DELAY", "RATE_LIMIT_WAIT",
          "PROXY_PATH_PREFIX", "SLUICE_ADMIN_LISTEN", "SLUICE_ADMIN_KEY", "SLUICE_DATA_DIR",
          "STATE_DIRECTORY", "HOME");

/// Those that only presets read, as `${NAME}`.
inline constexpr auto kPresetVariables =
    names("VERIFY_API_KEY", "URL", "TARGET_MODEL", "DASHSCOPE_API_KEY", "DEEPSEEK_THINKING",
          "ANTHROPIC_API_KEY");

/// One map of the file.
struct Schema {
    std::string_view path;  ///< how the documentation calls it; empty for the top level
    std::span<const std::string_view> keys;
};

inline constexpr Schema kTopSchema{.path = "", .keys = kTopKeys};
inline constexpr Schema kAdminSchema{.path = "admin", .keys = kAdminKeys};
inline constexpr Schema kKeySchema{.path = "keys[]", .keys = kKeyKeys};
inline constexpr Schema kUpstreamSchema{.path = "upstreams.NAME", .keys = kUpstreamKeys};
inline constexpr Schema kPathsSchema{.path = "upstreams.NAME.paths", .keys = kPathsKeys};
inline constexpr Schema kAbilitiesSchema{.path = "upstreams.NAME.abilities",
                                         .keys = kAbilitiesKeys};
inline constexpr Schema kTimeoutsSchema{.path = "upstreams.NAME.timeouts", .keys = kTimeoutsKeys};
inline constexpr Schema kPoolSchema{.path = "upstreams.NAME.pool", .keys = kPoolKeys};
inline constexpr Schema kRetrySchema{.path = "upstreams.NAME.retry", .keys = kRetryKeys};
inline constexpr Schema kBreakerSchema{.path = "upstreams.NAME.breaker", .keys = kBreakerKeys};
inline constexpr Schema kConcurrencySchema{.path = "upstreams.NAME.concurrency",
                                           .keys = kConcurrencyKeys};
inline constexpr Schema kHealthCheckSchema{.path = "upstreams.NAME.health_check",
                                           .keys = kHealthCheckKeys};
inline constexpr Schema kTransformsSchema{.path = "upstreams.NAME.transforms",
                                          .keys = kTransformsKeys};
inline constexpr Schema kModelAliasSchema{.path = "upstreams.NAME.transforms.models.OLD",
                                          .keys = kModelAliasKeys};
inline constexpr Schema kEmbeddingsSchema{.path = "upstreams.NAME.embeddings",
                                          .keys = kEmbeddingsKeys};
inline constexpr Schema kEmbeddedSchema{.path = "upstreams.NAME.embedded", .keys = kEmbeddedKeys};
inline constexpr Schema kRouteSchema{.path = "routes[]", .keys = kRouteKeys};
inline constexpr Schema kDefaultRouteSchema{.path = "default_route", .keys = kDefaultRouteKeys};
inline constexpr Schema kTargetSchema{.path = "routes[].to[]", .keys = kTargetKeys};
inline constexpr Schema kHedgeSchema{.path = "routes[].hedge", .keys = kHedgeKeys};
inline constexpr Schema kReplySchema{.path = "routes[].reply", .keys = kReplyKeys};
inline constexpr Schema kFailuresSchema{.path = "failures", .keys = kFailuresKeys};
inline constexpr Schema kPassThroughSchema{.path = "pass_through", .keys = kPassThroughKeys};
inline constexpr Schema kLimitsSchema{.path = "limits", .keys = kLimitsKeys};
inline constexpr Schema kCorsSchema{.path = "cors", .keys = kCorsKeys};
inline constexpr Schema kLogSchema{.path = "log", .keys = kLogKeys};
inline constexpr Schema kReasoningStoreSchema{.path = "reasoning_store",
                                              .keys = kReasoningStoreKeys};
inline constexpr Schema kDebugSchema{.path = "debug", .keys = kDebugKeys};

inline constexpr std::array kSchemas{kTopSchema,         kAdminSchema,        kKeySchema,
                                     kUpstreamSchema,    kPathsSchema,        kTimeoutsSchema,
                                     kPoolSchema,        kRetrySchema,        kBreakerSchema,
                                     kConcurrencySchema, kHealthCheckSchema,  kTransformsSchema,
                                     kModelAliasSchema,  kEmbeddingsSchema,   kEmbeddedSchema,
                                     kRouteSchema,       kDefaultRouteSchema, kTargetSchema,
                                     kHedgeSchema,       kReplySchema,        kFailuresSchema,
                                     kPassThroughSchema, kLimitsSchema,       kCorsSchema,
                                     kLogSchema,         kAbilitiesSchema,    kReasoningStoreSchema,
                                     kDebugSchema};

}  // namespace sluice::config
