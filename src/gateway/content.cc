/// What an attempt's reply turns out to be, once its head is there: a stream, a whole document, or
/// a refusal that is the client's to see.

#include "base/text.h"
#include "dialect/openai_chat/errors.h"
#include "dialect/openai_chat/reply.h"
#include "dialect/openai_embeddings/reply.h"
#include "gateway/attempt.h"
#include "upstream/reply_fields.h"

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
        flight.note_progress();
        if (body.size() + piece->size() > limit) {
            truncated = true;
            co_return Result<void>();
        }
        body.append(*piece);
        if (flight.at_end()) co_return Result<void>();
    }
}

/// Some upstreams repeat in their reply what they were shown (AK-6).
std::vector<std::string_view> secrets_of(const Attempt& attempt) {
    return upstream::secrets_of(attempt.flight->keys(), attempt.credential);
}

net::Task<Result<void>> read_refusal(Attempt& attempt) {
    bool truncated = false;
    const auto read =
        co_await read_whole(*attempt.flight, kMaxErrorBytes, attempt.first, truncated);
    if (!read) co_return read;
    const auto secrets = secrets_of(attempt);
    const int status = attempt.flight->reply().status;
    attempt.first = dialect::openai_chat::normalize_upstream_error(status, attempt.first, secrets);
    attempt.refused = true;
    co_return fail(Errc::upstream_status,
                   "the upstream answered with status " + std::to_string(status));
}

net::Task<Result<void>> no_answer(const Attempt& attempt) {
    co_return fail(Errc::upstream_status, "the upstream answered with status " +
                                              std::to_string(attempt.flight->reply().status) +
                                              ", which is no answer to this request");
}

net::Task<Result<void>> read_document(Attempt& attempt) {
    bool truncated = false;
    const auto read =
        co_await read_whole(*attempt.flight, kMaxReplyBytes, attempt.first, truncated);
    if (!read) co_return read;
    if (truncated) {
        co_return fail(Errc::upstream_invalid_response, "the upstream's reply is too large");
    }
    co_return Result<void>();
}

/// The whole body of a reply that must have status 200. No coroutine, for each costs its frame.
net::Task<Result<void>> read_body(Attempt& attempt) {
    const int status = attempt.flight->reply().status;
    attempt.first.clear();
    if (status >= 400) return read_refusal(attempt);
    return status == 200 ? read_document(attempt) : no_answer(attempt);
}

/// A whole reply is checked before its first byte leaves: a broken one can still become an error
/// that the client's library raises.
net::Task<Result<void>> read_completion(Attempt& attempt) {
    const auto read = co_await read_body(attempt);
    if (!read) co_return read;
    auto facts = dialect::openai_chat::read_reply(attempt.first);
    if (!facts) co_return std::unexpected(std::move(facts.error()));
    if (facts->is_error) {
        co_return fail(Errc::upstream_invalid_response,
                       "the upstream answered with status 200 and an error");
    }
    attempt.usage = facts->usage;
    attempt.finish_reason = facts->finish_reason;
    attempt.reply_model = std::move(facts->model);
    if (facts->out_of_resources) {
        attempt.out_of_resources = true;
        attempt.refused = facts->has_content;
        co_return fail(Errc::overloaded,
                       "the upstream ran out of resources (insufficient_system_resource)");
    }
    std::string rewritten;
    if (attempt.rewriter && attempt.rewriter->rewrite(attempt.first, rewritten)) {
        attempt.first = std::move(rewritten);
    }
    co_return Result<void>();
}

dialect::openai_chat::StreamFilter make_filter(Attempt& attempt, bool hide_usage) {
    dialect::openai_chat::StreamFilter::Options options;
    options.drop_usage_chunk = hide_usage;
    options.shape = attempt.shape;
    for (const std::string_view secret : secrets_of(attempt)) options.secrets.emplace_back(secret);
    if (attempt.rewriter) {
        options.rewrite = [rewriter = &*attempt.rewriter](std::string_view chunk,
                                                          std::string& out) {
            return rewriter->rewrite(chunk, out);
        };
    }
    return dialect::openai_chat::StreamFilter(std::move(options));
}

/// A stream that begins with an error is a refusal by another way.
Result<void> refusal_in_stream(Attempt& attempt) {
    constexpr std::string_view kData = "\ndata:";
    const std::string lines = "\n" + attempt.first;
    const std::size_t from = lines.rfind(kData);
    std::string_view text = lines;
    if (from != std::string_view::npos) text = text.substr(from + kData.size());
    text = trim(text.substr(0, text.find_first_of("\r\n")));
    attempt.first = dialect::openai_chat::normalize_upstream_error(502, text, secrets_of(attempt));
    attempt.refused = true;
    return fail(Errc::upstream_status, "the upstream's stream began with an error");
}

net::Task<Result<void>> await_first_event(Attempt& attempt, bool hide_usage) {
    if (!attempt.flight->reply().is_event_stream()) {
        co_return fail(Errc::upstream_invalid_response,
                       "the upstream answered a streaming request with something else than an "
                       "event stream");
    }
    attempt.filter =
        std::make_unique<dialect::openai_chat::StreamFilter>(make_filter(attempt, hide_usage));
    dialect::openai_chat::StreamFilter& filter = *attempt.filter;
    dialect::openai_chat::StreamFilter::Pieces pieces;
    while (!filter.facts().has_content && !filter.facts().done && !filter.facts().has_error) {
        const auto bytes = co_await attempt.flight->next();
        if (!bytes) co_return std::unexpected(bytes.error());
        pieces.clear();
        auto fed = bytes->empty() ? filter.end(pieces) : filter.feed(*bytes, pieces);
        for (const std::string_view piece : pieces) attempt.first += piece;
        if (!fed && !filter.facts().has_content) co_return fed;
        // What came before the bad event still goes to the client, and relay() breaks off then.
        if (!fed) attempt.broke = std::move(fed.error());
        if (attempt.first.size() <= kMaxPreludeBytes) continue;
        if (filter.facts().chunks > 0) break;
        attempt.first.clear();
    }
    attempt.flight->note_progress();
    if (filter.facts().has_error && !filter.facts().has_content) co_return refusal_in_stream(attempt);
    if (filter.facts().out_of_resources) {
        attempt.out_of_resources = true;
        co_return fail(Errc::overloaded,
                       "the upstream ran out of resources (insufficient_system_resource)");
    }
    co_return Result<void>();
}

}  // namespace

net::Task<Result<void>> await_content(Attempt& attempt, bool stream, bool hide_usage) {
    const bool streams = stream && attempt.flight->reply().status == 200;
    return streams ? await_first_event(attempt, hide_usage) : read_completion(attempt);
}

net::Task<Result<void>> await_embeddings(Attempt& attempt, std::size_t inputs) {
    auto read = co_await read_body(attempt);
    if (!read) co_return read;
    const auto reply = dialect::openai_embeddings::read_reply(attempt.first, inputs);
    if (!reply) co_return std::unexpected(reply.error());
    co_return Result<void>();
}

}  // namespace sluice::gateway
