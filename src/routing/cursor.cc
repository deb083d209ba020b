#include "routing/cursor.h"

#include "base/text.h"

#include <algorithm>

namespace sluice::routing {
namespace {

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool is_letter(char c) noexcept {
    return to_lower(c) >= 'a' && to_lower(c) <= 'z';
}

/// Those characters at the beginning of `text` that are so; removed from it.
template <class Predicate>
std::string_view take_run(std::string_view& text, Predicate is_so) noexcept {
    const auto end = std::ranges::find_if_not(text, is_so);
    const std::string_view run = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(run.size());
    return run;
}

/// At most 18 digits.
std::int64_t to_number(std::string_view digits) noexcept {
    std::int64_t number = 0;
    for (const char digit : digits) number = number * 10 + (digit - '0');
    return number;
}

}  // namespace

std::string_view Cursor::word() noexcept {
    return take_run(rest_, is_letter);
}

std::optional<int> Cursor::digits(std::size_t count) noexcept {
    constexpr std::size_t kMost = 9;
    if (count > kMost || rest_.size() < count) return std::nullopt;
    const std::string_view run = rest_.substr(0, count);
    if (!std::ranges::all_of(run, is_digit)) return std::nullopt;
    rest_.remove_prefix(count);
    return static_cast<int>(to_number(run));
}

std::optional<std::chrono::nanoseconds> Cursor::fraction() noexcept {
    constexpr std::size_t kPlaces = 9;
    if (!skip(".")) return std::chrono::nanoseconds{};
    const std::string_view places = take_run(rest_, is_digit).substr(0, kPlaces);
    if (places.empty()) return std::nullopt;
    std::int64_t billionths = to_number(places);
    for (std::size_t i = places.size(); i < kPlaces; ++i) billionths *= 10;
    return std::chrono::nanoseconds(billionths);
}

std::optional<Decimal> Cursor::decimal() noexcept {
    constexpr std::size_t kMostDigits = 18;
    const std::string_view whole = take_run(rest_, is_digit);
    if (whole.empty() || whole.size() > kMostDigits) return std::nullopt;
    const auto part = fraction();
    if (!part) return std::nullopt;
    return Decimal{.whole = to_number(whole), .fraction = *part};
}

}  // namespace sluice::routing
