#include "config/address.h"

#include "base/text.h"
#include "config/units.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <netinet/in.h>
#include <string>

namespace sluice::config {
namespace {

constexpr std::size_t kLongestHost = 253;
constexpr std::uint64_t kHighestPort = 65'535;
constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

bool is_ipv6(const std::string& host) {
    in6_addr address{};
    return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
}

bool is_path_char(char c) {
    return c > ' ' && c < 0x7f && c != '?' && c != '#' && c != '\\';
}

/// Splits `HOST[:PORT]`; the port is empty where there is none.
struct Split {
    std::string_view host;
    std::string_view port;
    bool has_port = false;
};

Split split_port(std::string_view text) {
    const auto bracket = text.rfind(']');
    const auto colon = text.rfind(':');
    const bool has_port =
        colon != std::string_view::npos &&
        (bracket == std::string_view::npos ? text.find(':') == colon : colon > bracket);
    if (!has_port) return {.host = text, .port = {}};
    return {.host = text.substr(0, colon), .port = text.substr(colon + 1), .has_port = true};
}

Result<std::uint16_t> parse_port(std::string_view text, std::uint64_t lowest) {
    const auto port = parse_integer(text, lowest, kHighestPort);
    if (!port) return std::unexpected(port.error());
    return static_cast<std::uint16_t>(*port);
}

}  // namespace

Result<std::string> parse_host(std::string_view text) {
    const bool bracketed = text.starts_with('[') && text.ends_with(']');
    std::string host = to_lower(bracketed ? text.substr(1, text.size() - 2) : text);
    if (host.contains(':') || bracketed) {
        if (is_ipv6(host)) return host;
    } else if (!host.empty() && host.size() <= kLongestHost &&
               std::ranges::all_of(host, is_name_char)) {
        return host;
    }
    return fail(Errc::bad_request, "a host name or an IP address");
}

Result<HostPort> parse_host_port(std::string_view text) {
    const auto expected = [] {
        return fail(Errc::bad_request, "HOST:PORT such as 127.0.0.1:8080 or [::1]:8080");
    };
    const Split parts = split_port(text);
    if (!parts.has_port) return expected();
    const auto host = parse_host(parts.host);
    const auto port = parse_port(parts.port, 0);
    if (!host || !port) return expected();
    return HostPort{.host = *host, .port = *port};
}

Result<BaseUrl> parse_base_url(std::string_view text) {
    const auto expected = [](std::string_view what) {
        return fail(Errc::bad_request, "http(s)://HOST[:PORT][/PATH] " + std::string(what));
    };
    const auto scheme_end = text.find("://");
    const std::string_view scheme = text.substr(0, scheme_end);
    BaseUrl url;
    url.tls = iequals(scheme, "https");
    if (scheme_end == std::string_view::npos || (!url.tls && !iequals(scheme, "http"))) {
        return expected("with the scheme http or https");
    }
    const std::string_view rest = text.substr(scheme_end + 3);
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
    const std::string_view path = rest.substr(authority.size());
    if (authority.contains('@')) return expected("without user and password; keys go to api_key");
    if (path.contains('?')) return expected("without a query");
    if (path.contains('#')) return expected("without a fragment");

    const Split parts = split_port(authority);
    auto host = parse_host(parts.host);
    if (!host || (host->contains(':') && !parts.host.starts_with('[')))
        return expected("with a valid host");
    url.host = std::move(*host);
    url.port = url.tls ? kHttpsPort : kHttpPort;
    if (parts.has_port) {
        const auto port = parse_port(parts.port, 1);
        if (!port) return expected("with a port from 1 to 65535");
        url.port = *port;
    }
    if (!std::ranges::all_of(path, is_path_char)) return expected("with a path of printable ASCII");
    const auto last = path.find_last_not_of('/');
    if (last != std::string_view::npos) url.path = path.substr(0, last + 1);
    return url;
}

Result<std::string> parse_path(std::string_view text, TrailingSlash trailing) {
    const bool dots = text.contains("/../") || text.ends_with("/..");
    const bool clean = text.starts_with('/') && !text.contains("//") && !dots &&
                       std::ranges::all_of(text, is_path_char);
    if (!clean) {
        return fail(Errc::bad_request, "a path such as /v1, of printable ASCII, without a query");
    }
    if (trailing == TrailingSlash::trim && text.ends_with('/')) text.remove_suffix(1);
    return std::string(text);
}

bool is_placeholder(std::string_view url) {
    while (url.ends_with('/')) url.remove_suffix(1);
    return url == "https://your-gateway.com/v1";
}

bool is_deepseek(const BaseUrl& url) {
    return url.host == "deepseek.com" || url.host.ends_with(".deepseek.com");
}

bool is_loopback(const HostPort& address) {
    in_addr v4{};
    in6_addr v6{};
    constexpr std::uint32_t kLoopbackNet = 127;
    if (inet_pton(AF_INET, address.host.c_str(), &v4) == 1) {
        return ntohl(v4.s_addr) >> 24U == kLoopbackNet;
    }
    if (inet_pton(AF_INET6, address.host.c_str(), &v6) == 1) {
        constexpr std::array<std::uint8_t, 16> kLoopback{0, 0, 0, 0, 0, 0, 0, 0,
                                                         0, 0, 0, 0, 0, 0, 0, 1};
        return std::ranges::equal(v6.s6_addr, kLoopback);
    }
    return iequals(address.host, "localhost");
}

std::string to_string(const HostPort& address) {
    const bool bracketed = address.host.contains(':');
    return (bracketed ? "[" + address.host + "]" : address.host) + ":" +
           std::to_string(address.port);
}

std::string to_string(const BaseUrl& url) {
    const std::string host = url.host.contains(':') ? "[" + url.host + "]" : url.host;
    const std::uint16_t usual = url.tls ? kHttpsPort : kHttpPort;
    const std::string port = url.port == usual ? "" : ":" + std::to_string(url.port);
    return (url.tls ? "https://" : "http://") + host + port + url.path;
}

}  // namespace sluice::config
