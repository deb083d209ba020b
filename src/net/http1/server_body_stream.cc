/// The body's half of ServerConnection, where it is handed on while it comes.

#include "net/http1/server_connection.h"
#include "net/http1/unframe.h"

#include <algorithm>
#include <chrono>

namespace sluice::net::http1 {

std::optional<std::uint64_t> ServerConnection::body_size() const {
    const RequestHead& head = reader_.head();
    if (head.chunked) return std::nullopt;
    return head.content_length.value_or(0);
}

Task<Result<std::string_view>> ServerConnection::read_some() {
    if (body_state_ == BodyState::unread) {
        body_state_ = BodyState::streaming;
        reader_.limit_body(UINT64_MAX);
        const auto asked = co_await ask_for_body();
        if (!asked) {
            body_state_ = BodyState::failed;
            co_return std::unexpected(asked.error());
        }
    }
    while (body_state_ == BodyState::streaming) {
        if (reading_stopped_) co_return fail(Errc::cancelled);
        if (!buffer_.behind().empty()) {
            auto piece = take_buffered_piece();
            if (!piece || !piece->empty()) co_return piece;
            continue;
        }
        const auto ready = co_await wait_for_piece();
        if (!ready) co_return std::unexpected(ready.error());
        const auto scratch = server_.worker_.scratch();
        const Io io = stream_.read_now(scratch.data(), scratch.size());
        if (io.status == Io::Status::closed || io.status == Io::Status::failed) {
            client_gone_ = true;
            body_state_ = BodyState::failed;
            co_return fail(Errc::client_gone, "the request body ended early");
        }
        auto piece = take_piece(scratch.first(io.bytes));
        if (!piece || !piece->empty()) co_return piece;
    }
    if (body_state_ == BodyState::failed) co_return fail(Errc::client_gone);
    co_return std::string_view();
}

/// Of what came together with the head. Ends at the first piece of payload, for this block is not
/// ours to move bytes in: the head's views point into it.
Result<std::string_view> ServerConnection::take_buffered_piece() {
    std::string_view input = buffer_.behind();
    std::string_view piece;
    Progress progress = Progress::need_more;
    do {
        progress = reader_.read_body(input, piece);
    } while (progress == Progress::need_more && piece.empty() && !input.empty());
    buffer_.behind_is(input);
    return note_piece(progress, piece);
}

/// Of what was just received into the worker's scratch.
Result<std::string_view> ServerConnection::take_piece(std::span<char> bytes) {
    if (bytes.empty()) return std::string_view();
    const Unframed taken = unframe(reader_, bytes);
    if (taken.progress == Progress::done) buffer_.keep_behind(taken.rest);
    return note_piece(taken.progress, taken.payload);
}

Result<std::string_view> ServerConnection::note_piece(Progress progress, std::string_view piece) {
    switch (progress) {
        case Progress::need_more: break;
        case Progress::failed:
            body_state_ = BodyState::failed;
            return std::unexpected(reader_.error());
        case Progress::done: body_state_ = BodyState::read; break;
    }
    streamed_ += piece.size();
    bytes_received_ += piece.size();
    return piece;
}

/// Only the time that the client lets us wait counts against it, not what the upstream takes.
Task<Result<void>> ServerConnection::wait_for_piece() {
    using std::chrono::milliseconds;
    const ServerLimits& limits = server_.handler_.limits();
    Clock::duration patience = limits.body_idle;
    if (limits.body_min_bytes_per_second > 0) {
        const milliseconds in_all = std::max<milliseconds>(
            limits.body_rate_grace,
            milliseconds(streamed_ * 1000 / limits.body_min_bytes_per_second));
        patience = std::min<Clock::duration>(patience, in_all - waited_);
    }
    const auto begun = Clock::now();
    stream_.deadline().expire_at(begun + patience);
    waiting_for_piece_ = true;
    const Wake wake = co_await stream_.readable();
    waiting_for_piece_ = false;
    keep_watch();
    stream_.deadline().never();
    waited_ += Clock::now() - begun;
    if (wake == Wake::cancelled || reading_stopped_) co_return fail(Errc::cancelled);
    if (wake == Wake::timed_out) {
        body_state_ = BodyState::failed;
        co_return fail(Errc::request_timeout, "the request body came too slowly");
    }
    co_return Result<void>();
}

/// Ends the wait by its deadline: what the stream is cancelled with, it could not answer after.
void ServerConnection::stop_reading() {
    reading_stopped_ = true;
    if (waiting_for_piece_) stream_.deadline().expire_at(Clock::now());
}

}  // namespace sluice::net::http1
