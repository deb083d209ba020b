#pragma once

/// The gateway's one error vocabulary. Every fallible function returns Result<T>; exceptions are
/// left to programming errors and to start-up, where ending the process is the right answer.

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sluice {

/// One enumerator per thing a caller decides differently. Detail belongs in Error::message.
enum class Errc : std::uint8_t {
    bad_request,
    unauthorized,        ///< the client's key is missing, wrong or ambiguous
    forbidden,           ///< the key is right, but lacks the scope
    not_found,           ///< no such path
    method_not_allowed,  ///< the path is known, the method is not
    request_timeout,     ///< the client was too slow in sending its request
    payload_too_large,
    uri_too_long,
    unsupported_media_type,  ///< a coded request body, or one that is not JSON
    expectation_failed,      ///< an Expect other than 100-continue
    head_too_large,
    model_not_found,
    rate_limited,
    overloaded,            ///< the gateway itself has no room
    not_implemented,       ///< a method or a transfer coding that HTTP has and we do not
    http_version,          ///< neither HTTP/1.0 nor HTTP/1.1
    upstream_unreachable,  ///< not resolved, not connected, or TLS not trusted
    upstream_timeout,
    upstream_status,            ///< the upstream answered, but not with what was asked for
    upstream_protocol,          ///< the upstream's bytes are not HTTP
    upstream_truncated,         ///< the upstream's stream ended before its own end marker
    upstream_invalid_response,  ///< HTTP was right, the content was not
    client_gone,
    cancelled,  ///< the gateway itself gave up: shutdown, or a deadline above this call
    internal,
};

/// A constructor rather than aggregate initialisation: g++ 12.2 destroys an aggregate temporary
/// twice when it stands in the same full expression as a co_await (docs/pitfalls.md).
struct Error {
    Error() = default;
    explicit Error(Errc what, std::string detail = {}) : code(what), message(std::move(detail)) {}

    Errc code = Errc::internal;
    std::string message;  ///< fit to show to the client: no secrets, no addresses
    std::string param;    ///< the request field at fault, when there is one
    std::optional<std::chrono::milliseconds> retry_after;

    friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = std::expected<T, Error>;

/// `return fail(Errc::bad_request, "model is missing");`
[[nodiscard]] inline std::unexpected<Error> fail(Errc code, std::string message = {}) {
    return std::unexpected(Error(code, std::move(message)));
}

[[nodiscard]] std::string_view to_string(Errc code) noexcept;

/// The status a client sees; 499 (client closed request) is only ever logged.
[[nodiscard]] int http_status(Errc code) noexcept;

/// Whether another attempt, with nothing yet sent to the client, may fare better.
[[nodiscard]] bool is_retryable(Errc code) noexcept;

}  // namespace sluice
