#pragma once

/// A byte stream between two hosts: TCP, or TLS over TCP. Reading and writing never block and never
/// own a buffer; waiting is a separate step. So a connection that waits holds no memory but this
/// object, and the bytes go into a buffer that the whole worker shares (Worker::scratch()).
/// Everything here runs on the worker's thread.

#include "net/deadlines.h"
#include "net/types.h"

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct ssl_st;

namespace sluice::net {

/// Why a wait ended.
enum class Wake : std::uint8_t { ready, timed_out, cancelled };

/// What one non-blocking step came to.
struct Io {
    enum class Status : std::uint8_t {
        ok,
        would_block_read,   ///< wait until readable (TLS may need that in order to write)
        would_block_write,  ///< wait until writable
        closed,             ///< the peer has ended its side in order
        failed,             ///< reset, or broken TLS
    };
    Status status = Status::ok;
    std::size_t bytes = 0;
};

/// Told of what happens on a stream while nobody waits for it. Called from the event loop; may
/// destroy the stream.
class StreamWatcher {
public:
    virtual void on_readable() = 0;
    virtual void on_deadline() = 0;

protected:
    ~StreamWatcher() = default;
};

class Stream {
public:
    Stream(Deadlines& deadlines, TcpSocket socket);
    Stream(Stream&&) noexcept;
    Stream& operator=(Stream&&) = delete;
    ~Stream();

    /// Ends when bytes, or the end, can be read; when the deadline passes; or on cancel().
    Task<Wake> readable();
    Task<Wake> writable();
    /// Whichever of the two comes first.
    Task<Wake> writable_or_readable();

    /// Reads what is there, at most `size` bytes.
    [[nodiscard]] Io read_now(char* data, std::size_t size);

    /// Whether the peer has closed or reset the connection; looks without taking any bytes.
    [[nodiscard]] bool peer_gone() const;

    /// Whether neither bytes nor the end of the peer's side have come unasked.
    [[nodiscard]] bool is_quiet() const;

    /// Whether bytes of the peer can be read; with TLS, bytes that it sent inside of it.
    [[nodiscard]] bool has_unread_bytes() const;

    /// Writes what the socket takes of `pieces`, in order; at most 64 pieces a call.
    [[nodiscard]] Io write_now(std::span<const std::string_view> pieces);

    /// Writes all of `pieces`, waiting as needed. Status ok, failed, or the Wake that ended it.
    struct Written {
        Io::Status status = Io::Status::ok;
        Wake wake = Wake::ready;
        bool answered = false;  ///< see write_until_answered()
        [[nodiscard]] bool ok() const noexcept {
            return status == Io::Status::ok && wake == Wake::ready && !answered;
        }
    };
    /// The pieces' bytes must stay valid until the task ends.
    Task<Written> write(std::span<const std::string_view> pieces);
    /// The same, but ends when the peer sends bytes although it has not taken all, or closes.
    Task<Written> write_until_answered(std::span<const std::string_view> pieces,
                                       std::size_t written_before = 0);

    /// One deadline for whatever wait is under way; stays until it is set again: once it has
    /// passed, every wait ends with Wake::timed_out until then.
    [[nodiscard]] Deadline& deadline() noexcept;

    /// From now on `watcher` hears what happens while no wait is under way; nullptr ends that. With
    /// a watcher the stream is always watched for readability.
    void watch(StreamWatcher* watcher);

    /// Ends the wait under way, and every later one, with Wake::cancelled.
    void cancel();

    /// Lets the peer know that nothing more comes, while reading stays possible.
    void shutdown_send() noexcept;
    /// Ends the waits under way with Wake::cancelled.
    void close() noexcept;
    /// Closes such that the peer sees a reset rather than an orderly end.
    void reset() noexcept;

    /// To be called when a connect() is through, which was waited for by writable(). Asio would go
    /// on asking for writability, and be told of it at every later wait for reading.
    void forget_write_interest() noexcept;

    void set_no_delay() noexcept;
    [[nodiscard]] int native_handle() const noexcept;

    /// From now on bytes go through `ssl`, which this stream then owns.
    void use_tls(std::unique_ptr<ssl_st, void (*)(ssl_st*)> ssl);
    /// Drives the handshake by one step.
    [[nodiscard]] Io handshake_now();
    /// Why the handshake failed, in words.
    [[nodiscard]] std::string handshake_failure() const;

private:
    struct State;
    Task<Written> write_all(std::span<const std::string_view> pieces, std::size_t offset,
                            bool until_answered);

    boost::intrusive_ptr<State> state_;
};

}  // namespace sluice::net
