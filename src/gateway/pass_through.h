#pragma once
#include "base/error.h"
#include "net/types.h"
namespace sluice::gateway {
class Exchange;
net::Task<Result<void>> pass_through(Exchange& exchange);
}  // namespace sluice::gateway
