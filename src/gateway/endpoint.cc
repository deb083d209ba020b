#include "gateway/endpoint.h"

#include "gateway/answers.h"
#include "gateway/handle.h"

#include <array>

namespace sluice::gateway {
namespace {

constexpr std::string_view kRead = "GET, HEAD";

constexpr auto kClientEndpoints = std::to_array<Endpoint>({
    {.path = "/chat/completions",
     .is_api = true,
     .methods = "POST",
     .access = Access::key,
     .answer = complete_chat},
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

constexpr EndpointTable kClientTable(kClientEndpoints, EndpointTable::Keys::clients);
constexpr EndpointTable kAdminTable(kAdminEndpoints, EndpointTable::Keys::admin);

/// Clients differ on whether a base URL ends in /v1, so up to two of them are taken off.
std::string_view without_version(std::string_view path) {
    for (int i = 0; i < 2 && path.starts_with("/v1/"); ++i) path.remove_prefix(3);
    return path;
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

Result<void> EndpointTable::find(Exchange& exchange) const {
    const std::string_view unversioned = without_version(exchange.path);
    for (const Endpoint& endpoint : endpoints_) {
        const std::string_view path = endpoint.is_api ? unversioned : exchange.path;
        const bool matches = endpoint.takes_argument ? path.size() > endpoint.path.size() &&
                                                           path.starts_with(endpoint.path)
                                                     : path == endpoint.path;
        if (!matches) continue;
        exchange.endpoint = &endpoint;
        exchange.path_argument = path.substr(endpoint.path.size());
        if (allows(endpoint.methods, exchange.method)) return {};
        return fail(Errc::method_not_allowed, exchange.method + " is not possible on " +
                                                  exchange.path +
                                                  "; allowed: " + std::string(endpoint.methods));
    }
    return fail(Errc::not_found, "unknown path: " + exchange.method + " " + exchange.path);
}

}  // namespace sluice::gateway
