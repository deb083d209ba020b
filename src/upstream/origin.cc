#include "upstream/origin.h"

#include "net/transaction.h"
#include "upstream/embedded/embedded_flight.h"
#include "upstream/http_flight.h"
#include "upstream/reply_fields.h"

#include <utility>

namespace sluice::upstream {
namespace {

std::string fixed_fields(const config::Upstream& settings) {
    const config::BaseUrl& url = settings.base_url;
    const bool is_ipv6 = url.host.contains(':');
    std::string host = is_ipv6 ? "[" + url.host + "]" : url.host;
    if (url.port != (url.tls ? 443 : 80)) host += ":" + std::to_string(url.port);

    std::string fields;
    net::append_field(fields, "host", host);
    net::append_field(fields, "user-agent", "sluice/" SLUICE_VERSION);
    return fields;
}

std::string credential_line(config::AuthHeader header, const config::Secret& key) {
    std::string line;
    switch (header) {
        case config::AuthHeader::bearer:
            net::append_field(line, "authorization", "Bearer " + key.reveal());
            break;
        case config::AuthHeader::x_api_key:
            net::append_field(line, "x-api-key", key.reveal());
            break;
    }
    return line;
}

std::vector<std::string> credential_lines(const config::Upstream& settings) {
    std::vector<std::string> lines;
    lines.reserve(settings.api_keys.size());
    for (const config::Secret& key : settings.api_keys) {
        lines.push_back(credential_line(settings.auth_header, key));
    }
    return lines;
}

std::string version_line(const config::Upstream& settings) {
    std::string line;
    if (!settings.version.empty()) net::append_field(line, kVersionField, settings.version);
    return line;
}

}  // namespace

Result<std::unique_ptr<Origin>> Origin::make(net::Worker& worker, net::Connector& connector,
                                             const config::Upstream& settings,
                                             OriginObserver& observer) {
    std::unique_ptr<Origin> origin(new Origin(worker, connector, observer));
    if (auto configured = origin->configure(settings); !configured) {
        return std::unexpected(std::move(configured.error()));
    }
    return origin;
}

Result<void> Origin::configure(const config::Upstream& settings) {
    auto next = std::make_shared<OriginSettings>();
    next->upstream = settings;
    next->fixed_fields = fixed_fields(settings);
    next->credentials = credential_lines(settings);
    next->version_line = version_line(settings);
    next->secrets = secrets_of(next->upstream.api_keys, {});
    if (settings.kind == config::UpstreamKind::embedded) {
        settings_ = std::move(next);
        return {};
    }
    if (settings.base_url.tls) {
        const bool same_trust = settings_ != nullptr && settings_->tls != nullptr &&
                                settings.ca_file.empty() && settings_->upstream.ca_file.empty();
        if (same_trust) {
            next->tls = settings_->tls;
        } else {
            auto context = net::TlsContext::make(settings.ca_file);
            if (!context) return std::unexpected(std::move(context.error()));
            next->tls = std::make_shared<const net::TlsContext>(std::move(*context));
        }
    }
    settings_ = std::move(next);

    net::Endpoint endpoint(settings.base_url.host, settings.base_url.port, settings_->tls);
    net::http1::PoolLimits limits;
    limits.max_idle = settings.pool.max_idle_per_worker;
    limits.idle_timeout = settings.pool.idle_timeout;
    limits.max_connections = settings.pool.max_connections;
    if (pool_) {
        pool_->configure(std::move(endpoint), limits);
    } else {
        pool_ = std::make_unique<net::http1::ConnectionPool>(worker_, connector_,
                                                             std::move(endpoint), limits);
    }
    return {};
}

std::unique_ptr<Flight> Origin::flight() {
    switch (settings_->upstream.kind) {
        case config::UpstreamKind::openai:
        case config::UpstreamKind::anthropic: return std::make_unique<HttpFlight>(*this);
        case config::UpstreamKind::embedded:
            return std::make_unique<embedded::EmbeddedFlight>(worker_, settings_->upstream);
    }
    return nullptr;
}

net::Task<Result<void>> Origin::probe(std::chrono::milliseconds timeout) {
    if (!pool_) co_return Result<void>();
    auto connection = co_await pool_->connect(timeout);
    if (!connection) co_return std::unexpected(connection.error());
    pool_->give_back(std::move(*connection));
    co_return Result<void>();
}

}  // namespace sluice::upstream
