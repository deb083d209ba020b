#include "config/units.h"

#include "base/text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <system_error>

namespace sluice::config {
namespace {

using std::chrono::milliseconds;

constexpr double kLongestSeconds = 7 * 24 * 3600.0;

struct Unit {
    std::string_view suffix;
    double factor;
};

// Longer suffixes first where one ends in another.
constexpr std::array kTimeUnits{Unit{.suffix = "ms", .factor = 0.001},
                                Unit{.suffix = "s", .factor = 1}, Unit{.suffix = "m", .factor = 60},
                                Unit{.suffix = "h", .factor = 3600}};

struct SizeUnit {
    std::string_view suffix;
    std::size_t factor;
};

constexpr std::array kSizeUnits{SizeUnit{.suffix = "GiB", .factor = std::size_t{1} << 30U},
                                SizeUnit{.suffix = "MiB", .factor = std::size_t{1} << 20U},
                                SizeUnit{.suffix = "KiB", .factor = std::size_t{1} << 10U},
                                SizeUnit{.suffix = "B", .factor = 1}};

template <class T>
bool read_whole(std::string_view text, T& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size();
}

bool read_decimal(std::string_view text, double& value) {
    const bool digits = text.find_first_not_of("0123456789.") == std::string_view::npos;
    return digits && read_whole(text, value) && std::isfinite(value);
}

}  // namespace

Result<bool> parse_bool(std::string_view text) {
    for (const std::string_view yes : {"true", "yes", "on"}) {
        if (iequals(text, yes)) return true;
    }
    for (const std::string_view no : {"false", "no", "off"}) {
        if (iequals(text, no)) return false;
    }
    return fail(Errc::bad_request, "true or false");
}

Result<std::uint64_t> parse_integer(std::string_view text, std::uint64_t lowest,
                                    std::uint64_t highest) {
    std::uint64_t value = 0;
    if (read_whole(text, value) && value >= lowest && value <= highest) return value;
    return fail(Errc::bad_request,
                "a whole number from " + std::to_string(lowest) + " to " + std::to_string(highest));
}

Result<double> parse_number(std::string_view text, double highest) {
    double value = 0;
    if (read_decimal(text, value) && value <= highest) return value;
    return fail(Errc::bad_request,
                "a number from 0 to " + std::to_string(static_cast<std::uint64_t>(highest)));
}

Result<milliseconds> parse_duration(std::string_view text, milliseconds shortest) {
    double factor = 1;
    for (const Unit& unit : kTimeUnits) {
        if (!text.ends_with(unit.suffix)) continue;
        text.remove_suffix(unit.suffix.size());
        factor = unit.factor;
        break;
    }
    double value = 0;
    if (read_decimal(text, value) && value * factor <= kLongestSeconds) {
        const milliseconds duration(std::llround(value * factor * 1000));
        if (duration >= shortest) return duration;
    }
    return fail(Errc::bad_request, "a duration such as 300 (seconds), 300s, 5m or 250ms, from " +
                                       format_duration(shortest) + " to 168h");
}

Result<std::size_t> parse_size(std::string_view text, std::size_t lowest, std::size_t highest) {
    std::size_t factor = 1;
    for (const SizeUnit& unit : kSizeUnits) {
        if (!text.ends_with(unit.suffix)) continue;
        text = trim(text.substr(0, text.size() - unit.suffix.size()));
        factor = unit.factor;
        break;
    }
    std::size_t value = 0;
    if (read_whole(text, value) && value <= highest / factor && value * factor >= lowest) {
        return value * factor;
    }
    return fail(Errc::bad_request, "a size such as 1024, 32KiB or 32MiB, from " +
                                       format_size(lowest) + " to " + format_size(highest));
}

std::string format_duration(milliseconds duration) {
    const auto count = duration.count();
    return count % 1000 == 0 ? std::to_string(count / 1000) + "s" : std::to_string(count) + "ms";
}

std::string format_size(std::size_t bytes) {
    for (const SizeUnit& unit : kSizeUnits) {
        if (unit.factor > 1 && bytes >= unit.factor && bytes % unit.factor == 0) {
            return std::to_string(bytes / unit.factor) + std::string(unit.suffix);
        }
    }
    return std::to_string(bytes);
}

std::string format_number(double number) {
    std::array<char, 32> text{};
    const auto [end, error] =
        std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    return error == std::errc{} ? std::string(text.data(), end) : std::string("0");
}

}  // namespace sluice::config
