#pragma once

/// The life of a request, in order. This is the file to read first, with handle.cc.

#include "gateway/endpoint.h"
#include "gateway/exchange.h"
#include "net/http1/server.h"

namespace sluice::gateway {

/// Everything that happens to one request, top to bottom.
net::Task<> handle(Exchange& exchange);

/// The middle part for POST /chat/completions: from the body to the last byte of the reply.
net::Task<Result<void>> complete_chat(Exchange& exchange);

// The stages. A plain function never waits.
Result<void> identify(Exchange& exchange);
net::Task<Result<void>> read_request(Exchange& exchange);
Result<void> route(Exchange& exchange);
net::Task<Result<void>> open(Exchange& exchange);
net::Task<Result<void>> relay(Exchange& exchange);
void conclude(Exchange& exchange);

/// Makes one listener's requests exchanges of a worker's gateway.
class Frontend final : public net::http1::RequestHandler {
public:
    Frontend(Gateway& gateway, const EndpointTable& table) : gateway_(gateway), table_(table) {}

    net::Task<> handle(net::Transaction& transaction) override;
    net::Task<> refuse(net::Transaction& transaction, Error why) override;
    const net::http1::ServerLimits& limits() const override {
        return gateway_.snapshot()->server_limits;
    }

private:
    Gateway& gateway_;
    const EndpointTable& table_;
};

}  // namespace sluice::gateway
