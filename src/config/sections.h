#pragma once

/// One function for each section of the file: reads it into its struct and reports what is wrong.

#include "config/config.h"
#include "config/reader.h"

#include <string>
#include <vector>

namespace sluice::config {

/// An address to listen on, and where it was written.
struct Listener {
    HostPort address;
    Place place;
};

/// `listen` of the file, changed by HOST and PORT, changed by the flags. Never empty.
[[nodiscard]] std::vector<Listener> read_listeners(const Reader& reader, const Section& top,
                                                   const Variables& variables, const Flags& flags);

/// Reads `admin`, with SLUICE_ADMIN_LISTEN and SLUICE_ADMIN_KEY over it.
void read_admin(const Reader& reader, const NodePtr& node, const Variables& variables,
                Admin& admin);

/// Reads `keys`, followed by ALLOWED_API_KEYS as `env-1`, `env-2` and so on.
void read_keys(const Reader& reader, const NodePtr& node, const Variables& variables,
               std::vector<Key>& keys);

/// Whether clients show keys of ours, which must not be handed to an upstream.
enum class HasKeys : bool { no, yes };

/// Reads `upstreams`. One with mistakes is there all the same, so that its routes find it.
void read_upstreams(const Reader& reader, const NodePtr& node, HasKeys has_keys,
                    Upstreams& upstreams);

/// The upstream of a name as it is when only a preset is stated.
[[nodiscard]] Upstream upstream_of_preset(const Reader& reader, std::string name,
                                          const std::string& preset);

/// Reads one target or a list of targets and of groups of equals, whose upstreams must be there
/// already. `equals`: a list without groups is one tier, not one after the other.
[[nodiscard]] std::vector<Target> read_targets(const Reader& reader, const NodePtr& node,
                                               const std::string& path, const Upstreams& upstreams,
                                               bool equals);

/// Reads `routes` and `default_route`; the upstreams must be there already.
void read_routes(const Reader& reader, const Section& top, Config& config);

/// Reads `failures` over the defaults of the table.
void read_failures(const Reader& reader, const Section& top, FailureTable& failures);

/// Reads `pass_through`, with PROXY_PATH_PREFIX over it; upstreams and routes must be there
/// already.
void read_pass_through(const Reader& reader, const Section& top, const Variables& variables,
                       Config& config);

/// Reads `default_model`, `reasoning_store` and `debug`.
void read_translation(const Reader& reader, const Section& top, Config& config);

void read_limits(const Reader& reader, const NodePtr& node, Limits& limits);
void read_cors(const Reader& reader, const NodePtr& node, Cors& cors);
void read_log(const Reader& reader, const NodePtr& node, Log& log);

/// `info` and its like in any case, `warning` and `critical` too.
[[nodiscard]] Result<LogLevel> parse_log_level(std::string_view text);

/// Upstreams and routes where the file and the preset name none: from the provider variables, else
/// the embedded upstream.
void add_default_upstreams(const Reader& reader, const Variables& variables, Config& config,
                           std::vector<std::string>& warnings);

/// TIMEOUT: the first byte's and the idle time of every provider.
void apply_timeout(const Reader& reader, const Variables& variables, Upstreams& upstreams);

/// MAX_RETRIES, BASE_RETRY_DELAY and RATE_LIMIT_WAIT: the `retry` of every provider.
void apply_retry_variables(const Reader& reader, const Variables& variables, Upstreams& upstreams);

/// Takes over the listeners. What can be reached from elsewhere must have keys, or upstreams that
/// take the clients' own credentials.
void check_access(const Reader& reader, const std::vector<Listener>& listeners, const Flags& flags,
                  Loaded& loaded);

}  // namespace sluice::config
