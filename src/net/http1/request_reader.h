#pragma once

/// Reads HTTP/1.1 requests from bytes, as strictly as the strictest server would: whatever two
/// implementations could read in two ways is refused, at the first line that shows it. No I/O, no
/// time; it holds no bytes of the message (but for a trailer line cut in two).

#include "net/http1/body_reader.h"
#include "net/http1/framing.h"
#include "net/http1/head.h"
#include "net/http1/line_guard.h"
#include "net/http1/request_line.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::net::http1 {

/// Usage, once per message:
///
///     while (reader.read_head(buffered) == Progress::need_more) buffered = more();
///     input = buffered.substr(reader.head_size());
///     do { progress = reader.read_body(input, piece); use(piece); ... }
///     reader.reset();
class RequestReader {
public:
    explicit RequestReader(const Limits& limits = {}) : limits_(limits), body_(limits) {}

    /// `buffered` is all that has come of this message, from its first byte; it may have moved
    /// since the last call. What was looked at is not looked at again.
    [[nodiscard]] Progress read_head(std::string_view buffered);

    /// The bytes that the head took, with the empty lines before it.
    [[nodiscard]] std::size_t head_size() const noexcept { return lines_.consumed(); }

    /// Whether head() is there: after `done`, and when only what the head asks for was refused (a
    /// body too large, an upgrade, an unknown expectation).
    [[nodiscard]] bool has_head() const noexcept { return phase_ == Phase::body; }
    [[nodiscard]] const RequestHead& head() const noexcept { return head_; }

    /// How large a chunked body may be, in place of Limits::body_bytes. Of a sized one the head
    /// says how large it is.
    void limit_body(std::uint64_t bytes) noexcept { body_.limit(bytes); }

    /// See BodyReader::read(). A message without a body is done at once.
    [[nodiscard]] Progress read_body(std::string_view& input, std::string_view& piece);

    /// Bytes still to come of a body with Content-Length, so that the caller can receive them in
    /// place and then pass them through read_body(); 0 for chunked bodies.
    [[nodiscard]] std::uint64_t body_remaining() const noexcept { return body_.remaining(); }
    [[nodiscard]] bool body_done() const noexcept { return body_.done(); }

    /// Why read_head() or read_body() failed; the message is fit for the client. The connection
    /// must be closed: where the next message starts is not known.
    [[nodiscard]] const Error& error() const noexcept { return error_; }

    /// Ready for the next message; memory is kept.
    void reset() noexcept;

private:
    enum class Phase : std::uint8_t { request_line, fields, body };

    Checked<> take_line(std::string_view buffered, std::string_view line);
    Checked<> take_request_line(std::string_view buffered, std::string_view line);
    Checked<> take_field(std::string_view buffered, std::string_view line);
    Checked<> check_unfinished(std::string_view buffered) const;
    Checked<> finish_head(std::string_view buffered);
    Progress fail(const Fault& fault);

    struct Start {
        Slice method;
        Slice target;
        Slice path;
        Slice query;
        int minor_version = 1;
    };

    Limits limits_;
    LineGuard lines_;
    BodyReader body_;
    FieldTable fields_;
    Framing framing_;
    Start start_;
    Phase phase_ = Phase::request_line;
    bool failed_ = false;
    bool has_host_ = false;
    bool has_upgrade_ = false;
    bool expects_continue_ = false;
    bool expects_unknown_ = false;
    int empty_lines_ = 0;
    RequestHead head_;
    Error error_;
};

}  // namespace sluice::net::http1
