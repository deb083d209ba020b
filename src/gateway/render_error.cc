#include "gateway/render_error.h"

#include "dialect/anthropic_messages/errors.h"
#include "dialect/openai_chat/errors.h"
#include "gateway/endpoint.h"
#include "gateway/exchange.h"

namespace sluice::gateway {
namespace {

namespace anthropic = dialect::anthropic_messages;
namespace openai = dialect::openai_chat;

bool is_anthropic(Dialect dialect) noexcept {
    return dialect == Dialect::anthropic_messages;
}

}  // namespace

Dialect error_dialect(const Exchange& exchange) {
    if (exchange.endpoint != nullptr && exchange.endpoint->dialect) {
        return *exchange.endpoint->dialect;
    }
    return exchange.client.head().find("anthropic-version") ? Dialect::anthropic_messages
                                                            : Dialect::openai_chat;
}

int status_for(Dialect dialect, int status) noexcept {
    return is_anthropic(dialect) ? anthropic::client_status(status) : openai::client_status(status);
}

std::string write_error(Dialect dialect, const Error& error, std::string_view request_id) {
    return is_anthropic(dialect) ? anthropic::write_error(error, request_id)
                                 : openai::write_error(error);
}

std::string write_stream_error(Dialect dialect, const Error& error, std::string_view request_id) {
    return is_anthropic(dialect) ? anthropic::write_stream_error(error, request_id)
                                 : openai::write_stream_error(error);
}

std::string normalize_upstream_error(Dialect dialect, int status, std::string_view body,
                                     std::span<const std::string_view> secrets,
                                     std::string_view request_id) {
    return is_anthropic(dialect)
               ? anthropic::normalize_upstream_error(status, body, secrets, request_id)
               : openai::normalize_upstream_error(status, body, secrets);
}

}  // namespace sluice::gateway
