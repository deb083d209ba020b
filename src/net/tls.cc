#include "net/tls.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <sys/socket.h>

namespace sluice::net {

namespace {

int send_without_signal(BIO* bio, const char* data, int size) {
    BIO_clear_retry_flags(bio);
    int socket = -1;
    BIO_get_fd(bio, &socket);
    const ssize_t sent =
        ::send(socket, data, static_cast<std::size_t>(size), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && BIO_sock_should_retry(-1) != 0) BIO_set_retry_write(bio);
    return static_cast<int>(sent);
}

/// OpenSSL's own socket writes raise SIGPIPE when the peer has gone, which ends the process.
const BIO_METHOD* socket_method() {
    static const std::unique_ptr<BIO_METHOD, void (*)(BIO_METHOD*)> method = [] {
        const BIO_METHOD* const plain = BIO_s_socket();
        BIO_METHOD* const made = BIO_meth_new(BIO_TYPE_SOCKET, "socket without SIGPIPE");
        BIO_meth_set_write(made, send_without_signal);
        BIO_meth_set_read(made, BIO_meth_get_read(plain));
        BIO_meth_set_ctrl(made, BIO_meth_get_ctrl(plain));
        BIO_meth_set_create(made, BIO_meth_get_create(plain));
        BIO_meth_set_destroy(made, BIO_meth_get_destroy(plain));
        return std::unique_ptr<BIO_METHOD, void (*)(BIO_METHOD*)>(made, BIO_meth_free);
    }();
    return method.get();
}

}  // namespace

Result<TlsContext> TlsContext::make(const std::string& ca_file) {
    const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    if (!context) return fail(Errc::internal, "OpenSSL has no TLS client method");
    SSL_CTX* const ctx = context.get();
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
    // A short write is tried again with the rest, from wherever the bytes then are; and an idle
    // connection gives its record buffers back.
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
    if (SSL_CTX_set_default_verify_paths(ctx) != 1) {
        return fail(Errc::internal, "the system's CA certificates cannot be loaded");
    }
    if (!ca_file.empty() && SSL_CTX_load_verify_file(ctx, ca_file.c_str()) != 1) {
        return fail(Errc::bad_request, "ca_file " + ca_file + " has no readable PEM certificate");
    }
    return TlsContext(context);
}

std::unique_ptr<ssl_st, void (*)(ssl_st*)> TlsContext::session(const std::string& host,
                                                               int socket) const {
    std::unique_ptr<ssl_st, void (*)(ssl_st*)> ssl(SSL_new(context_.get()), SSL_free);
    static constexpr std::array<unsigned char, 9> kHttp11 = {8,   'h', 't', 't', 'p',
                                                             '/', '1', '.', '1'};
    SSL_set_alpn_protos(ssl.get(), kHttp11.data(), kHttp11.size());
    error_code not_an_address;
    asio::ip::make_address(host, not_an_address);
    if (not_an_address) {
        SSL_set_tlsext_host_name(ssl.get(), host.c_str());
        SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        SSL_set1_host(ssl.get(), host.c_str());
    } else {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), host.c_str());
    }
    BIO* const bio = BIO_new(socket_method());
    BIO_set_fd(bio, socket, BIO_NOCLOSE);
    SSL_set_bio(ssl.get(), bio, bio);
    SSL_set_connect_state(ssl.get());
    return ssl;
}

Task<Result<void>> tls_handshake(Stream& stream, const std::string& host) {
    for (;;) {
        const Io io = stream.handshake_now();
        Wake wake = Wake::ready;
        switch (io.status) {
            case Io::Status::ok: co_return Result<void>();
            case Io::Status::would_block_read: wake = co_await stream.readable(); break;
            case Io::Status::would_block_write: wake = co_await stream.writable(); break;
            case Io::Status::closed:
            case Io::Status::failed:
                co_return fail(Errc::upstream_unreachable,
                               "TLS with " + host + " failed: " + stream.handshake_failure());
        }
        if (wake == Wake::timed_out) {
            co_return fail(Errc::upstream_timeout, "TLS with " + host + " took too long");
        }
        if (wake == Wake::cancelled) co_return fail(Errc::cancelled);
    }
}

}  // namespace sluice::net
