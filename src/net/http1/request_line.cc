#include "net/http1/request_line.h"

#include "base/text.h"
#include "net/http1/chars.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace sluice::net::http1 {
namespace {

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool percent_encoding_is_whole(std::string_view text) {
    for (auto at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
        if (at + 2 >= text.size()) return false;
        if (!is(CharClass::hex_digit, text[at + 1]) || !is(CharClass::hex_digit, text[at + 2])) {
            return false;
        }
    }
    return true;
}

bool is_valid_port(std::string_view port) {
    if (port.empty()) return true;  // "host:" is legal and means the default port
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    return error == std::errc{} && end == port.data() + port.size();
}

bool is_ipv6_text(std::string_view text) {
    return text.size() >= 2 &&
           std::ranges::all_of(
               text, [](char c) { return is(CharClass::hex_digit, c) || c == ':' || c == '.'; }) &&
           text.contains(':');
}

Checked<int> parse_version(std::string_view version) {
    const bool well_formed = version.size() == 8 && version.starts_with("HTTP/") &&
                             is_digit(version[5]) && version[6] == '.' && is_digit(version[7]);
    if (!well_formed) return malformed("the request line does not end in an HTTP version");
    if (version[5] != '1' || version[7] > '1') {
        return fault(Errc::http_version, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    }
    return version[7] - '0';
}

/// Fills path and query from what follows the authority, or from the whole origin-form target.
void split_path(RequestLine& line, std::string_view text) {
    const auto mark = text.find('?');
    line.path = text.substr(0, mark);
    if (mark != std::string_view::npos) line.query = text.substr(mark + 1);
}

Checked<> take_target(RequestLine& line) {
    const std::string_view target = line.target;
    if (target == "*") {
        if (line.method != "OPTIONS") return malformed("the target * is for OPTIONS only");
        line.path = target;
        return {};
    }
    if (!all(CharClass::target, target) || !percent_encoding_is_whole(target)) {
        return malformed("the request target has a character that is not allowed");
    }
    if (target.starts_with('/')) {
        split_path(line, target);
        return {};
    }
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!iequals(target.substr(0, scheme.size()), scheme)) continue;
        const std::string_view rest = target.substr(scheme.size());
        const auto authority_end = std::min(rest.find_first_of("/?"), rest.size());
        if (!is_valid_host(rest.substr(0, authority_end))) {
            return malformed("the request target has no valid host");
        }
        split_path(line, rest.substr(authority_end));
        return {};
    }
    return malformed("the request target must be a path");
}

}  // namespace

Checked<RequestLine> parse_request_line(std::string_view line, std::size_t target_bytes) {
    if (line.size() > target_bytes + kRequestLineExtra) {
        return fault(Errc::uri_too_long, "the request target is too long");
    }
    RequestLine parsed;
    const auto method_end = std::min(line.find(' '), line.size());
    parsed.method = line.substr(0, method_end);
    if (parsed.method.empty() || !all(CharClass::token, parsed.method)) {
        return malformed("the request method is not a token");
    }
    const auto target_end = line.rfind(' ');
    if (target_end == std::string_view::npos || target_end <= method_end + 1) {
        return malformed("the request line must be: method, target, version");
    }
    parsed.target = line.substr(method_end + 1, target_end - method_end - 1);

    const auto version = parse_version(line.substr(target_end + 1));
    if (!version) return std::unexpected(version.error());
    parsed.minor_version = *version;

    if (parsed.target.size() > target_bytes) {
        return fault(Errc::uri_too_long, "the request target is too long");
    }
    if (parsed.method == "CONNECT") {
        return fault(Errc::not_implemented, "CONNECT is not supported");
    }
    if (const auto taken = take_target(parsed); !taken) return std::unexpected(taken.error());
    return parsed;
}

bool is_valid_host(std::string_view host) noexcept {
    std::string_view name = host;
    std::string_view port;
    if (host.starts_with('[')) {
        const auto bracket = host.find(']');
        if (bracket == std::string_view::npos || !is_ipv6_text(host.substr(1, bracket - 1))) {
            return false;
        }
        const std::string_view rest = host.substr(bracket + 1);
        return rest.empty() || (rest.starts_with(':') && is_valid_port(rest.substr(1)));
    }
    if (const auto colon = host.find(':'); colon != std::string_view::npos) {
        name = host.substr(0, colon);
        port = host.substr(colon + 1);
    }
    return !name.empty() && all(CharClass::reg_name, name) && percent_encoding_is_whole(name) &&
           is_valid_port(port);
}

}  // namespace sluice::net::http1
