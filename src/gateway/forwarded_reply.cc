#include "gateway/forwarded_reply.h"

#include "base/text.h"
#include "dialect/openai_chat/errors.h"
#include "gateway/respond.h"

#include <array>
#include <string>
#include <utility>

namespace sluice::gateway {
namespace {

constexpr std::size_t kMaxRedacted = 64UL * 1024;
constexpr int kNotModified = 304;

/// What a person might read, and an upstream write a key into.
bool is_refusal_text(const upstream::ReplyInfo& reply) {
    return reply.status >= 400 && !reply.fields.contains("content-encoding:") &&
           (reply.content_type.empty() || reply.content_type.starts_with("text/") ||
            reply.content_type.contains("json")) &&
           reply.content_length.value_or(0) <= kMaxRedacted;
}

net::Task<Result<void>> send(Exchange& exchange, std::string_view piece, bool last) {
    const std::array<std::string_view, 1> pieces = {piece};
    switch (exchange.client.write(pieces, last)) {
        case net::Sent::all: co_return Result<void>();
        case net::Sent::pending: break;
        case net::Sent::gone: co_return fail(Errc::client_gone);
    }
    co_return co_await exchange.client.flush();
}

void start(Exchange& exchange) {
    const upstream::ReplyInfo& reply = exchange.flight().reply();
    net::ReplyHead head;
    head.status = exchange.status = reply.status;
    head.fields = common_fields(exchange);
    head.fields += reply_fields(exchange, reply.fields);
    head.content_length = reply.content_length;
    exchange.client.start(head);
}

/// The await on the write is the back-pressure: nothing is read that the client has not taken.
net::Task<Result<void>> pump(Exchange& exchange) {
    upstream::Flight& flight = exchange.flight();
    if (flight.reply().is_event_stream()) {
        auto sent = co_await send(exchange, {}, false);  // the first event may be long in coming
        if (!sent) co_return sent;
    }
    for (;;) {
        const auto piece = co_await flight.next();
        if (!piece) co_return std::unexpected(piece.error());
        const bool last = piece->empty() || flight.at_end();
        auto sent = co_await send(exchange, *piece, last);
        if (!sent || last) co_return sent;
    }
}

/// Whole, where it is as short as it should be.
net::Task<Result<void>> relay_refusal(Exchange& exchange,
                                      std::span<const std::string_view> secrets) {
    upstream::Flight& flight = exchange.flight();
    std::string text;
    while (!flight.at_end()) {
        const auto piece = co_await flight.next();
        if (!piece) co_return std::unexpected(piece.error());
        if (piece->empty()) break;
        if (text.size() + piece->size() > kMaxRedacted) {
            co_return fail(Errc::upstream_invalid_response,
                           "the upstream's error text is longer than any should be");
        }
        text += *piece;
    }
    text = dialect::openai_chat::redact(text, secrets);
    respond(exchange, flight.reply().status, {}, text,
            reply_fields(exchange, flight.reply().fields));
    if (exchange.client_gone) co_return fail(Errc::client_gone);
    co_return Result<void>();
}

}  // namespace

net::Task<Result<void>> relay_as_it_is(Exchange& exchange,
                                       std::span<const std::string_view> secrets) {
    const upstream::ReplyInfo& reply = exchange.flight().reply();
    exchange.upstream_request_id = reply.request_id;
    if (reply.status >= 300 && reply.status < 400 && reply.status != kNotModified) {
        co_return fail(Errc::upstream_status, "the upstream answered with a redirect (status " +
                                                  std::to_string(reply.status) +
                                                  "), which is not followed");
    }
    if (reply.status >= 400) {
        exchange.error = Error(Errc::upstream_status,
                               "the upstream answered with status " + std::to_string(reply.status));
    }
    if (is_refusal_text(reply) && exchange.method != "HEAD") {
        co_return co_await relay_refusal(exchange, secrets);
    }
    start(exchange);
    auto pumped = co_await pump(exchange);
    if (pumped) co_return pumped;
    exchange.client.abort();
    co_return std::unexpected(root_cause(exchange, std::move(pumped.error())));
}

}  // namespace sluice::gateway
