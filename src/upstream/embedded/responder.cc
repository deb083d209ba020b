#include "upstream/embedded/responder.h"

#include "dialect/openai_chat/errors.h"
#include "dialect/openai_chat/models.h"
#include "upstream/embedded/embeddings.h"
#include "upstream/embedded/faults.h"

#include <utility>
#include <vector>

namespace sluice::upstream::embedded {
namespace {

constexpr std::size_t kArgumentsPieceBytes = 16;
constexpr std::int64_t kModelsCreated = 1'767'225'600;  // 2026-01-01

/// "call_" and what makes the reply's id its own.
std::string call_id(std::string_view reply_id) {
    return "call_" + std::string(reply_id.substr(reply_id.find('-') + 1));
}

Reply refusal(const Error& error) {
    return whole_reply(http_status(error.code), dialect::openai_chat::write_error(error));
}

}  // namespace

Reply whole_reply(int status, std::string body) {
    Reply reply(ChunkWriter(Identity{}, false), Answer{});
    reply.status_ = status;
    reply.body_ = std::move(body);
    return reply;
}

Reply serve(std::string_view method, std::string_view path, std::string_view body,
            const Identity& identity, const config::Embedded& settings) {
    const bool is_list = path == "/models";
    const bool is_chat = path == "/chat/completions";
    const bool is_text = path == "/completions";
    const bool is_embeddings = path == "/embeddings";
    if (!is_list && !is_chat && !is_text && !is_embeddings) {
        return refusal(Error(Errc::not_found, "there is nothing at this path"));
    }
    if (method != (is_list ? "GET" : "POST")) {
        return refusal(Error(Errc::method_not_allowed, "wrong method"));
    }
    if (is_list) return list_models(settings);
    if (is_embeddings) return respond_with_embeddings(body);
    return respond(body, identity, settings, is_text ? Shape::text : Shape::chat);
}

Reply respond(std::string_view body, Identity identity, const config::Embedded& settings,
              Shape shape) {
    const bool is_text = shape == Shape::text;
    auto request = is_text ? read_text_request(body) : read_request(body);
    if (!request) return refusal(request.error());
    identity.model = request->model;
    Answer answer = make_answer(*request, settings, call_id(identity.id));
    std::string whole;
    if (!request->stream) {
        whole = is_text ? write_text_reply(identity, answer) : write_reply(identity, answer);
    }
    Reply reply(ChunkWriter(identity, request->include_usage, shape), std::move(answer));
    reply.stream_ = request->stream;
    reply.include_usage_ = request->include_usage;
    reply.tokens_per_second_ = request->tokens_per_second.value_or(settings.tokens_per_second);
    reply.body_ = std::move(whole);
    if (!reply.stream_) reply.tokens_ = reply.answer_.completion_tokens;
    if (reply.stream_ && is_text) {
        reply.enter(Reply::Stage::content);
        reply.skip_empty_stages();
    }
    return reply;
}

/// The token that comes next is due when it would have been generated; a whole reply with its last.
std::optional<std::chrono::microseconds> Reply::due() const {
    if (stage_ == Stage::end) return std::nullopt;
    if (tokens_per_second_ <= 0) return std::chrono::microseconds(0);
    const bool is_token =
        stage_ == Stage::reasoning || stage_ == Stage::content || stage_ == Stage::calls;
    const double tokens = static_cast<double>(tokens_) + (is_token ? 1 : 0);
    return std::chrono::microseconds(static_cast<std::int64_t>(tokens * 1e6 / tokens_per_second_));
}

void Reply::take(std::string& out) {
    if (stage_ == Stage::end) return;
    if (!stream_) {
        out += std::exchange(body_, {});
        stage_ = Stage::end;
        return;
    }
    take_event(out);
    skip_empty_stages();
}

void Reply::take_event(std::string& out) {
    switch (stage_) {
        case Stage::role:
            writer_.role(out);
            enter(Stage::reasoning);
            return;
        case Stage::reasoning:
            writer_.reasoning(answer_.reasoning.piece(index_), out);
            ++index_;
            ++tokens_;
            return;
        case Stage::content:
            writer_.content(answer_.content.piece(index_), out);
            ++index_;
            ++tokens_;
            return;
        case Stage::calls:
            take_call(out);
            ++tokens_;
            return;
        case Stage::finish:
            writer_.finish(answer_.finish, out);
            enter(include_usage_ ? Stage::usage : Stage::done);
            return;
        case Stage::usage:
            writer_.usage(answer_, out);
            enter(Stage::done);
            return;
        case Stage::done:
            out += kDoneEvent;
            enter(Stage::end);
            return;
        case Stage::end: return;
    }
}

void Reply::take_call(std::string& out) {
    const ToolCall& call = answer_.calls[index_];
    if (!std::exchange(call_started_, true)) {
        writer_.call_start(index_, call, out);
        return;
    }
    const auto piece =
        utf8_prefix(std::string_view(call.arguments).substr(offset_), kArgumentsPieceBytes);
    writer_.call_more(index_, piece, out);
    offset_ += piece.size();
    if (offset_ < call.arguments.size()) return;
    ++index_;
    offset_ = 0;
    call_started_ = false;
}

void Reply::skip_empty_stages() {
    if (stage_ == Stage::reasoning && index_ == answer_.reasoning.size()) enter(Stage::content);
    if (stage_ == Stage::content && index_ == answer_.content.size()) enter(Stage::calls);
    if (stage_ == Stage::calls && index_ == answer_.calls.size()) enter(Stage::finish);
}

void Reply::enter(Stage stage) noexcept {
    stage_ = stage;
    index_ = 0;
}

Reply list_models(const config::Embedded& settings) {
    using dialect::openai_chat::Model;
    std::vector<Model> models;
    models.push_back(Model{.id = "echo", .owned_by = "sluice", .created = kModelsCreated});
    models.push_back(Model{.id = "lorem", .owned_by = "sluice", .created = kModelsCreated});
    if (settings.faults) {
        for (const Fault& fault : faults()) {
            models.push_back(Model{
                .id = std::string(fault.name), .owned_by = "sluice", .created = kModelsCreated});
        }
    }
    return whole_reply(200, dialect::openai_chat::write_models(models));
}

}  // namespace sluice::upstream::embedded
