#include "config/load.h"
#include "config/units.h"

#include <array>
#include <sstream>
#include <string>
#include <string_view>

namespace sluice::config {
namespace {

/// A double-quoted YAML scalar that load() reads back as it is: `$` is doubled.
std::string quote(std::string_view text) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string quoted = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') quoted += '\\';
        if (c == '$') quoted += '$';
        if (byte < 0x20) {
            quoted += "\\x";
            quoted += kHex[byte >> 4U];
            quoted += kHex[byte & 0xfU];
        } else {
            quoted += c;
        }
    }
    return quoted + '"';
}

std::string quote(const Secret& secret) {
    return quote(secret.masked());
}

template <class Range, class Text>
std::string list(const Range& range, Text text) {
    std::string items;
    for (const auto& item : range) items += (items.empty() ? "" : ", ") + text(item);
    return "[" + items + "]";
}

std::string_view word(bool value) {
    return value ? "true" : "false";
}

std::string_view word(Scope scope) {
    switch (scope) {
        case Scope::stats: return "stats";
        case Scope::pass_through: return "pass_through";
        case Scope::metrics: return "metrics";
    }
    return "";
}

std::string_view word(LogLevel level) {
    switch (level) {
        case LogLevel::trace: return "trace";
        case LogLevel::debug: return "debug";
        case LogLevel::info: return "info";
        case LogLevel::warn: return "warn";
        case LogLevel::error: return "error";
        case LogLevel::off: return "\"off\"";
    }
    return "";
}

std::string_view word(LogFormat format) {
    switch (format) {
        case LogFormat::automatic: return "auto";
        case LogFormat::json: return "json";
        case LogFormat::text: return "text";
    }
    return "";
}

std::string targets(const std::vector<Target>& all) {
    return list(all,
                [](const Target& target) { return quote(target.upstream + "/" + target.model); });
}

void write_admin(std::ostream& out, const Admin& admin) {
    if (!admin.listen && admin.key.empty()) return;
    out << "admin:\n";
    if (admin.listen) out << "  listen: " << quote(to_string(*admin.listen)) << '\n';
    if (!admin.key.empty()) out << "  key: " << quote(admin.key) << '\n';
}

void write_keys(std::ostream& out, const std::vector<Key>& keys) {
    out << (keys.empty() ? "keys: []\n" : "keys:\n");
    for (const Key& key : keys) {
        out << "  - name: " << quote(key.name) << '\n';
        out << "    secret: " << quote(key.secret) << '\n';
        if (!key.group.empty()) out << "    group: " << quote(key.group) << '\n';
        out << "    scopes: "
            << list(key.scopes, [](Scope scope) { return std::string(word(scope)); }) << '\n';
    }
}

void write_openai(std::ostream& out, const Upstream& upstream) {
    const Timeouts& timeouts = upstream.timeouts;
    const Pool& pool = upstream.pool;
    out << "    kind: openai\n";
    if (!upstream.preset.empty()) out << "    preset: " << quote(upstream.preset) << '\n';
    out << "    base_url: " << quote(to_string(upstream.base_url)) << '\n';
    for (const Secret& key : upstream.api_keys) out << "    api_key: " << quote(key) << '\n';
    if (!upstream.ca_file.empty()) out << "    ca_file: " << quote(upstream.ca_file) << '\n';
    out << "    timeouts:\n"
        << "      connect: " << format_duration(timeouts.connect) << '\n'
        << "      first_byte: " << format_duration(timeouts.first_byte) << '\n'
        << "      idle: " << format_duration(timeouts.idle) << '\n'
        << "      total: " << (timeouts.total ? format_duration(*timeouts.total) : "none") << '\n'
        << "    pool:\n"
        << "      max_idle_per_worker: " << pool.max_idle_per_worker << '\n'
        << "      idle_timeout: " << format_duration(pool.idle_timeout) << '\n'
        << "      max_connections: " << pool.max_connections << '\n';
}

void write_embedded(std::ostream& out, const Embedded& embedded) {
    out << "    kind: embedded\n    embedded:\n"
        << "      tokens_per_second: " << format_number(embedded.tokens_per_second) << '\n'
        << "      tokens: " << embedded.tokens << '\n'
        << "      faults: " << word(embedded.faults) << '\n';
}

void write_upstreams(std::ostream& out, const Upstreams& upstreams) {
    out << "upstreams:\n";
    for (const auto& [name, upstream] : upstreams) {
        out << "  " << quote(name) << ":\n";
        switch (upstream.kind) {
            case UpstreamKind::openai: write_openai(out, upstream); break;
            case UpstreamKind::embedded: write_embedded(out, upstream.embedded); break;
        }
    }
}

void write_routes(std::ostream& out, const Config& config) {
    out << (config.routes.empty() ? "routes: []\n" : "routes:\n");
    for (const Route& route : config.routes) {
        out << "  - model: " << quote(route.model) << '\n';
        out << "    to: " << targets(route.targets) << '\n';
    }
    if (!config.default_route.targets.empty())
        out << "default_route: " << targets(config.default_route.targets) << '\n';
}

void write_limits(std::ostream& out, const Limits& limits) {
    out << "limits:\n"
        << "  body_bytes: " << format_size(limits.body_bytes) << '\n'
        << "  head_bytes: " << format_size(limits.head_bytes) << '\n'
        << "  connections_per_address: " << limits.connections_per_address << '\n'
        << "  head_timeout: " << format_duration(limits.head_timeout) << '\n'
        << "  idle_timeout: " << format_duration(limits.idle_timeout) << '\n'
        << "  body_min_rate: " << format_size(limits.body_min_rate) << '\n'
        << "  drain_timeout: " << format_duration(limits.drain_timeout) << '\n';
}

void write_log(std::ostream& out, const Log& log) {
    out << "log:\n"
        << "  level: " << word(log.level) << '\n'
        << "  format: " << word(log.format) << '\n'
        << "  access: " << word(log.access) << '\n'
        << "  prompts_file: " << quote(log.prompts_file.empty() ? "off" : log.prompts_file) << '\n';
}

}  // namespace

std::string describe(const Config& config) {
    std::ostringstream out;
    out << "listen: " << list(config.listeners, [](const HostPort& address) {
        return quote(to_string(address));
    }) << '\n';
    write_admin(out, config.admin);
    out << "data_dir: " << quote(config.data_dir) << '\n';
    write_keys(out, config.keys);
    write_upstreams(out, config.upstreams);
    write_routes(out, config);
    write_limits(out, config.limits);
    out << "cors:\n  allow_origins: "
        << list(config.cors.allow_origins, [](const std::string& origin) { return quote(origin); })
        << '\n';
    write_log(out, config.log);
    out << "workers: " << config.workers << '\n';
    return out.str();
}

}  // namespace sluice::config
