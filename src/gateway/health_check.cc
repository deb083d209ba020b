/// Active health checks: an upstream is asked also when nobody else asks, so that its breaker opens
/// and closes without a client's request paying for it.

#include "gateway/gateway.h"
#include "observe/log.h"

#include <algorithm>
#include <utility>

namespace sluice::gateway {

void Gateway::HealthChecks::begin() {
    due_.clear();
    if (gateway_.worker_.index() != 0) return;
    for (const auto& [name, upstream] : gateway_.snapshot_->config.upstreams) {
        if (upstream.health_check.enabled) due_.emplace(name, net::Clock::now());
    }
    if (due_.empty()) {
        never();
    } else {
        expire_at(net::Clock::now());
    }
}

void Gateway::HealthChecks::end() {
    due_.clear();
    never();
    for (upstream::Flight* const flight : flights_) flight->cancel();
}

void Gateway::HealthChecks::on_expired() {
    const auto now = net::Clock::now();
    auto next = net::Clock::time_point::max();
    for (auto& [name, when] : due_) {
        const config::Upstream& upstream = *gateway_.snapshot_->upstream(name);
        if (when <= now) {
            when = now + upstream.health_check.interval;
            gateway_.worker_.spawn(check(gateway_.snapshot_, upstream));
        }
        next = std::min(next, when);
    }
    expire_at(next);
}

/// Any answer but a 5xx is one: the check has no key to be judged by. An open breaker lets it
/// through as it would a request.
net::Task<> Gateway::HealthChecks::check(std::shared_ptr<const Snapshot> snapshot,
                                         const config::Upstream& upstream) {
    routing::UpstreamRecord& record = snapshot->record(upstream);
    const auto leave = record.breaker.ask(net::Clock::now());
    if (leave == routing::Breaker::Leave::no) co_return;
    const auto flight = gateway_.origin(upstream).flight();
    flights_.insert(flight.get());
    upstream::Ask question;
    question.path = upstream.health_check.path;
    question.first_byte = upstream.health_check.timeout;
    const auto opened = co_await flight->open(question);
    const auto now = net::Clock::now();
    if (!opened && opened.error().code == Errc::cancelled) {
        flights_.erase(flight.get());
        record.breaker.forget(leave, now);
        co_return;
    }
    const bool ok = opened && flight->reply().status < 500;
    if (opened) {
        record.last_word.report_up(now);
        co_await flight->settle();
    } else {
        record.last_word.report_down(opened.error().message, now);
        observe::log_warn("a health check failed",
                          {{"upstream", upstream.name}, {"reason", opened.error().message}});
    }
    flights_.erase(flight.get());
    // What goes well while all is well proves nothing: requests may fail all the same.
    if (ok && leave == routing::Breaker::Leave::yes) {
        record.breaker.forget(leave, now);
    } else if (const auto state = record.breaker.report(ok, leave, now)) {
        gateway_.note_breaker(upstream.name, *state);
    }
}

}  // namespace sluice::gateway
