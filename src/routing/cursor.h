#pragma once

/// Reads a short text from left to right: numbers and words as header fields have them. Knows no
/// locale and throws nothing.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::routing {

/// A number and what stands behind its point, to nine places.
struct Decimal {
    std::int64_t whole = 0;
    std::chrono::nanoseconds fraction{};  ///< of a second, if the number counts those
};

class Cursor {
public:
    explicit Cursor(std::string_view text) noexcept : rest_(text) {}

    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

    /// Whether `expected` is next; takes it if so.
    bool skip(std::string_view expected) noexcept {
        if (!rest_.starts_with(expected)) return false;
        rest_.remove_prefix(expected.size());
        return true;
    }

    /// The run of ASCII letters that is next; may be empty.
    std::string_view word() noexcept;

    /// Exactly `count` digits.
    std::optional<int> digits(std::size_t count) noexcept;

    /// A point and digits, or nothing. nullopt for a point without digits.
    std::optional<std::chrono::nanoseconds> fraction() noexcept;

    /// Digits and a fraction. nullopt also for more than 18 digits before the point.
    std::optional<Decimal> decimal() noexcept;

private:
    std::string_view rest_;
};

}  // namespace sluice::routing
