/// The body's half of ServerConnection: reading it whole, within its limits of size and time.

#include "net/http1/server_connection.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace sluice::net::http1 {
namespace {

Error too_large(std::uint64_t limit) {
    return Error(Errc::payload_too_large, "the request body is larger than the limit of " +
                                              std::to_string(limit) + " bytes");
}

}  // namespace

Task<Result<Body>> ServerConnection::read_body(std::uint64_t limit) {
    if (body_state_ == BodyState::none) {
        const Block& block = buffer_.head();
        const std::size_t end = reader_.head_size();
        co_return Body{
            .data = block.view().data() + end, .size = 0, .capacity = block.capacity() - end};
    }
    const RequestHead& head = reader_.head();
    if (head.content_length && *head.content_length > limit) {
        co_return std::unexpected(too_large(limit));
    }
    reader_.limit_body(limit);
    body_state_ = BodyState::failed;
    const auto asked = co_await ask_for_body();
    if (!asked) co_return std::unexpected(asked.error());
    const bool sized = head.content_length.has_value();
    const bool in_one_block = sized && buffer_.behind().size() >= *head.content_length;
    Result<void> read;
    if (in_one_block) {
        std::string_view payload;
        std::string_view input = buffer_.behind();
        if (reader_.read_body(input, payload) == Progress::failed) {
            co_return std::unexpected(reader_.error());
        }
        buffer_.behind_is(input);
        body_state_ = BodyState::read;
        bytes_received_ += payload.size();
        const auto offset = static_cast<std::size_t>(payload.data() - buffer_.head().view().data());
        co_return Body{.data = payload.data(),
                       .size = payload.size(),
                       .capacity = buffer_.head().capacity() - offset};
    }
    if (sized) {
        read = co_await read_sized_body();
    } else {
        read = co_await read_chunked_body(limit);
    }
    stream_.deadline().never();
    if (!read) co_return std::unexpected(read.error());
    body_state_ = BodyState::read;
    const Block& body = buffer_.body();
    const std::string_view bytes = body.view();
    bytes_received_ += bytes.size();
    co_return Body{.data = bytes.data(), .size = bytes.size(), .capacity = body.capacity()};
}

/// A client that sent `Expect: 100-continue` waits for this before it sends the body.
Task<Result<void>> ServerConnection::ask_for_body() {
    if (!reader_.head().expects_continue || !buffer_.behind().empty()) co_return Result<void>();
    static constexpr std::array<std::string_view, 1> kContinue = {"HTTP/1.1 100 Continue\r\n\r\n"};
    stream_.deadline().expire_after(server_.handler_.limits().write_timeout);
    const Stream::Written written = co_await stream_.write(kContinue);
    if (!written.ok()) co_return fail(Errc::client_gone);
    co_return Result<void>();
}

/// The socket's bytes go straight to their place in the body.
Task<Result<void>> ServerConnection::read_sized_body() {
    Block& body = buffer_.body();
    const std::uint64_t length = reader_.head().content_length.value_or(0);
    body.reserve(length);
    body.append(buffer_.behind());
    buffer_.behind_is({});
    const auto started = Clock::now();
    while (body.size() < length) {
        const auto ready = co_await wait_for_body(started, length);
        if (!ready) co_return ready;
        const std::size_t missing = length - body.size();
        const Io io = stream_.read_now(body.room().data(), std::min(missing, body.room().size()));
        if (io.status == Io::Status::closed || io.status == Io::Status::failed) {
            client_gone_ = true;
            co_return fail(Errc::client_gone, "the request body ended early");
        }
        body.commit(io.bytes);
    }
    co_return Result<void>();
}

Task<Result<void>> ServerConnection::read_chunked_body(std::uint64_t limit) {
    Block& body = buffer_.body();
    const auto scratch = server_.worker_.scratch();
    std::string_view input = buffer_.behind();
    const auto started = Clock::now();
    for (;;) {
        std::string_view piece;
        const Progress progress = reader_.read_body(input, piece);
        if (body.size() + piece.size() > limit) co_return std::unexpected(too_large(limit));
        body.append(piece);
        if (progress == Progress::failed) co_return std::unexpected(reader_.error());
        if (progress == Progress::done) break;
        if (!input.empty()) continue;
        const auto ready = co_await wait_for_body(started, body.size());
        if (!ready) co_return ready;
        const Io io = stream_.read_now(scratch.data(), scratch.size());
        if (io.status == Io::Status::closed || io.status == Io::Status::failed) {
            client_gone_ = true;
            co_return fail(Errc::client_gone, "the request body ended early");
        }
        input = {scratch.data(), io.bytes};
    }
    buffer_.keep_behind(input);
    co_return Result<void>();
}

/// Waits for more of a body of which `expected` bytes are known to come. The client has 30 s and
/// what the size is worth, and after the first seconds may not fall below the least rate.
Task<Result<void>> ServerConnection::wait_for_body(Clock::time_point started,
                                                   std::uint64_t expected) {
    using std::chrono::milliseconds;
    const ServerLimits& limits = server_.handler_.limits();
    const milliseconds in_all =
        limits.body_grace + milliseconds(expected * 1000 / limits.body_bytes_per_second);
    milliseconds by_rate = in_all;
    if (limits.body_min_bytes_per_second > 0) {
        by_rate = std::max<milliseconds>(
            limits.body_rate_grace,
            milliseconds(buffer_.body().size() * 1000 / limits.body_min_bytes_per_second));
    }
    stream_.deadline().expire_at(started + std::min<milliseconds>(in_all, by_rate));
    const Wake wake = co_await stream_.readable();
    if (wake == Wake::timed_out) {
        co_return fail(Errc::request_timeout, "the request body came too slowly");
    }
    if (wake == Wake::cancelled) co_return fail(Errc::cancelled);
    co_return Result<void>();
}

}  // namespace sluice::net::http1
