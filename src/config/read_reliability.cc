#include "config/address.h"
#include "config/upstream_sections.h"

#include <algorithm>

namespace sluice::config {
namespace {

constexpr std::size_t kMostRetries = 100;
constexpr std::size_t kMostRequests = 1'000'000;
constexpr std::size_t kDefaultStart = 20;
constexpr std::size_t kLowestStatus = 400;
constexpr std::size_t kStatuses = 600;
constexpr double kMostRetriesARequest = 100;

/// `429`, or `5xx` for a whole hundred.
Result<StatusSet> parse_statuses(std::string_view text) {
    StatusSet set;
    if (text == "4xx" || text == "5xx") {
        const std::size_t first = text.front() == '4' ? kLowestStatus : kLowestStatus + 100;
        for (std::size_t status = first; status < first + 100; ++status) set.statuses.set(status);
        return set;
    }
    const auto status = parse_integer(text, kLowestStatus, kStatuses - 1);
    if (!status) return fail(Errc::bad_request, "a status from 400 to 599, 4xx or 5xx");
    set.statuses.set(*status);
    return set;
}

void read_statuses(const Section& section, StatusSet& out) {
    std::vector<StatusSet> parts;
    section.read_list("on", parts, parse_statuses);
    if (!section.find("on")) return;
    out = {};
    for (const StatusSet& part : parts) out.statuses |= part.statuses;
}

Result<double> parse_share(std::string_view text) {
    return parse_number(text, 1);
}

Result<std::string> parse_endpoint(std::string_view text) {
    return parse_path(text);
}

void read_limit(const Section& section, Concurrency& concurrency) {
    section.read("limit", concurrency, [](std::string_view text) -> Result<Concurrency> {
        Concurrency stated;
        if (text == "none") return stated;
        if (text == "adaptive") {
            stated.kind = Concurrency::Kind::adaptive;
            stated.limit = kDefaultStart;
            return stated;
        }
        const auto limit = parse_integer(text, 1, kMostRequests);
        if (!limit) return fail(Errc::bad_request, "none, adaptive or " + limit.error().message);
        stated.kind = Concurrency::Kind::fixed;
        stated.limit = *limit;
        return stated;
    });
}

}  // namespace

Section open_switched(const Reader& reader, const Section& parent, std::string_view key,
                      const Schema& schema, bool& enabled, bool map_enables) {
    const NodePtr node = parent.find(key);
    const bool is_word = node && node->kind == Node::Kind::scalar;
    if (is_word) parent.read(key, enabled);
    if (node && node->kind == Node::Kind::map && map_enables) enabled = true;
    Section section(reader, is_word ? nullptr : node, schema, parent.path(key));
    section.read("enabled", enabled);
    return section;
}

void read_retry(const Reader& reader, const Section& upstream, Retry& retry) {
    const Section section(reader, upstream.find("retry"), kRetrySchema, upstream.path("retry"));
    section.read_integer("max_retries", retry.max_retries, 0, kMostRetries);
    section.read_duration("base_delay", retry.base_delay, Milliseconds(0));
    section.read_duration("max_delay", retry.max_delay, Milliseconds(0));
    section.read_duration("rate_limit_wait", retry.rate_limit_wait, Milliseconds(0));
    section.read_duration("max_wait", retry.max_wait, Milliseconds(0));
    read_statuses(section, retry.on);
    section.read("budget", retry.budget,
                 [](std::string_view text) { return parse_number(text, kMostRetriesARequest); });
    section.read_integer("budget_floor", retry.budget_floor, 0, kMostRequests);
    if (section.find("max_delay") && retry.max_delay < retry.base_delay) {
        section.report("max_delay", "`" + section.path("max_delay") + "` is shorter than " +
                                        "`base_delay` (" + format_duration(retry.base_delay) +
                                        "), expected at least as long");
    }
}

void read_breaker(const Reader& reader, const Section& upstream, Breaker& breaker) {
    const Section section =
        open_switched(reader, upstream, "breaker", kBreakerSchema, breaker.enabled, false);
    section.read_integer("consecutive_failures", breaker.consecutive_failures, 1, kMostRequests);
    section.read("error_rate", breaker.error_rate, parse_share);
    section.read_integer("min_requests", breaker.min_requests, 1, kMostRequests);
    section.read_duration("window", breaker.window);
    section.read_duration("open_for", breaker.open_for);
    section.read_integer("probes", breaker.probes, 1, kMostRequests);
}

void read_concurrency(const Reader& reader, const Section& upstream, Concurrency& concurrency) {
    const Section section(reader, upstream.find("concurrency"), kConcurrencySchema,
                          upstream.path("concurrency"));
    read_limit(section, concurrency);
    for (const std::string_view key : {"start", "max_limit"}) {
        if (concurrency.kind == Concurrency::Kind::adaptive || !section.find(key)) continue;
        section.report(key, "`" + section.path(key) +
                                "` is there without `limit: adaptive`, expected both or neither");
    }
    section.read_integer("max_limit", concurrency.max_limit, 1, kMostRequests);
    if (concurrency.kind == Concurrency::Kind::adaptive) {
        concurrency.limit = std::min(concurrency.limit, concurrency.max_limit);
        section.read_integer("start", concurrency.limit, 1, concurrency.max_limit);
    }
    section.read_integer("queue", concurrency.queue, 0, kMostRequests);
    section.read_duration("queue_time", concurrency.queue_time, Milliseconds(0));
}

void read_health_check(const Reader& reader, const Section& upstream, HealthCheck& check) {
    const Section section =
        open_switched(reader, upstream, "health_check", kHealthCheckSchema, check.enabled, true);
    section.read("path", check.path, parse_endpoint);
    section.read_duration("interval", check.interval, Milliseconds(100));
    section.read_duration("timeout", check.timeout);
}

}  // namespace sluice::config
