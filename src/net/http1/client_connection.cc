#include "net/http1/client_connection.h"

#include "net/http1/unframe.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::net::http1 {

ClientConnection::ClientConnection(Worker& worker, Stream stream)
    : worker_(worker),
      stream_(std::move(stream)) {}

bool ClientConnection::send_now(std::span<const std::string_view> pieces, bool head_request) {
    ++exchanges_;
    reader_.reset();
    reader_.expect(head_request);
    carry_.clear();
    unread_ = {};
    received_ = body_done_ = body_failed_ = reusable_ = false;
    std::size_t total = 0;
    for (const std::string_view piece : pieces) total += piece.size();
    const Io io = stream_.write_now(pieces);
    sent_ = io.bytes;
    return sent_ == total;
}

Task<Result<void>> ClientConnection::send_rest(std::span<const std::string_view> pieces) {
    return write_rest(pieces, sent_);
}

Task<Result<void>> ClientConnection::send_more(std::span<const std::string_view> pieces) {
    const Io io = stream_.write_now(pieces);
    std::size_t sent = io.bytes;
    kept_.clear();
    for (std::string_view piece : pieces) {
        const std::size_t skipped = std::min(sent, piece.size());
        piece.remove_prefix(skipped);
        sent -= skipped;
        kept_ += piece;
    }
    if (kept_.empty()) co_return Result<void>();
    const std::array<std::string_view, 1> rest = {kept_};
    co_return co_await write_rest(rest, 0);
}

Task<Result<void>> ClientConnection::write_rest(std::span<const std::string_view> pieces,
                                                std::size_t offset) {
    const Stream::Written written = co_await stream_.write_until_answered(pieces, offset);
    if (written.wake == Wake::timed_out) {
        co_return fail(Errc::upstream_timeout, "the upstream did not take the request in time");
    }
    if (written.wake == Wake::cancelled) co_return fail(Errc::cancelled);
    // An upstream may answer before it has read the request, and then close: its answer counts.
    if (!written.ok()) retire();
    if (written.status != Io::Status::ok && !stream_.has_unread_bytes()) {
        co_return fail(Errc::upstream_unreachable, "the upstream closed the connection");
    }
    co_return Result<void>();
}

Task<Result<void>> ClientConnection::send(std::span<const std::string_view> pieces) {
    const bool all = send_now(pieces);
    if (all) co_return Result<void>();
    co_return co_await send_rest(pieces);
}

/// Receives after a wait.
Result<void> ClientConnection::receive(Wake wake) {
    if (wake == Wake::timed_out) return fail(Errc::upstream_timeout);
    if (wake == Wake::cancelled) return fail(Errc::cancelled);
    const auto scratch = worker_.scratch();
    const Io io = stream_.read_now(scratch.data(), scratch.size());
    switch (io.status) {
        case Io::Status::ok:
            received_ = received_ || io.bytes > 0;
            unread_ = scratch.first(io.bytes);
            break;
        case Io::Status::would_block_read:
        case Io::Status::would_block_write: unread_ = {}; break;
        case Io::Status::closed: return fail(Errc::upstream_truncated);
        case Io::Status::failed:
            return fail(Errc::upstream_unreachable, "the upstream reset the connection");
    }
    return {};
}

Task<Result<void>> ClientConnection::read_head() {
    for (;;) {
        const Wake wake = co_await stream_.readable();
        const auto got = receive(wake);
        if (!got) {
            if (got.error().code != Errc::upstream_truncated) co_return got;
            co_return fail(Errc::upstream_unreachable,
                           "the upstream closed the connection without an answer");
        }
        if (!carry_.empty()) {
            carry_.append(unread_.data(), unread_.size());
            unread_ = carry_;
        }
        const std::string_view buffered(unread_.data(), unread_.size());
        switch (reader_.read_head(buffered)) {
            case Progress::failed: co_return std::unexpected(reader_.error());
            case Progress::need_more:
                if (carry_.empty()) carry_.assign(buffered);
                continue;
            case Progress::done: break;
        }
        unread_ = unread_.subspan(reader_.head_size());
        co_return Result<void>();
    }
}

Task<Result<std::string_view>> ClientConnection::read_body() {
    while (!body_done_) {
        if (body_failed_) co_return std::unexpected(reader_.error());
        const auto taken = take_body();
        if (!taken || !taken->empty()) co_return taken;
        if (body_done_) break;
        const Wake wake = co_await stream_.readable();
        const auto got = receive(wake);
        if (got) continue;
        if (got.error().code != Errc::upstream_truncated) co_return std::unexpected(got.error());
        if (reader_.read_eof() == Progress::failed) co_return std::unexpected(reader_.error());
        body_done_ = true;
    }
    co_return std::string_view();
}

Result<std::string_view> ClientConnection::take_body() {
    const Unframed taken = unframe(reader_, std::exchange(unread_, {}));
    body_failed_ = taken.progress == Progress::failed;
    if (body_failed_ && taken.payload.empty()) return std::unexpected(reader_.error());
    if (taken.progress == Progress::done) {
        body_done_ = true;
        reusable_ = taken.rest.empty() && reader_.head().keep_alive && !reader_.head().until_close;
    }
    return taken.payload;
}

}  // namespace sluice::net::http1
