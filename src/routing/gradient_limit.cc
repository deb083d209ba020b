#include "routing/gradient_limit.h"

#include <algorithm>
#include <cmath>

namespace sluice::routing {
namespace {

constexpr std::size_t kDefaultStart = 32;

// The limit moves when it has seen so many samples over so long a time: often enough to follow a
// load, seldom enough not to follow a single slow reply.
constexpr std::size_t kSamples = 10;
constexpr std::chrono::milliseconds kInterval{500};

constexpr std::size_t kWarmUp = 10;   // updates whose mean is the first usual latency
constexpr double kMemory = 600;       // updates that the usual latency remembers from then on
constexpr double kTolerance = 1.5;    // times the usual latency that is not yet late
constexpr double kSteepest = 0.5;     // no single update asks for less than this part
constexpr double kStep = 0.2;         // how far an update goes of the way that it asks for
constexpr double kOverloaded = 0.8;   // what is left after an overload
constexpr double kForgetting = 0.95;  // of a usual latency that is far above the present one

}  // namespace

void GradientLimit::configure(std::size_t start, std::size_t max) {
    max_ = static_cast<double>(std::max<std::size_t>(max, 1));
    set(limit_ > 0 ? limit_ : static_cast<double>(start > 0 ? start : kDefaultStart));
}

void GradientLimit::record(std::chrono::nanoseconds first_byte, std::size_t active, TimePoint now) {
    if (samples_ == 0) since_ = now;
    sum_ += static_cast<double>(std::max(first_byte, std::chrono::nanoseconds{1}).count());
    ++samples_;
    peak_ = std::max(peak_, active);
    if (samples_ < kSamples || now - since_ < kInterval) return;

    update(sum_ / static_cast<double>(samples_));
    sum_ = 0;
    samples_ = 0;
    peak_ = 0;
}

void GradientLimit::shrink(TimePoint now) {
    if (now < shrink_from_) return;
    shrink_from_ = now + kInterval;
    set(limit_ * kOverloaded);
}

void GradientLimit::update(double latency) {
    ++updates_;
    const double weight =
        updates_ <= kWarmUp ? 1 / static_cast<double>(updates_) : 2 / (kMemory + 1);
    usual_ += (latency - usual_) * weight;
    // After a long overload the usual latency is that of the overload: forget it faster.
    if (usual_ > 2 * latency) usual_ *= kForgetting;

    const double gradient = std::clamp(kTolerance * usual_ / latency, kSteepest, 1.0);
    const double wanted = limit_ * gradient + std::sqrt(limit_);
    // Latency says nothing of a limit that is not even half used.
    if (wanted > limit_ && static_cast<double>(peak_) < limit_ / 2) return;
    set(limit_ + (wanted - limit_) * kStep);
}

void GradientLimit::set(double limit) {
    limit_ = std::clamp(limit, 1.0, max_);
}

}  // namespace sluice::routing
