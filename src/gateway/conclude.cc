/// What always happens at the end: count it, and write one line about it.

#include "base/text.h"
#include "gateway/handle.h"
#include "gateway/tokens.h"

namespace sluice::gateway {
namespace {

constexpr int kClientClosedRequest = 499;

std::string_view provider_of(const config::Upstream* upstream) {
    if (upstream == nullptr) return {};
    if (!upstream->preset.empty()) return upstream->preset;
    switch (upstream->kind) {
        case config::UpstreamKind::openai: return "openai";
        case config::UpstreamKind::anthropic: return "anthropic";
        case config::UpstreamKind::embedded: return "embedded";
    }
    return {};
}

/// As OpenTelemetry's conventions call it.
std::string_view name_of(Operation operation) {
    switch (operation) {
        case Operation::none: return "";
        case Operation::chat: return "chat";
        case Operation::text_completion: return "text_completion";
        case Operation::embeddings: return "embeddings";
        case Operation::count_tokens: return "count_tokens";
    }
    return "";
}

std::optional<std::uint64_t> when_known(const chat::Usage& usage, std::uint64_t count) {
    return usage.known ? std::optional(count) : std::nullopt;
}

void count(const Exchange& exchange, int status, net::Clock::duration total) {
    Shared& shared = exchange.gateway.shared();
    observe::RequestSample sample;
    sample.operation = name_of(exchange.operation);
    sample.provider = provider_of(exchange.upstream);
    if (exchange.plan != nullptr) sample.request_model = exchange.head.model;
    sample.response_model = exchange.reply_model;
    if (exchange.error) sample.error_type = to_string(exchange.error->code);
    sample.route = exchange.route;
    sample.status = status;
    sample.bytes_in = exchange.client.bytes_received();
    sample.bytes_out = exchange.client.bytes_sent();
    sample.input_tokens = when_known(exchange.usage, exchange.usage.input);
    sample.output_tokens = when_known(exchange.usage, exchange.usage.output);
    if (exchange.head.stream) sample.first_token = exchange.first_byte_after;
    sample.total = total;
    shared.metrics.request_finished(sample);
    if (exchange.client_gone) shared.metrics.client_gone();
    for (const chat::Change& change : exchange.changes) {
        shared.metrics.translation_change(change.rule);
    }
}

void log(const Exchange& exchange, int status, net::Clock::duration total) {
    observe::AccessRecord record;
    record.start = exchange.started_at;
    record.request_id = exchange.request_id;
    record.method = exchange.method;
    record.path = exchange.path;
    record.key_name = exchange.scope.key_name;
    record.route = exchange.route;
    if (exchange.upstream != nullptr) record.upstream = exchange.upstream->name;
    record.model = exchange.head.model;
    record.reply_model = exchange.reply_model;
    if (exchange.error) record.error = to_string(exchange.error->code);
    record.upstream_request_id = exchange.upstream_request_id;
    if (exchange.finish_reason) record.finish_reason = chat::to_string(*exchange.finish_reason);
    record.status = status;
    record.stream = exchange.head.stream;
    record.bytes_in = exchange.client.bytes_received();
    record.bytes_out = exchange.client.bytes_sent();
    record.input_tokens = when_known(exchange.usage, exchange.usage.input);
    record.cached_tokens = when_known(exchange.usage, exchange.usage.cached_input);
    record.output_tokens = when_known(exchange.usage, exchange.usage.output);
    record.reasoning_tokens = when_known(exchange.usage, exchange.usage.reasoning);
    record.queue = exchange.asked_after;
    record.upstream_first_byte = exchange.first_byte_after;
    record.total = total;
    record.attempts = exchange.attempts;
    record.tried = exchange.tried;
    record.variant = exchange.variant;
    record.hedged = exchange.hedged;
    const std::string dropped = join(exchange.dropped, ",");
    record.dropped = dropped;
    exchange.gateway.log(record);
}

}  // namespace

void conclude(Exchange& exchange) {
    const auto total = net::Clock::now() - exchange.started;
    const int status = exchange.client_gone ? kClientClosedRequest : exchange.status;
    count(exchange, status, total);
    learn_from_usage(exchange);
    if (exchange.snapshot->config.log.access) log(exchange, status, total);
    exchange.gateway.expect_housekeeping();
    if (exchange.transcript) {
        exchange.gateway.shared().prompts->write(exchange.request_id, exchange.transcript->request,
                                                 exchange.transcript->reply);
    }
}

}  // namespace sluice::gateway
