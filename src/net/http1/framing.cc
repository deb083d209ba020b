#include "net/http1/framing.h"

#include "base/text.h"
#include "net/http1/chars.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace sluice::net::http1 {
namespace {

Checked<std::uint64_t> parse_content_length(std::string_view value) {
    std::uint64_t length = 0;
    // from_chars takes digits only for an unsigned type: neither sign nor blank.
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
    if (error != std::errc{} || end != value.data() + value.size()) {
        return malformed("Content-Length must be one decimal number");
    }
    return length;
}

Checked<> take_connection(Framing& framing, std::string_view value) {
    while (true) {
        const auto comma = value.find(',');
        const std::string_view option = strip(value.substr(0, comma));
        if (!all(CharClass::token, option)) {
            return malformed("Connection must be a list of tokens");
        }
        if (iequals(option, "close")) framing.close = true;
        if (iequals(option, "keep-alive")) framing.keep_alive = true;
        if (iequals(option, "upgrade")) framing.upgrade = true;
        if (comma == std::string_view::npos) return {};
        value.remove_prefix(comma + 1);
    }
}

}  // namespace

Checked<Field> parse_field_line(std::string_view line) {
    std::size_t colon = 0;
    while (colon < line.size() && is(CharClass::token, line[colon])) ++colon;
    if (colon == line.size()) return malformed("a header line has no colon");
    if (colon == 0 && is_blank(line[0])) return malformed("header lines must not be folded");
    if (colon == 0 || line[colon] != ':') {
        return malformed("a header name has a character that is not allowed");
    }
    const std::string_view value = strip(line.substr(colon + 1));
    if (has_control(value)) return malformed("a header value has a control character");
    return Field{.name = line.substr(0, colon), .value = value};
}

Checked<> Framing::take(const Field& field, int minor_version) {
    // The length decides before any letter is compared: most fields leave here.
    switch (field.name.size()) {
        case std::string_view("connection").size():
            if (!iequals(field.name, "connection")) return {};
            return take_connection(*this, field.value);
        case std::string_view("content-length").size(): {
            if (!iequals(field.name, "content-length")) return {};
            if (content_length) return malformed("more than one Content-Length");
            if (chunked) return malformed("both Content-Length and Transfer-Encoding");
            const auto length = parse_content_length(field.value);
            if (!length) return std::unexpected(length.error());
            content_length = *length;
            return {};
        }
        case std::string_view("transfer-encoding").size():
            if (!iequals(field.name, "transfer-encoding")) return {};
            if (minor_version == 0) return malformed("Transfer-Encoding in HTTP/1.0");
            if (content_length) return malformed("both Content-Length and Transfer-Encoding");
            if (chunked) return malformed("more than one Transfer-Encoding");
            if (!iequals(field.value, "chunked")) {
                return field.value.empty()
                           ? malformed("Transfer-Encoding is empty")
                           : fault(Errc::not_implemented,
                                   "no Transfer-Encoding other than chunked is supported");
            }
            chunked = true;
            return {};
        default: return {};
    }
}

bool is_forbidden_in_trailers(std::string_view name) noexcept {
    constexpr std::array<std::string_view, 26> kNames{
        "age",           "authorization",
        "cache-control", "connection",
        "cookie",        "date",
        "expect",        "expires",
        "forwarded",     "host",
        "keep-alive",    "location",
        "max-forwards",  "pragma",
        "range",         "retry-after",
        "set-cookie",    "te",
        "trailer",       "transfer-encoding",
        "upgrade",       "vary",
        "via",           "www-authenticate",
        "x-api-key",     "x-request-id",
    };
    constexpr std::array<std::string_view, 5> kFamilies{"content-", "if-", "proxy-", "x-forwarded-",
                                                        "x-sluice-"};
    return std::ranges::any_of(kNames, [name](auto known) { return iequals(name, known); }) ||
           std::ranges::any_of(kFamilies, [name](auto family) {
               return iequals(name.substr(0, family.size()), family);
           });
}

}  // namespace sluice::net::http1
