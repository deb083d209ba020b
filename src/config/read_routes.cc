#include "base/text.h"
#include "config/sections.h"

#include <algorithm>
#include <utility>

namespace sluice::config {
namespace {

Result<Target> parse_target(std::string_view text) {
    const auto slash = text.find('/');
    Target target;
    if (slash != std::string_view::npos) {
        target = {.upstream = std::string(text.substr(0, slash)),
                  .model = std::string(text.substr(slash + 1))};
    }
    const bool star = target.model.contains('*') && target.model != "*";
    const bool blank = text.find_first_of(" \t\r\n") != std::string_view::npos;
    if (!target.upstream.empty() && !target.model.empty() && !star && !blank) return target;
    return fail(Errc::bad_request,
                "UPSTREAM/MODEL such as deepseek/deepseek-chat, or UPSTREAM/* "
                "for the model as asked");
}

/// What makes a well-formed target unreachable; empty if nothing does.
std::string check_target(const Target& target, const Upstreams& upstreams) {
    const auto upstream = upstreams.find(target.upstream);
    if (upstream == upstreams.end()) {
        std::vector<std::string_view> names;
        for (const auto& [name, unused] : upstreams) names.emplace_back(name);
        return "there is no upstream `" + target.upstream + "`" +
               did_you_mean(target.upstream, names);
    }
    const bool embedded = upstream->second.kind == UpstreamKind::embedded;
    if (embedded && target.model.starts_with("fault-") && !upstream->second.embedded.faults) {
        return "`" + target.model +
               "` breaks replies on purpose, expected `embedded.faults: true` in `" +
               target.upstream + "` if that is meant";
    }
    return {};
}

std::vector<Target> read_targets(const Reader& reader, const NodePtr& node, const std::string& path,
                                 const Upstreams& upstreams) {
    std::vector<Target> targets;
    for (const NodePtr& item : reader.items(node, path)) {
        const auto text = reader.text(*item, path);
        if (!text) continue;
        auto target = parse_target(*text);
        if (!target) {
            reader.report(item->place,
                          wrong_value(path, item->text, target.error().message, Quote::yes));
            continue;
        }
        if (const std::string wrong = check_target(*target, upstreams); !wrong.empty()) {
            reader.report(item->place, std::string("`").append(path).append("`: ").append(wrong));
        }
        targets.push_back(*std::move(target));
    }
    if (node && node->kind == Node::Kind::list && node->items.empty()) {
        reader.report(node->place, "`" + path + "` is an empty list, expected UPSTREAM/MODEL");
    }
    return targets;
}

void read_route(const Reader& reader, const NodePtr& node, std::size_t number, Config& config) {
    const Section section(reader, node, kRouteSchema, "routes[" + std::to_string(number) + "]");
    if (node->kind == Node::Kind::null) {
        reader.report(node->place, "a route is empty, expected `model` and `to`");
    }
    if (node->kind != Node::Kind::map) return;
    Route route;
    section.read("model", route.model);
    for (const std::string_view required : {"model", "to"}) {
        if (!section.find(required)) {
            reader.report(node->place,
                          "`" + section.path(required) + "` is missing, expected a " +
                              (required == "to" ? "list of UPSTREAM/MODEL" : "model name or glob"));
        }
    }
    route.targets = read_targets(reader, section.find("to"), section.path("to"), config.upstreams);
    if (std::ranges::find(config.routes, route.model, &Route::model) != config.routes.end()) {
        section.report("model", "a second route for `" + route.model +
                                    "`, expected one with all its targets in `to`");
    }
    config.routes.push_back(std::move(route));
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
    if (!fallback) return;
    config.default_route.targets = read_targets(reader, fallback, "default_route", config.upstreams);
}

}  // namespace sluice::config
