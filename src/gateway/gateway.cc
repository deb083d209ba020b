#include "gateway/gateway.h"

#include <utility>

namespace sluice::gateway {
namespace {

constexpr std::chrono::milliseconds kLogFlushInterval{200};

}  // namespace

Gateway::Gateway(net::Worker& worker, Shared& shared)
    : worker_(worker),
      shared_(shared),
      connector_(worker),
      log_flush_(worker.deadlines(), access_log_) {}

Result<void> Gateway::use(std::shared_ptr<const Snapshot> snapshot) {
    for (const auto& [name, settings] : snapshot->config.upstreams) {
        const auto known = origins_.find(name);
        if (known != origins_.end()) {
            if (auto configured = known->second->configure(settings); !configured) {
                return configured;
            }
            continue;
        }
        auto made = upstream::Origin::make(worker_, connector_, settings, *this);
        if (!made) return std::unexpected(std::move(made.error()));
        origins_.emplace(name, std::move(*made));
    }
    model_lists_.clear();
    snapshot_ = std::move(snapshot);
    return {};
}

void Gateway::log(const observe::AccessRecord& record) {
    access_log_.record(record);
    if (log_flush_.when() == net::Clock::time_point::max()) {
        log_flush_.expire_after(kLogFlushInterval);
    }
}

upstream::Origin& Gateway::origin(const config::Upstream& upstream) {
    return *origins_.find(upstream.name)->second;
}

}  // namespace sluice::gateway
