/// What the gateway says of itself: index, liveness, readiness, health, metrics.

#include "gateway/answers.h"
#include "gateway/endpoint.h"
#include "gateway/respond.h"
#include "json/writer.h"

#include <chrono>
#include <string>

namespace sluice::gateway {
namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;

constexpr seconds kStateLifetime{10};
constexpr std::chrono::milliseconds kProbeTime{1000};

std::int64_t uptime(const Exchange& exchange) {
    const auto up = net::Clock::now() - exchange.gateway.shared().started;
    return duration_cast<seconds>(up).count();
}

std::string target_of(const config::Upstream& upstream) {
    switch (upstream.kind) {
        case config::UpstreamKind::openai:
        case config::UpstreamKind::anthropic: return config::to_string(upstream.base_url);
        case config::UpstreamKind::embedded: return "embedded";
    }
    return {};
}

/// An upstream that nobody has asked of late is asked now whether it takes a connection.
net::Task<routing::LastWord::Entry> state_of(Exchange& exchange, const config::Upstream& upstream) {
    routing::LastWord& last_word = exchange.snapshot->record(upstream).last_word;
    const auto known = last_word.read();
    if (known.since && net::Clock::now() - *known.since < kStateLifetime) co_return known;
    const auto probed = co_await exchange.gateway.origin(upstream).probe(kProbeTime);
    if (probed) {
        last_word.report_up(net::Clock::now());
    } else {
        last_word.report_down(probed.error().message, net::Clock::now());
    }
    co_return last_word.read();
}

/// What /health says of one upstream. True where it can be used.
bool write_state(json::Writer& json, const config::Upstream& upstream,
                 routing::UpstreamRecord& record, const routing::LastWord::Entry& entry) {
    const auto now = net::Clock::now();
    const auto breaker = record.breaker.state(now);
    json.begin_object().key("state").string(entry.up ? "up" : "down");
    json.key("target").string(target_of(upstream));
    if (!entry.up) json.key("reason").string(entry.reason);
    json.key("breaker").string(routing::to_string(breaker));
    json.key("in_flight").number(record.in_flight.active());
    if (record.in_flight.limit() > 0) {
        json.key("limit").number(record.in_flight.limit());
        json.key("waiting").number(record.in_flight.waiting());
    }
    json.end_object();
    return entry.up && breaker != routing::BreakerState::open;
}

/// The upstream that most requests go to: that of the default route, else of the first route.
const config::Upstream* main_upstream(const Snapshot& snapshot) {
    if (!snapshot.config.default_route.targets.empty()) {
        return snapshot.upstream(snapshot.config.default_route.targets.front().upstream);
    }
    if (!snapshot.config.routes.empty()) {
        return snapshot.upstream(snapshot.config.routes.front().targets.front().upstream);
    }
    return nullptr;
}

}  // namespace

net::Task<Result<void>> answer_index(Exchange& exchange) {
    std::string body;
    json::Writer json(body);
    json.begin_object().key("name").string("sluice").key("version").string(SLUICE_VERSION);
    json.key("uptime_seconds").number(uptime(exchange));
    json.key("links").begin_object();
    for (const Endpoint& endpoint : exchange.table.endpoints()) {
        if (endpoint.takes_argument || endpoint.path == "/") continue;
        const std::string path = (endpoint.is_api ? "/v1" : "") + std::string(endpoint.path);
        json.key(endpoint.path.substr(1)).string(path);
    }
    json.end_object().end_object();
    respond_json(exchange, 200, body);
    co_return Result<void>();
}

net::Task<Result<void>> answer_health(Exchange& exchange) {
    const Snapshot& snapshot = *exchange.snapshot;
    bool any_usable = false;
    std::string states;
    json::Writer upstreams(states);
    upstreams.begin_object();
    for (const auto& [name, upstream] : snapshot.config.upstreams) {
        const auto entry = co_await state_of(exchange, upstream);
        upstreams.key(name);
        const bool usable = write_state(upstreams, upstream, snapshot.record(upstream), entry);
        any_usable = any_usable || usable;
    }
    upstreams.end_object();

    std::string body;
    json::Writer json(body);
    json.begin_object().key("status").string(any_usable ? "healthy" : "unhealthy");
    const config::Upstream* const main = main_upstream(snapshot);
    json.key("target").string_or_null(main != nullptr ? target_of(*main) : "");
    json.key("upstreams").raw(states);
    json.key("version").string(SLUICE_VERSION).key("uptime_seconds").number(uptime(exchange));
    json.end_object();
    respond_json(exchange, any_usable ? 200 : 503, body);
    co_return Result<void>();
}

net::Task<Result<void>> answer_alive(Exchange& exchange) {
    respond_json(exchange, 200, R"({"status":"alive"})");
    co_return Result<void>();
}

net::Task<Result<void>> answer_ready(Exchange& exchange) {
    const bool draining = exchange.gateway.shared().draining;
    respond_json(exchange, draining ? 503 : 200,
                 draining ? R"({"status":"draining"})" : R"({"status":"ready"})");
    co_return Result<void>();
}

net::Task<Result<void>> answer_metrics(Exchange& exchange) {
    respond(exchange, 200, "text/plain; version=0.0.4; charset=utf-8",
            exchange.gateway.shared().metrics.text());
    co_return Result<void>();
}

net::Task<Result<void>> answer_hello(Exchange& exchange) {
    respond_json(exchange, 200, "{}");
    co_return Result<void>();
}

}  // namespace sluice::gateway
