#include "config/describe_text.h"
#include "config/load.h"
#include "config/units.h"

#include <sstream>
#include <string>
#include <string_view>

namespace sluice::config {
namespace {

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
        if (!key.models.empty()) out << "    models: " << quoted_list(key.models) << '\n';
    }
}

void write_limits(std::ostream& out, const Limits& limits) {
    out << "limits:\n"
        << "  body_bytes: " << format_size(limits.body_bytes) << '\n'
        << "  head_bytes: " << format_size(limits.head_bytes) << '\n'
        << "  connections_per_address: " << limits.connections_per_address << '\n'
        << "  head_timeout: " << format_duration(limits.head_timeout) << '\n'
        << "  idle_timeout: " << format_duration(limits.idle_timeout) << '\n'
        << "  body_min_rate: " << format_size(limits.body_min_rate) << '\n'
        << "  drain_timeout: " << format_duration(limits.drain_timeout) << '\n'
        << "  keepalive_after: " << optional_duration(limits.keepalive_after, "\"off\"") << '\n'
        << "  memory_bytes: "
        << (limits.memory_bytes ? format_size(*limits.memory_bytes) : std::string("none")) << '\n';
}

void write_log(std::ostream& out, const Log& log) {
    out << "log:\n"
        << "  level: " << word(log.level) << '\n'
        << "  format: " << word(log.format) << '\n'
        << "  access: " << truth(log.access) << '\n'
        << "  prompts_file: " << quote(log.prompts_file.empty() ? "off" : log.prompts_file) << '\n';
}

void write_translation(std::ostream& out, const Config& config) {
    if (!config.default_model.empty()) {
        out << "default_model: " << quote(config.default_model) << '\n';
    }
    out << "reasoning_store:\n"
        << "  enabled: " << truth(config.reasoning_store.enabled) << '\n'
        << "  max_bytes: " << format_size(config.reasoning_store.max_bytes) << '\n'
        << "  max_age: " << format_duration(config.reasoning_store.max_age) << '\n'
        << "debug:\n  changes: " << truth(config.debug.changes) << '\n';
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
    out << "cors:\n  allow_origins: " << quoted_list(config.cors.allow_origins) << '\n';
    write_log(out, config.log);
    out << "workers: " << config.workers << '\n';
    write_translation(out, config);
    return out.str();
}

}  // namespace sluice::config
