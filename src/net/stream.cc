#include "net/stream.h"

#include "net/stream_state.h"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <openssl/ssl.h>

#include <array>
#include <utility>

namespace sluice::net {
namespace {

/// Suspends the caller; `wait` gets what wakes it. No coroutine of its own: a wait costs one frame.
template <class Wait>
Task<Wake> suspend(Wait wait) {
    return asio::async_initiate<const asio::use_awaitable_t<Executor>, void(Wake)>(std::move(wait),
                                                                                   use_task);
}

}  // namespace

/// Wakes a caller that need not wait, from the event loop: here it has not suspended yet.
template <class Handler>
void Stream::State::wake_later(Handler handler, Wake wake) {
    asio::post(socket.get_executor(),
               [woken = std::move(handler), wake]() mutable { woken(wake); });
}

Stream::Stream(Deadlines& deadlines, TcpSocket socket)
    : state_(new State(deadlines, std::move(socket))) {
    error_code ignored;
    state_->socket.native_non_blocking(true, ignored);
}

Stream::Stream(Stream&&) noexcept = default;

Stream::~Stream() {
    if (!state_) return;  // moved from
    state_->watcher = nullptr;
    close();
}

void Stream::State::arm_read() {
    if (read_armed || !socket.is_open()) return;
    read_armed = true;
    socket.async_wait(TcpSocket::wait_read,
                      [self = boost::intrusive_ptr<State>(this)](error_code ec) {
                          self->read_armed = false;
                          if (!ec) self->on_read_ready();
                      });
}

void Stream::State::arm_write() {
    if (write_armed || !socket.is_open()) return;
    write_armed = true;
    socket.async_wait(TcpSocket::wait_write,
                      [self = boost::intrusive_ptr<State>(this)](error_code ec) {
                          self->write_armed = false;
                          if (!ec) self->on_write_ready();
                      });
}

void Stream::State::on_read_ready() {
    if (read_waiter) {
        std::exchange(read_waiter, nullptr)(Wake::ready);
    } else if (write_waiter && read_ends_write_wait) {
        read_ready = true;
        std::exchange(write_waiter, nullptr)(Wake::ready);
    } else {
        read_ready = true;
        if (watcher != nullptr) watcher->on_readable();
    }
}

void Stream::State::on_write_ready() {
    if (write_waiter) std::exchange(write_waiter, nullptr)(Wake::ready);
}

void Stream::State::on_expired() {
    const boost::intrusive_ptr<State> self(this);  // the first one woken may destroy the Stream
    Waiter writing = std::exchange(write_waiter, nullptr);
    Waiter reading = std::exchange(read_waiter, nullptr);
    if (!writing && !reading && watcher != nullptr) watcher->on_deadline();
    if (writing) writing(Wake::timed_out);
    if (reading) reading(Wake::timed_out);
}

void Stream::State::cancel() {
    cancelled = true;
    end_waits();
}

/// The waiter goes on from the event loop, not from inside the caller, whose own frame it may end.
void Stream::State::end_waits() {
    for (Waiter* waiter : {&write_waiter, &read_waiter}) {
        if (!*waiter) continue;
        asio::post(socket.get_executor(),
                   [woken = std::exchange(*waiter, nullptr)]() mutable { woken(Wake::cancelled); });
    }
}

/// What ends a wait before it begins.
std::optional<Wake> Stream::State::wake_now() {
    if (cancelled || !socket.is_open()) return Wake::cancelled;
    if (expired()) return Wake::timed_out;
    return std::nullopt;
}

Task<Wake> Stream::readable() {
    return suspend([self = state_.get()](auto handler) {
        auto now = self->wake_now();
        const bool has_bytes = std::exchange(self->read_ready, false) ||
                               (self->ssl && SSL_pending(self->ssl.get()) > 0);
        if (!now && has_bytes) now = Wake::ready;
        if (now) return self->wake_later(std::move(handler), *now);
        self->read_waiter = std::move(handler);
        self->arm_read();
    });
}

Task<Wake> Stream::writable() {
    return suspend([self = state_.get()](auto handler) {
        if (const auto now = self->wake_now()) return self->wake_later(std::move(handler), *now);
        self->read_ends_write_wait = false;
        self->write_waiter = std::move(handler);
        self->arm_write();
    });
}

Task<Wake> Stream::writable_or_readable() {
    return suspend([self = state_.get()](auto handler) {
        if (const auto now = self->wake_now()) return self->wake_later(std::move(handler), *now);
        self->read_ends_write_wait = true;
        self->read_ready = false;
        self->write_waiter = std::move(handler);
        self->arm_read();
        self->arm_write();
    });
}

Task<Stream::Written> Stream::write(std::span<const std::string_view> pieces) {
    return write_all(pieces, 0, false);
}

Task<Stream::Written> Stream::write_until_answered(std::span<const std::string_view> pieces,
                                                   std::size_t written_before) {
    return write_all(pieces, written_before, true);
}

/// `offset` is how many bytes are written already.
Task<Stream::Written> Stream::write_all(std::span<const std::string_view> pieces,
                                        std::size_t offset, bool until_answered) {
    std::array<std::string_view, 64> rest_of{};
    for (std::size_t first = 0;;) {
        while (first < pieces.size() && offset >= pieces[first].size()) {
            offset -= pieces[first].size();
            ++first;
        }
        if (first == pieces.size()) break;
        std::size_t count = 0;
        for (; count < rest_of.size() && first + count < pieces.size(); ++count) {
            rest_of[count] = pieces[first + count];
        }
        rest_of[0].remove_prefix(offset);
        const Io io = write_now(std::span(rest_of).first(count));
        Wake wake = Wake::ready;
        switch (io.status) {
            case Io::Status::ok: offset += io.bytes; break;
            case Io::Status::would_block_write:
                if (!until_answered) {
                    wake = co_await writable();
                    break;
                }
                if (has_unread_bytes()) co_return Written{.answered = true};
                if (peer_gone()) co_return Written{.status = Io::Status::failed};
                wake = co_await writable_or_readable();
                break;
            case Io::Status::would_block_read: wake = co_await readable(); break;
            case Io::Status::closed:
            case Io::Status::failed: co_return Written{.status = Io::Status::failed};
        }
        if (wake != Wake::ready) co_return Written{.wake = wake};
    }
    co_return Written{};
}

Deadline& Stream::deadline() noexcept {
    return *state_;
}

void Stream::watch(StreamWatcher* watcher) {
    state_->watcher = watcher;
    if (watcher == nullptr) return;
    // What an earlier watcher heard is news to this one: a wait reports it again.
    state_->read_ready = false;
    state_->arm_read();
}

void Stream::cancel() {
    state_->cancel();
}

void Stream::shutdown_send() noexcept {
    error_code ignored;
    state_->socket.shutdown(TcpSocket::shutdown_send, ignored);
}

// Out of memory ends the process here as it does anywhere.
void Stream::close() noexcept {  // NOLINT(bugprone-exception-escape)
    error_code ignored;
    state_->never();
    state_->socket.close(ignored);
    state_->end_waits();
}

void Stream::reset() noexcept {
    error_code ignored;
    state_->socket.set_option(asio::socket_base::linger(true, 0), ignored);
    close();
}

void Stream::forget_write_interest() noexcept {
    error_code ec;
    const auto local = state_->socket.local_endpoint(ec);
    if (ec) return;
    const int descriptor = state_->socket.release(ec);
    if (!ec) state_->socket.assign(local.protocol(), descriptor, ec);
    if (!ec) state_->socket.native_non_blocking(true, ec);
}

void Stream::set_no_delay() noexcept {
    error_code ignored;
    state_->socket.set_option(tcp::no_delay(true), ignored);
}

int Stream::native_handle() const noexcept {
    return state_->socket.native_handle();
}

void Stream::use_tls(std::unique_ptr<ssl_st, void (*)(ssl_st*)> ssl) {
    state_->ssl = std::move(ssl);
}

}  // namespace sluice::net
