#include "gateway/memory_watch.h"

#include "observe/log.h"
#include "observe/memory.h"

namespace sluice::gateway {
namespace {

constexpr std::chrono::milliseconds kInterval{100};
constexpr std::chrono::seconds kReleaseInterval{1};
constexpr std::size_t kShedPercent = 95;
constexpr std::size_t kRefusePercent = 98;

}  // namespace

Pressure pressure_of(std::size_t resident, std::size_t budget) noexcept {
    const std::size_t percent = budget / 100;
    if (resident >= kRefusePercent * percent) return Pressure::refuse;
    return resident >= kShedPercent * percent ? Pressure::shed : Pressure::none;
}

void MemoryWatch::begin(std::optional<std::size_t> budget) {
    budget_ = budget;
    if (budget_) {
        expire_at(net::Clock::now());
    } else {
        never();
        pressure_ = Pressure::none;
    }
}

/// What was freed may still be counted: it is given back before anyone is refused for long.
void MemoryWatch::on_expired() {
    const auto now = net::Clock::now();
    std::size_t resident = observe::resident_bytes();
    if (pressure_of(resident, *budget_) != Pressure::none &&
        now - released_at_ > kReleaseInterval) {
        released_at_ = now;
        observe::release_free_memory();
        resident = observe::resident_bytes();
    }
    const Pressure pressure = pressure_of(resident, *budget_);
    if (pressure_.exchange(pressure) != pressure) {
        observe::log_warn(pressure == Pressure::refuse
                              ? "memory budget used up: requests are refused"
                          : pressure == Pressure::shed ? "memory budget nearly used up"
                                                       : "memory is within its budget again",
                          {{"resident_bytes", resident}, {"budget_bytes", *budget_}});
    }
    expire_at(now + kInterval);
}

}  // namespace sluice::gateway
