#include "upstream/http_flight.h"

#include "base/text.h"
#include "net/transaction.h"
#include "upstream/origin.h"
#include "upstream/reply_fields.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace sluice::upstream {
namespace {

using net::http1::ResponseHead;

constexpr std::chrono::milliseconds kSettleTime{100};
constexpr int kSettleReads = 4;
constexpr std::size_t kMaxPieces = 64;  // that go out in one system call

bool has_body(const Ask& ask) {
    return !ask.body.empty() || ask.source != nullptr;
}

std::string_view method_of(const Ask& ask) {
    if (!ask.method.empty()) return ask.method;
    return has_body(ask) ? "POST" : "GET";
}

/// Methods whose request says its length even where there is no body.
bool expects_body(std::string_view method) {
    return method == "POST" || method == "PUT" || method == "PATCH";
}

std::string in_seconds(config::Milliseconds wait) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(wait).count()) + " s";
}

/// Whether one of the header lines has that name.
bool has_field(std::string_view lines, std::string_view name) {
    while (!lines.empty()) {
        const auto end = lines.find("\r\n");
        if (iequals(lines.substr(0, lines.substr(0, end).find(':')), name)) return true;
        lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 2);
    }
    return false;
}

}  // namespace

HttpFlight::HttpFlight(Origin& origin)
    : origin_(origin),
      settings_(origin.settings_),
      place_(origin.pool_->place()) {}

HttpFlight::~HttpFlight() {
    let_go();
}

void HttpFlight::let_go() {
    if (!connection_) return;
    if (cancelled_) connection_->retire();
    origin_.pool_->give_back(std::move(connection_));
}

net::Clock::time_point HttpFlight::deadline_after(config::Milliseconds wait) const {
    return within_total(net::coarse_now() + wait);
}

net::Clock::time_point HttpFlight::within_total(net::Clock::time_point when) const {
    return total_ ? std::min(when, *total_) : when;
}

std::span<const config::Secret> HttpFlight::keys() const {
    return settings_->upstream.api_keys;
}

std::string HttpFlight::request_head(const Ask& ask) const {
    std::uint64_t size = 0;
    for (const std::string_view piece : ask.body) size += piece.size();
    std::string head;
    head.reserve(settings_->fixed_fields.size() + ask.credential.size() + ask.fields.size() + 512);
    head += method_of(ask);
    head += ' ';
    head += settings_->upstream.base_url.path;
    head += ask.path;
    head += " HTTP/1.1\r\n";
    head += settings_->fixed_fields;
    append_credential(ask, head);
    const std::string& version = settings_->version_line;
    if (!version.empty() && !has_field(ask.fields, kVersionField)) head += version;
    head += ask.fields;
    if (!ask.raw) {
        head += "accept-encoding: identity\r\n";
        head += ask.stream ? "accept: text/event-stream\r\n" : "accept: application/json\r\n";
        if (has_body(ask)) head += "content-type: application/json\r\n";
    }
    if (!ask.request_id.empty()) net::append_field(head, "x-request-id", ask.request_id);
    const auto length = ask.source != nullptr ? ask.source->size() : std::optional(size);
    if (!length) {
        head += "transfer-encoding: chunked\r\n";
    } else if (has_body(ask) || expects_body(method_of(ask))) {
        head += "content-length: ";
        head += std::to_string(*length);
        head += "\r\n";
    }
    head += "\r\n";
    return head;
}

void HttpFlight::append_credential(const Ask& ask, std::string& head) const {
    if (!ask.credential.empty()) {
        head += ask.credential;
    } else if (!settings_->credentials.empty()) {
        // A reload may have left fewer keys than there were when one was chosen.
        head += settings_->credentials[std::min(ask.key, settings_->credentials.size() - 1)];
    }
}

/// A connection that was kept open may be closed by the upstream just when the request is on its
/// way. Nothing was received then, and a fresh connection gets one more try (UP-18).
net::Task<Result<void>> HttpFlight::open(const Ask& ask) {
    if (cancelled_) co_return fail(Errc::cancelled);
    const auto& total = settings_->upstream.timeouts.total;
    if (total) total_ = net::Clock::now() + *total;
    if (ask.deadline) total_ = within_total(*ask.deadline);
    // A body that comes can be sent but once, so nothing is staked on a connection that the
    // upstream may be closing.
    if (ask.source == nullptr) connection_ = origin_.pool_->take_idle();
    if (connection_) {
        auto opened = co_await send_and_read_head(ask);
        if (opened || !lost_the_reuse_race(opened.error())) co_return opened;
        origin_.observer_.on_reuse_race();
        let_go();
    }
    auto connected = co_await connect();
    if (!connected) co_return connected;
    co_return co_await send_and_read_head(ask);
}

bool HttpFlight::lost_the_reuse_race(const Error& error) const {
    return error.code == Errc::upstream_unreachable && connection_->is_reused() &&
           connection_->nothing_received() && !cancelled_;
}

net::Task<Result<void>> HttpFlight::connect() {
    const auto timeout = settings_->upstream.timeouts.connect;
    auto connection = co_await origin_.pool_->connect(timeout, connecting_);
    if (!connection) co_return std::unexpected(std::move(connection.error()));
    connection_ = std::move(*connection);
    if (cancelled_) co_return fail(Errc::cancelled);
    if (connection_->place != place_) {
        connection_->retire();
        co_return fail(Errc::upstream_unreachable,
                       "the upstream's address has been changed meanwhile; ask again");
    }
    co_return Result<void>();
}

net::Task<Result<void>> HttpFlight::send_and_read_head(const Ask& ask) {
    const std::string head = request_head(ask);
    std::array<std::string_view, kMaxPieces> pieces;  // NOLINT(*-pro-type-member-init)
    std::string joined;
    std::size_t count = 0;
    pieces[count++] = head;
    if (ask.body.size() < kMaxPieces) {
        for (const std::string_view piece : ask.body) pieces[count++] = piece;
    } else {
        for (const std::string_view piece : ask.body) joined += piece;
        pieces[count++] = joined;
    }
    const auto first_byte = ask.first_byte.value_or(settings_->upstream.timeouts.first_byte);
    connection_->stream().deadline().expire_at(deadline_after(first_byte));
    const auto request = std::span(pieces).first(count);
    sent_ = true;
    const bool all_sent = connection_->send_now(request, method_of(ask) == "HEAD");
    if (!all_sent) {
        auto sent = co_await connection_->send_rest(request);
        if (!sent) co_return sent;
        connection_->stream().deadline().expire_at(deadline_after(first_byte));
    }
    if (ask.source != nullptr && !connection_->retired()) {
        auto uploaded = co_await upload(*ask.source);
        if (!uploaded) {
            // An orderly end would wait behind all that the upstream has not taken yet.
            connection_->stream().reset();
            co_return uploaded;
        }
        connection_->stream().deadline().expire_at(deadline_after(first_byte));
    }
    auto read = co_await connection_->read_head();
    if (!read) {
        if (read.error().code == Errc::upstream_timeout) {
            co_return fail(Errc::upstream_timeout,
                           "the upstream did not answer within " + in_seconds(first_byte));
        }
        co_return read;
    }
    // Whoever called it off may have taken what `ask` looks into along.
    if (cancelled_) co_return fail(Errc::cancelled);
    co_return take_head(ask);
}

Result<void> HttpFlight::take_head(const Ask& ask) {
    const ResponseHead& head = connection_->head();
    std::vector<std::string_view> all_secrets;
    std::span<const std::string_view> secrets = settings_->secrets;
    if (!ask.credential.empty()) {
        secrets = all_secrets = secrets_of(settings_->upstream.api_keys, ask.credential);
    }
    reply_ = ReplyInfo();
    reply_.status = head.status;
    reply_.content_type = to_lower(head.find("content-type").value_or(""));
    const auto request_id = head.find("x-request-id");
    if (request_id && !repeats_any(*request_id, secrets)) reply_.request_id = *request_id;
    reply_.fields = passed_on_fields(head, ask.raw, secrets);
    reply_.content_length = head.content_length;
    comments_count_ =
        ask.raw || !settings_->upstream.timeouts.idle_counts_data_only || !reply_.is_event_stream();
    const auto coding = head.find("content-encoding");
    if (coding && !ask.raw && !iequals(*coding, "identity")) {
        return fail(Errc::upstream_invalid_response,
                    "the upstream coded its reply although it was asked not to");
    }
    return {};
}

net::Task<Result<std::string_view>> HttpFlight::next() {
    if (cancelled_) co_return fail(Errc::cancelled);
    if (body_begun_) {
        if (comments_count_) note_progress();
        connection_->stream().deadline().expire_at(
            within_total(progress_at_ + settings_->upstream.timeouts.idle));
    }
    auto piece = co_await connection_->read_body();
    if (piece) {
        if (!body_begun_) note_progress();
        body_begun_ = true;
        co_return piece;
    }
    const config::Timeouts& timeouts = settings_->upstream.timeouts;
    switch (piece.error().code) {
        case Errc::upstream_timeout:
            if (total_ && net::coarse_now() + net::Deadlines::kTick >= *total_) {
                co_return fail(Errc::upstream_timeout,
                               "the exchange took longer than its total timeout");
            }
            co_return fail(Errc::upstream_timeout,
                           "the upstream sent nothing for " +
                               in_seconds(body_begun_ ? timeouts.idle : timeouts.first_byte));
        case Errc::upstream_unreachable:
            co_return fail(Errc::upstream_truncated, "the upstream broke off its reply");
        default: co_return piece;
    }
}

net::Task<> HttpFlight::settle() {
    if (!connection_ || connection_->at_end() || cancelled_) co_return;
    connection_->stream().deadline().expire_after(kSettleTime);
    for (int i = 0; i < kSettleReads; ++i) {
        const auto piece = co_await connection_->read_body();
        if (!piece || piece->empty()) co_return;
    }
}

void HttpFlight::cancel() {
    cancelled_ = true;
    connecting_.cancel();
    if (source_ != nullptr) source_->stop();
    if (connection_) connection_->stream().cancel();
}

}  // namespace sluice::upstream
