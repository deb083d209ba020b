#include "net/http1/server_connection.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace sluice::net::http1 {
namespace {

constexpr std::chrono::milliseconds kProbeInterval{100};
constexpr std::chrono::seconds kLingerTime{1};
constexpr std::size_t kLingerBytes = 64UL * 1024;

/// How large a body may be is said when it is read: one that is passed on may have any size.
Limits without_body_limit(Limits limits) {
    limits.body_bytes = UINT64_MAX;
    return limits;
}

}  // namespace

ServerConnection::ServerConnection(Server& server, Stream stream, Peer peer)
    : server_(server),
      stream_(std::move(stream)),
      peer_(std::move(peer)),
      probe_(server.worker_.deadlines(), *this),
      reader_(without_body_limit(server.handler_.limits().request)) {}

Task<> ServerConnection::run() {
    while (!close_) {
        const HeadOutcome outcome = co_await read_head();
        if (outcome == HeadOutcome::closed) co_return;
        busy_ = true;
        if (outcome == HeadOutcome::complete) {
            co_await server_.handler_.handle(*this);
        } else {
            close_ = true;
            body_state_ = BodyState::failed;
            http10_ = head_request_ = false;
            co_await server_.handler_.refuse(*this, std::exchange(refusal_, Error()));
        }
        watch_client(nullptr);
        if (!reply_.finished()) break;  // cut: the missing end is the message
        const auto flushed = co_await flush();
        if (!flushed) co_return;
        if (must_close()) break;
        busy_ = false;
        buffer_.next_request();
        reader_.reset();
        reply_.reset();
        bytes_received_ = bytes_sent_ = streamed_ = 0;
        waited_ = {};
        reading_stopped_ = false;
        body_state_ = BodyState::none;
    }
    if (!client_gone_ && !stopping_) co_await linger();
}

/// Waits for a request and reads its head. The clock of the head starts with its first byte.
Task<ServerConnection::HeadOutcome> ServerConnection::read_head() {
    // Copies: a reload may replace the limits during the wait.
    const auto head_timeout = server_.handler_.limits().head_timeout;
    const auto idle_timeout = server_.handler_.limits().idle_timeout;
    Block& block = buffer_.head();
    bool begun = false;
    for (;;) {
        if (!block.empty()) {
            if (!begun) stream_.deadline().expire_after(head_timeout);
            begun = true;
            const HeadOutcome outcome = take_head();
            if (outcome != HeadOutcome::closed) co_return outcome;
        } else {
            stream_.deadline().expire_after(idle_timeout);
        }
        const Wake wake = co_await stream_.readable();
        if (wake == Wake::timed_out && begun) {
            refusal_ = Error(Errc::request_timeout, "the request's head did not come in time");
            co_return HeadOutcome::refused;
        }
        if (wake != Wake::ready) co_return HeadOutcome::closed;
        if (block.room().empty()) {
            block.reserve(std::max(block.size() * 2, RequestBuffer::kFirstBlock));
        }
        const Io io = stream_.read_now(block.room().data(), block.room().size());
        if (io.status == Io::Status::closed || io.status == Io::Status::failed) {
            client_gone_ = true;
            co_return HeadOutcome::closed;
        }
        block.commit(io.bytes);
    }
}

/// HeadOutcome::closed stands for "more is needed" here.
ServerConnection::HeadOutcome ServerConnection::take_head() {
    switch (reader_.read_head(buffer_.head().view())) {
        case Progress::need_more: return HeadOutcome::closed;
        case Progress::failed: refusal_ = reader_.error(); return HeadOutcome::refused;
        case Progress::done: break;
    }
    const RequestHead& head = reader_.head();
    close_ = !head.keep_alive || server_.draining_;
    buffer_.behind_is(buffer_.head().view().substr(reader_.head_size()));
    bytes_received_ = reader_.head_size();
    http10_ = head.minor_version == 0;
    head_request_ = head.method == "HEAD";
    const bool has_body = head.chunked || head.content_length.value_or(0) > 0;
    body_state_ = has_body ? BodyState::unread : BodyState::none;
    stream_.deadline().never();
    return HeadOutcome::complete;
}

void ServerConnection::close_when_idle() {
    close_ = true;
    // A request that has been sent is answered, even if we have not looked at it yet (DR-6).
    const bool idle = !busy_ && buffer_.head().empty() && !stream_.has_unread_bytes();
    if (idle) stream_.cancel();
}

/// A handler that works on a request ends by itself, and may still say why. Nobody else is waited
/// for: neither a client that sends slowly nor one that takes nothing.
void ServerConnection::cancel() {
    close_ = stopping_ = true;
    if (client_watch_ == nullptr || flushing_) stream_.cancel();
    if (client_watch_ != nullptr) std::exchange(client_watch_, nullptr)->on_server_stopping();
}

bool ServerConnection::must_close() const {
    const bool body_at_end = body_state_ == BodyState::none || body_state_ == BodyState::read;
    return close_ || client_gone_ || server_.draining_ || !body_at_end;
}

/// Closing while unread bytes lie in the socket would reset the connection, and the client might
/// lose the answer with it: so the client gets a moment to read it, but not to send for ever.
Task<> ServerConnection::linger() {
    stream_.shutdown_send();
    buffer_.clear();
    stream_.deadline().expire_after(kLingerTime);
    std::size_t drained = 0;
    const auto scratch = server_.worker_.scratch();
    while (drained < kLingerBytes) {
        const Wake wake = co_await stream_.readable();
        if (wake != Wake::ready) co_return;
        const Io io =
            stream_.read_now(scratch.data(), std::min(scratch.size(), kLingerBytes - drained));
        if (io.status == Io::Status::closed || io.status == Io::Status::failed) co_return;
        drained += io.bytes;
    }
    co_await server_.worker_.sleep(kLingerTime / 2);
}

void ServerConnection::watch_client(ClientWatch* watch) {
    client_watch_ = watch;
    if (watch == nullptr) {
        probe_.never();
        stream_.watch(nullptr);
        return;
    }
    stream_.watch(this);
    if (!buffer_.behind().empty()) probe_.expire_after(kProbeInterval);
}

/// After a wait of our own for the client's bytes, which took the place of the watch's: while these
/// bytes are being used nothing else would tell that the client leaves.
void ServerConnection::keep_watch() {
    if (client_watch_ != nullptr) probe_.expire_after(kProbeInterval);
}

void ServerConnection::look_for_client() {
    if (client_watch_ == nullptr) return;
    if (!stream_.peer_gone()) {
        probe_.expire_after(kProbeInterval);
        return;
    }
    client_gone_ = true;
    std::exchange(client_watch_, nullptr)->on_client_gone();
}

}  // namespace sluice::net::http1
