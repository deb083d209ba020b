#include "base/text.h"
#include "gateway/handle.h"
#include "net/digest.h"

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace sluice::gateway {
namespace {

constexpr std::string_view kHowToAuthenticate =
    "send the key as `Authorization: Bearer KEY` or as `x-api-key: KEY`";

/// The one credential of the request; nullopt where there is none. Two that differ are refused:
/// whoever sits before us may have looked at the other one.
Result<std::optional<std::string_view>> credential(const net::http1::RequestHead& head) {
    if (head.count("authorization") > 1 || head.count("x-api-key") > 1) {
        return fail(Errc::unauthorized, "the request carries the same credential header twice");
    }
    std::optional<std::string_view> bearer;
    if (const auto value = head.find("authorization")) {
        constexpr std::string_view kScheme = "bearer ";
        if (value->size() <= kScheme.size() || !iequals(value->substr(0, 7), kScheme)) {
            return fail(Errc::unauthorized, "the Authorization header is not a bearer token; " +
                                                std::string(kHowToAuthenticate));
        }
        bearer = trim(value->substr(kScheme.size()));
    }
    const auto api_key = head.find("x-api-key");
    if (bearer && api_key && *bearer != *api_key) {
        return fail(Errc::unauthorized,
                    "Authorization and x-api-key carry different keys; send one of them");
    }
    return bearer ? bearer : api_key;
}

/// Every key is compared, so the time tells nothing about which one matched.
const KnownKey* find_key(const Snapshot& snapshot, std::string_view secret) {
    const net::Digest digest = net::sha256(secret);
    const KnownKey* found = nullptr;
    for (const KnownKey& key : snapshot.keys) {
        if (net::equal_in_constant_time(key.digest, digest)) found = &key;
    }
    return found;
}

Result<void> identify_admin(Exchange& exchange, std::optional<std::string_view> secret) {
    // Without a key the listener is a loopback one, by the checks at start and at each reload.
    const bool no_key = exchange.snapshot->config.admin.key.empty();
    const bool matches =
        no_key ||
        (secret && net::equal_in_constant_time(net::sha256(*secret), exchange.snapshot->admin_key));
    if (!matches) {
        return fail(Errc::unauthorized,
                    "the admin key is missing or wrong; " + std::string(kHowToAuthenticate));
    }
    exchange.scope.key_name = "admin";
    exchange.scope.may_see_metrics = exchange.scope.may_see_stats = true;
    return {};
}

Result<void> check_scope(const Exchange& exchange) {
    if (exchange.endpoint->access == Access::metrics && !exchange.scope.may_see_metrics) {
        return fail(Errc::forbidden,
                    "this key lacks the scope `metrics`; add it to the key's "
                    "scopes in the configuration");
    }
    if (exchange.endpoint->access == Access::pass_through && !exchange.scope.may_pass_through) {
        return fail(Errc::forbidden, "this key lacks the scope `pass_through`, which " +
                                         exchange.path +
                                         " needs; add it to the key's scopes in the configuration");
    }
    return {};
}

/// Stands for a credential in logs and limits, and tells nothing of it.
std::string tenant_of(std::string_view secret) {
    const net::Digest digest = net::sha256(secret);
    std::uint64_t front = 0;
    std::memcpy(&front, digest.data(), sizeof front);
    std::string tenant("credential-0123456789abcdef");
    write_hex(tenant.data() + tenant.size() - 16, front);
    return tenant;
}

/// The client's key is one of the upstream's own, which judges it. Whose request it is, is told by
/// the key's digest. Without a key the upstream's configured one serves, but only clients that no
/// other machine can be.
Result<void> identify_by_upstream(Exchange& exchange) {
    const net::http1::RequestHead& head = exchange.client.head();
    const auto secret = credential(head);
    if (!secret) return std::unexpected(secret.error());
    const bool alone = exchange.snapshot->loopback_only;
    exchange.scope.may_see_metrics = exchange.scope.may_see_stats = alone;
    exchange.scope.may_pass_through = true;
    const std::string_view shown = secret->value_or("");
    if (shown.empty()) {
        if (alone) return check_scope(exchange);
        return fail(Errc::unauthorized, "no API key was given; " + std::string(kHowToAuthenticate));
    }
    for (const std::string_view name : {"authorization", "x-api-key"}) {
        const auto value = head.find(name);
        if (value) net::append_field(exchange.client_credential, name, *value);
    }
    exchange.tenant = tenant_of(shown);
    exchange.scope.key_name = exchange.tenant;
    return check_scope(exchange);
}

}  // namespace

Result<void> identify(Exchange& exchange) {
    if (exchange.endpoint->access == Access::everyone) return {};
    const Snapshot& snapshot = *exchange.snapshot;
    if (exchange.table.keys() == EndpointTable::Keys::clients && snapshot.keys.empty()) {
        if (snapshot.passes_credentials) return identify_by_upstream(exchange);
        // Loopback only, by the check at start: any credential or none will do.
        exchange.scope.may_see_metrics = exchange.scope.may_see_stats = true;
        exchange.scope.may_pass_through = true;
        return {};
    }
    const auto secret = credential(exchange.client.head());
    if (!secret) return std::unexpected(secret.error());
    if (exchange.table.keys() == EndpointTable::Keys::admin) {
        return identify_admin(exchange, *secret);
    }
    if (!*secret || (*secret)->empty()) {
        return fail(Errc::unauthorized, "no API key was given; " + std::string(kHowToAuthenticate));
    }
    const KnownKey* const key = find_key(snapshot, **secret);
    if (key == nullptr) return fail(Errc::unauthorized, "incorrect API key provided");
    exchange.scope.key_name = key->name;
    exchange.scope.group = key->group;
    exchange.scope.may_see_metrics = key->may_see_metrics;
    exchange.scope.may_see_stats = key->may_see_stats;
    exchange.scope.may_pass_through = key->may_pass_through;
    exchange.scope.models = key->models;
    return check_scope(exchange);
}

}  // namespace sluice::gateway
