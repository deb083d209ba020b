#include "dialect/anthropic_messages/models.h"

#include "dialect/request.h"
#include "json/reader.h"
#include "json/writer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <optional>

namespace sluice::dialect::anthropic_messages {
namespace {

using std::chrono::sys_days;
using std::chrono::sys_seconds;

constexpr std::size_t kMaxLimit = 1000;
constexpr std::int64_t kLastSecond = 253'402'300'799;  // of the year 9999

void append_padded(std::string& out, std::uint64_t number, std::size_t width) {
    const std::string digits = std::to_string(number);
    out.append(width - std::min(width, digits.size()), '0').append(digits);
}

/// "2024-10-22T00:00:00Z"
std::string to_rfc3339(std::int64_t seconds) {
    const sys_seconds time{std::chrono::seconds{std::clamp<std::int64_t>(seconds, 0, kLastSecond)}};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);
    std::string out;
    append_padded(out, static_cast<std::uint64_t>(static_cast<int>(date.year())), 4);
    append_padded(out.append("-"), static_cast<unsigned>(date.month()), 2);
    append_padded(out.append("-"), static_cast<unsigned>(date.day()), 2);
    append_padded(out.append("T"), static_cast<std::uint64_t>(clock.hours().count()), 2);
    append_padded(out.append(":"), static_cast<std::uint64_t>(clock.minutes().count()), 2);
    append_padded(out.append(":"), static_cast<std::uint64_t>(clock.seconds().count()), 2);
    return out.append("Z");
}

/// Seconds since 1970 of "2024-10-22T00:00:00Z", whatever follows the seconds; 0 for anything else.
std::int64_t read_rfc3339(std::string_view text) {
    constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd";
    if (text.size() < kForm.size()) return 0;
    std::array<int, 6> parts{};
    std::size_t part = 0;
    for (std::size_t i = 0; i < kForm.size(); ++i) {
        if (kForm[i] != 'd') {
            if (text[i] != kForm[i]) return 0;
            ++part;
        } else if (text[i] < '0' || text[i] > '9') {
            return 0;
        } else {
            parts.at(part) = parts.at(part) * 10 + (text[i] - '0');
        }
    }
    const std::chrono::year_month_day date{std::chrono::year{parts[0]},
                                           std::chrono::month{static_cast<unsigned>(parts[1])},
                                           std::chrono::day{static_cast<unsigned>(parts[2])}};
    if (!date.ok()) return 0;
    const auto day =
        std::chrono::duration_cast<std::chrono::seconds>(sys_days(date).time_since_epoch());
    return std::max<std::int64_t>(
        0, day.count() + parts[3] * 3600L + parts[4] * 60L + std::int64_t{parts[5]});
}

std::optional<unsigned> hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
    return std::nullopt;
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape = text[i] == '%' && i + 2 < text.size();
        const auto high = escape ? hex_digit(text[i + 1]) : std::nullopt;
        const auto low = escape ? hex_digit(text[i + 2]) : std::nullopt;
        if (high && low) {
            out.push_back(static_cast<char>(*high * 16 + *low));
            i += 2;
        } else {
            out.push_back(text[i] == '+' ? ' ' : text[i]);
        }
    }
    return out;
}

Result<std::size_t> read_limit(std::string_view text) {
    const auto number = json::to_uint64({.raw = text, .kind = json::Kind::number});
    if (!number) {
        return refuse("limit",
                      "limit: Input should be a valid integer, unable to parse string as an "
                      "integer");
    }
    const std::uint64_t limit = *number;
    if (limit == 0) return refuse("limit", "limit: Input should be greater than or equal to 1");
    if (limit > kMaxLimit) {
        return refuse("limit", "limit: Input should be less than or equal to 1000");
    }
    return static_cast<std::size_t>(limit);
}

/// With the members of OpenAI's entries too, so that either client finds its own.
void write(json::Writer& json, const Model& model) {
    json.begin_object().key("type").string("model").key("id").string(model.id);
    json.key("display_name").string(model.id);
    json.key("created_at").string(to_rfc3339(model.created));
    json.key("object").string("model").key("created").number(model.created);
    json.key("owned_by").string(model.owned_by).end_object();
}

struct Selection {
    std::span<const Model> models;
    bool has_more = false;  ///< on the side that the page moves to
};

/// Of an id that is not in the list, nothing is before or after.
Selection select(std::span<const Model> models, const Page& page) {
    const auto place_of = [&](const std::string& id) {
        return std::ranges::find(models, id, &Model::id) - models.begin();
    };
    if (!page.before_id.empty()) {
        const auto place = static_cast<std::size_t>(place_of(page.before_id));
        const std::size_t before = place == models.size() ? 0 : place;
        const std::size_t count = std::min(page.limit, before);
        return {.models = models.subspan(before - count, count), .has_more = count < before};
    }
    if (!page.after_id.empty()) {
        const auto place = static_cast<std::size_t>(place_of(page.after_id));
        models = models.subspan(std::min(models.size(), place + 1));
    }
    const std::size_t count = std::min(page.limit, models.size());
    return {.models = models.first(count), .has_more = count < models.size()};
}

Model read_model(const json::Value& entry) {
    const auto text_in = [&](std::string_view name) {
        const auto value = json::find(entry, name);
        return value ? json::to_string(*value).value_or("") : std::string();
    };
    return {.id = text_in("id"),
            .owned_by = "anthropic",
            .created = read_rfc3339(text_in("created_at"))};
}

}  // namespace

Result<Page> read_page(std::string_view query) {
    Page page;
    while (!query.empty()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), pair.size() + 1));
        const std::size_t equals = std::min(pair.size(), pair.find('='));
        const std::string name = percent_decoded(pair.substr(0, equals));
        std::string value = percent_decoded(pair.substr(std::min(pair.size(), equals + 1)));
        if (name == "limit") {
            const auto limit = read_limit(value);
            if (!limit) return std::unexpected(limit.error());
            page.limit = *limit;
        } else if (name == "before_id") {
            page.before_id = std::move(value);
        } else if (name == "after_id") {
            page.after_id = std::move(value);
        }
    }
    return page;
}

std::string write_models(std::span<const Model> models, const Page& page) {
    const Selection selection = select(models, page);
    std::string out;
    json::Writer json(out);
    json.begin_object().key("object").string("list").key("data").begin_array();
    for (const Model& model : selection.models) write(json, model);
    const bool none = selection.models.empty();
    json.end_array().key("has_more").boolean(selection.has_more);
    json.key("first_id").string_or_null(none ? "" : selection.models.front().id);
    json.key("last_id").string_or_null(none ? "" : selection.models.back().id).end_object();
    return out;
}

std::string write_model(const Model& model) {
    std::string out;
    json::Writer json(out);
    write(json, model);
    return out;
}

Result<std::vector<Model>> read_models(std::string_view body, std::size_t max_models) {
    return openai_chat::read_models(body, max_models, read_model);
}

}  // namespace sluice::dialect::anthropic_messages
