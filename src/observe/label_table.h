#pragma once

/// Series by their label values, bounded however many values there are. Private to this layer.

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace sluice::observe {

inline constexpr std::string_view kOther = "_other";

template <std::size_t N>
using LabelViews = std::array<std::string_view, N>;
template <std::size_t N>
using LabelValues = std::array<std::string, N>;

/// Lets views be looked up among strings, so that a lookup copies nothing.
struct LabelHash {
    using is_transparent = void;
    template <class Labels>
    std::size_t operator()(const Labels& labels) const noexcept {
        std::size_t hash = 0;
        for (const std::string_view label : labels) {
            hash = hash * 0x9e3779b97f4a7c15U + std::hash<std::string_view>{}(label);
        }
        return hash;
    }
};

struct LabelEqual {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const noexcept {
        return std::ranges::equal(a, b);
    }
};

template <std::size_t N, class Series>
using LabelMap = std::unordered_map<LabelValues<N>, Series, LabelHash, LabelEqual>;

template <std::size_t N>
LabelValues<N> owned(const LabelViews<N>& labels) {
    LabelValues<N> values;
    std::ranges::transform(labels, values.begin(),
                           [](std::string_view label) { return std::string(label); });
    return values;
}

/// Thread-safe. At most `limit` sets of labels get a series of their own. After that the labels
/// marked `open` (those whose values come from outside) read `_other`, in at most 16 more sets; and
/// after that all labels do.
template <std::size_t N, class Series>
class LabelTable {
public:
    using Make = std::function<Series(const LabelViews<N>&)>;

    LabelTable(std::size_t limit, std::array<bool, N> open, Make make)
        : limit_(limit),
          open_(open),
          make_(std::move(make)) {}

    /// The series lives as long as the table.
    Series& get(LabelViews<N> labels) {
        const std::lock_guard lock(mutex_);
        if (Series* const own = find_or_add(labels, limit_)) return *own;
        for (std::size_t i = 0; i < N; ++i) {
            if (open_.at(i)) labels.at(i) = kOther;
        }
        if (Series* const shared = find_or_add(labels, limit_ + 16)) return *shared;
        labels.fill(kOther);
        return *find_or_add(labels, limit_ + 17);
    }

private:
    Series* find_or_add(const LabelViews<N>& labels, std::size_t limit) {
        if (const auto found = series_.find(labels); found != series_.end()) return &found->second;
        if (series_.size() >= limit) return nullptr;
        return &series_.emplace(owned(labels), make_(labels)).first->second;
    }

    std::size_t limit_;
    std::array<bool, N> open_;
    Make make_;
    std::mutex mutex_;
    LabelMap<N, Series> series_;  // by mutex_
};

}  // namespace sluice::observe
