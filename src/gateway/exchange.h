#pragma once

/// One client request and all that is learnt about it, filled from left to right by the stages of
/// handle(). Stages read what earlier ones wrote; nobody keeps it.

#include "base/error.h"
#include "chat/finish_reason.h"
#include "chat/usage.h"
#include "dialect/openai_chat/head.h"
#include "dialect/openai_chat/stream_filter.h"
#include "gateway/gateway.h"
#include "gateway/snapshot.h"
#include "net/transaction.h"
#include "upstream/flight.h"

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::gateway {

struct Endpoint;
class EndpointTable;

/// Something that a stage changed about the request, and the rule that made it do so.
struct Change {
    std::string_view rule;   ///< "route.model", "usage.include"
    std::string_view field;  ///< of the request
};

class Exchange final : private net::ClientWatch {
public:
    Exchange(Gateway& in, const EndpointTable& endpoints, net::Transaction& transaction);
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;
    ~Exchange();

    /// From now on the client's leaving cancels the flight.
    void watch_client();
    /// Lets this flight be the one that is cancelled.
    void fly(std::unique_ptr<upstream::Flight> next);
    void land();
    [[nodiscard]] upstream::Flight& flight() noexcept { return *flight_; }

    Gateway& gateway;
    const EndpointTable& table;
    const std::shared_ptr<const Snapshot> snapshot;
    net::Transaction& client;

    const std::chrono::system_clock::time_point started_at = std::chrono::system_clock::now();
    const net::Clock::time_point started = net::Clock::now();
    std::string request_id;
    std::string method;
    std::string path;    ///< without the query
    std::string origin;  ///< the Origin header, where CORS is configured

    const Endpoint* endpoint = nullptr;
    std::string_view path_argument;  ///< what stands behind the endpoint's path, in `path`
    Scope scope;                     ///< identify
    net::Body body;                  ///< gone once the answer has begun
    dialect::openai_chat::Head head;
    std::string_view route;                      ///< route: its name
    std::span<const config::Target> targets;     ///< route: in order of preference
    std::vector<Change> changes;                 ///< shape
    const config::Upstream* upstream = nullptr;  ///< open: who answers, or failed last
    int attempts = 0;
    std::string upstream_request_id;

    std::string first;  ///< open: a whole reply, or what there is of a streamed one
    std::optional<dialect::openai_chat::StreamFilter> filter;  ///< open: set for a streamed reply

    /// Request and reply in full; kept only where the operator named a file for them.
    struct Transcript {
        std::string request;
        std::string reply;
    };
    std::optional<Transcript> transcript;

    chat::Usage usage;
    std::optional<chat::FinishReason> finish_reason;
    std::string reply_model;
    int status = 0;
    std::optional<Error> error;  ///< why it failed, also in the middle of a stream
    bool client_gone = false;
    bool stopping = false;  ///< the gateway stops and does not wait for the reply's end
    std::optional<net::Clock::duration> asked_after;       ///< until the upstream was asked
    std::optional<net::Clock::duration> first_byte_after;  ///< from then to its first content

private:
    void on_client_gone() override;
    void on_server_stopping() override;

    std::unique_ptr<upstream::Flight> flight_;
};

}  // namespace sluice::gateway
