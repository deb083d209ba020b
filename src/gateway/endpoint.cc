#include "gateway/endpoint.h"

#include "gateway/answers.h"
#include "gateway/handle.h"
#include "gateway/pass_through.h"

#include <array>
#include <optional>

namespace sluice::gateway {
namespace {

constexpr std::string_view kRead = "GET, HEAD";

constexpr auto kClientEndpoints = std::to_array<Endpoint>({
    {.path = "/chat/completions",
     .is_api = true,
     .methods = "POST",
     .access = Access::key,
     .answer = complete_chat,
     .dialect = Dialect::openai_chat},
    {.path = "/completions",
     .is_api = true,
     .methods = "POST",
     .access = Access::key,
     .answer = complete_text,
     .dialect = Dialect::openai_text},
    {.path = "/embeddings",
     .is_api = true,
     .methods = "POST",
     .access = Access::key,
     .answer = embed,
     .dialect = Dialect::openai_chat},
    {.path = "/messages",
     .is_api = true,
     .methods = "POST",
     .access = Access::key,
     .answer = complete_message,
     .dialect = Dialect::anthropic_messages},
    {.path = "/messages/count_tokens",
     .is_api = true,
     .methods = "POST",
     .access = Access::key,
     .answer = count_tokens,
     .dialect = Dialect::anthropic_messages},
    {.path = "/api/hello",
     .is_api = true,
     .methods = kRead,
     .access = Access::everyone,
     .answer = answer_hello,
     .dialect = Dialect::anthropic_messages},
    {.path = "/models",
     .is_api = true,
     .methods = kRead,
     .access = Access::key,
     .answer = answer_models},
    {.path = "/models/",
     .takes_argument = true,
     .is_api = true,
     .methods = kRead,
     .access = Access::key,
     .answer = answer_model},
    {.path = "/api/tags",
     .is_api = true,
     .methods = kRead,
     .access = Access::key,
     .answer = answer_ollama_tags},
    {.path = "/api/ps",
     .is_api = true,
     .methods = kRead,
     .access = Access::key,
     .answer = answer_ollama_running},
    {.path = "/api/show",
     .is_api = true,
     .methods = "POST",
     .access = Access::key,
     .answer = answer_ollama_show},
    {.path = "/api/version",
     .is_api = true,
     .methods = kRead,
     .access = Access::key,
     .answer = answer_ollama_version},
    {.path = "/", .methods = kRead, .access = Access::everyone, .answer = answer_index},
    {.path = "/health", .methods = kRead, .access = Access::everyone, .answer = answer_health},
    {.path = "/livez", .methods = kRead, .access = Access::everyone, .answer = answer_alive},
    {.path = "/readyz", .methods = kRead, .access = Access::everyone, .answer = answer_ready},
    {.path = "/metrics", .methods = kRead, .access = Access::metrics, .answer = answer_metrics},
});

constexpr auto kAdminEndpoints = std::to_array<Endpoint>({
    {.path = "/", .methods = kRead, .access = Access::everyone, .answer = answer_index},
    {.path = "/health", .methods = kRead, .access = Access::everyone, .answer = answer_health},
    {.path = "/livez", .methods = kRead, .access = Access::everyone, .answer = answer_alive},
    {.path = "/readyz", .methods = kRead, .access = Access::everyone, .answer = answer_ready},
    {.path = "/metrics", .methods = kRead, .access = Access::key, .answer = answer_metrics},
});

/// What stands below the prefix of `pass_through` and is no endpoint of ours.
constexpr Endpoint kPassThrough{.path = "",
                                .methods = "GET, POST, PUT, DELETE, PATCH, OPTIONS, HEAD",
                                .access = Access::pass_through,
                                .answer = pass_through};

constexpr EndpointTable kClientTable(kClientEndpoints, EndpointTable::Keys::clients);
constexpr EndpointTable kAdminTable(kAdminEndpoints, EndpointTable::Keys::admin);

/// Clients differ on whether a base URL ends in /v1, so up to two of them are taken off. Base URLs
/// of Anthropic's dialect end in /anthropic where one host has both.
std::string_view without_version(std::string_view path) {
    constexpr std::string_view kAnthropic = "/anthropic";
    if (path.starts_with("/anthropic/")) path.remove_prefix(kAnthropic.size());
    for (int i = 0; i < 2 && path.starts_with("/v1/"); ++i) path.remove_prefix(3);
    return path;
}

/// The part of the path below the prefix, with its leading slash; nullopt for other paths.
std::optional<std::string_view> below(std::string_view path, std::string_view prefix) {
    if (!path.starts_with(prefix)) return std::nullopt;
    path.remove_prefix(prefix.size());
    return path.starts_with('/') ? std::optional(path) : std::nullopt;
}

bool allows(std::string_view methods, std::string_view method) {
    for (std::size_t at = 0; at != std::string_view::npos;) {
        const std::size_t comma = methods.find(", ", at);
        if (methods.substr(at, comma - at) == method) return true;
        at = comma == std::string_view::npos ? comma : comma + 2;
    }
    return false;
}

}  // namespace

const EndpointTable& client_endpoints() {
    return kClientTable;
}

const EndpointTable& admin_endpoints() {
    return kAdminTable;
}

bool EndpointTable::find_at(std::string_view path, bool api_only, Exchange& exchange) const {
    const std::string_view unversioned = without_version(path);
    for (const Endpoint& endpoint : endpoints_) {
        if (api_only && !endpoint.is_api) continue;
        const std::string_view asked = endpoint.is_api ? unversioned : path;
        const bool matches = endpoint.takes_argument ? asked.size() > endpoint.path.size() &&
                                                           asked.starts_with(endpoint.path)
                                                     : asked == endpoint.path;
        if (!matches) continue;
        exchange.endpoint = &endpoint;
        exchange.dialect = endpoint.dialect.value_or(Dialect::openai_chat);
        exchange.path_argument = asked.substr(endpoint.path.size());
        return true;
    }
    return false;
}

/// Endpoints of ours come first, also below the prefix that everything else is handed on from.
bool EndpointTable::find_anywhere(Exchange& exchange) const {
    if (find_at(exchange.path, false, exchange)) return true;
    const config::PassThrough& settings = exchange.snapshot->config.pass_through;
    if (settings.upstream.empty() || keys_ != Keys::clients) return false;
    const auto rest = below(exchange.path, settings.prefix);
    if (!rest) return false;
    if (find_at(*rest, true, exchange)) return true;
    exchange.endpoint = &kPassThrough;
    exchange.path_argument = *rest;
    return true;
}

Result<void> EndpointTable::find(Exchange& exchange) const {
    if (!find_anywhere(exchange)) {
        return fail(Errc::not_found, "unknown path: " + exchange.method + " " + exchange.path);
    }
    const std::string_view methods = exchange.endpoint->methods;
    if (allows(methods, exchange.method)) return {};
    return fail(Errc::method_not_allowed, exchange.method + " is not possible on " + exchange.path +
                                              "; allowed: " + std::string(methods));
}

}  // namespace sluice::gateway
