#include "net/http1/reply_writer.h"

#include <boost/beast/http/status.hpp>

#include <algorithm>
#include <charconv>
#include <ctime>

namespace sluice::net::http1 {
namespace {

std::string_view reason_of(int status) {
    if (status == 499) return "Client Closed Request";
    const auto known = boost::beast::http::int_to_status(static_cast<unsigned>(status));
    const auto reason = boost::beast::http::obsolete_reason(known);
    return {reason.data(), reason.size()};
}

/// Formatted once a second and thread.
std::string_view date() {
    thread_local std::time_t formatted_at = 0;
    thread_local std::array<char, 32> text{};
    const std::time_t now = std::time(nullptr);
    if (now != formatted_at) {
        std::tm parts{};
        gmtime_r(&now, &parts);
        std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
        formatted_at = now;
    }
    return text.data();
}

void append_number(std::string& text, std::size_t number) {
    std::array<char, 20> digits;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    text.append(digits.data(), end);
}

bool may_have_body(int status) {
    return status >= 200 && status != 204 && status != 304;
}

}  // namespace

void ReplyWriter::reset() {
    *this = ReplyWriter();
}

void ReplyWriter::write_head(const ReplyHead& head, const Framing& framing) {
    started_ = true;
    head_.clear();
    head_.reserve(160 + head.fields.size());
    head_ += "HTTP/1.1 ";
    append_number(head_, static_cast<std::size_t>(head.status));
    head_ += ' ';
    head_ += reason_of(head.status);
    head_ += "\r\ndate: ";
    head_ += date();
    head_ += "\r\n";
    head_ += head.fields;
    if (framing.close) {
        head_ += "connection: close\r\n";
    } else if (framing.http10) {
        head_ += "connection: keep-alive\r\n";
    }
    body_allowed_ = may_have_body(head.status) && !framing.head_request;
}

std::string_view ReplyWriter::whole(const ReplyHead& head, std::size_t size, Framing framing) {
    write_head(head, framing);
    if (may_have_body(head.status)) {
        head_ += "content-length: ";
        append_number(head_, size);
        head_ += "\r\n";
    }
    head_ += "\r\n";
    finished_ = true;
    return head_;
}

void ReplyWriter::begin(const ReplyHead& head, Framing framing) {
    write_head(head, framing);
    const bool has_length = head.content_length && may_have_body(head.status);
    sized_ = body_allowed_ && has_length;
    missing_ = head.content_length.value_or(0);
    chunked_ = body_allowed_ && !sized_ && !framing.http10;
    until_close_ = body_allowed_ && !sized_ && framing.http10;
    if (has_length) {
        head_ += "content-length: ";
        append_number(head_, missing_);
        head_ += "\r\n";
    } else if (chunked_ || (framing.head_request && !framing.http10)) {
        head_ += "transfer-encoding: chunked\r\n";
    }
    head_ += "\r\n";
}

std::span<const std::string_view> ReplyWriter::chunk(std::span<const std::string_view> pieces,
                                                     bool last, Pieces& framed) {
    static constexpr std::string_view kEndOfChunk = "\r\n";
    static constexpr std::string_view kLastChunk = "0\r\n\r\n";
    static constexpr std::string_view kEndOfChunkAndLast = "\r\n0\r\n\r\n";
    std::size_t count = 0;
    if (!head_.empty()) framed[count++] = head_;
    const auto taken = pieces.first(std::min(pieces.size(), kMaxPieces));
    std::size_t size = 0;
    for (const std::string_view piece : taken) size += piece.size();
    broken_ = broken_ || (sized_ && size > missing_);
    if (broken_) return std::span(framed).first(count);
    if (sized_) missing_ -= size;
    if (body_allowed_ && size > 0) {
        if (chunked_) {
            const auto end = std::to_chars(size_line_.data(), size_line_.data() + 16, size, 16).ptr;
            kEndOfChunk.copy(end, kEndOfChunk.size());
            const auto digits = static_cast<std::size_t>(end - size_line_.data());
            framed[count++] = {size_line_.data(), digits + kEndOfChunk.size()};
        }
        for (const std::string_view piece : taken) framed[count++] = piece;
        if (chunked_) framed[count++] = last ? kEndOfChunkAndLast : kEndOfChunk;
    } else if (chunked_ && last) {
        framed[count++] = kLastChunk;
    }
    if (last && (!sized_ || missing_ == 0)) finished_ = true;
    return std::span(framed).first(count);
}

void ReplyWriter::keep(std::span<const std::string_view> pieces, std::size_t already_sent) {
    for (const std::string_view piece : pieces) {
        const std::size_t skipped = std::min(already_sent, piece.size());
        already_sent -= skipped;
        unsent_ += piece.substr(skipped);
    }
    head_ = {};
}

void ReplyWriter::sent(std::size_t bytes) {
    unsent_from_ += bytes;
    if (unsent_from_ < unsent_.size()) return;
    unsent_ = {};
    unsent_from_ = 0;
}

}  // namespace sluice::net::http1
