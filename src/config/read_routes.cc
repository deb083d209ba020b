#include "config/sections.h"
#include "config/upstream_sections.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace sluice::config {
namespace {

constexpr std::size_t kMostTokens = 100'000'000;

Result<Balance> parse_balance(std::string_view text) {
    using Name = std::pair<std::string_view, Balance>;
    static constexpr std::array kNames{Name{"round_robin", Balance::round_robin},
                                       Name{"least_outstanding", Balance::least_outstanding},
                                       Name{"peak_ewma", Balance::peak_ewma},
                                       Name{"split", Balance::split}};
    for (const auto& [name, balance] : kNames) {
        if (text == name) return balance;
    }
    return fail(Errc::bad_request, "round_robin, least_outstanding, peak_ewma or split");
}

Result<std::optional<Milliseconds>> parse_hedge_after(std::string_view text) {
    if (text == "p95") return std::nullopt;
    const auto after = parse_duration(text, Milliseconds(1));
    if (after) return *after;
    return fail(Errc::bad_request, "p95, or " + after.error().message);
}

void read_hedge(const Reader& reader, const Section& route, Hedge& hedge) {
    const Section section =
        open_switched(reader, route, "hedge", kHedgeSchema, hedge.enabled, true);
    section.read("after", hedge.after, parse_hedge_after);
    section.read("share", hedge.share, [](std::string_view text) { return parse_number(text, 1); });
    section.read_integer("max_tokens", hedge.max_tokens, 1, kMostTokens);
}

/// What a route and the default route have in common.
void read_choice(const Reader& reader, const Section& section, const Upstreams& upstreams,
                 Route& route) {
    section.read("balance", route.balance, parse_balance);
    const bool equals = static_cast<bool>(section.find("balance"));
    route.targets = read_targets(reader, section.find("to"), section.path("to"), upstreams, equals);
    read_hedge(reader, section, route.hedge);
    read_reply(reader, section, route.reply);
}

void report_missing(const Section& section, std::string_view key) {
    if (section.find(key)) return;
    section.report(key, "`" + section.path(key) + "` is missing, expected a " +
                            (key == "to" ? "list of UPSTREAM/MODEL" : "model name or glob"));
}

void read_route(const Reader& reader, const NodePtr& node, std::size_t number, Config& config) {
    const Section section(reader, node, kRouteSchema, "routes[" + std::to_string(number) + "]");
    if (node->kind == Node::Kind::null) {
        reader.report(node->place, "a route is empty, expected `model` and `to`");
    }
    if (node->kind != Node::Kind::map) return;
    Route route;
    section.read("model", route.model);
    report_missing(section, "model");
    report_missing(section, "to");
    read_choice(reader, section, config.upstreams, route);
    if (std::ranges::find(config.routes, route.model, &Route::model) != config.routes.end()) {
        section.report("model", "a second route for `" + route.model +
                                    "`, expected one with all its targets in `to`");
    }
    config.routes.push_back(std::move(route));
}

/// Targets alone, or a map with the keys of a route.
void read_default_route(const Reader& reader, const NodePtr& node, Config& config) {
    config.default_route = {};
    if (node->kind != Node::Kind::map) {
        config.default_route.targets =
            read_targets(reader, node, "default_route", config.upstreams, false);
        return;
    }
    const Section section(reader, node, kDefaultRouteSchema);
    report_missing(section, "to");
    read_choice(reader, section, config.upstreams, config.default_route);
}

}  // namespace

void read_routes(const Reader& reader, const Section& top, Config& config) {
    const NodePtr routes = top.find("routes");
    if (routes && routes->kind == Node::Kind::scalar) {
        reader.report(routes->place, "`routes` is a single value, expected a list of maps");
    } else {
        std::size_t number = 0;
        for (const NodePtr& item : reader.items(routes, "routes")) {
            read_route(reader, item, ++number, config);
        }
    }
    const NodePtr fallback = top.find("default_route");
    if (fallback) read_default_route(reader, fallback, config);
}

void read_failures(const Reader& reader, const Section& top, FailureTable& failures) {
    const Section section(reader, top.find("failures"), kFailuresSchema);
    for (std::size_t i = 0; i < kFailureKinds; ++i) {
        const std::string_view name = to_string(static_cast<FailureKind>(i));
        if (!section.find(name)) continue;
        std::vector<std::string> words;
        section.read_list(name, words, [](std::string_view text) -> Result<std::string> {
            if (text == "retry" || text == "fall_back") return std::string(text);
            return fail(Errc::bad_request, "a list of retry and fall_back, which may be empty");
        });
        const auto has = [&](std::string_view word) {
            return std::ranges::find(words, word) != words.end();
        };
        failures.rules.at(i) = {.retry = has("retry"), .fall_back = has("fall_back")};
    }
}

}  // namespace sluice::config
