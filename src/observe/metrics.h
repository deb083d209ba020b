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
    std::size_t model_sets = 64;      ///< operation, provider, both models: 69 samples each
    std::size_t duration_sets = 128;  ///< the same with the error: 17 samples each
    std::size_t other_sets = 256;     ///< routes with statuses, upstreams with outcomes, ...
};

/// One finished request. Views need to live for the call only.
struct RequestSample {
    std::string_view operation;      ///< chat, embeddings, text_completion
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

    /// Prometheus' text format, version 0.0.4.
    [[nodiscard]] std::string text() const;

    /// Every family that text() may show, also those that have no sample yet; sorted.
    [[nodiscard]] std::vector<std::string> family_names() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace sluice::observe
