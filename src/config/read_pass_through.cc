#include "config/address.h"
#include "config/sections.h"

namespace sluice::config {
namespace {

Result<std::string> parse_prefix(std::string_view text) {
    return parse_path(text, TrailingSlash::trim);
}

/// Where requests may be handed on to: it must have an address.
void check_upstream(const Reader& reader, const Place& place, const PassThrough& pass_through,
                    const Upstreams& upstreams) {
    const auto upstream = upstreams.find(pass_through.upstream);
    if (upstream == upstreams.end()) {
        std::vector<std::string_view> names;
        for (const auto& [name, unused] : upstreams) names.emplace_back(name);
        reader.report(place, "`pass_through.upstream`: there is no upstream `" +
                                 pass_through.upstream + "`" +
                                 did_you_mean(pass_through.upstream, names));
    } else if (upstream->second.kind == UpstreamKind::embedded) {
        reader.report(
            place,
            "pass-through goes to `" + pass_through.upstream +
                "`, which has no address, expected an upstream of another kind than embedded");
    }
}

/// PROXY_PATH_PREFIX turns pass-through on: to where the file says, else to the default upstream.
void apply_prefix_variable(const Reader& reader, const Variables& variables, Config& config) {
    constexpr std::string_view kName = "PROXY_PATH_PREFIX";
    const auto text = variables.find_nonempty(kName);
    if (!text) return;
    const Place place = variables.place(kName);
    auto prefix = parse_prefix(*text);
    if (!prefix) {
        reader.report(place, wrong_value(kName, *text, prefix.error().message, Quote::yes));
        return;
    }
    PassThrough& pass_through = config.pass_through;
    pass_through.prefix = *std::move(prefix);
    if (!pass_through.upstream.empty()) return;
    if (config.default_route.targets.empty()) {
        reader.report(place,
                      "`PROXY_PATH_PREFIX` is set and there is nowhere to pass requests on "
                      "to, expected `default_route` or `pass_through.upstream`");
        return;
    }
    pass_through.upstream = config.default_route.targets.front().upstream;
    check_upstream(reader, place, pass_through, config.upstreams);
}

}  // namespace

void read_pass_through(const Reader& reader, const Section& top, const Variables& variables,
                       Config& config) {
    const NodePtr node = top.find("pass_through");
    const Section section(reader, node, kPassThroughSchema);
    PassThrough& pass_through = config.pass_through;
    section.read("upstream", pass_through.upstream);
    section.read("prefix", pass_through.prefix, parse_prefix);
    section.read("retry", pass_through.retry);
    if (!pass_through.upstream.empty()) {
        check_upstream(reader, section.place("upstream"), pass_through, config.upstreams);
    } else if (node && node->kind == Node::Kind::map && !section.find("upstream")) {
        reader.report(node->place,
                      "`pass_through.upstream` is missing, expected an upstream's name");
    }
    apply_prefix_variable(reader, variables, config);
}

}  // namespace sluice::config
