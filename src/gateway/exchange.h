#pragma once

/// One client request and all that is learnt about it, filled from left to right by the stages of
/// handle(). Stages read what earlier ones wrote; nobody keeps it.

#include "base/error.h"
#include "chat/finish_reason.h"
#include "chat/usage.h"
#include "dialect/openai_chat/head.h"
#include "dialect/openai_embeddings/head.h"
#include "gateway/attempt.h"
#include "gateway/gateway.h"
#include "gateway/keepalive.h"
#include "gateway/lane.h"
#include "gateway/snapshot.h"
#include "net/pause.h"
#include "net/transaction.h"
#include "upstream/flight.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::gateway {

struct Endpoint;
class EndpointTable;

/// What is asked for, where a model is asked.
enum class Operation : std::uint8_t { none, chat, text_completion, embeddings, count_tokens };

/// An embeddings request, and which of its inputs are asked for just now.
struct EmbeddingsPart {
    dialect::openai_embeddings::Head head;
    dialect::openai_embeddings::Part part;
};

class Exchange final : private net::ClientWatch {
public:
    Exchange(Gateway& in, const EndpointTable& endpoints, net::Transaction& transaction);
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;
    ~Exchange();

    /// From now on the client's leaving ends the waits and the attempts under way.
    void watch_client();
    /// Nobody waits for the answer any more, or it will not come.
    [[nodiscard]] bool is_over() const noexcept { return client_gone || stopping; }

    /// Lets `attempt` be called off when the client leaves. It must resign before it ends.
    void enlist(Attempt& attempt);
    void resign(Attempt& attempt) noexcept;

    /// Waits, unless the exchange is over before: then Wake::cancelled.
    net::Task<net::Wake> wait(net::Clock::duration time);
    /// Ends that wait.
    void wake();

    /// A flight of the gateway's own asking, outside of attempts: lists of models, pass-through.
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
    std::string tenant;              ///< identify: stands for a credential that is no key of ours
    net::Body body;                  ///< gone once the answer has begun
    Operation operation = Operation::none;
    Dialect dialect = Dialect::openai_chat;  ///< the client's
    dialect::openai_chat::Head head;
    std::optional<EmbeddingsPart> embeddings;  ///< in place of most of `head`
    std::string_view route;                    ///< route: its name
    const RoutePlan* plan = nullptr;           ///< route

    std::shared_ptr<Attempt> attempt;            ///< open: the one that is relayed
    const config::Upstream* upstream = nullptr;  ///< open: who answers, or failed last
    int attempts = 0;
    std::string tried;              ///< open: "main:503, other:200", once one has failed
    std::string client_credential;  ///< identify: header lines for upstreams with auth: passthrough
    std::string variant;            ///< open: of a route that splits
    std::vector<std::string> dropped;  ///< open: fields that the upstream did not get
    chat::Changes changes;             ///< open: what a translation could not keep
    bool hedged = false;
    std::string upstream_request_id;
    KeepAlive keepalive;  ///< of a client that waits for an event stream

    /// Request and reply in full; kept only where the operator named a file for them.
    struct Transcript {
        std::string request;
        std::string reply;
    };
    std::optional<Transcript> transcript;

    /// Of the input, made once in a while to see how good estimates are.
    struct Estimate {
        std::string model;
        std::uint64_t tokens = 0;
    };
    Estimate estimate;

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
    void call_off();

    std::unique_ptr<upstream::Flight> flight_;
    std::array<Attempt*, 2> attempts_{};  // under way: two where one is hedged
    std::optional<net::Pause> pause_;
};

}  // namespace sluice::gateway
