#pragma once

/// For the tests of this layer: certificates made on the spot, and a TLS server in a thread.

#include "net/test_loop.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <csignal>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace sluice::net::testing {

using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
using Certificate = std::unique_ptr<X509, void (*)(X509*)>;

struct Identity {
    Key key{nullptr, EVP_PKEY_free};
    Certificate certificate{nullptr, X509_free};
};

/// A certificate for `alt_names` (as "DNS:a.b,IP:127.0.0.1"), signed by `issuer` or by itself, good
/// from now for so many seconds.
inline Identity make_identity(const std::string& alt_names, const Identity* issuer = nullptr,
                              long seconds = 3600) {
    Identity made;
    made.key.reset(EVP_EC_gen("P-256"));
    made.certificate.reset(X509_new());
    X509* const x = made.certificate.get();
    X509_set_version(x, 2);
    static long serial = 1;
    ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(x), -7200);
    X509_gmtime_adj(X509_getm_notAfter(x), seconds);
    X509_set_pubkey(x, made.key.get());
    X509_NAME* const name = X509_get_subject_name(x);
    const std::string common = issuer == nullptr ? "test authority" : "test server";
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(common.c_str()), -1, -1, 0);
    X509_set_issuer_name(
        x, issuer == nullptr ? name : X509_get_subject_name(issuer->certificate.get()));
    const auto extend = [&](int nid, const std::string& value) {
        X509V3_CTX context;
        X509V3_set_ctx(&context, issuer == nullptr ? x : issuer->certificate.get(), x, nullptr,
                       nullptr, 0);
        X509_EXTENSION* const extension =
            X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
        X509_add_ext(x, extension, -1);
        X509_EXTENSION_free(extension);
    };
    if (issuer == nullptr) extend(NID_basic_constraints, "critical,CA:TRUE");
    if (!alt_names.empty()) extend(NID_subject_alt_name, alt_names);
    X509_sign(x, issuer == nullptr ? made.key.get() : issuer->key.get(), EVP_sha256());
    return made;
}

/// The certificate as a PEM file, gone with this object.
class CaFile {
public:
    explicit CaFile(const Identity& authority) {
        const int fd = ::mkstemp(path_.data());
        FILE* const file = ::fdopen(fd, "w");
        PEM_write_X509(file, authority.certificate.get());
        std::fclose(file);
    }
    CaFile(const CaFile&) = delete;
    CaFile& operator=(const CaFile&) = delete;
    ~CaFile() { ::unlink(path_.c_str()); }

    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_ = "/tmp/sluice-test-ca-XXXXXX";
};

/// Serves one TLS connection in a thread with blocking calls. `serve` is called after a handshake
/// that succeeded.
class TlsServer {
public:
    TlsServer(const Identity& identity, std::function<void(SSL*)> serve,
              int max_version = TLS1_3_VERSION)
        : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
        SSL_CTX_use_certificate(context_.get(), identity.certificate.get());
        SSL_CTX_use_PrivateKey(context_.get(), identity.key.get());
        if (max_version < TLS1_2_VERSION) SSL_CTX_set_security_level(context_.get(), 0);
        SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
        SSL_CTX_set_max_proto_version(context_.get(), max_version);
        thread_ = std::jthread([this, act = std::move(serve)] {
            // The test's server writes through OpenSSL's own sockets: the signal is for them.
            sigset_t pipe;
            ::sigemptyset(&pipe);
            ::sigaddset(&pipe, SIGPIPE);
            ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
            const RawSocket socket = listener_.accept();
            const std::unique_ptr<SSL, void (*)(SSL*)> ssl(SSL_new(context_.get()), SSL_free);
            SSL_set_fd(ssl.get(), socket.fd());
            shaken_ = SSL_accept(ssl.get()) == 1;
            if (shaken_) act(ssl.get());
        });
    }
    TlsServer(const TlsServer&) = delete;
    TlsServer& operator=(const TlsServer&) = delete;
    ~TlsServer() { join(); }

    void join() {
        if (!thread_.joinable()) return;
        ::shutdown(listener_.fd(), SHUT_RDWR);  // ends accept() when nobody came
        thread_.join();
    }
    /// After join().
    [[nodiscard]] bool shaken() const { return shaken_; }
    [[nodiscard]] std::uint16_t port() const { return listener_.port(); }

private:
    std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
    RawSocket listener_ = RawSocket::listening();
    bool shaken_ = false;
    std::jthread thread_;
};

}  // namespace sluice::net::testing
