#include "base/text.h"
#include "dialect/anthropic_messages/head.h"
#include "dialect/request.h"
#include "gateway/handle.h"

namespace sluice::gateway {

/// The body, whole.
net::Task<Result<void>> read_body(Exchange& exchange) {
    const auto coding = exchange.client.head().find("content-encoding");
    if (coding && !iequals(*coding, "identity")) {
        co_return fail(Errc::unsupported_media_type,
                       "the request body is coded as `" + std::string(*coding) +
                           "`; send it as plain JSON without Content-Encoding");
    }
    const auto body =
        co_await exchange.client.read_body(exchange.snapshot->config.limits.body_bytes);
    if (!body) co_return std::unexpected(body.error());
    exchange.body = *body;
    const bool keep = !exchange.snapshot->config.log.prompts_file.empty();
    if (keep && exchange.gateway.shared().prompts) {
        exchange.transcript.emplace().request = exchange.body.view();
    }
    co_return Result<void>();
}

namespace {

/// What the gateway decides by is the same in both families of dialects.
Result<dialect::openai_chat::Head> read_message_head(const Exchange& exchange) {
    const net::Body& body = exchange.body;
    auto read = dialect::anthropic_messages::read_head(body.view(), body.capacity - body.size);
    if (!read) return std::unexpected(std::move(read.error()));
    dialect::openai_chat::Head head;
    head.model = std::move(read->model);
    head.stream = read->stream;
    head.max_output_tokens = read->max_output_tokens;
    head.has_tools = read->has_tools;
    head.model_value = read->model_value;
    head.members_begin = read->members_begin;
    head.members = std::move(read->members);
    if (!head.model.empty()) return head;
    head.model = exchange.snapshot->config.default_model;
    if (!head.model.empty()) return head;
    return dialect::refuse("model", "model: Field required; this gateway has no `default_model`");
}

}  // namespace

/// Checks the whole body and reads its head.
Result<void> read_head(Exchange& exchange) {
    const net::Body& body = exchange.body;
    auto head = exchange.dialect == Dialect::anthropic_messages
                    ? read_message_head(exchange)
                    : dialect::openai_chat::read_head(body.view(), body.capacity - body.size,
                                                      shape_of(exchange.dialect));
    if (!head) return std::unexpected(std::move(head.error()));
    exchange.head = std::move(*head);
    return {};
}

Result<void> route(Exchange& exchange) {
    const std::string& model = exchange.head.model;
    if (exchange.scope.may_use(model)) exchange.plan = exchange.snapshot->route_of(model);
    if (exchange.plan != nullptr) {
        exchange.route = exchange.plan->name;
        return {};
    }
    Error unknown(Errc::model_not_found, "the model `" + exchange.head.model +
                                             "` does not exist here; GET /v1/models lists those "
                                             "that do");
    unknown.param = "model";
    return std::unexpected(std::move(unknown));
}

}  // namespace sluice::gateway
