#pragma once

/// The models inside the process: deterministic, and free of I/O and of time, which come in from
/// outside. `lorem` writes words at a set rate; `echo`, and every other name, tells about what it
/// was sent. See docs/embedded.md.

#include "config/config.h"
#include "upstream/embedded/chunk_writer.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::upstream::embedded {

/// One reply on its way: a list of pieces that each become due at some time after its begin. The
/// pieces are made as they are taken, so a long stream holds little memory.
class Reply {
public:
    [[nodiscard]] int status() const noexcept { return status_; }
    [[nodiscard]] bool is_event_stream() const noexcept { return stream_; }
    [[nodiscard]] std::string_view content_type() const noexcept {
        return stream_ ? "text/event-stream" : "application/json";
    }

    /// When the next piece may leave, counted from the begin of the reply; nullopt at the end.
    [[nodiscard]] std::optional<std::chrono::microseconds> due() const;

    /// Appends the next piece: one event, or the whole body. Nothing at the end.
    void take(std::string& out);

private:
    friend Reply respond(std::string_view, Identity, const config::Embedded&, Shape);
    friend Reply whole_reply(int, std::string);
    enum class Stage : std::uint8_t { role, reasoning, content, calls, finish, usage, done, end };

    Reply(ChunkWriter writer, Answer answer) noexcept
        : writer_(std::move(writer)),
          answer_(std::move(answer)) {}

    void take_event(std::string& out);
    void take_call(std::string& out);
    void skip_empty_stages();
    void enter(Stage stage) noexcept;

    int status_ = 200;
    bool stream_ = false;
    bool include_usage_ = false;
    double tokens_per_second_ = 0;
    std::string body_;  // of a reply that is not a stream
    ChunkWriter writer_;
    Answer answer_;
    Stage stage_ = Stage::role;
    std::size_t index_ = 0;   // of the piece or the call within the stage
    std::size_t offset_ = 0;  // in the call's arguments
    bool call_started_ = false;
    std::uint64_t tokens_ = 0;  // made so far
};

/// The reply to a request of the API; `path` is without version and query. What is not served is
/// answered with status 404 or 405.
[[nodiscard]] Reply serve(std::string_view method, std::string_view path, std::string_view body,
                          const Identity& identity, const config::Embedded& settings);

/// The reply to the body of POST /chat/completions, or of POST /completions. A bad request is
/// answered with status 400 and OpenAI's error envelope. The identity's model is overwritten by the
/// request's.
[[nodiscard]] Reply respond(std::string_view body, Identity identity,
                            const config::Embedded& settings, Shape shape = Shape::chat);

/// A reply that is one JSON text.
[[nodiscard]] Reply whole_reply(int status, std::string body);

/// The reply to GET /models: echo, lorem, and the faults where they are enabled.
[[nodiscard]] Reply list_models(const config::Embedded& settings);

}  // namespace sluice::upstream::embedded
