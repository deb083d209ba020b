#pragma once

/// How far our count of a request's tokens is from what the upstream says that it was.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sluice::context {

/// Learns a factor for each model from the usage that its upstream reports: the mean of
/// reported / estimated, in which each new report weighs an eighth (the first ones more), between a
/// half and two. Safe to use from several threads at once; a call takes well below a microsecond.
class Calibration {
public:
    static constexpr double kLeastFactor = 0.5;
    static constexpr double kMostFactor = 2.0;

    /// Of more than `most_models` models, those of which a report came last are known.
    explicit Calibration(std::size_t most_models = 256) : most_models_(most_models) {}

    /// The estimate times the model's factor, rounded; as it is for a model of which nothing is
    /// known.
    [[nodiscard]] std::uint64_t apply(std::string_view model, std::uint64_t estimate) const;

    /// 1 for a model of which nothing is known.
    [[nodiscard]] double factor(std::string_view model) const;

    /// `estimate` is what was counted, without any factor, of a request for which the upstream
    /// reported `reported`. Nothing is learned when either is 0.
    void learn(std::string_view model, std::uint64_t estimate, std::uint64_t reported);

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>{}(text);
        }
    };
    struct Known {
        double factor = 1;
        std::uint64_t reports = 0;
        std::uint64_t last = 0;  ///< number of the last report
    };

    void forget_oldest();

    std::size_t most_models_;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, Known, Hash, std::equal_to<>> models_;  // guarded by mutex_
    std::uint64_t reports_ = 0;                                             // guarded by mutex_
};

}  // namespace sluice::context
