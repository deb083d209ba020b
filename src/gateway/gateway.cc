#include "gateway/gateway.h"

#include "observe/log.h"

#include <utility>

namespace sluice::gateway {
namespace {

constexpr std::chrono::milliseconds kSoon{200};
constexpr std::chrono::seconds kNowAndThen{1};
constexpr std::chrono::seconds kBetweenSamples{10};

/// As docs/metrics.md has it: the worse, the higher.
int number_of(routing::BreakerState state) {
    switch (state) {
        case routing::BreakerState::closed: return 0;
        case routing::BreakerState::half_open: return 1;
        case routing::BreakerState::open: return 2;
    }
    return 0;
}

}  // namespace

Gateway::Gateway(net::Worker& worker, Shared& shared)
    : worker_(worker),
      shared_(shared),
      connector_(worker),
      housekeeping_(worker.deadlines(), *this),
      health_checks_(worker.deadlines(), *this),
      memory_watch_(worker.deadlines(), shared.pressure),
      chance_(std::random_device()()) {}

Result<void> Gateway::use(std::shared_ptr<const Snapshot> snapshot) {
    // What can fail is tried before anything is changed.
    for (const auto& [name, settings] : snapshot->config.upstreams) {
        if (settings.ca_file.empty()) continue;
        if (auto context = net::TlsContext::make(settings.ca_file); !context) {
            return std::unexpected(std::move(context.error()));
        }
    }
    for (const auto& [name, settings] : snapshot->config.upstreams) {
        const auto known = ways_.find(name);
        if (known != ways_.end()) {
            if (auto configured = known->second.origin->configure(settings); !configured) {
                return configured;
            }
            continue;
        }
        auto made = upstream::Origin::make(worker_, connector_, settings, *this);
        if (!made) return std::unexpected(std::move(made.error()));
        ways_[name].origin = std::move(*made);
    }
    model_lists_.clear();
    snapshot_ = std::move(snapshot);
    health_checks_.begin();
    if (worker_.index() == 0) memory_watch_.begin(snapshot_->config.limits.memory_bytes);
    return {};
}

void Gateway::expect_housekeeping() {
    const auto soon = net::coarse_now() + kSoon;
    if (housekeeping_.when() > soon) housekeeping_.expire_at(soon);
}

void Gateway::keep_house() {
    access_log_.flush();
    report_places();
    if (shared_.state) {
        const store::WriterStats writer = shared_.state->writer_stats();
        shared_.metrics.state_writer(writer.queued,
                                     writer.dropped + writer.refused + writer.failed);
    }
    bool any_kept = false;
    for (auto& [name, way] : ways_) {
        report_connections(name, way);
        any_kept = any_kept || way.idle > 0 || way.active > 0;
    }
    if (any_kept) housekeeping_.expire_after(kNowAndThen);
}

bool Gateway::take_sample() {
    const auto now = net::coarse_now();
    if (now < next_sample_) return false;
    next_sample_ = now + kBetweenSamples;
    return true;
}

void Gateway::note_breaker(std::string_view upstream, routing::BreakerState state) {
    observe::log_warn("the breaker of an upstream has changed",
                      {{"upstream", upstream}, {"state", routing::to_string(state)}});
    shared_.metrics.breaker(upstream, routing::to_string(state), number_of(state));
}

/// Every worker knows the same; whoever served a request last tells it.
void Gateway::report_places() {
    const auto now = net::coarse_now();
    for (const auto& [name, record] : snapshot_->records) {
        const routing::InFlight& places = record->in_flight;
        shared_.metrics.breaker_state(name, number_of(record->breaker.state(now)));
        shared_.metrics.in_flight(name, places.active(), places.waiting(), places.limit());
    }
}

void Gateway::report_connections(const std::string& name, Way& way) {
    const net::http1::ConnectionPool* const pool = way.origin->pool();
    if (pool == nullptr) return;
    const auto report = [&](std::string_view state, int& reported, std::size_t now) {
        const int change = static_cast<int>(now) - reported;
        if (change != 0) shared_.metrics.upstream_connections(name, state, change);
        reported += change;
    };
    report("idle", way.idle, pool->idle());
    report("active", way.active, pool->busy());
}

upstream::Origin& Gateway::origin(const config::Upstream& upstream) {
    return *ways_.find(upstream.name)->second.origin;
}

}  // namespace sluice::gateway
