#pragma once

/// The configuration in the form that requests are answered by. Immutable once made; each exchange
/// keeps the one it began with, so a reload never changes a request half way.

#include "base/error.h"
#include "config/config.h"
#include "net/digest.h"
#include "net/http1/server.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::gateway {

/// Whose request it is and what they may see. Every store call will require it.
struct Scope {
    std::string_view key_name;  ///< empty where no key is configured
    std::string_view group;
    bool may_see_metrics = false;
    bool may_see_stats = false;
};

/// A client's key without the key: only its digest is kept.
struct KnownKey {
    net::Digest digest{};
    std::string name;
    std::string group;
    bool may_see_metrics = false;
    bool may_see_stats = false;
};

struct Snapshot {
    explicit Snapshot(config::Config settings);

    config::Config config;
    std::vector<KnownKey> keys;
    net::Digest admin_key{};
    net::http1::ServerLimits server_limits;

    /// The targets for a model, in order: an exact route before the first glob that matches, then
    /// the default route. Empty when there is none. `route` is set to the route's own name.
    [[nodiscard]] std::span<const config::Target> targets_for(std::string_view model,
                                                              std::string_view& route) const;

    /// nullptr when the configuration has no such upstream.
    [[nodiscard]] const config::Upstream* upstream(std::string_view name) const;
};

}  // namespace sluice::gateway
