#include "base/text.h"
#include "config/address.h"
#include "config/sections.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::config {
namespace {

constexpr std::uint16_t kDefaultPort = 8080;
constexpr std::uint64_t kHighestPort = 65'535;

Result<std::uint16_t> parse_port(std::string_view text) {
    const auto port = parse_integer(text, 0, kHighestPort);
    if (!port) return std::unexpected(port.error());
    return static_cast<std::uint16_t>(*port);
}

std::vector<Listener> read_listen(const Reader& reader, const Section& top) {
    std::vector<Listener> listeners;
    const NodePtr node = top.find("listen");
    for (const NodePtr& item : reader.items(node, "listen")) {
        const auto text = reader.text(*item, "listen");
        if (!text) continue;
        auto address = parse_host_port(*text);
        if (address) {
            listeners.push_back({.address = *std::move(address), .place = item->place});
        } else {
            reader.report(item->place,
                          wrong_value("listen", item->text, address.error().message, Quote::yes));
        }
    }
    if (node && node->kind == Node::Kind::list && node->items.empty()) {
        reader.report(node->place, "`listen` is an empty list, expected HOST:PORT");
    }
    return listeners;
}

/// A value stated outside of the file.
struct Stated {
    std::optional<std::string> text;
    std::string_view name;
    Place place;
};

/// One listener instead of those there were; what is not stated comes from the first of them.
void override_listeners(const Reader& reader, const Stated& host, const Stated& port,
                        std::vector<Listener>& listeners) {
    const auto read = [&](const Stated& stated, auto& out, auto parse) {
        if (!stated.text) return;
        auto value = parse(std::string_view(*stated.text));
        if (value) {
            out = *std::move(value);
        } else {
            reader.report(stated.place, wrong_value(stated.name, *stated.text,
                                                    value.error().message, Quote::yes));
        }
    };
    if (!host.text && !port.text) return;
    Listener changed = listeners.front();
    read(host, changed.address.host, parse_host);
    read(port, changed.address.port, parse_port);
    if (host.text) changed.place = host.place;
    listeners = {std::move(changed)};
}

void apply_listen_flag(const Reader& reader, const std::string& text,
                       std::vector<Listener>& listeners) {
    const Place place{.file = "command line"};
    auto address = parse_host_port(text);
    if (address) {
        listeners = {Listener{.address = *std::move(address), .place = place}};
    } else {
        reader.report(place, wrong_value("--listen", text, address.error().message, Quote::yes));
    }
}

}  // namespace

std::vector<Listener> read_listeners(const Reader& reader, const Section& top,
                                     const Variables& variables, const Flags& flags) {
    std::vector<Listener> listeners = read_listen(reader, top);
    if (listeners.empty()) {
        listeners.push_back({.address = {.host = "127.0.0.1", .port = kDefaultPort}, .place = {}});
    }
    const auto variable = [&](std::string_view name) {
        return Stated{
            .text = variables.find_nonempty(name), .name = name, .place = variables.place(name)};
    };
    override_listeners(reader, variable("HOST"), variable("PORT"), listeners);
    const Place command_line{.file = "command line"};
    if (flags.listen) {
        if (flags.host || flags.port) {
            reader.report(command_line,
                          "--listen together with --host or --port, expected one or the other");
        }
        apply_listen_flag(reader, *flags.listen, listeners);
        return listeners;
    }
    const Stated host{.text = flags.host, .name = "--host", .place = command_line};
    Stated port{.text = std::nullopt, .name = "--port", .place = command_line};
    if (flags.port) port.text = std::to_string(*flags.port);
    override_listeners(reader, host, port, listeners);
    return listeners;
}

void read_admin(const Reader& reader, const NodePtr& node, const Variables& variables,
                Admin& admin) {
    constexpr std::string_view kListen = "SLUICE_ADMIN_LISTEN";
    constexpr std::string_view kKey = "SLUICE_ADMIN_KEY";
    const Section section(reader, node, kAdminSchema);
    section.read("listen", admin.listen, parse_host_port);
    section.read("key", admin.key);
    Place listen_place = section.place("listen");
    if (const auto listen = variables.find_nonempty(kListen)) {
        listen_place = variables.place(kListen);
        auto address = parse_host_port(*listen);
        if (address) {
            admin.listen = *std::move(address);
        } else {
            reader.report(listen_place,
                          wrong_value(kListen, *listen, address.error().message, Quote::yes));
        }
    }
    if (const auto key = variables.find_nonempty(kKey)) {
        auto secret = parse_secret(*key);
        if (secret) {
            admin.key = *std::move(secret);
        } else {
            reader.report(variables.place(kKey),
                          wrong_value(kKey, "", secret.error().message, Quote::no));
        }
    }
    if (admin.listen && admin.key.empty() && !is_loopback(*admin.listen)) {
        reader.report(listen_place, "the admin listener " + to_string(*admin.listen) +
                                        " can be reached from elsewhere without a key, expected "
                                        "`admin.key` (SLUICE_ADMIN_KEY) or a loopback address");
    }
}

Result<LogLevel> parse_log_level(std::string_view text) {
    using Name = std::pair<std::string_view, LogLevel>;
    static constexpr std::array kNames{
        Name{"trace", LogLevel::trace},    Name{"debug", LogLevel::debug},
        Name{"info", LogLevel::info},      Name{"warn", LogLevel::warn},
        Name{"warning", LogLevel::warn},   Name{"error", LogLevel::error},
        Name{"critical", LogLevel::error}, Name{"off", LogLevel::off}};
    for (const auto& [name, level] : kNames) {
        if (iequals(text, name)) return level;
    }
    return fail(Errc::bad_request, "trace, debug, info, warn, error or off");
}

void read_log(const Reader& reader, const NodePtr& node, Log& log) {
    const Section section(reader, node, kLogSchema);
    section.read("level", log.level, parse_log_level);
    section.read("format", log.format, [](std::string_view text) -> Result<LogFormat> {
        if (text == "auto") return LogFormat::automatic;
        if (text == "json") return LogFormat::json;
        if (text == "text") return LogFormat::text;
        return fail(Errc::bad_request, "auto, json or text");
    });
    section.read("access", log.access);
    section.read("prompts_file", log.prompts_file);
    if (log.prompts_file == "off") log.prompts_file.clear();
}

void read_cors(const Reader& reader, const NodePtr& node, Cors& cors) {
    const Section section(reader, node, kCorsSchema);
    const NodePtr origins = section.find("allow_origins");
    for (const NodePtr& item : reader.items(origins, "cors.allow_origins")) {
        auto origin = reader.text(*item, "cors.allow_origins");
        if (!origin) continue;
        const auto url = parse_base_url(*origin);
        if (*origin == "*" || (url && url->path.empty() && !origin->ends_with('/'))) {
            cors.allow_origins.push_back(*std::move(origin));
        } else {
            reader.report(
                item->place,
                wrong_value("cors.allow_origins", *origin,
                            "`*` or an origin such as https://app.example.com", Quote::no));
        }
    }
}

namespace {

Result<std::optional<Milliseconds>> parse_keepalive(std::string_view text) {
    if (text == "off" || text == "none") return std::nullopt;
    const auto after = parse_duration(text, Milliseconds(1));
    if (after) return *after;
    return fail(Errc::bad_request, "off, or " + after.error().message);
}

}  // namespace

namespace {

/// Less than the smallest could never be kept to.
Result<std::optional<std::size_t>> parse_memory(std::string_view text) {
    constexpr std::size_t kSmallest = 32 * kMebibyte;
    constexpr std::size_t kLargest = 1024 * 1024 * kMebibyte;
    if (text == "none") return std::nullopt;
    const auto size = parse_size(text, kSmallest, kLargest);
    if (size) return *size;
    return fail(Errc::bad_request, "none, or " + size.error().message);
}

}  // namespace

void read_limits(const Reader& reader, const NodePtr& node, Limits& limits) {
    constexpr std::size_t kGibibyte = 1024 * kMebibyte;
    const Section section(reader, node, kLimitsSchema);
    section.read_size("body_bytes", limits.body_bytes, 1, kGibibyte);
    section.read_size("head_bytes", limits.head_bytes, kKibibyte, kMebibyte);
    section.read_integer("connections_per_address", limits.connections_per_address, 1, 1'000'000);
    section.read_duration("head_timeout", limits.head_timeout);
    section.read_duration("idle_timeout", limits.idle_timeout);
    section.read_size("body_min_rate", limits.body_min_rate, 0, kGibibyte);
    section.read_duration("drain_timeout", limits.drain_timeout, Milliseconds(0));
    section.read("keepalive_after", limits.keepalive_after, parse_keepalive);
    section.read("memory_bytes", limits.memory_bytes, parse_memory);
}

}  // namespace sluice::config
