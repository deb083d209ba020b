#pragma once

/// One client's connection: reads requests one after another, hands each to the handler and writes
/// its answer. Between requests it owns no buffer.

#include "net/http1/reply_writer.h"
#include "net/http1/request_buffer.h"
#include "net/http1/request_reader.h"
#include "net/http1/server.h"

namespace sluice::net::http1 {

class ServerConnection final : public Transaction, public OpenConnection, private StreamWatcher {
public:
    ServerConnection(Server& server, Stream stream, Peer peer);

    /// Serves requests until the connection is at its end.
    Task<> run();

    void close_when_idle() override;
    void cancel() override;

    const RequestHead& head() const override { return reader_.head(); }
    const Peer& peer() const override { return peer_; }
    Task<Result<Body>> read_body(std::uint64_t limit) override;
    std::optional<std::uint64_t> body_size() const override;
    Task<Result<std::string_view>> read_some() override;
    void stop_reading() override;
    void release_request() override;
    Sent send(const ReplyHead& head, std::span<const std::string_view> body) override;
    void start(const ReplyHead& head) override;
    bool started() const override { return reply_.started(); }
    Sent write(std::span<const std::string_view> pieces, bool last) override;
    Task<Result<void>> flush() override;
    void abort() override;
    void watch_client(ClientWatch* watch) override;
    std::uint64_t bytes_received() const override { return bytes_received_; }
    std::uint64_t bytes_sent() const override { return bytes_sent_; }

private:
    /// Looks now and then whether the client is still there, while bytes of a next request hide
    /// the end of the connection.
    class Probe final : public Deadline {
    public:
        explicit Probe(Deadlines& deadlines, ServerConnection& owner)
            : Deadline(deadlines),
              owner_(owner) {}

    private:
        void on_expired() override { owner_.look_for_client(); }
        ServerConnection& owner_;
    };

    enum class HeadOutcome : std::uint8_t { complete, refused, closed };
    enum class BodyState : std::uint8_t { none, unread, streaming, read, failed };

    Task<HeadOutcome> read_head();
    HeadOutcome take_head();
    Task<Result<void>> ask_for_body();
    Task<Result<void>> read_sized_body();
    Task<Result<void>> read_chunked_body(std::uint64_t limit);
    Task<Result<void>> wait_for_body(Clock::time_point started, std::uint64_t expected);
    Task<Result<void>> wait_for_piece();
    [[nodiscard]] Result<std::string_view> take_buffered_piece();
    [[nodiscard]] Result<std::string_view> take_piece(std::span<char> bytes);
    [[nodiscard]] Result<std::string_view> note_piece(Progress progress, std::string_view piece);
    Task<> linger();
    [[nodiscard]] ReplyWriter::Framing framing() const;
    [[nodiscard]] bool must_close() const;
    Sent put(std::span<const std::string_view> pieces);
    void look_for_client();
    void keep_watch();
    void on_readable() override { look_for_client(); }
    void on_deadline() override {}

    Server& server_;
    Stream stream_;
    Peer peer_;
    Probe probe_;
    RequestReader reader_;
    RequestBuffer buffer_;
    ReplyWriter reply_;
    Error refusal_;
    ClientWatch* client_watch_ = nullptr;
    std::uint64_t bytes_received_ = 0;
    std::uint64_t bytes_sent_ = 0;
    std::uint64_t streamed_ = 0;  // payload of the body that read_some() has given
    Clock::duration waited_{};    // how long the client let it wait
    BodyState body_state_ = BodyState::none;
    bool waiting_for_piece_ = false;
    bool reading_stopped_ = false;
    bool http10_ = false;        // of the present request, whose head may have been let go
    bool head_request_ = false;  // and its method is HEAD
    bool close_ = false;         // nothing more is read from this client
    bool busy_ = false;
    bool client_gone_ = false;
    bool flushing_ = false;  // waits for the client to take something
    bool stopping_ = false;  // cancel() was called
};

}  // namespace sluice::net::http1
