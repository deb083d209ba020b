#pragma once

/// The request line and the Host value: their grammar, and which of the legal forms we take.

#include "net/http1/fault.h"

#include <cstddef>
#include <string_view>

namespace sluice::net::http1 {

/// Views into the line that was parsed.
struct RequestLine {
    std::string_view method;
    std::string_view target;
    std::string_view path;  ///< empty where an absolute target has none
    std::string_view query;
    int minor_version = 1;
};

/// What a request line may have beside its target: the method and the version.
inline constexpr std::size_t kRequestLineExtra = 48;

/// Takes `/path`, `http(s)://host/path` and `OPTIONS *`; refuses CONNECT, fragments, characters
/// that RFC 3986 does not allow, and every version but HTTP/1.0 and HTTP/1.1.
[[nodiscard]] Checked<RequestLine> parse_request_line(std::string_view line,
                                                      std::size_t target_bytes);

/// `host[:port]`, where host is a name, an IPv4 address or an IPv6 address in brackets. No user
/// information, no path.
[[nodiscard]] bool is_valid_host(std::string_view host) noexcept;

}  // namespace sluice::net::http1
