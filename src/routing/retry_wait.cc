#include "base/text.h"
#include "routing/backoff.h"
#include "routing/cursor.h"
#include "routing/timestamp.h"

#include <algorithm>
#include <array>

namespace sluice::routing {
namespace {

using config::Milliseconds;
using std::chrono::nanoseconds;

/// What a field says: a wait, whether by a span or by a moment, or nothing sensible.
using Wait = std::optional<Milliseconds>;

// A plain number below the first counts seconds, below the second it is a moment in seconds since
// 1970, below the third one in milliseconds (until the year 5138); above that it is nonsense.
constexpr std::int64_t kFirstSeconds = 1'000'000'000;
constexpr std::int64_t kFirstMilliseconds = 100'000'000'000;
constexpr std::int64_t kNonsense = 100'000'000'000'000;

/// Rounded up: who waits exactly this long must not be refused again.
Wait until(Timestamp moment, Timestamp now) {
    return std::max(moment - now, Milliseconds{});
}

/// `number` of `unit`, rounded up; nullopt from about 30 years on.
std::optional<nanoseconds> span_of(const Decimal& number, nanoseconds unit) {
    constexpr std::chrono::seconds kLongest{kFirstSeconds};
    if (number.whole >= kLongest / unit) return std::nullopt;
    constexpr nanoseconds kSecond = std::chrono::seconds(1);
    const nanoseconds part =
        unit >= kSecond ? number.fraction * (unit / kSecond) : number.fraction / (kSecond / unit);
    return number.whole * unit + part;
}

Wait read_number(const Decimal& number, Timestamp now) {
    const Milliseconds part = std::chrono::ceil<Milliseconds>(number.fraction);
    if (number.whole < kFirstSeconds) return std::chrono::seconds(number.whole) + part;
    if (number.whole < kFirstMilliseconds) {
        return until(Timestamp(std::chrono::seconds(number.whole) + part), now);
    }
    if (number.whole < kNonsense) return until(Timestamp(Milliseconds(number.whole)), now);
    return std::nullopt;
}

std::optional<nanoseconds> unit_called(std::string_view name) {
    if (name == "d") return std::chrono::days(1);
    if (name == "h") return std::chrono::hours(1);
    if (name == "m") return std::chrono::minutes(1);
    if (name == "s") return std::chrono::seconds(1);
    if (name == "ms") return Milliseconds(1);
    if (name == "us") return std::chrono::microseconds(1);
    if (name == "ns") return nanoseconds(1);
    return std::nullopt;
}

/// `1m2.5s`, which goes on after its first number.
Wait read_span(Decimal number, Cursor text) {
    constexpr std::chrono::seconds kLongest{kFirstSeconds};
    nanoseconds sum{};
    while (true) {
        const auto unit = unit_called(text.word());
        const auto span = unit ? span_of(number, *unit) : std::nullopt;
        if (!span) return std::nullopt;
        sum += *span;
        if (sum >= kLongest) return std::nullopt;
        if (text.at_end()) return std::chrono::ceil<Milliseconds>(sum);
        const auto next = text.decimal();
        if (!next) return std::nullopt;
        number = *next;
    }
}

/// Any of the shapes.
Wait read_any(std::string_view text, Timestamp now) {
    Cursor cursor(text);
    if (const auto number = cursor.decimal()) {
        const Wait wait = cursor.at_end() ? read_number(*number, now) : read_span(*number, cursor);
        if (wait) return wait;
    }
    auto moment = read_rfc3339(text);
    if (!moment) moment = read_http_date(text, now);
    return moment ? until(*moment, now) : std::nullopt;
}

Wait read_milliseconds(std::string_view text) {
    Cursor cursor(text);
    const auto number = cursor.decimal();
    if (!number || !cursor.at_end()) return std::nullopt;
    const auto span = span_of(*number, Milliseconds(1));
    return span ? Wait(std::chrono::ceil<Milliseconds>(*span)) : std::nullopt;
}

struct Field {
    std::string_view name;
    std::string_view value;
};

/// The next line of `fields`, which is removed from them; nullopt at their end.
std::optional<Field> take_field(std::string_view& fields) {
    if (fields.empty()) return std::nullopt;
    const std::string_view line = fields.substr(0, fields.find('\n'));
    fields.remove_prefix(std::min(line.size() + 1, fields.size()));
    const std::size_t colon = std::min(line.find(':'), line.size());
    std::string_view value = line.substr(std::min(colon + 1, line.size()));
    if (value.ends_with('\r')) value.remove_suffix(1);
    return Field{.name = trim(line.substr(0, colon)), .value = trim(value)};
}

/// The first field of this name for which `read` finds a wait.
template <class Read>
Wait find_wait(std::string_view fields, std::string_view name, Read read) {
    while (const auto field = take_field(fields)) {
        if (field->name != name) continue;
        if (const Wait wait = read(field->value)) return wait;
    }
    return std::nullopt;
}

/// The limit that a field is about is what stands between the two parts of its name.
struct LimitNames {
    std::string_view reset_begin;
    std::string_view reset_end;
    std::string_view remaining_begin;
    std::string_view remaining_end;
};
constexpr std::array<LimitNames, 2> kLimits = {{
    {.reset_begin = "x-ratelimit-reset",
     .reset_end = "",
     .remaining_begin = "x-ratelimit-remaining",
     .remaining_end = ""},
    {.reset_begin = "anthropic-ratelimit-",
     .reset_end = "-reset",
     .remaining_begin = "anthropic-ratelimit-",
     .remaining_end = "-remaining"},
}};

/// What stands between `begin` and `end`; nullopt where they do not.
std::optional<std::string_view> between(std::string_view name, std::string_view begin,
                                        std::string_view end) {
    if (name.size() < begin.size() + end.size()) return std::nullopt;
    if (!name.starts_with(begin) || !name.ends_with(end)) return std::nullopt;
    return name.substr(begin.size(), name.size() - begin.size() - end.size());
}

bool is_used_up(std::string_view fields, const LimitNames& names, std::string_view limit) {
    while (const auto field = take_field(fields)) {
        if (between(field->name, names.remaining_begin, names.remaining_end) != limit) continue;
        Cursor value(field->value);
        const auto number = value.decimal();
        if (number && value.at_end() && number->whole == 0 && number->fraction.count() == 0) {
            return true;
        }
    }
    return false;
}

/// `0`, `0s`: how some say that they do not know. A moment always has another digit.
bool is_empty_span(std::string_view text) {
    return text.find_first_of("123456789") == std::string_view::npos;
}

/// The longest wait for a limit that is used up, else, for who was refused by one, the shortest of
/// all.
Wait read_resets(std::string_view fields, Timestamp now, bool is_rate_limited) {
    Wait used_up;
    Wait shortest;
    std::string_view rest = fields;
    while (const auto field = take_field(rest)) {
        for (const LimitNames& names : kLimits) {
            const auto limit = between(field->name, names.reset_begin, names.reset_end);
            const Wait wait = limit ? read_any(field->value, now) : std::nullopt;
            if (!wait || is_empty_span(field->value)) continue;
            shortest = std::min(shortest.value_or(*wait), *wait);
            if (is_used_up(fields, names, *limit)) {
                used_up = std::max(used_up.value_or(*wait), *wait);
            }
        }
    }
    return used_up || !is_rate_limited ? used_up : shortest;
}

}  // namespace

std::optional<config::Milliseconds> read_retry_wait(std::string_view fields,
                                                    std::chrono::system_clock::time_point now,
                                                    bool is_rate_limited) {
    const auto present = std::chrono::floor<Milliseconds>(now);
    if (const Wait wait = find_wait(fields, "retry-after-ms", read_milliseconds)) return wait;
    const auto read_present = [present](std::string_view text) { return read_any(text, present); };
    if (const Wait wait = find_wait(fields, "retry-after", read_present)) return wait;
    return read_resets(fields, present, is_rate_limited);
}

}  // namespace sluice::routing
