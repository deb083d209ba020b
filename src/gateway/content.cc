/// What an attempt's reply turns out to be, once its head is there: a stream, a whole document, or
/// a refusal that is the client's to see.

#include "base/text.h"
#include "dialect/anthropic_messages/stream_filter.h"
#include "dialect/openai_chat/read_stream.h"
#include "dialect/openai_chat/reply.h"
#include "dialect/openai_chat/stream_filter.h"
#include "dialect/openai_embeddings/reply.h"
#include "dialect/upstream_error.h"
#include "gateway/attempt.h"
#include "gateway/render_error.h"
#include "json/reader.h"
#include "upstream/reply_fields.h"

#include <functional>
#include <memory>
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
    // The exchange may be over, and its request's id with it.
    if (attempt.is_called_off()) co_return fail(Errc::cancelled);
    const auto secrets = secrets_of(attempt);
    const int status = attempt.flight->reply().status;
    attempt.first = normalize_upstream_error(attempt.lane.client, status, attempt.first, secrets,
                                             attempt.request_id());
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

/// Of a document that ends without being one.
Result<void> no_completion(Error error, Attempt& attempt) {
    error.message = dialect::redact(error.message, secrets_of(attempt));
    if (error.code == Errc::overloaded) attempt.out_of_resources = true;
    return std::unexpected(std::move(error));
}

Result<void> translate_completion(Attempt& attempt) {
    auto reply = fold_reply(attempt.lane, attempt.first);
    if (!reply) return no_completion(std::move(reply.error()), attempt);
    attempt.usage = reply->usage;
    attempt.finish_reason = reply->finish_reason;
    attempt.reply_model = reply->model;
    attempt.first = write_reply(attempt.lane, *attempt.rendering, *reply);
    if (attempt.tap) attempt.tap->reply = std::move(*reply);
    return {};
}

Result<void> check_message(Attempt& attempt) {
    auto facts = dialect::anthropic_messages::read_reply(attempt.first);
    if (!facts) return std::unexpected(std::move(facts.error()));
    if (facts->is_error) {
        return fail(Errc::upstream_invalid_response,
                    "the upstream answered with status 200 and an error");
    }
    attempt.usage = facts->usage;
    attempt.finish_reason = facts->finish_reason;
    attempt.reply_model = std::move(facts->model);
    return {};
}

Result<void> check_completion(Attempt& attempt) {
    auto facts = dialect::openai_chat::read_reply(attempt.first);
    if (!facts) return std::unexpected(std::move(facts.error()));
    if (facts->is_error) {
        return fail(Errc::upstream_invalid_response,
                    "the upstream answered with status 200 and an error");
    }
    attempt.usage = facts->usage;
    attempt.finish_reason = facts->finish_reason;
    attempt.reply_model = std::move(facts->model);
    if (facts->out_of_resources) {
        attempt.out_of_resources = true;
        attempt.refused = facts->has_content;
        return fail(Errc::overloaded,
                    "the upstream ran out of resources (insufficient_system_resource)");
    }
    if (attempt.tap) {
        if (auto reply = fold_reply(attempt.lane, attempt.first)) {
            attempt.tap->reply = std::move(*reply);
        }
    }
    return {};
}

/// A whole reply is checked before its first byte leaves: a broken one can still become an error
/// that the client's library raises.
net::Task<Result<void>> read_completion(Attempt& attempt) {
    auto read = co_await read_body(attempt);
    if (!read) co_return read;
    if (attempt.lane.translates()) co_return translate_completion(attempt);
    const bool is_message = attempt.lane.client == Dialect::anthropic_messages;
    read = is_message ? check_message(attempt) : check_completion(attempt);
    if (!read) co_return read;
    std::string rewritten;
    if (attempt.rewriter && attempt.rewriter->rewrite(attempt.first, rewritten)) {
        attempt.first = std::move(rewritten);
    }
    co_return Result<void>();
}

std::vector<std::string> copied_secrets(const Attempt& attempt) {
    std::vector<std::string> secrets;
    for (const std::string_view secret : secrets_of(attempt)) secrets.emplace_back(secret);
    return secrets;
}

/// What the route's rules make of the events that pass.
std::function<bool(std::string_view, std::string&)> rewrite_of(Attempt& attempt) {
    if (!attempt.rewriter) return {};
    return [rewriter = &*attempt.rewriter](std::string_view event, std::string& out) {
        return rewriter->rewrite(event, out);
    };
}

std::unique_ptr<dialect::ReplyStream> make_stream(Attempt& attempt, bool hide_usage) {
    if (attempt.lane.translates()) {
        return make_translation(attempt.lane, *attempt.rendering, copied_secrets(attempt),
                                attempt.tap.get());
    }
    if (attempt.lane.client == Dialect::anthropic_messages) {
        return std::make_unique<dialect::anthropic_messages::StreamFilter>(
            dialect::anthropic_messages::StreamFilter::Options{.secrets = copied_secrets(attempt),
                                                               .rewrite = rewrite_of(attempt)});
    }
    if (attempt.tap) attempt.tap->reader = dialect::openai_chat::make_stream_reader();
    dialect::openai_chat::StreamFilter::Options options;
    options.drop_usage_chunk = hide_usage;
    options.shape = shape_of(attempt.lane.client);
    options.secrets = copied_secrets(attempt);
    options.rewrite = rewrite_of(attempt);
    return std::make_unique<dialect::openai_chat::StreamFilter>(std::move(options));
}

/// The JSON of the last event in `lines`.
std::string_view last_data(std::string_view lines) {
    constexpr std::string_view kData = "\ndata:";
    const std::size_t from = lines.rfind(kData);
    if (from != std::string_view::npos) lines.remove_prefix(from + kData.size());
    return trim(lines.substr(0, lines.find_first_of("\r\n")));
}

/// A stream that begins with an error is a refusal by another way.
Result<void> refusal_in_stream(Attempt& attempt) {
    Error error(Errc::upstream_status, "the upstream's stream began with an error");
    if (const Error* const told = attempt.stream->error()) {
        error = *told;
        attempt.first = write_error(attempt.lane.client, error, attempt.request_id());
    } else {
        const std::string lines = "\n" + attempt.first;
        attempt.first = normalize_upstream_error(attempt.lane.client, 502, last_data(lines),
                                                 secrets_of(attempt), attempt.request_id());
    }
    attempt.refused = true;
    return std::unexpected(std::move(error));
}

net::Task<Result<void>> await_first_event(Attempt& attempt, bool hide_usage) {
    if (!attempt.flight->reply().is_event_stream()) {
        co_return fail(Errc::upstream_invalid_response,
                       "the upstream answered a streaming request with something else than an "
                       "event stream");
    }
    attempt.stream = make_stream(attempt, hide_usage);
    dialect::ReplyStream& stream = *attempt.stream;
    const dialect::StreamFacts& facts = stream.facts();
    dialect::ReplyStream::Pieces pieces;
    while (!facts.has_content && !facts.done && !facts.has_error) {
        const auto bytes = co_await attempt.flight->next();
        if (!bytes) co_return std::unexpected(bytes.error());
        if (attempt.is_called_off()) co_return fail(Errc::cancelled);
        pieces.clear();
        auto fed = bytes->empty() ? stream.end(pieces) : stream.feed(*bytes, pieces);
        attempt.tap_bytes(*bytes);
        leave_out_error(attempt, pieces);
        for (const std::string_view piece : pieces) attempt.first += piece;
        if (!fed && !facts.has_content) {
            if (facts.has_error) break;
            co_return fed;
        }
        // What came before the bad event still goes to the client, and relay() breaks off then.
        if (!fed) attempt.broke = std::move(fed.error());
        if (attempt.first.size() <= kMaxPreludeBytes) continue;
        if (facts.chunks > 0) break;
        attempt.first.clear();
    }
    attempt.flight->note_progress();
    if (facts.has_error && !facts.has_content) co_return refusal_in_stream(attempt);
    if (facts.out_of_resources && !facts.has_content) {
        attempt.out_of_resources = true;
        co_return fail(Errc::overloaded,
                       "the upstream ran out of resources (insufficient_system_resource)");
    }
    co_return Result<void>();
}

}  // namespace

void leave_out_error(const Attempt& attempt, dialect::ReplyStream::Pieces& pieces) {
    const bool is_told = attempt.stream->error() == nullptr || !attempt.lane.translates() ||
                         attempt.lane.client != Dialect::anthropic_messages;
    if (!is_told && !pieces.empty()) pieces.pop_back();
}

net::Task<Result<void>> await_content(Attempt& attempt, bool stream, bool hide_usage) {
    const bool streams = stream && attempt.flight->reply().status == 200;
    return streams ? await_first_event(attempt, hide_usage) : read_completion(attempt);
}

net::Task<Result<void>> await_document(Attempt& attempt) {
    auto read = co_await read_body(attempt);
    if (!read) co_return read;
    if (const auto error = json::find_error(attempt.first)) {
        co_return fail(Errc::upstream_invalid_response,
                       "the upstream's reply is not JSON: " + *error);
    }
    co_return Result<void>();
}

net::Task<Result<void>> await_embeddings(Attempt& attempt, std::size_t inputs) {
    auto read = co_await read_body(attempt);
    if (!read) co_return read;
    const auto reply = dialect::openai_embeddings::read_reply(attempt.first, inputs);
    if (!reply) co_return std::unexpected(reply.error());
    co_return Result<void>();
}

}  // namespace sluice::gateway
