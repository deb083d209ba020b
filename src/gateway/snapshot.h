#pragma once

/// The configuration in the form that requests are answered by. Immutable once made; each exchange
/// keeps the one it began with, so a reload never changes a request half way.

#include "base/error.h"
#include "config/config.h"
#include "net/digest.h"
#include "net/http1/server.h"
#include "routing/plan.h"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::gateway {

/// Whose request it is and what they may see. Every store call will require it.
struct Scope {
    std::string_view key_name;  ///< empty where no key is configured
    std::string_view group;
    bool may_see_metrics = false;
    bool may_see_stats = false;
    bool may_pass_through = false;
    std::span<const std::string> models;  ///< names or globs; empty: any

    [[nodiscard]] bool may_use(std::string_view model) const;
};

/// A client's key without the key: only its digest is kept.
struct KnownKey {
    net::Digest digest{};
    std::string name;
    std::string group;
    bool may_see_metrics = false;
    bool may_see_stats = false;
    bool may_pass_through = false;
    std::vector<std::string> models;
};

/// A route as requests use it.
struct RoutePlan {
    RoutePlan(std::string_view called, const config::Route& route,
              std::vector<routing::Destination> destinations)
        : name(called),
          plan(route, std::move(destinations)) {}

    [[nodiscard]] bool is_default() const noexcept { return plan.route().model.empty(); }

    std::string_view name;  ///< its model's name or glob; "default"
    routing::Plan plan;
    mutable routing::HedgeShare hedges;
};

struct Snapshot {
    /// The records of `board`, which must outlive the snapshot, take over the upstreams' settings.
    Snapshot(config::Config settings, routing::Board& board);
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;

    config::Config config;
    std::vector<KnownKey> keys;
    net::Digest admin_key{};
    net::http1::ServerLimits server_limits;

    bool loopback_only = true;  ///< no client listener can be reached from elsewhere
    /// Clients show the upstreams' own keys, as no key of ours is configured: `auth: passthrough`.
    bool passes_credentials = false;

    /// The route of a model: an exact name before the first glob that matches, then the default
    /// route; nullptr where there is none.
    [[nodiscard]] const RoutePlan* route_of(std::string_view model) const;

    /// In the order of the configuration; the default route, if there is one, comes last.
    std::vector<std::unique_ptr<RoutePlan>> routes;

    [[nodiscard]] routing::UpstreamRecord& record(const config::Upstream& upstream) const {
        return *records.find(upstream.name)->second;
    }
    std::map<std::string_view, routing::UpstreamRecord*> records;

    /// nullptr when the configuration has no such upstream.
    [[nodiscard]] const config::Upstream* upstream(std::string_view name) const;
};

}  // namespace sluice::gateway
