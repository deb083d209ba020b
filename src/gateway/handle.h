#pragma once

/// The life of a request, in order. This is the file to read first, with handle.cc.

#include "gateway/endpoint.h"
#include "gateway/exchange.h"

namespace sluice::gateway {

/// Everything that happens to one request, top to bottom.
net::Task<> handle(Exchange& exchange);

/// The middle part for POST /chat/completions, /completions and /messages: from the body to the
/// last byte of the reply.
net::Task<Result<void>> complete_chat(Exchange& exchange);
net::Task<Result<void>> complete_text(Exchange& exchange);
net::Task<Result<void>> complete_message(Exchange& exchange);
net::Task<Result<void>> count_tokens(Exchange& exchange);
net::Task<Result<void>> embed(Exchange& exchange);

// The stages. A plain function never waits.
Result<void> identify(Exchange& exchange);
Result<void> admit(Exchange& exchange);
net::Task<Result<void>> read_body(Exchange& exchange);
Result<void> read_head(Exchange& exchange);
Result<void> route(Exchange& exchange);
net::Task<Result<void>> open(Exchange& exchange);
net::Task<Result<void>> relay(Exchange& exchange);
/// In place of relay() where nobody answered, but comments have begun the stream.
net::Task<Result<void>> fail_in_stream(Exchange& exchange, Error error);
void conclude(Exchange& exchange);

}  // namespace sluice::gateway
