#include "gateway/respond.h"

#include "base/text.h"
#include "gateway/endpoint.h"
#include "gateway/render_error.h"
#include "shaping/reply.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace sluice::gateway {
namespace {

constexpr std::string_view kJson = "application/json";

bool allows_origin(const Exchange& exchange) {
    return !exchange.origin.empty() &&
           std::ranges::any_of(exchange.snapshot->config.cors.allow_origins,
                               [&](const std::string& allowed) {
                                   return allowed == "*" || allowed == exchange.origin;
                               });
}

void append_retry_after(std::string& fields, const Error& error) {
    if (!error.retry_after) return;
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*error.retry_after);
    net::append_field(fields, "retry-after", std::to_string(seconds.count()));
}

/// Each attempt and what came of it; of one that went well at once only that.
void append_attempts(std::string& fields, const Exchange& exchange) {
    if (!exchange.tried.empty()) {
        net::append_field(fields, "x-sluice-attempts", exchange.tried);
    } else if (exchange.attempt) {
        fields += "x-sluice-attempts: ";
        fields += exchange.upstream->name;
        fields += ":200\r\n";
    }
}

std::string error_fields(const Exchange& exchange, const Error& error) {
    std::string fields;
    if (error.code == Errc::unauthorized) net::append_field(fields, "www-authenticate", "Bearer");
    if (error.code == Errc::method_not_allowed) {
        net::append_field(fields, "allow", exchange.endpoint->methods);
    }
    append_retry_after(fields, error);
    if (exchange.attempts > 0) append_attempts(fields, exchange);
    return fields;
}

bool changes_fields(const config::Route& route) {
    return !route.reply.drop_headers.empty() || !route.reply.set_headers.empty();
}

}  // namespace

std::string common_fields(const Exchange& exchange) {
    std::string fields;
    fields.reserve(192);
    net::append_field(fields, "x-request-id", exchange.request_id);
    if (exchange.dialect == Dialect::anthropic_messages) {
        net::append_field(fields, "request-id", exchange.request_id);
    }
    if (!exchange.upstream_request_id.empty()) {
        net::append_field(fields, "x-sluice-upstream-request-id", exchange.upstream_request_id);
    }
    if (allows_origin(exchange)) {
        net::append_field(fields, "access-control-allow-origin", exchange.origin);
        net::append_field(
            fields, "access-control-expose-headers",
            "x-request-id, x-sluice-upstream-request-id, "
            "x-sluice-attempts, x-sluice-variant, x-sluice-dropped, x-sluice-changes, "
            "request-id, retry-after");
        net::append_field(fields, "vary", "origin");
    }
    return fields;
}

std::string reply_fields(const Exchange& exchange, std::string_view from_upstream) {
    std::string fields;
    const bool rewrites = exchange.plan != nullptr && changes_fields(exchange.plan->plan.route());
    if (rewrites) {
        const config::ReplyRules& rules = exchange.plan->plan.route().reply;
        fields = shaping::ReplyRewriter(rules, exchange.head.model).rewrite_fields(from_upstream);
    } else {
        fields = from_upstream;
    }
    const bool must_wait = exchange.error && exchange.error->retry_after;
    if (must_wait && !fields.contains("retry-after:")) append_retry_after(fields, *exchange.error);
    append_attempts(fields, exchange);
    if (!exchange.variant.empty()) net::append_field(fields, "x-sluice-variant", exchange.variant);
    if (!exchange.dropped.empty()) {
        net::append_field(fields, "x-sluice-dropped", join(exchange.dropped, ", "));
    }
    if (!exchange.changes.empty() && exchange.snapshot->config.debug.changes) {
        net::append_field(fields, "x-sluice-changes", describe(exchange.changes));
    }
    return fields;
}

net::ReplyHead begin_head(Exchange& exchange, int status) {
    net::ReplyHead head;
    head.status = exchange.status = status;
    head.close =
        exchange.gateway.shared().pressure.load(std::memory_order_relaxed) != Pressure::none;
    head.fields = common_fields(exchange);
    return head;
}

void start_event_stream(Exchange& exchange, std::string_view from_upstream) {
    net::ReplyHead head = begin_head(exchange, 200);
    head.fields +=
        "content-type: text/event-stream; charset=utf-8\r\n"
        "cache-control: no-cache\r\n"
        "x-accel-buffering: no\r\n";
    head.fields += reply_fields(exchange, from_upstream);
    exchange.client.start(head);
}

void respond(Exchange& exchange, int status, std::string_view content_type, std::string_view body,
             std::string_view fields) {
    net::ReplyHead head = begin_head(exchange, status);
    if (!content_type.empty()) net::append_field(head.fields, "content-type", content_type);
    head.fields += fields;
    const std::array<std::string_view, 1> pieces = {body};
    if (exchange.client.send(head, pieces) == net::Sent::gone) exchange.client_gone = true;
}

void respond_json(Exchange& exchange, int status, std::string_view body) {
    respond(exchange, status, kJson, body);
}

Error root_cause(const Exchange& exchange, Error error) {
    if (exchange.client_gone || error.code == Errc::client_gone) {
        return Error(Errc::client_gone, "the client hung up");
    }
    if (exchange.stopping && error.code == Errc::cancelled) {
        return Error(Errc::cancelled, "the gateway is stopping; ask again");
    }
    return error;
}

void respond_error(Exchange& exchange, Error error) {
    error = root_cause(exchange, std::move(error));
    exchange.client_gone = error.code == Errc::client_gone;
    if (!exchange.client.started()) {
        exchange.dialect = error_dialect(exchange);
        exchange.status = status_for(exchange.dialect, http_status(error.code));
        if (!exchange.client_gone) {
            respond(exchange, exchange.status, kJson,
                    write_error(exchange.dialect, error, exchange.request_id),
                    error_fields(exchange, error));
        }
    }
    exchange.error = std::move(error);
}

Result<void> answer_preflight(Exchange& exchange) {
    if (exchange.method != "OPTIONS" || !allows_origin(exchange)) return {};
    std::string fields;
    net::append_field(fields, "access-control-allow-methods", "GET, HEAD, POST");
    net::append_field(fields, "access-control-allow-headers",
                      exchange.client.head()
                          .find("access-control-request-headers")
                          .value_or("authorization, content-type"));
    net::append_field(fields, "access-control-max-age", "600");
    respond(exchange, 204, {}, {}, fields);
    return {};
}

}  // namespace sluice::gateway
