#pragma once

/// What /metrics tells: names by OpenTelemetry's GenAI conventions where those have one, `sluice_*`
/// otherwise. docs/metrics.md lists every family, and a test holds it to this code.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::observe {

/// How many label sets each kind of family may grow to; what comes later counts under `_other`.
/// The defaults keep the whole text under 10,000 samples, histogram buckets included.
struct MetricsLimits {
    std::size_t model_sets = 56;      ///< operation, provider, both models: 69 samples each
    std::size_t duration_sets = 112;  ///< the same with the error: 17 samples each
    std::size_t other_sets = 256;     ///< routes with statuses, upstreams with outcomes, ...
    std::size_t dispatch_sets = 96;   ///< of each family that tells of retries, breakers, ...
};

/// One finished request. Views need to live for the call only.
struct RequestSample {
    std::string_view operation;      ///< chat, embeddings, text_completion; empty: not to a model
    std::string_view provider;       ///< openai, deepseek, embedded, ...; empty when none was asked
    std::string_view request_model;  ///< empty when no route offers it
    std::string_view response_model;  ///< empty when there was no reply
    std::string_view error_type;      ///< to_string(Errc); empty when all went well
    std::string_view route;
    int status = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::optional<std::uint64_t> input_tokens;
    std::optional<std::uint64_t> output_tokens;
    std::optional<std::chrono::nanoseconds> first_token;  ///< streamed replies only
    std::chrono::nanoseconds total{0};
};

/// Thread-safe; one for the program. Label values are cut at 128 bytes and made valid UTF-8.
class Metrics {
public:
    explicit Metrics(MetricsLimits limits = {});
    ~Metrics();

    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    /// Each call is followed by one request_finished().
    void request_started() noexcept;
    void request_finished(const RequestSample& sample);

    /// An attempt at an upstream has ended: "ok", or to_string(Errc).
    void attempt(std::string_view upstream, std::string_view outcome);

    /// `state` is "idle" or "active"; `change` is how many more there are now.
    void upstream_connections(std::string_view upstream, std::string_view state, int change);

    /// A kept-alive connection turned out to be closed when the request was sent on it.
    void upstream_reuse_race() noexcept;

    void client_connections(int change) noexcept;
    void client_gone() noexcept;

    /// A request was refused before it reached the gateway: a short fixed word for why.
    void http_refused(std::string_view reason);

    /// The same upstream was asked again; why: to_string(Errc), or a status.
    void retry(std::string_view upstream, std::string_view reason);

    /// A request left `upstream` for another one.
    void fallback(std::string_view upstream, std::string_view reason);

    /// A breaker has changed to `state`: closed (0), half_open (1), open (2).
    void breaker(std::string_view upstream, std::string_view state, int number);

    /// How a breaker stands, without a change: so that the gauge is there from the start.
    void breaker_state(std::string_view upstream, int number);

    /// How many requests an upstream works on and how many wait for a place; no limit is 0. To be
    /// called about once a second.
    void in_flight(std::string_view upstream, std::size_t active, std::size_t waiting,
                   std::size_t limit);

    /// A request found the queue `full`, or its place would have come `too_late`.
    void queue_refused(std::string_view upstream, std::string_view reason);

    /// A retry was due, but the budget had none left.
    void budget_exhausted(std::string_view upstream);

    /// A second candidate was asked ("sent"), or answered first ("won").
    void hedge(std::string_view route, std::string_view result);

    /// A request of a split route goes to `variant`.
    void split(std::string_view route, std::string_view variant);

    void dropped_field(std::string_view upstream, std::string_view field);

    /// A comment was sent to a client whose upstream is silent.
    void keepalive_comment() noexcept;

    /// A translation could not keep something as it was: the rule that says what became of it.
    void translation_change(std::string_view rule);

    /// Reasoning of earlier turns that clients did not send: given back, or not known any more.
    void reasoning_replayed(std::size_t found, std::size_t missing) noexcept;

    /// The input of a request was estimated, and the upstream has reported it.
    void token_estimate(std::uint64_t estimated, std::uint64_t reported);

    /// Texts in the reasoning store that wait to be written, and those that never will be.
    void state_writer(std::size_t queued, std::uint64_t lost) noexcept;

    /// Prometheus' text format, version 0.0.4.
    [[nodiscard]] std::string text() const;

    /// Every family that text() may show, also those that have no sample yet; sorted.
    [[nodiscard]] std::vector<std::string> family_names() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace sluice::observe
