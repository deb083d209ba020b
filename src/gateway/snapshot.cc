#include "gateway/snapshot.h"

#include "base/text.h"

#include <algorithm>
#include <utility>

namespace sluice::gateway {
namespace {

bool has(const config::Key& key, config::Scope scope) {
    return std::ranges::find(key.scopes, scope) != key.scopes.end();
}

}  // namespace

Snapshot::Snapshot(config::Config settings) : config(std::move(settings)) {
    for (const config::Key& key : config.keys) {
        KnownKey known;
        known.digest = net::sha256(key.secret.reveal());
        known.name = key.name;
        known.group = key.group;
        known.may_see_metrics = has(key, config::Scope::metrics);
        known.may_see_stats = has(key, config::Scope::stats);
        keys.push_back(std::move(known));
    }
    admin_key = net::sha256(config.admin.key.reveal());
    server_limits.request.head_bytes = config.limits.head_bytes;
    server_limits.request.body_bytes = config.limits.body_bytes;
    server_limits.head_timeout = config.limits.head_timeout;
    server_limits.idle_timeout = config.limits.idle_timeout;
    server_limits.body_min_bytes_per_second = config.limits.body_min_rate;
}

std::span<const config::Target> Snapshot::targets_for(std::string_view model,
                                                      std::string_view& route) const {
    const auto exact = std::ranges::find(config.routes, model, &config::Route::model);
    const auto found = exact != config.routes.end()
                           ? exact
                           : std::ranges::find_if(config.routes, [&](const config::Route& r) {
                                 return glob_match(r.model, model);
                             });
    if (found != config.routes.end()) {
        route = found->model;
        return found->targets;
    }
    route = config.default_route.targets.empty() ? "" : "default";
    return config.default_route.targets;
}

const config::Upstream* Snapshot::upstream(std::string_view name) const {
    const auto found = config.upstreams.find(name);
    return found != config.upstreams.end() ? &found->second : nullptr;
}

}  // namespace sluice::gateway
