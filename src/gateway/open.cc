/// The first half of an attempt: ask the candidates in order, until one has content to give.

#include "gateway/handle.h"
#include "gateway/reply.h"

namespace sluice::gateway {
namespace {

net::Task<Result<void>> attempt(Exchange& exchange, const config::Target& target) {
    exchange.upstream = exchange.snapshot->upstream(target.upstream);
    const std::string_view model =
        target.model == "*" ? std::string_view(exchange.head.model) : target.model;
    ++exchange.attempts;
    exchange.changes.clear();
    if (model != exchange.head.model) exchange.changes.push_back({"route.model", "model"});
    const bool add_usage = exchange.head.stream && !exchange.head.include_usage;
    if (add_usage) exchange.changes.push_back({"usage.include", "stream_options"});
    exchange.fly(exchange.gateway.origin(*exchange.upstream).flight());
    const auto asked_at = net::Clock::now();
    exchange.asked_after = asked_at - exchange.started;
    json::Splice patched(exchange.body.view());
    dialect::openai_chat::patch_request(exchange.body.view(), exchange.head, model, add_usage,
                                        patched);
    const auto pieces = patched.pieces();
    upstream::Ask question;
    question.path = "/chat/completions";
    question.body = std::span(pieces.begin(), pieces.end());
    question.model = model;
    question.stream = exchange.head.stream;
    question.request_id = exchange.request_id;
    auto opened = co_await exchange.flight().open(question);
    if (opened) opened = co_await await_content(exchange);
    exchange.first_byte_after = net::Clock::now() - asked_at;
    co_return opened;
}

void report(Exchange& exchange, const Result<void>& opened) {
    Shared& shared = exchange.gateway.shared();
    const std::string& name = exchange.upstream->name;
    if (exchange.client_gone) {
        shared.metrics.attempt(name, to_string(Errc::client_gone));
    } else if (opened) {
        shared.metrics.attempt(name, "ok");
        shared.health.report_up(name, net::Clock::now());
    } else {
        shared.metrics.attempt(name, to_string(opened.error().code));
        shared.health.report_error(name, opened.error(), net::Clock::now());
    }
}

}  // namespace

net::Task<Result<void>> open(Exchange& exchange) {
    exchange.watch_client();
    Result<void> opened;
    for (const config::Target& target : exchange.targets) {
        opened = co_await attempt(exchange, target);
        report(exchange, opened);
        if (opened || exchange.client_gone || !is_retryable(opened.error().code)) break;
    }
    co_return opened;
}

}  // namespace sluice::gateway
