/// The answer's half of ServerConnection.

#include "net/http1/server_connection.h"

#include <algorithm>
#include <array>

namespace sluice::net::http1 {

ReplyWriter::Framing ServerConnection::framing() const {
    ReplyWriter::Framing framing;
    framing.http10 = http10_;
    framing.head_request = head_request_;
    framing.close = must_close();
    return framing;
}

Sent ServerConnection::send(const ReplyHead& head, std::span<const std::string_view> body) {
    std::size_t size = 0;
    for (const std::string_view piece : body) size += piece.size();
    std::array<std::string_view, ReplyWriter::kMaxPieces + 1> pieces;
    std::size_t count = 0;
    if (head.close) close_ = true;
    pieces[count++] = reply_.whole(head, size, framing());
    if (!reply_.body_allowed()) body = {};
    for (;;) {
        const auto some = body.first(std::min(body.size(), pieces.size() - count));
        body = body.subspan(some.size());
        for (const std::string_view piece : some) pieces[count++] = piece;
        const Sent sent = put(std::span(pieces).first(count));
        if (sent == Sent::gone || body.empty()) return sent;
        count = 0;
    }
}

void ServerConnection::start(const ReplyHead& head) {
    if (head.close) close_ = true;
    auto how = framing();
    // Without the chunked coding, and without a length, the end of the connection is the end of the
    // body.
    if (how.http10 && !head.content_length) close_ = how.close = true;
    reply_.begin(head, how);
}

Sent ServerConnection::write(std::span<const std::string_view> pieces, bool last) {
    ReplyWriter::Pieces framed;
    while (pieces.size() > ReplyWriter::kMaxPieces) {
        if (put(reply_.chunk(pieces.first(ReplyWriter::kMaxPieces), false, framed)) == Sent::gone) {
            return Sent::gone;
        }
        pieces = pieces.subspan(ReplyWriter::kMaxPieces);
    }
    return put(reply_.chunk(pieces, last, framed));
}

/// Tries once, without waiting; what the socket does not take is copied, since the bytes may lie in
/// the worker's scratch buffer.
Sent ServerConnection::put(std::span<const std::string_view> pieces) {
    if (client_gone_) return Sent::gone;
    std::size_t total = 0;
    for (const std::string_view piece : pieces) total += piece.size();
    Io io;
    if (reply_.unsent().empty()) io = stream_.write_now(pieces);
    if (io.status == Io::Status::failed || io.status == Io::Status::closed) {
        client_gone_ = true;
        return Sent::gone;
    }
    bytes_sent_ += total;
    reply_.keep(pieces, io.bytes);
    return reply_.unsent().empty() ? Sent::all : Sent::pending;
}

Task<Result<void>> ServerConnection::flush() {
    if (client_gone_) co_return fail(Errc::client_gone);
    while (!reply_.unsent().empty()) {
        const std::array<std::string_view, 1> rest = {reply_.unsent()};
        const Io io = stream_.write_now(rest);
        if (io.status == Io::Status::ok) {
            reply_.sent(io.bytes);
            continue;
        }
        if (io.status == Io::Status::failed || io.status == Io::Status::closed) {
            client_gone_ = true;
            co_return fail(Errc::client_gone);
        }
        stream_.deadline().expire_after(server_.handler_.limits().write_timeout);
        flushing_ = true;
        const Wake wake = co_await stream_.writable();
        flushing_ = false;
        stream_.deadline().never();
        if (wake == Wake::cancelled) co_return fail(Errc::cancelled);
        if (wake == Wake::timed_out) {
            client_gone_ = true;
            stream_.reset();
            co_return fail(Errc::client_gone, "the client took nothing for too long");
        }
    }
    co_return Result<void>();
}

void ServerConnection::abort() {
    close_ = true;
    if (reply_.ends_with_connection()) stream_.reset();
}

void ServerConnection::release_request() {
    const bool body_pending = body_state_ == BodyState::unread || body_state_ == BodyState::failed;
    if (!body_pending) buffer_.release_request();
}

}  // namespace sluice::net::http1
