#pragma once

/// The endpoints that the gateway answers by itself.

#include "base/error.h"
#include "dialect/openai_chat/models.h"
#include "gateway/exchange.h"
#include "net/types.h"

#include <vector>

namespace sluice::gateway {

net::Task<Result<void>> answer_index(Exchange& exchange);
net::Task<Result<void>> answer_health(Exchange& exchange);
net::Task<Result<void>> answer_alive(Exchange& exchange);
net::Task<Result<void>> answer_ready(Exchange& exchange);
net::Task<Result<void>> answer_metrics(Exchange& exchange);
/// Claude Code knocks before its first request.
net::Task<Result<void>> answer_hello(Exchange& exchange);
net::Task<Result<void>> answer_models(Exchange& exchange);
net::Task<Result<void>> answer_model(Exchange& exchange);
net::Task<Result<void>> answer_ollama_tags(Exchange& exchange);
net::Task<Result<void>> answer_ollama_running(Exchange& exchange);
net::Task<Result<void>> answer_ollama_show(Exchange& exchange);
net::Task<Result<void>> answer_ollama_version(Exchange& exchange);

/// The models that the caller may use: what the routes offer, globs filled in from upstreams.
net::Task<Result<std::vector<dialect::openai_chat::Model>>> offered_models(Exchange& exchange);

}  // namespace sluice::gateway
