/// The second half of an attempt: the reply goes to the client. From here on nothing can be tried
/// again.

#include "dialect/openai_chat/errors.h"
#include "gateway/handle.h"
#include "gateway/respond.h"

#include <array>
#include <utility>

namespace sluice::gateway {
namespace {

using dialect::openai_chat::StreamFilter;

void note(std::string& reply, std::span<const std::string_view> pieces) {
    for (const std::string_view piece : pieces) {
        if (reply.size() < observe::PromptFile::kMaxTextBytes) reply += piece;
    }
}

/// Whether something is left that flush() must wait for: bytes go on only when those before them
/// have left, so a slow client slows the upstream down.
Result<bool> put(Exchange& exchange, std::span<const std::string_view> pieces, bool last) {
    if (exchange.transcript) note(exchange.transcript->reply, pieces);
    switch (exchange.client.write(pieces, last)) {
        case net::Sent::all: return false;
        case net::Sent::pending: return true;
        case net::Sent::gone: return fail(Errc::client_gone);
    }
    return fail(Errc::internal);
}

void start_stream(Exchange& exchange) {
    net::ReplyHead head;
    head.status = exchange.status = 200;
    head.fields = common_fields(exchange);
    head.fields +=
        "content-type: text/event-stream; charset=utf-8\r\n"
        "cache-control: no-cache\r\n"
        "x-accel-buffering: no\r\n";
    head.fields += exchange.flight().reply().fields;
    exchange.client.start(head);
    exchange.client.release_request();
}

/// Whether the stream is at its end and whole.
bool is_complete(const StreamFilter& filter) {
    return filter.done() && !filter.has_error();
}

net::Task<Result<void>> pump(Exchange& exchange, StreamFilter& filter) {
    StreamFilter::Pieces pieces = {exchange.first};
    Result<void> fed;
    if (exchange.error) {
        fed = std::unexpected(std::move(*exchange.error));
        exchange.error.reset();
    }
    for (;;) {
        if (!pieces.empty()) {
            const auto pending = put(exchange, pieces, is_complete(filter));
            if (!pending) co_return std::unexpected(pending.error());
            if (*pending) {
                auto flushed = co_await exchange.client.flush();
                if (!flushed) co_return flushed;
            }
        }
        if (!fed || is_complete(filter)) co_return fed;
        pieces.clear();
        if (filter.has_error()) co_return filter.end(pieces);
        const auto bytes = co_await exchange.flight().next();
        if (!bytes) co_return std::unexpected(bytes.error());
        fed = bytes->empty() ? filter.end(pieces) : filter.feed(*bytes, pieces);
    }
}

/// The client learns of a broken stream twice: by an error event, and by an end that is none.
net::Task<> break_off(Exchange& exchange, const StreamFilter& filter, const Error& error) {
    if (!filter.has_error()) {
        const std::string event = dialect::openai_chat::write_stream_error(error);
        const std::array<std::string_view, 1> pieces = {event};
        const auto pending = put(exchange, pieces, false);
        if (pending && *pending) co_await exchange.client.flush();
    }
    exchange.client.abort();
}

net::Task<Result<void>> relay_stream(Exchange& exchange, StreamFilter& filter) {
    start_stream(exchange);
    auto pumped = co_await pump(exchange, filter);
    exchange.first = {};
    exchange.usage = filter.usage();
    exchange.finish_reason = filter.finish_reason();
    exchange.reply_model = filter.model();
    if (pumped) {
        co_await exchange.flight().settle();
        co_return pumped;
    }
    Error error = root_cause(exchange, std::move(pumped.error()));
    if (error.code != Errc::client_gone) co_await break_off(exchange, filter, error);
    co_return std::unexpected(std::move(error));
}

}  // namespace

net::Task<Result<void>> relay(Exchange& exchange) {
    if (exchange.filter) co_return co_await relay_stream(exchange, *exchange.filter);
    const upstream::ReplyInfo& reply = exchange.flight().reply();
    if (exchange.transcript) exchange.transcript->reply = exchange.first;
    respond(exchange, reply.status, "application/json", exchange.first, reply.fields);
    exchange.client.release_request();
    if (exchange.client_gone) co_return fail(Errc::client_gone);
    co_return Result<void>();
}

}  // namespace sluice::gateway
