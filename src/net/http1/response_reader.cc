#include "net/http1/response_reader.h"

#include "net/http1/chars.h"

#include <string>

namespace sluice::net::http1 {
namespace {

constexpr int kMaxInterim = 10;
constexpr int kMaxEmptyLines = 2;  // before each status line
constexpr std::string_view kVersionPrefix = "HTTP/1.";

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

struct StatusLine {
    int minor_version = 1;
    int status = 0;
};

/// `HTTP/1.x 200 OK`; the reason phrase and the blank before it may be missing.
Checked<StatusLine> parse_status_line(std::string_view line) {
    constexpr std::size_t kStatusAt = 9;
    constexpr std::size_t kStatusEnd = 12;
    if (line.size() < kStatusEnd || !line.starts_with(kVersionPrefix) || line[7] < '0' ||
        line[7] > '1' || line[8] != ' ') {
        return malformed("the status line is not HTTP/1.0 or HTTP/1.1");
    }
    StatusLine parsed{.minor_version = line[7] - '0'};
    for (const char c : line.substr(kStatusAt, kStatusEnd - kStatusAt)) {
        if (!is_digit(c)) return malformed("the status is not a number of three digits");
        parsed.status = parsed.status * 10 + (c - '0');
    }
    if (parsed.status < 100 || parsed.status > 599) {
        return malformed("the status is not between 100 and 599");
    }
    const std::string_view reason = line.substr(kStatusEnd);
    if (!reason.empty() && reason.front() != ' ') {
        return malformed("the status is not a number of three digits");
    }
    if (has_control(reason)) return malformed("the reason phrase has a control character");
    return parsed;
}

}  // namespace

void ResponseReader::reset() noexcept {
    lines_.reset();
    body_.start_empty();
    fields_.clear();
    framing_ = {};
    phase_ = Phase::status_line;
    failed_ = head_request_ = false;
    interim_ = empty_lines_ = 0;
    head_ = {};
}

Progress ResponseReader::read_head(std::string_view buffered) {
    if (failed_) return Progress::failed;
    while (phase_ != Phase::body) {
        std::string_view line;
        switch (lines_.next(buffered, line)) {
            case LineGuard::Cut::bad:
                return fail(Errc::upstream_protocol,
                            "a line does not end in CRLF or has a control character");
            case LineGuard::Cut::need_more: {
                const auto checked = check_unfinished(buffered);
                if (checked) return Progress::need_more;
                return fail(Errc::upstream_protocol, checked.error().message);
            }
            case LineGuard::Cut::line: {
                const auto taken = take_line(buffered, line);
                if (!taken) return fail(Errc::upstream_protocol, taken.error().message);
                break;
            }
        }
    }
    return Progress::done;
}

Checked<> ResponseReader::take_line(std::string_view buffered, std::string_view line) {
    if (lines_.consumed() > limits_.head_bytes || line.size() > limits_.line_bytes) {
        return malformed("the head is too large");
    }
    if (phase_ == Phase::status_line) return take_status_line(line);
    return line.empty() ? finish_head(buffered) : take_field(buffered, line);
}

/// What is not HTTP need not have lines at all: it is refused by its first bytes.
Checked<> ResponseReader::check_unfinished(std::string_view buffered) const {
    std::string_view line = buffered.substr(lines_.consumed());
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (phase_ == Phase::status_line &&
        line.substr(0, kVersionPrefix.size()) != kVersionPrefix.substr(0, line.size())) {
        return malformed("the status line is not HTTP/1.0 or HTTP/1.1");
    }
    if (buffered.size() >= limits_.head_bytes || line.size() > limits_.line_bytes) {
        return malformed("the head is too large");
    }
    return {};
}

Checked<> ResponseReader::take_status_line(std::string_view line) {
    if (line.empty()) {
        if (++empty_lines_ > kMaxEmptyLines) return malformed("too many empty lines");
        return {};
    }
    const auto parsed = parse_status_line(line);
    if (!parsed) return std::unexpected(parsed.error());
    if (parsed->status == 101) return malformed("switching protocols was not asked for");
    status_ = parsed->status;
    minor_version_ = parsed->minor_version;
    phase_ = Phase::fields;
    return {};
}

Checked<> ResponseReader::take_field(std::string_view buffered, std::string_view line) {
    const auto field = parse_field_line(line);
    if (!field) return std::unexpected(field.error());
    if (fields_.size() == limits_.fields) return malformed("too many header lines");
    fields_.add(*field, buffered);
    return framing_.take(*field, minor_version_);
}

Checked<> ResponseReader::finish_head(std::string_view buffered) {
    if (status_ < 200) {
        if (++interim_ > kMaxInterim) return malformed("too many interim responses");
        fields_.clear();
        framing_ = {};
        empty_lines_ = 0;
        phase_ = Phase::status_line;
        return {};
    }
    phase_ = Phase::body;
    head_.minor_version = minor_version_;
    head_.fields = fields_.in(buffered);
    head_.chunked = framing_.chunked;
    head_.content_length = framing_.content_length;
    head_.status = status_;
    start_body();
    head_.keep_alive = framing_.persistent(minor_version_) && !head_.until_close;
    return {};
}

void ResponseReader::start_body() noexcept {
    if (head_request_ || status_ == 204 || status_ == 304) {
        body_.start_empty();
    } else if (framing_.chunked) {
        body_.start_chunked();
    } else if (framing_.content_length) {
        body_.start_sized(*framing_.content_length);
    } else {
        head_.until_close = true;
        body_.start_until_close();
    }
}

Progress ResponseReader::read_body(std::string_view& input, std::string_view& piece) {
    if (failed_) {
        piece = {};
        return Progress::failed;
    }
    const Progress progress = body_.read(input, piece);
    if (progress != Progress::failed) return progress;
    return fail(Errc::upstream_protocol, body_.fault().message);
}

Progress ResponseReader::read_eof() {
    if (failed_) return Progress::failed;
    if (phase_ == Phase::body && body_.may_end_at_eof()) {
        body_.start_empty();
        return Progress::done;
    }
    return fail(Errc::upstream_truncated, phase_ == Phase::body
                                              ? "the upstream closed before the body's end"
                                              : "the upstream closed before the head's end");
}

Progress ResponseReader::fail(Errc code, std::string_view message) {
    failed_ = true;
    error_ = Error(code, std::string(message));
    return Progress::failed;
}

}  // namespace sluice::net::http1
