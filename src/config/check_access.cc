#include "config/sections.h"

#include <algorithm>

namespace sluice::config {
namespace {

/// Client keys that anybody can look up: they keep out nobody. The one of the custom-proxy preset.
constexpr std::string_view kPublishedKey = "123456";

bool is_published(const Key& key) {
    return key.secret.reveal() == kPublishedKey;
}

/// Why anyone who reaches the address may use it; empty if that is not so.
std::string open_because(const Config& config) {
    if (std::ranges::any_of(config.keys, is_published)) {
        return "a client key is the published " + std::string(kPublishedKey);
    }
    if (!config.keys.empty() || clients_bring_credentials(config.upstreams)) return {};
    return "no keys are configured";
}

void check_duplicate(const Reader& reader, const Listener& listener, const Config& config) {
    const bool taken =
        std::ranges::find(config.listeners, listener.address) != config.listeners.end() ||
        listener.address == config.admin.listen;
    if (!taken || listener.address.port == 0) return;
    reader.report(listener.place, to_string(listener.address) +
                                      " is listened on twice, expected different addresses");
}

/// A warning where it is meant, else a problem.
void report_open(const Reader& reader, const Listener& listener, const std::string& why,
                 const Flags& flags, std::vector<std::string>& warnings) {
    const std::string address = to_string(listener.address);
    if (flags.insecure_no_auth) {
        warnings.push_back(address + " answers anyone who can reach it: " + why +
                           " (--insecure-no-auth)");
        return;
    }
    reader.report(listener.place,
                  address + " can be reached from elsewhere and " + why +
                      ", expected `keys` in the file or ALLOWED_API_KEYS, or a loopback address "
                      "such as 127.0.0.1 (--insecure-no-auth serves anyone)");
}

/// A client's credential goes to one origin alone: not on to the next when the first refuses it.
void check_passed_credentials(const Reader& reader, const Route& route,
                              const Upstreams& upstreams) {
    const std::string* first = nullptr;
    for (const Target& target : route.targets) {
        const auto upstream = upstreams.find(target.upstream);
        if (upstream == upstreams.end() || upstream->second.auth != Auth::passthrough) continue;
        if (first == nullptr) first = &target.upstream;
        if (*first == target.upstream) continue;
        const std::string name =
            route.model.empty() ? "default_route" : "route `" + route.model + "`";
        reader.report({}, name + " goes to `" + *first + "` and `" + target.upstream +
                              "`, both with `auth: passthrough`, expected one of them: the "
                              "credential that a client brings belongs to one provider");
        return;
    }
}

}  // namespace

bool clients_bring_credentials(const Upstreams& upstreams) {
    return std::ranges::all_of(upstreams, [](const auto& named) {
        return named.second.kind != UpstreamKind::embedded &&
               named.second.auth == Auth::passthrough;
    });
}

void check_access(const Reader& reader, const std::vector<Listener>& listeners, const Flags& flags,
                  Loaded& loaded) {
    Config& config = loaded.config;
    const std::string why = open_because(config);
    for (const Listener& listener : listeners) {
        check_duplicate(reader, listener, config);
        config.listeners.push_back(listener.address);
        if (why.empty() || is_loopback(listener.address)) continue;
        report_open(reader, listener, why, flags, loaded.warnings);
    }
    for (const Route& route : config.routes) {
        check_passed_credentials(reader, route, config.upstreams);
    }
    check_passed_credentials(reader, config.default_route, config.upstreams);
    for (const Key& key : config.keys) {
        if (!is_published(key)) continue;
        loaded.warnings.push_back("the client key `" + key.name + "` is the published " +
                                  std::string(kPublishedKey) +
                                  ", which keeps out nobody: set another (VERIFY_API_KEY)");
    }
}

}  // namespace sluice::config
