#pragma once

/// One worker's way to one configured upstream: its connections and the part of each request's head
/// that never changes. Lives as long as the worker, so that a reload keeps the connections.

#include "base/error.h"
#include "config/config.h"
#include "net/connect.h"
#include "net/http1/connection_pool.h"
#include "net/worker.h"
#include "upstream/flight.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::upstream {

/// Told of what happens on the way to upstreams. Called on the worker's thread.
class OriginObserver {
public:
    virtual void on_reuse_race() = 0;

protected:
    ~OriginObserver() = default;
};

/// One state of an upstream's configuration. A flight keeps the one it began with, so that a key is
/// never sent to a host that it does not belong to.
struct OriginSettings {
    config::Upstream upstream;
    std::string fixed_fields;              ///< the header lines that are the same for every request
    std::vector<std::string> credentials;  ///< the header line for each of the keys
    std::vector<std::string_view> secrets;  ///< the keys, as views into `upstream`
    std::shared_ptr<const net::TlsContext> tls;
    std::string version_line;  ///< for requests whose own header lines have no kVersionField
};

/// What Anthropic's API calls its version in.
inline constexpr std::string_view kVersionField = "anthropic-version";

class Origin {
public:
    /// Reads the CA file, if one is configured: that is the error this can have.
    [[nodiscard]] static Result<std::unique_ptr<Origin>> make(net::Worker& worker,
                                                              net::Connector& connector,
                                                              const config::Upstream& settings,
                                                              OriginObserver& observer);

    /// Takes over changed settings; flights under way keep theirs.
    [[nodiscard]] Result<void> configure(const config::Upstream& settings);

    /// A flight by the settings of now.
    [[nodiscard]] std::unique_ptr<Flight> flight();

    /// Whether the upstream takes a connection now. Sends nothing.
    net::Task<Result<void>> probe(std::chrono::milliseconds timeout);

    [[nodiscard]] const net::http1::ConnectionPool* pool() const noexcept { return pool_.get(); }

private:
    friend class HttpFlight;

    Origin(net::Worker& worker, net::Connector& connector, OriginObserver& observer)
        : worker_(worker),
          connector_(connector),
          observer_(observer) {}

    net::Worker& worker_;
    net::Connector& connector_;
    OriginObserver& observer_;
    std::shared_ptr<const OriginSettings> settings_;
    std::unique_ptr<net::http1::ConnectionPool> pool_;  // not kind embedded
};

}  // namespace sluice::upstream
