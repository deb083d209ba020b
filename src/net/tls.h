#pragma once

/// TLS towards upstreams. Certificates and host names are always verified; there is no off switch.

#include "base/error.h"
#include "net/stream.h"
#include "net/types.h"

#include <memory>
#include <string>

struct ssl_ctx_st;

namespace sluice::net {

/// Trust and protocol settings for connections to one upstream. Immutable and thread-safe once
/// made.
class TlsContext {
public:
    /// Trusts the system's CA store and, when `ca_file` is not empty, the PEM certificates in it.
    [[nodiscard]] static Result<TlsContext> make(const std::string& ca_file);

    /// A session towards `host` on `socket`: SNI and host name verification set, not yet shaken.
    [[nodiscard]] std::unique_ptr<ssl_st, void (*)(ssl_st*)> session(const std::string& host,
                                                                     int socket) const;

private:
    explicit TlsContext(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}

    std::shared_ptr<ssl_ctx_st> context_;
};

/// Shakes hands as a client within the stream's deadline. `host` is named in the error.
Task<Result<void>> tls_handshake(Stream& stream, const std::string& host);

}  // namespace sluice::net
