#pragma once

/// Reads HTTP/1.1 responses from bytes. Strict where an upstream's answer could be read in two
/// ways; lenient in what cannot be (a missing reason phrase, names with an underscore, an empty
/// line too many). No I/O, no time; it holds no bytes of the message (but for a trailer line cut in
/// two).

#include "net/http1/body_reader.h"
#include "net/http1/framing.h"
#include "net/http1/head.h"
#include "net/http1/line_guard.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::net::http1 {

class ResponseReader {
public:
    explicit ResponseReader(const Limits& limits = Limits::for_responses())
        : limits_(limits),
          body_(limits) {}

    /// Says before each response whether it answers a HEAD request, which has no body.
    void expect(bool head_request) noexcept { head_request_ = head_request; }

    /// `buffered` is all that has come since the request was sent, from the first byte; it may have
    /// moved since the last call. Interim responses are passed over, up to ten of them.
    [[nodiscard]] Progress read_head(std::string_view buffered);

    /// The bytes that the head took, with the interim responses before it. Limits::head_bytes
    /// bounds them all together.
    [[nodiscard]] std::size_t head_size() const noexcept { return lines_.consumed(); }
    [[nodiscard]] const ResponseHead& head() const noexcept { return head_; }

    /// See BodyReader::read(). A body that ends with the connection is never done before
    /// read_eof(). Bytes left in `input` on done were not asked for: never reuse that connection.
    [[nodiscard]] Progress read_body(std::string_view& input, std::string_view& piece);

    /// The peer has closed. Done where the message is whole, failed (upstream_truncated) otherwise.
    [[nodiscard]] Progress read_eof();

    [[nodiscard]] std::uint64_t body_remaining() const noexcept { return body_.remaining(); }
    [[nodiscard]] bool body_done() const noexcept { return body_.done(); }

    /// Why the reader failed: upstream_protocol or upstream_truncated. No bytes of the upstream are
    /// in the message.
    [[nodiscard]] const Error& error() const noexcept { return error_; }

    /// Ready for the next response; memory is kept.
    void reset() noexcept;

private:
    enum class Phase : std::uint8_t { status_line, fields, body };

    Checked<> take_line(std::string_view buffered, std::string_view line);
    Checked<> take_status_line(std::string_view line);
    Checked<> take_field(std::string_view buffered, std::string_view line);
    Checked<> check_unfinished(std::string_view buffered) const;
    Checked<> finish_head(std::string_view buffered);
    void start_body() noexcept;
    Progress fail(Errc code, std::string_view message);

    Limits limits_;
    LineGuard lines_;
    BodyReader body_;
    FieldTable fields_;
    Framing framing_;
    Phase phase_ = Phase::status_line;
    bool failed_ = false;
    bool head_request_ = false;
    int status_ = 0;
    int minor_version_ = 1;
    int interim_ = 0;
    int empty_lines_ = 0;
    ResponseHead head_;
    Error error_;
};

}  // namespace sluice::net::http1
