#pragma once

/// The endpoints that the gateway answers by itself.

#include "base/error.h"
#include "gateway/exchange.h"
#include "net/types.h"

namespace sluice::gateway {

net::Task<Result<void>> answer_index(Exchange& exchange);
net::Task<Result<void>> answer_health(Exchange& exchange);
net::Task<Result<void>> answer_alive(Exchange& exchange);
net::Task<Result<void>> answer_ready(Exchange& exchange);
net::Task<Result<void>> answer_metrics(Exchange& exchange);
net::Task<Result<void>> answer_models(Exchange& exchange);
net::Task<Result<void>> answer_model(Exchange& exchange);

}  // namespace sluice::gateway
