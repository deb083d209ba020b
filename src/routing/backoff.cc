#include "routing/backoff.h"

#include <algorithm>
#include <cmath>

namespace sluice::routing {

config::Milliseconds backoff(const config::Retry& settings, std::size_t retry, double random) {
    constexpr std::size_t kMaxDoublings = 62;
    const auto doublings = static_cast<int>(std::min(retry, kMaxDoublings));
    const double longest =
        std::min(std::ldexp(static_cast<double>(settings.base_delay.count()), doublings),
                 static_cast<double>(settings.max_delay.count()));
    return config::Milliseconds(static_cast<config::Milliseconds::rep>(random * longest));
}

}  // namespace sluice::routing
