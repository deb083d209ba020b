#include "net/stream_state.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace sluice::net {
namespace {

using Status = Io::Status;

constexpr std::size_t kMaxPieces = 64;

Io socket_failure(Status when_blocked) {
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {.status = when_blocked};
    if (errno == EINTR) return {.status = Status::ok};
    return {.status = Status::failed};
}

Io tls_outcome(SSL* ssl, int result, std::size_t bytes) {
    if (result > 0) return {.status = Status::ok, .bytes = bytes};
    switch (SSL_get_error(ssl, result)) {
        case SSL_ERROR_WANT_READ: return {.status = Status::would_block_read};
        case SSL_ERROR_WANT_WRITE: return {.status = Status::would_block_write};
        case SSL_ERROR_ZERO_RETURN: return {.status = Status::closed};
        default: return {.status = Status::failed};  // an end without close_notify is a cut (TL-5)
    }
}

Io tls_read(SSL* ssl, char* data, std::size_t size) {
    std::size_t bytes = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl, data, size, &bytes);
    return tls_outcome(ssl, result, bytes);
}

/// Small pieces go into one record, as they would into one packet.
Io tls_write(SSL* ssl, std::span<const std::string_view> pieces) {
    std::array<char, 16UL * 1024> record;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    std::size_t used = 0;
    for (const std::string_view piece : pieces) {
        const std::size_t taken = piece.copy(record.data() + used, record.size() - used);
        used += taken;
        if (taken < piece.size()) break;
    }
    if (used == 0) return {.status = Status::ok};
    std::size_t bytes = 0;
    ERR_clear_error();
    const int result = SSL_write_ex(ssl, record.data(), used, &bytes);
    return tls_outcome(ssl, result, bytes);
}

}  // namespace

Io Stream::read_now(char* data, std::size_t size) {
    if (state_->ssl) return tls_read(state_->ssl.get(), data, size);
    const ssize_t count = ::recv(native_handle(), data, size, MSG_DONTWAIT);
    if (count > 0) return {.status = Status::ok, .bytes = static_cast<std::size_t>(count)};
    if (count == 0) return {.status = Status::closed};
    return socket_failure(Status::would_block_read);
}

Io Stream::write_now(std::span<const std::string_view> pieces) {
    if (state_->ssl) return tls_write(state_->ssl.get(), pieces);
    std::array<iovec, kMaxPieces> vectors;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    std::size_t count = 0;
    for (const std::string_view piece : pieces.first(std::min(pieces.size(), kMaxPieces))) {
        if (piece.empty()) continue;
        // sendmsg() only reads through the pointer, though its type cannot say so.
        vectors[count++] = {.iov_base = const_cast<char*>(piece.data()),  // NOLINT(*-const-cast)
                            .iov_len = piece.size()};
    }
    if (count == 0) return {.status = Status::ok};
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    const ssize_t sent = ::sendmsg(native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return {.status = Status::ok, .bytes = static_cast<std::size_t>(sent)};
    return socket_failure(Status::would_block_write);
}

bool Stream::peer_gone() const {
    char byte = 0;
    const ssize_t count = ::recv(native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (count == 0) return true;
    if (count < 0) return errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
    // Bytes wait in front of a possible end: only the connection's state tells.
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return true;
    return info.tcpi_state != TCP_ESTABLISHED;
}

bool Stream::is_quiet() const {
    if (state_->ssl && SSL_pending(state_->ssl.get()) > 0) return false;
    char byte = 0;
    const ssize_t count = ::recv(native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

bool Stream::has_unread_bytes() const {
    char byte = 0;
    if (state_->ssl) {
        ERR_clear_error();
        return SSL_peek(state_->ssl.get(), &byte, 1) > 0;
    }
    return ::recv(native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

Io Stream::handshake_now() {
    ERR_clear_error();
    const int result = SSL_do_handshake(state_->ssl.get());
    return tls_outcome(state_->ssl.get(), result, 0);
}

std::string Stream::handshake_failure() const {
    const long verdict = SSL_get_verify_result(state_->ssl.get());
    if (verdict != X509_V_OK) return X509_verify_cert_error_string(verdict);
    const unsigned long code = ERR_peek_last_error();
    const char* const reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
    return reason != nullptr ? reason : "the connection was closed";
}

}  // namespace sluice::net
