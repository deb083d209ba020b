#include "base/text.h"
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

/// Checks the whole body and reads its head.
Result<void> read_head(Exchange& exchange) {
    const auto shape = exchange.operation == Operation::text_completion
                           ? dialect::openai_chat::Shape::text
                           : dialect::openai_chat::Shape::chat;
    auto head = dialect::openai_chat::read_head(exchange.body.view(),
                                                exchange.body.capacity - exchange.body.size, shape);
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
