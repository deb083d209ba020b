#include "routing/timestamp.h"

#include "base/text.h"
#include "routing/cursor.h"

#include <algorithm>
#include <array>

namespace sluice::routing {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::year_month_day;

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kWeekdays = {
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

std::optional<Timestamp> midnight(std::optional<int> year, std::optional<int> month,
                                  std::optional<int> day) {
    if (!year || !month || !day) return std::nullopt;
    const year_month_day date{std::chrono::year(*year),
                              std::chrono::month(static_cast<unsigned>(*month)),
                              std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date);
}

/// `08:49:37`; a leap second is let through.
std::optional<seconds> read_clock(Cursor& text) {
    const auto hour = text.digits(2);
    if (!hour || *hour > 23 || !text.skip(":")) return std::nullopt;
    const auto minute = text.digits(2);
    if (!minute || *minute > 59 || !text.skip(":")) return std::nullopt;
    const auto second = text.digits(2);
    if (!second || *second > 60) return std::nullopt;
    return hours(*hour) + minutes(*minute) + seconds(*second);
}

/// `Z` or `+01:00`: how far the clock is ahead of UTC.
std::optional<minutes> read_offset(Cursor& text) {
    if (text.skip("Z") || text.skip("z")) return minutes(0);
    const bool ahead = text.skip("+");
    if (!ahead && !text.skip("-")) return std::nullopt;
    const auto hour = text.digits(2);
    if (!hour || *hour > 23 || !text.skip(":")) return std::nullopt;
    const auto minute = text.digits(2);
    if (!minute || *minute > 59) return std::nullopt;
    const minutes offset = hours(*hour) + minutes(*minute);
    return ahead ? offset : -offset;
}

/// From 1.
std::optional<int> read_month(Cursor& text) {
    const std::string_view word = text.word();
    const auto* const found = std::ranges::find_if(
        kMonths, [word](std::string_view month) { return iequals(month, word); });
    if (found == kMonths.end()) return std::nullopt;
    return static_cast<int>(found - kMonths.begin()) + 1;
}

bool is_weekday(std::string_view word, std::size_t letters) {
    return std::ranges::any_of(kWeekdays, [&](std::string_view weekday) {
        return iequals(weekday.substr(0, letters), word);
    });
}

std::optional<Timestamp> at(std::optional<Timestamp> date, std::optional<seconds> clock) {
    if (!date || !clock) return std::nullopt;
    return *date + *clock;
}

/// ` 06 Nov 1994 08:49:37 GMT`
std::optional<Timestamp> read_fixdate(Cursor text) {
    if (!text.skip(" ")) return std::nullopt;
    const auto day = text.digits(2);
    if (!text.skip(" ")) return std::nullopt;
    const auto month = read_month(text);
    if (!text.skip(" ")) return std::nullopt;
    const auto year = text.digits(4);
    if (!text.skip(" ")) return std::nullopt;
    const auto clock = read_clock(text);
    if (!text.skip(" GMT") || !text.at_end()) return std::nullopt;
    return at(midnight(year, month, day), clock);
}

/// ` 06-Nov-94 08:49:37 GMT`
std::optional<Timestamp> read_rfc850(Cursor text, Timestamp now) {
    if (!text.skip(" ")) return std::nullopt;
    const auto day = text.digits(2);
    if (!text.skip("-")) return std::nullopt;
    const auto month = read_month(text);
    if (!text.skip("-")) return std::nullopt;
    const auto short_year = text.digits(2);
    if (!short_year || !text.skip(" ")) return std::nullopt;
    const auto clock = read_clock(text);
    if (!text.skip(" GMT") || !text.at_end()) return std::nullopt;

    const year_month_day today(std::chrono::floor<days>(now));
    const int latest = static_cast<int>(today.year()) + 50;
    const int year = latest - ((latest - *short_year) % 100 + 100) % 100;
    return at(midnight(year, month, day), clock);
}

/// ` Nov  6 08:49:37 1994`
std::optional<Timestamp> read_asctime(Cursor text) {
    if (!text.skip(" ")) return std::nullopt;
    const auto month = read_month(text);
    if (!text.skip(" ")) return std::nullopt;
    const auto day = text.skip(" ") ? text.digits(1) : text.digits(2);
    if (!text.skip(" ")) return std::nullopt;
    const auto clock = read_clock(text);
    if (!text.skip(" ")) return std::nullopt;
    const auto year = text.digits(4);
    if (!text.at_end()) return std::nullopt;
    return at(midnight(year, month, day), clock);
}

}  // namespace

std::optional<Timestamp> read_rfc3339(std::string_view text) {
    Cursor cursor(text);
    const auto year = cursor.digits(4);
    if (!cursor.skip("-")) return std::nullopt;
    const auto month = cursor.digits(2);
    if (!cursor.skip("-")) return std::nullopt;
    const auto day = cursor.digits(2);
    if (!cursor.skip("T") && !cursor.skip("t") && !cursor.skip(" ")) return std::nullopt;
    const auto clock = read_clock(cursor);
    const auto fraction = cursor.fraction();
    const auto offset = read_offset(cursor);
    const auto time = at(midnight(year, month, day), clock);
    if (!time || !fraction || !offset || !cursor.at_end()) return std::nullopt;
    return *time + std::chrono::ceil<std::chrono::milliseconds>(*fraction) - *offset;
}

std::optional<Timestamp> read_http_date(std::string_view text, Timestamp now) {
    Cursor cursor(text);
    const std::string_view weekday = cursor.word();
    const bool is_short = is_weekday(weekday, 3);
    if (!is_short && !is_weekday(weekday, std::string_view::npos)) return std::nullopt;
    if (!cursor.skip(",")) return is_short ? read_asctime(cursor) : std::nullopt;
    return is_short ? read_fixdate(cursor) : read_rfc850(cursor, now);
}

}  // namespace sluice::routing
