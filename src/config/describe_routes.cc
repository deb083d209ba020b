#include "config/describe_text.h"
#include "config/units.h"

#include <ostream>

namespace sluice::config {
namespace {

std::string_view word(Balance balance) {
    switch (balance) {
        case Balance::round_robin: return "round_robin";
        case Balance::least_outstanding: return "least_outstanding";
        case Balance::peak_ewma: return "peak_ewma";
        case Balance::split: return "split";
    }
    return "";
}

std::string_view word(ReplyRules::Model model) {
    switch (model) {
        case ReplyRules::Model::as_answered: return "as_answered";
        case ReplyRules::Model::as_requested: return "as_requested";
    }
    return "";
}

std::string one_target(const Target& target) {
    const std::string to = quote(target.upstream + "/" + target.model);
    if (target.weight == 1 && target.variant.empty()) return to;
    const std::string variant = target.variant.empty() ? "" : ", variant: " + quote(target.variant);
    return "{to: " + to + ", weight: " + std::to_string(target.weight) + variant + "}";
}

/// A list for each tier, so that it means the same with `balance` and without.
std::string targets(const std::vector<Target>& all) {
    std::string tiers;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const bool first = i == 0 || all[i].tier != all[i - 1].tier;
        if (first) tiers += i == 0 ? "[" : "], [";
        tiers += (first ? "" : ", ") + one_target(all[i]);
    }
    return "[" + tiers + (all.empty() ? "]" : "]]");
}

void write_hedge(std::ostream& out, const Hedge& hedge, std::string_view indent) {
    out << indent << "hedge:\n"
        << indent << "  enabled: " << truth(hedge.enabled) << '\n'
        << indent << "  after: " << optional_duration(hedge.after, "p95") << '\n'
        << indent << "  share: " << format_number(hedge.share) << '\n'
        << indent << "  max_tokens: " << hedge.max_tokens << '\n';
}

void write_reply(std::ostream& out, const ReplyRules& reply, std::string_view indent) {
    out << indent << "reply:\n"
        << indent << "  model: " << word(reply.model) << '\n'
        << indent << "  drop: " << quoted_list(reply.drop) << '\n'
        << indent << "  rename: " << map_of(reply.rename) << '\n'
        << indent << "  set: " << map_of(reply.set) << '\n'
        << indent << "  drop_headers: " << quoted_list(reply.drop_headers) << '\n'
        << indent << "  set_headers: "
        << map(reply.set_headers,
               [](const auto& header) {
                   return quote_key(header.first) + ": " + quote(header.second);
               })
        << '\n';
}

/// What a route and the default route have in common.
void write_choice(std::ostream& out, const Route& route, std::string_view indent) {
    out << indent << "to: " << targets(route.targets) << '\n';
    out << indent << "balance: " << word(route.balance) << '\n';
    write_hedge(out, route.hedge, indent);
    write_reply(out, route.reply, indent);
}

void write_failures(std::ostream& out, const FailureTable& failures) {
    out << "failures:\n";
    for (std::size_t i = 0; i < kFailureKinds; ++i) {
        const auto kind = static_cast<FailureKind>(i);
        const FailureRule& rule = failures[kind];
        out << "  " << to_string(kind) << ": [" << (rule.retry ? "retry" : "")
            << (rule.retry && rule.fall_back ? ", " : "") << (rule.fall_back ? "fall_back" : "")
            << "]\n";
    }
}

void write_pass_through(std::ostream& out, const PassThrough& pass_through) {
    if (pass_through.upstream.empty()) return;
    out << "pass_through:\n"
        << "  upstream: " << quote(pass_through.upstream) << '\n'
        << "  prefix: " << quote(pass_through.prefix.empty() ? "/" : pass_through.prefix) << '\n'
        << "  retry: " << truth(pass_through.retry) << '\n';
}

}  // namespace

void write_routes(std::ostream& out, const Config& config) {
    out << (config.routes.empty() ? "routes: []\n" : "routes:\n");
    for (const Route& route : config.routes) {
        out << "  - model: " << quote(route.model) << '\n';
        write_choice(out, route, "    ");
    }
    if (!config.default_route.targets.empty()) {
        out << "default_route:\n";
        write_choice(out, config.default_route, "  ");
    }
    write_failures(out, config.failures);
    write_pass_through(out, config.pass_through);
}

}  // namespace sluice::config
