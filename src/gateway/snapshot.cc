#include "gateway/snapshot.h"

#include "base/text.h"

#include <algorithm>
#include <utility>

namespace sluice::gateway {
namespace {

bool has(const config::Key& key, config::Scope scope) {
    return std::ranges::find(key.scopes, scope) != key.scopes.end();
}

std::unique_ptr<RoutePlan> make_plan(std::string_view name, const config::Route& route,
                                     const Snapshot& snapshot) {
    std::vector<routing::Destination> destinations;
    for (const config::Target& target : route.targets) {
        const config::Upstream* const upstream = snapshot.upstream(target.upstream);
        destinations.push_back({&target, upstream, &snapshot.record(*upstream)});
    }
    return std::make_unique<RoutePlan>(name, route, std::move(destinations));
}

}  // namespace

Snapshot::Snapshot(config::Config settings, routing::Board& board) : config(std::move(settings)) {
    for (const auto& [name, upstream] : config.upstreams) {
        records.emplace(name, &board.record(upstream));
    }
    for (const config::Route& route : config.routes) {
        routes.push_back(make_plan(route.model, route, *this));
    }
    if (!config.default_route.targets.empty()) {
        routes.push_back(make_plan("default", config.default_route, *this));
    }
    loopback_only = std::ranges::all_of(config.listeners, config::is_loopback);
    passes_credentials =
        config.keys.empty() && std::ranges::any_of(config.upstreams, [](const auto& entry) {
            return entry.second.auth == config::Auth::passthrough;
        });
    for (const config::Key& key : config.keys) {
        KnownKey known;
        known.digest = net::sha256(key.secret.reveal());
        known.name = key.name;
        known.group = key.group;
        known.may_see_metrics = has(key, config::Scope::metrics);
        known.may_see_stats = has(key, config::Scope::stats);
        known.may_pass_through = has(key, config::Scope::pass_through);
        known.models = key.models;
        keys.push_back(std::move(known));
    }
    admin_key = net::sha256(config.admin.key.reveal());
    server_limits.request.head_bytes = config.limits.head_bytes;
    server_limits.request.body_bytes = config.limits.body_bytes;
    server_limits.head_timeout = config.limits.head_timeout;
    server_limits.idle_timeout = config.limits.idle_timeout;
    server_limits.body_min_bytes_per_second = config.limits.body_min_rate;
}

bool Scope::may_use(std::string_view model) const {
    return models.empty() || std::ranges::any_of(models, [&](const std::string& allowed) {
               return glob_match(allowed, model);
           });
}

const RoutePlan* Snapshot::route_of(std::string_view model) const {
    const auto named = std::span(routes).first(config.routes.size());
    const auto exact = std::ranges::find(config.routes, model, &config::Route::model);
    if (exact != config.routes.end())
        return named[static_cast<std::size_t>(exact - config.routes.begin())].get();
    const auto found = std::ranges::find_if(
        named, [&](const auto& route) { return glob_match(route->name, model); });
    if (found != named.end()) return found->get();
    return routes.size() > named.size() ? routes.back().get() : nullptr;
}

const config::Upstream* Snapshot::upstream(std::string_view name) const {
    const auto found = config.upstreams.find(name);
    return found != config.upstreams.end() ? &found->second : nullptr;
}

}  // namespace sluice::gateway
