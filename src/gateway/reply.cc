#include "gateway/reply.h"

#include "dialect/openai_chat/errors.h"
#include "dialect/openai_chat/reply.h"

#include <string>
#include <utility>
#include <vector>

namespace sluice::gateway {
namespace {

constexpr std::size_t kMaxReplyBytes = 32UL * 1024 * 1024;
constexpr std::size_t kMaxErrorBytes = 64UL * 1024;
constexpr std::size_t kMaxPreludeBytes = 64UL * 1024;  // of comments before the first content

/// Reads the body to its end, or until it is larger than `limit`: then `truncated` is set.
net::Task<Result<void>> read_whole(upstream::Flight& flight, std::size_t limit, std::string& body,
                                   bool& truncated) {
    truncated = false;
    for (;;) {
        const auto piece = co_await flight.next();
        if (!piece) co_return std::unexpected(piece.error());
        if (piece->empty()) co_return Result<void>();
        if (body.size() + piece->size() > limit) {
            truncated = true;
            co_return Result<void>();
        }
        body.append(*piece);
        if (flight.at_end()) co_return Result<void>();
    }
}

net::Task<Result<void>> read_refusal(Exchange& exchange) {
    bool truncated = false;
    const auto read =
        co_await read_whole(exchange.flight(), kMaxErrorBytes, exchange.first, truncated);
    if (!read) co_return read;
    std::vector<std::string_view> secrets;
    for (const config::Secret& key : exchange.upstream->api_keys) secrets.push_back(key.reveal());
    const int status = exchange.flight().reply().status;
    exchange.first =
        dialect::openai_chat::normalize_upstream_error(status, exchange.first, secrets);
    exchange.error =
        Error(Errc::upstream_status, "the upstream answered with status " + std::to_string(status));
    co_return Result<void>();
}

/// A whole reply is checked before its first byte leaves: a broken one can still become an error
/// that the client's library raises.
net::Task<Result<void>> read_document(Exchange& exchange) {
    bool truncated = false;
    const auto read =
        co_await read_whole(exchange.flight(), kMaxReplyBytes, exchange.first, truncated);
    if (!read) co_return read;
    if (truncated) {
        co_return fail(Errc::upstream_invalid_response, "the upstream's reply is too large");
    }
    auto facts = dialect::openai_chat::read_reply(exchange.first);
    if (!facts) co_return std::unexpected(std::move(facts.error()));
    if (facts->is_error) {
        co_return fail(Errc::upstream_invalid_response,
                       "the upstream answered with status 200 and an error");
    }
    exchange.usage = facts->usage;
    exchange.finish_reason = facts->finish_reason;
    exchange.reply_model = std::move(facts->model);
    co_return Result<void>();
}

net::Task<Result<void>> await_first_event(Exchange& exchange) {
    dialect::openai_chat::StreamFilter::Options options;
    options.drop_usage_chunk = !exchange.head.include_usage;
    for (const config::Secret& key : exchange.upstream->api_keys) {
        options.secrets.push_back(key.reveal());
    }
    auto& filter = exchange.filter.emplace(std::move(options));
    dialect::openai_chat::StreamFilter::Pieces pieces;
    while (!filter.has_content() && !filter.done() && !filter.has_error()) {
        const auto bytes = co_await exchange.flight().next();
        if (!bytes) co_return std::unexpected(bytes.error());
        pieces.clear();
        auto fed = bytes->empty() ? filter.end(pieces) : filter.feed(*bytes, pieces);
        for (const std::string_view piece : pieces) exchange.first += piece;
        if (!fed && !filter.has_content()) co_return fed;
        // What came before the bad event still goes to the client, and relay() breaks off then.
        if (!fed) exchange.error = std::move(fed.error());
        if (exchange.first.size() > kMaxPreludeBytes && !filter.has_content()) {
            exchange.first.clear();
        }
    }
    co_return Result<void>();
}

}  // namespace

net::Task<Result<void>> await_content(Exchange& exchange) {
    const upstream::ReplyInfo& reply = exchange.flight().reply();
    exchange.upstream_request_id = reply.request_id;
    exchange.first.clear();
    exchange.filter.reset();
    if (reply.status >= 400) co_return co_await read_refusal(exchange);
    if (reply.status != 200) {
        co_return fail(Errc::upstream_status, "the upstream answered with status " +
                                                  std::to_string(reply.status) +
                                                  ", which is no answer to a completion");
    }
    if (!exchange.head.stream) co_return co_await read_document(exchange);
    if (!reply.is_event_stream()) {
        co_return fail(Errc::upstream_invalid_response,
                       "the upstream answered a streaming request with something else than an "
                       "event stream");
    }
    co_return co_await await_first_event(exchange);
}

}  // namespace sluice::gateway
