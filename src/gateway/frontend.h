#pragma once

/// Where the HTTP server hands its requests to the gateway.

#include "gateway/endpoint.h"
#include "gateway/gateway.h"
#include "net/http1/server.h"

namespace sluice::gateway {

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
