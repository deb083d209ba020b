#include "net/http1/request_reader.h"

#include "base/text.h"

#include <string>

namespace sluice::net::http1 {
namespace {

/// Some clients end a body with a CRLF that no framing covers (RFC 9112 section 2.2).
constexpr int kMaxEmptyLines = 2;

}  // namespace

void RequestReader::reset() noexcept {
    lines_.reset();
    body_.start_empty();
    fields_.clear();
    framing_ = {};
    start_ = {};
    phase_ = Phase::request_line;
    failed_ = has_host_ = has_upgrade_ = expects_continue_ = expects_unknown_ = false;
    empty_lines_ = 0;
    head_ = {};
}

Progress RequestReader::read_head(std::string_view buffered) {
    if (failed_) return Progress::failed;
    while (phase_ != Phase::body) {
        std::string_view line;
        switch (lines_.next(buffered, line)) {
            case LineGuard::Cut::bad:
                return fail({.code = Errc::bad_request,
                             .message = "a line must end in CRLF and have no control characters"});
            case LineGuard::Cut::need_more: {
                const auto checked = check_unfinished(buffered);
                return checked ? Progress::need_more : fail(checked.error());
            }
            case LineGuard::Cut::line: {
                const auto taken = take_line(buffered, line);
                if (!taken) return fail(taken.error());
                break;
            }
        }
    }
    return Progress::done;
}

Checked<> RequestReader::take_line(std::string_view buffered, std::string_view line) {
    if (lines_.consumed() > limits_.head_bytes) {
        return fault(phase_ == Phase::request_line ? Errc::uri_too_long : Errc::head_too_large,
                     "the request head is too large");
    }
    if (phase_ == Phase::request_line) return take_request_line(buffered, line);
    return line.empty() ? finish_head(buffered) : take_field(buffered, line);
}

/// The limits on lines whose end has not come.
Checked<> RequestReader::check_unfinished(std::string_view buffered) const {
    std::string_view line = buffered.substr(lines_.consumed());
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (phase_ == Phase::request_line && line.size() > limits_.target_bytes + kRequestLineExtra) {
        return fault(Errc::uri_too_long, "the request target is too long");
    }
    if (buffered.size() >= limits_.head_bytes || line.size() > limits_.line_bytes) {
        return fault(Errc::head_too_large, "the request head is too large");
    }
    return {};
}

Checked<> RequestReader::take_request_line(std::string_view buffered, std::string_view line) {
    if (line.empty()) {
        if (++empty_lines_ > kMaxEmptyLines) return malformed("too many empty lines");
        return {};
    }
    const auto parsed = parse_request_line(line, limits_.target_bytes);
    if (!parsed) return std::unexpected(parsed.error());
    start_ = {.method = Slice::of(parsed->method, buffered),
              .target = Slice::of(parsed->target, buffered),
              .path = Slice::of(parsed->path, buffered),
              .query = Slice::of(parsed->query, buffered),
              .minor_version = parsed->minor_version};
    phase_ = Phase::fields;
    return {};
}

Checked<> RequestReader::take_field(std::string_view buffered, std::string_view line) {
    if (line.size() > limits_.line_bytes) {
        return fault(Errc::head_too_large, "a header line is too long");
    }
    const auto field = parse_field_line(line);
    if (!field) return std::unexpected(field.error());
    // A CGI-minded server behind us would read x_y as x-y, which may be a name we have checked.
    if (field->name.contains('_')) return malformed("a header name has an underscore");
    if (fields_.size() == limits_.fields) {
        return fault(Errc::head_too_large, "too many header lines");
    }
    fields_.add(*field, buffered);

    switch (field->name.size()) {
        case std::string_view("host").size():
            if (!iequals(field->name, "host")) break;
            if (has_host_) return malformed("more than one Host");
            if (!is_valid_host(field->value)) return malformed("Host is not host[:port]");
            has_host_ = true;
            return {};
        case std::string_view("expect").size():
            if (!iequals(field->name, "expect")) break;
            (iequals(field->value, "100-continue") ? expects_continue_ : expects_unknown_) = true;
            return {};
        case std::string_view("upgrade").size():
            has_upgrade_ = has_upgrade_ || iequals(field->name, "upgrade");
            return {};
        default: break;
    }
    return framing_.take(*field, start_.minor_version);
}

Checked<> RequestReader::finish_head(std::string_view buffered) {
    if (!has_host_ && start_.minor_version == 1) return malformed("Host is missing");
    phase_ = Phase::body;
    head_.minor_version = start_.minor_version;
    head_.fields = fields_.in(buffered);
    head_.keep_alive = framing_.persistent(start_.minor_version);
    head_.chunked = framing_.chunked;
    head_.content_length = framing_.content_length;
    head_.method = start_.method.in(buffered);
    head_.target = start_.target.in(buffered);
    head_.path = start_.path.size == 0 ? "/" : start_.path.in(buffered);
    head_.query = start_.query.in(buffered);
    head_.expects_continue = expects_continue_ && start_.minor_version == 1;

    if (has_upgrade_ && framing_.upgrade) {
        return fault(Errc::not_implemented, "protocol upgrades are not supported");
    }
    if (expects_unknown_ && start_.minor_version == 1) {
        return fault(Errc::expectation_failed, "no expectation but 100-continue can be met");
    }
    if (framing_.content_length.value_or(0) > limits_.body_bytes) {
        return fault(Errc::payload_too_large, "the body is too large");
    }
    if (framing_.chunked) {
        body_.start_chunked();
    } else {
        body_.start_sized(framing_.content_length.value_or(0));
    }
    return {};
}

Progress RequestReader::read_body(std::string_view& input, std::string_view& piece) {
    if (failed_) {
        piece = {};
        return Progress::failed;
    }
    const Progress progress = body_.read(input, piece);
    return progress == Progress::failed ? fail(body_.fault()) : progress;
}

Progress RequestReader::fail(const Fault& fault) {
    failed_ = true;
    error_ = Error(fault.code, std::string(fault.message));
    return Progress::failed;
}

}  // namespace sluice::net::http1
