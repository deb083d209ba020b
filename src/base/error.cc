#include "base/error.h"

namespace sluice {

// The switches have no default on purpose: with -Werror=switch a new enumerator does not compile
// until every table below has been given its answer.

std::string_view to_string(Errc code) noexcept {
    switch (code) {
        case Errc::bad_request: return "bad_request";
        case Errc::unauthorized: return "unauthorized";
        case Errc::forbidden: return "forbidden";
        case Errc::not_found: return "not_found";
        case Errc::method_not_allowed: return "method_not_allowed";
        case Errc::request_timeout: return "request_timeout";
        case Errc::payload_too_large: return "payload_too_large";
        case Errc::uri_too_long: return "uri_too_long";
        case Errc::unsupported_media_type: return "unsupported_media_type";
        case Errc::expectation_failed: return "expectation_failed";
        case Errc::head_too_large: return "head_too_large";
        case Errc::model_not_found: return "model_not_found";
        case Errc::rate_limited: return "rate_limited";
        case Errc::overloaded: return "overloaded";
        case Errc::not_implemented: return "not_implemented";
        case Errc::http_version: return "http_version";
        case Errc::upstream_unreachable: return "upstream_unreachable";
        case Errc::upstream_timeout: return "upstream_timeout";
        case Errc::upstream_status: return "upstream_status";
        case Errc::upstream_protocol: return "upstream_protocol";
        case Errc::upstream_truncated: return "upstream_truncated";
        case Errc::upstream_invalid_response: return "upstream_invalid_response";
        case Errc::client_gone: return "client_gone";
        case Errc::cancelled: return "cancelled";
        case Errc::internal: return "internal";
    }
    return "unknown";
}

int http_status(Errc code) noexcept {
    switch (code) {
        case Errc::bad_request: return 400;
        case Errc::unauthorized: return 401;
        case Errc::forbidden: return 403;
        case Errc::not_found: return 404;
        case Errc::method_not_allowed: return 405;
        case Errc::request_timeout: return 408;
        case Errc::payload_too_large: return 413;
        case Errc::uri_too_long: return 414;
        case Errc::unsupported_media_type: return 415;
        case Errc::expectation_failed: return 417;
        case Errc::head_too_large: return 431;
        case Errc::model_not_found: return 404;
        case Errc::rate_limited: return 429;
        case Errc::overloaded: return 503;
        case Errc::not_implemented: return 501;
        case Errc::http_version: return 505;
        case Errc::upstream_unreachable: return 502;
        case Errc::upstream_timeout: return 504;
        case Errc::upstream_status:
        case Errc::upstream_protocol:
        case Errc::upstream_truncated:
        case Errc::upstream_invalid_response: return 502;
        case Errc::client_gone: return 499;
        case Errc::cancelled: return 503;
        case Errc::internal: return 500;
    }
    return 500;
}

bool is_retryable(Errc code) noexcept {
    switch (code) {
        case Errc::upstream_unreachable:
        case Errc::upstream_timeout:
        case Errc::upstream_status:
        case Errc::upstream_protocol:
        case Errc::upstream_truncated:
        case Errc::upstream_invalid_response: return true;
        case Errc::bad_request:
        case Errc::unauthorized:
        case Errc::forbidden:
        case Errc::not_found:
        case Errc::method_not_allowed:
        case Errc::request_timeout:
        case Errc::payload_too_large:
        case Errc::uri_too_long:
        case Errc::unsupported_media_type:
        case Errc::expectation_failed:
        case Errc::head_too_large:
        case Errc::model_not_found:
        case Errc::rate_limited:
        case Errc::overloaded:
        case Errc::not_implemented:
        case Errc::http_version:
        case Errc::client_gone:
        case Errc::cancelled:
        case Errc::internal: return false;
    }
    return false;
}

}  // namespace sluice
