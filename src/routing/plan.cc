#include "routing/plan.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <utility>

namespace sluice::routing {
namespace {

/// Candidates, as they come: those to be asked now, and those that are left alone if possible.
struct Sorter {
    std::vector<Candidate>& usable;
    std::vector<Candidate>& resting;
    std::vector<Keys::Choice>& keys;

    void add(const Destination& destination, std::chrono::steady_clock::time_point now) {
        const bool is_open = destination.record->breaker.closed_until(now) > now;
        const std::size_t count = destination.upstream->api_keys.size();
        if (count < 2) {
            const bool rests = is_open || destination.record->keys.cools_until(0, now) > now;
            (rests ? resting : usable).push_back({.destination = &destination, .key = 0});
            return;
        }
        Keys& known = destination.record->keys;
        known.order(known.next_turn(), now, keys);
        for (const Keys::Choice& key : keys) {
            // A reload may have brought keys that the configuration of this request lacks.
            if (key.index >= count) continue;
            (is_open || key.cools ? resting : usable)
                .push_back({.destination = &destination, .key = key.index});
        }
    }
};

/// Deals turns by weight, evenly spread: everyone gathers its weight at each turn, and whoever has
/// the most takes it and pays for it with the weight of all.
class Spread {
public:
    explicit Spread(std::vector<std::int64_t> weights)
        : weights_(std::move(weights)),
          gathered_(weights_.size()),
          all_(std::reduce(weights_.begin(), weights_.end())) {}

    std::size_t next() {
        for (std::size_t i = 0; i < weights_.size(); ++i) gathered_[i] += weights_[i];
        const auto most = std::ranges::max_element(gathered_);
        *most -= all_;
        return static_cast<std::size_t>(most - gathered_.begin());
    }

private:
    std::vector<std::int64_t> weights_;
    std::vector<std::int64_t> gathered_;
    std::int64_t all_;
};

/// Uniform in [0, 1).
double to_unit(std::uint64_t random) noexcept {
    constexpr double kStep = 0x1p-53;
    return static_cast<double>(random >> 11) * kStep;
}

double weight_of(const Destination& destination) noexcept {
    return static_cast<double>(destination.target->weight);
}

}  // namespace

Plan::Plan(const config::Route& route, std::vector<Destination> destinations)
    : route_(&route),
      destinations_(std::move(destinations)) {
    std::map<std::size_t, Tier> tiers;
    for (const Destination& destination : destinations_) {
        Tier& tier = tiers[destination.target->tier];
        (destination.target->weight > 0 ? tier.weighted : tier.spare).push_back(&destination);
        tier.weight += destination.target->weight;
    }
    for (auto& [number, tier] : tiers) {
        make_cycle(tier);
        tiers_.push_back(std::move(tier));
    }
}

void Plan::order(const Chooser& chooser, std::vector<Candidate>& out) const {
    out.clear();
    if (destinations_.size() == 1 && destinations_[0].upstream->api_keys.size() < 2) {
        out.push_back({.destination = destinations_.data(), .key = 0});
        return;
    }
    // A worker's own, so that a request need not allocate.
    thread_local Equals equals;
    thread_local std::vector<Candidate> resting;
    thread_local std::vector<Keys::Choice> keys;

    const std::uint32_t turn = turn_.fetch_add(1, std::memory_order_relaxed);
    Sorter sorter{.usable = out, .resting = resting, .keys = keys};
    for (const Tier& tier : tiers_) {
        resting.clear();
        order_equals(tier, turn, chooser, equals);
        for (const Scored& equal : equals) sorter.add(*equal.destination, chooser.now);
        for (const Destination* spare : tier.spare) sorter.add(*spare, chooser.now);
        out.insert(out.end(), resting.begin(), resting.end());
    }
}

void Plan::order_equals(const Tier& tier, std::uint32_t turn, const Chooser& chooser,
                        Equals& equals) const {
    equals.clear();
    for (const Destination* destination : tier.weighted) {
        equals.push_back({.score = 0, .destination = destination});
    }
    if (equals.size() < 2) return;
    switch (route_->balance) {
        case config::Balance::round_robin: begin_in_turn(tier, turn, equals); break;
        case config::Balance::least_outstanding:
            begin_in_turn(tier, turn, equals);
            sort_by_load(equals);
            break;
        case config::Balance::peak_ewma: choose_of_two(chooser, equals); break;
        case config::Balance::split: choose_share(tier, chooser, equals); break;
    }
}

/// Whoever has gathered the most of its weight has its turn, and pays for it with the weight of
/// all.
void Plan::make_cycle(Tier& tier) {
    if (tier.weighted.size() < 2) return;
    constexpr std::size_t kShortest = 512;
    constexpr std::size_t kLongest = 4096;
    std::size_t divisor = 0;
    for (const Destination* one : tier.weighted) divisor = std::gcd(divisor, one->target->weight);
    divisor = std::max(divisor, tier.weight / kLongest);

    std::vector<std::int64_t> weights;
    weights.reserve(tier.weighted.size());
    for (const Destination* one : tier.weighted) {
        weights.push_back(
            static_cast<std::int64_t>(std::max<std::size_t>(one->target->weight / divisor, 1)));
    }
    Spread firsts(weights);
    std::vector<Spread> seconds;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        std::vector<std::int64_t> others = weights;
        others[i] = 0;
        seconds.emplace_back(std::move(others));
    }
    // Often enough that the stand-ins have their turns as well.
    const auto round = static_cast<std::size_t>(std::reduce(weights.begin(), weights.end()));
    const std::size_t length = round * std::max<std::size_t>(kShortest / round, 1);
    for (std::size_t step = 0; step < length; ++step) {
        const std::size_t first = firsts.next();
        tier.cycle.push_back({.first = static_cast<std::uint32_t>(first),
                              .second = static_cast<std::uint32_t>(seconds[first].next())});
    }
}

/// The one whose turn it is, then the one who is to have it next, then all others.
void Plan::begin_in_turn(const Tier& tier, std::uint32_t turn, Equals& equals) {
    const Tier::Turn& present = tier.cycle[turn % tier.cycle.size()];
    const std::size_t size = equals.size();
    equals.clear();
    equals.push_back({.score = 0, .destination = tier.weighted[present.first]});
    for (std::size_t i = 0; i < size; ++i) {
        const std::size_t index = (present.second + i) % size;
        if (index != present.first)
            equals.push_back({.score = 0, .destination = tier.weighted[index]});
    }
}

/// Stable: those with the same load stay in turn.
void Plan::sort_by_load(Equals& equals) {
    for (Scored& equal : equals) {
        equal.score = static_cast<double>(equal.destination->record->in_flight.active()) /
                      weight_of(*equal.destination);
    }
    for (auto next = equals.begin(); next != equals.end(); ++next) {
        const auto place =
            std::upper_bound(equals.begin(), next, *next,
                             [](const Scored& a, const Scored& b) { return a.score < b.score; });
        std::rotate(place, next, next + 1);
    }
}

void Plan::choose_of_two(const Chooser& chooser, Equals& equals) {
    const std::uint64_t size = equals.size();
    const std::uint64_t one = (chooser.random >> 32) % size;
    const std::uint64_t other = (one + 1 + (chooser.random & 0xFFFF'FFFF) % (size - 1)) % size;
    for (const std::uint64_t index : {one, other}) {
        const Destination& destination = *equals[index].destination;
        const auto expected = destination.record->latency.expected(chooser.now);
        const auto active = destination.record->in_flight.active();
        equals[index].score = static_cast<double>(expected.count()) *
                              static_cast<double>(active + 1) / weight_of(destination);
    }
    std::swap(equals[0], equals[one]);
    std::swap(equals[1], equals[other == 0 ? one : other]);
    if (equals[1].score < equals[0].score) std::swap(equals[0], equals[1]);
}

void Plan::choose_share(const Tier& tier, const Chooser& chooser, Equals& equals) {
    const double place =
        chooser.identity.empty() ? to_unit(chooser.random) : place_of(chooser.identity);
    double rest = place * static_cast<double>(tier.weight);
    auto chosen = equals.begin();
    while (std::next(chosen) != equals.end() && rest >= weight_of(*chosen->destination)) {
        rest -= weight_of(*chosen->destination);
        ++chosen;
    }
    std::ranges::rotate(equals, chosen);
}

double place_of(std::string_view identity) noexcept {
    // FNV-1a, whose upper bits hardly know of the last characters: hence the mixing.
    std::uint64_t hash = 0xCBF2'9CE4'8422'2325;
    for (const char c : identity) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x0000'0100'0000'01B3;
    }
    hash = (hash ^ (hash >> 33)) * 0xFF51'AFD7'ED55'8CCD;
    hash = (hash ^ (hash >> 33)) * 0xC4CE'B9FE'1A85'EC53;
    return to_unit(hash ^ (hash >> 33));
}

void HedgeShare::count_request(std::chrono::steady_clock::time_point now) {
    const std::lock_guard lock(mutex_);
    window_.count_request(now);
}

bool HedgeShare::take(double share, std::chrono::steady_clock::time_point now) {
    const std::lock_guard lock(mutex_);
    const double allowed = share * static_cast<double>(window_.requests(now)) + 1e-9;
    const std::size_t taken = window_.extras(now);
    const bool is_first = taken == 0 && share > 0;
    if (!is_first && static_cast<double>(taken + 1) > allowed) return false;
    window_.count_extra(now);
    return true;
}

}  // namespace sluice::routing
