/// The upload's part of HttpFlight: a body is handed on while it comes.

#include "upstream/http_flight.h"
#include "upstream/origin.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace sluice::upstream {
namespace {

/// A piece as it goes over the wire: as it is, or as one chunk; an empty one ends the chunks.
class Framed {
public:
    Framed(std::string_view piece, bool chunked) {
        if (!chunked) {
            pieces_ = {std::string_view(), piece, std::string_view()};
            return;
        }
        const auto digits =
            std::to_chars(size_line_.data(), size_line_.data() + 16, piece.size(), 16).ptr;
        const auto length = static_cast<std::size_t>(digits - size_line_.data());
        kLineEnd.copy(digits, kLineEnd.size());
        pieces_ = {std::string_view(size_line_.data(), length + kLineEnd.size()), piece, kLineEnd};
    }
    Framed(const Framed&) = delete;
    Framed& operator=(const Framed&) = delete;

    [[nodiscard]] std::span<const std::string_view> pieces() const noexcept { return pieces_; }

private:
    static constexpr std::string_view kLineEnd = "\r\n";
    std::array<char, 24> size_line_{};
    std::array<std::string_view, 3> pieces_;
};

}  // namespace

/// While the client is waited for, the upstream is watched: it may answer early (UP-17) or go.
net::Task<Result<void>> HttpFlight::upload(BodySource& source) {
    const bool chunked = !source.size().has_value();
    std::uint64_t missing = source.size().value_or(1);
    net::Stream& stream = connection_->stream();
    Result<void> result;
    while (missing > 0) {
        source_ = &source;
        await_upload();
        const auto piece = co_await source.read();
        stream.watch(nullptr);
        source_ = nullptr;
        if (connection_->retired()) break;
        if (cancelled_) co_return fail(Errc::cancelled);
        if (upload_expired_) {
            co_return fail(Errc::upstream_timeout, "the exchange took longer than it may in all");
        }
        if (!piece) co_return std::unexpected(piece.error());
        if (chunked && piece->empty()) missing = 0;
        if (!chunked) missing -= std::min<std::uint64_t>(piece->size(), missing);
        if (!chunked && piece->empty()) co_return fail(Errc::internal, "the body was too short");
        const Framed framed(*piece, chunked);
        stream.deadline().expire_at(deadline_after(settings_->upstream.timeouts.idle));
        result = co_await connection_->send_more(framed.pieces());
        if (!result || connection_->retired()) break;
    }
    co_return result;
}

void HttpFlight::await_upload() {
    net::Stream& stream = connection_->stream();
    if (total_) {
        stream.deadline().expire_at(*total_);
    } else {
        stream.deadline().never();
    }
    stream.watch(this);
}

/// An answer, or the end, before the upload's. TLS has words of its own to say, its tickets.
void HttpFlight::on_readable() {
    net::Stream& stream = connection_->stream();
    if (!stream.has_unread_bytes() && !stream.peer_gone()) return stream.watch(this);
    connection_->retire();
    if (source_ != nullptr) source_->stop();
}

void HttpFlight::on_deadline() {
    upload_expired_ = true;
    if (source_ != nullptr) source_->stop();
}

}  // namespace sluice::upstream
