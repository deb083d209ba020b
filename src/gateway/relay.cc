/// The second half of an answer: the reply goes to the client. From here on nothing can be tried
/// again.

#include "gateway/handle.h"
#include "gateway/render_error.h"
#include "gateway/respond.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::gateway {
namespace {

using dialect::ReplyStream;

void note(std::string& reply, std::span<const std::string_view> pieces) {
    for (const std::string_view piece : pieces) {
        if (reply.size() < observe::PromptFile::kMaxTextBytes) reply += piece;
    }
}

/// Whether something is left that flush() must wait for: bytes go on only when those before them
/// have left, so a slow client slows the upstream down.
Result<bool> put(Exchange& exchange, std::span<const std::string_view> pieces, bool last) {
    if (exchange.transcript) note(exchange.transcript->reply, pieces);
    exchange.keepalive.note_bytes();
    switch (exchange.client.write(pieces, last)) {
        case net::Sent::all: return false;
        case net::Sent::pending: return true;
        case net::Sent::gone: return fail(Errc::client_gone);
    }
    return fail(Errc::internal);
}

/// No comment may come between bytes that are on their way.
net::Task<Result<void>> flush(Exchange& exchange) {
    exchange.keepalive.pause();
    auto flushed = co_await exchange.client.flush();
    exchange.keepalive.note_flushed();
    exchange.keepalive.note_bytes();
    co_return flushed;
}

/// Whether the stream is at its end and whole.
bool is_complete(const ReplyStream& stream) {
    return stream.facts().done && !stream.facts().has_error;
}

/// Claude Code asks for a stream again that was cut off, and for a whole reply instead after an
/// error event in the midst of content (facts/claude-code-needs.md 6), which takes much longer.
bool tells_by_cutting(const Attempt& attempt) {
    return attempt.lane.client == Dialect::anthropic_messages;
}

void keep_reasoning(Exchange& exchange, const Attempt& attempt) {
    store::ReasoningStore* const store = exchange.gateway.reasoning();
    if (!attempt.tap || store == nullptr) return;
    const ReasoningTap& tap = *attempt.tap;
    const chat::Reply& reply = tap.reply ? *tap.reply : tap.fold.reply();
    if (reply.is_whole && !tap.fold.is_full()) gateway::keep_reasoning(reply, tap.mark, *store);
}

net::Task<Result<void>> pump(Exchange& exchange, Attempt& attempt, ReplyStream& stream) {
    ReplyStream::Pieces pieces = {attempt.first};
    Result<void> fed;
    if (attempt.broke) fed = std::unexpected(std::move(*attempt.broke));
    for (;;) {
        if (!pieces.empty()) {
            if (fed && is_complete(stream)) keep_reasoning(exchange, attempt);
            const auto pending = put(exchange, pieces, is_complete(stream));
            if (!pending) co_return std::unexpected(pending.error());
            if (*pending) {
                auto flushed = co_await flush(exchange);
                if (!flushed) co_return flushed;
            }
        }
        if (!fed || is_complete(stream)) co_return fed;
        pieces.clear();
        if (stream.facts().has_error) co_return stream.end(pieces);
        const auto bytes = co_await attempt.flight->next();
        if (!bytes) co_return std::unexpected(bytes.error());
        const std::uint64_t chunks = stream.facts().chunks;
        attempt.tap_bytes(*bytes);
        fed = bytes->empty() ? stream.end(pieces) : stream.feed(*bytes, pieces);
        leave_out_error(attempt, pieces);
        if (stream.facts().chunks != chunks) attempt.flight->note_progress();
    }
}

/// The client learns of a broken stream twice: by an error event, and by an end that is none.
net::Task<> break_off(Exchange& exchange, std::string_view event) {
    exchange.keepalive.end();
    const std::array<std::string_view, 1> pieces = {event};
    const auto pending = event.empty() ? Result<bool>(false) : put(exchange, pieces, false);
    if (pending && *pending) co_await flush(exchange);
    exchange.client.abort();
}

net::Task<Result<void>> relay_stream(Exchange& exchange, Attempt& attempt, ReplyStream& stream) {
    if (!exchange.client.started()) start_event_stream(exchange, attempt.reply().fields);
    exchange.client.release_request();
    exchange.keepalive.note_content();
    auto pumped = co_await pump(exchange, attempt, stream);
    exchange.keepalive.end();
    attempt.first = {};
    exchange.usage = stream.facts().usage;
    exchange.finish_reason = stream.facts().finish_reason;
    exchange.reply_model = stream.facts().model;
    if (pumped) {
        co_await attempt.flight->settle();
        co_return pumped;
    }
    Error error = root_cause(exchange, std::move(pumped.error()));
    if (error.code != Errc::client_gone) {
        const bool told = stream.facts().has_error || tells_by_cutting(attempt);
        const std::string event =
            told ? std::string() : write_stream_error(exchange.dialect, error, exchange.request_id);
        co_await break_off(exchange, event);
    }
    co_return std::unexpected(std::move(error));
}

/// Where comments have begun the answer, a refusal can no longer be a status.
net::Task<Result<void>> relay_refusal_in_stream(Exchange& exchange, const Attempt& attempt) {
    std::string event =
        exchange.dialect == Dialect::anthropic_messages ? "event: error\ndata: " : "data: ";
    event += attempt.first;
    // Between JSON's tokens a space does as well, and an event's data is one line.
    std::ranges::replace_if(event, [](char c) { return c == '\n' || c == '\r'; }, ' ');
    event += "\n\n";
    co_await break_off(exchange, event);
    co_return Result<void>();
}

}  // namespace

net::Task<Result<void>> relay(Exchange& exchange) {
    Attempt& attempt = *exchange.attempt;
    if (attempt.stream && !attempt.failure) {
        co_return co_await relay_stream(exchange, attempt, *attempt.stream);
    }
    exchange.keepalive.end();
    if (exchange.client.started()) co_return co_await relay_refusal_in_stream(exchange, attempt);
    if (exchange.transcript) exchange.transcript->reply = attempt.first;
    attempt.release();
    const upstream::ReplyInfo& reply = attempt.reply();
    const bool in_stream = attempt.failure && reply.status == 200 && attempt.stream;
    const int status = in_stream ? http_status(attempt.error.code) : reply.status;
    if (!attempt.failure) keep_reasoning(exchange, attempt);
    const bool is_foreign =
        attempt.lane.translates() || attempt.lane.client == Dialect::anthropic_messages;
    respond(exchange, is_foreign ? status_for(exchange.dialect, status) : status,
            "application/json", attempt.first, reply_fields(exchange, reply.fields));
    exchange.client.release_request();
    if (exchange.client_gone) co_return fail(Errc::client_gone);
    co_return Result<void>();
}

net::Task<Result<void>> fail_in_stream(Exchange& exchange, Error error) {
    error = root_cause(exchange, std::move(error));
    if (error.code != Errc::client_gone) {
        const std::string event = write_stream_error(exchange.dialect, error, exchange.request_id);
        co_await break_off(exchange, event);
    }
    co_return std::unexpected(std::move(error));
}

}  // namespace sluice::gateway
