#include "observe/metrics.h"

#include "observe/dispatch_series.h"
#include "observe/families.h"
#include "observe/label_table.h"
#include "observe/log.h"
#include "observe/process_metrics.h"
#include "observe/translation_series.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <iterator>
#include <sstream>

namespace sluice::observe {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using Buckets = Histogram::BucketBoundaries;

constexpr std::size_t kCacheEntries = 512;
constexpr const char* kLogDropped = "sluice_log_dropped_total";

// The boundaries that OpenTelemetry's GenAI conventions advise.
const Buckets& duration_buckets() {
    static const Buckets buckets = {0.01, 0.02, 0.04, 0.08,  0.16,  0.32,  0.64,
                                    1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92};
    return buckets;
}

const Buckets& token_buckets() {
    static const Buckets buckets = {1,     4,     16,     64,      256,     1024,     4096,
                                    16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864};
    return buckets;
}

const Buckets& first_token_buckets() {
    static const Buckets buckets = {0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1,
                                    0.25,  0.5,   0.75, 1,    2.5,  5,    7.5,  10};
    return buckets;
}

const Buckets& output_token_buckets() {
    static const Buckets buckets = {0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2,
                                    0.3,  0.4,   0.5,  0.75,  1,   2.5};
    return buckets;
}

double seconds(std::chrono::nanoseconds duration) noexcept {
    return std::chrono::duration<double>(duration).count();
}

struct ModelSeries {
    Histogram* input_tokens;
    Histogram* output_tokens;
    Histogram* first_token;
    Histogram* per_output_token;
};

/// Where one request's numbers go.
struct RequestSeries {
    Histogram* duration = nullptr;  ///< null where no model was asked
    Counter* requests = nullptr;
    ModelSeries* model = nullptr;
};

constexpr std::array kModelLabels = {"gen_ai_operation_name", "gen_ai_provider_name",
                                     "gen_ai_request_model", "gen_ai_response_model"};
constexpr std::array kDurationLabels = {"gen_ai_operation_name", "gen_ai_provider_name",
                                        "gen_ai_request_model", "gen_ai_response_model",
                                        "error_type"};

/// Each thread's own way from a request's labels to its series, without a lock. `owner` is the
/// Metrics that the entries belong to; numbers, unlike addresses, are never used again.
struct SeriesCache {
    std::uint64_t owner = 0;
    LabelMap<7, RequestSeries> entries;
};

std::uint64_t next_owner() noexcept {
    static std::atomic<std::uint64_t> last = 0;
    return ++last;
}

}  // namespace

struct Metrics::State {
    explicit State(MetricsLimits limits);

    RequestSeries& series_of(const RequestSample& sample);
    RequestSeries find_series(const LabelViews<7>& labels);
    ModelSeries make_model(const LabelViews<4>& labels);

    std::uint64_t owner = next_owner();
    Families families;
    ProcessMetrics process;

    prometheus::Family<Histogram>& duration_family;
    prometheus::Family<Histogram>& token_family;
    prometheus::Family<Histogram>& first_token_family;
    prometheus::Family<Histogram>& output_token_family;
    Gauge& in_flight;
    Gauge& client_connections;
    Counter& client_gone;
    Counter& reuse_races;
    prometheus::Family<Counter>& bytes_family;
    Counter& bytes_in;
    Counter& bytes_out;

    LabelTable<5, Histogram*> durations;
    LabelTable<4, ModelSeries> models;
    LabelTable<2, Counter*> requests;
    LabelTable<2, Counter*> attempts;
    LabelTable<2, Gauge*> connections;
    LabelTable<1, Counter*> refused;
    DispatchSeries dispatch;
    TranslationSeries translation;
};

Metrics::State::State(MetricsLimits limits)
    : duration_family(families.histogram("gen_ai_server_request_duration_seconds",
                                         "Time from a request's head to the end of its reply.")),
      token_family(families.histogram("gen_ai_client_token_usage_token",
                                      "Tokens of a request, as the upstream counted them.")),
      first_token_family(families.histogram("gen_ai_server_time_to_first_token_seconds",
                                            "Time to the first content of a streamed reply.")),
      output_token_family(families.histogram("gen_ai_server_time_per_output_token_seconds",
                                             "Time for each token after the first.")),
      in_flight(families.gauge("sluice_requests_in_flight", "Requests being served.").Add({})),
      client_connections(
          families.gauge("sluice_client_connections", "Open connections of clients.").Add({})),
      client_gone(families
                      .counter("sluice_client_gone_total",
                               "Clients that left before the end of their reply.")
                      .Add({})),
      reuse_races(families
                      .counter("sluice_upstream_reuse_races_total",
                               "Kept-alive connections found closed when they were used again.")
                      .Add({})),
      bytes_family(families.counter("sluice_request_bytes_total",
                                    "Bytes of requests and replies, heads included.")),
      bytes_in(bytes_family.Add({{"direction", "in"}})),
      bytes_out(bytes_family.Add({{"direction", "out"}})),
      durations(limits.duration_sets, {false, false, true, true, false},
                [this](const LabelViews<5>& labels) {
                    return &duration_family.Add(labelled(kDurationLabels, labels),
                                                duration_buckets());
                }),
      models(limits.model_sets, {false, false, true, true},
             [this](const LabelViews<4>& labels) { return make_model(labels); }),
      requests(table<2>(families.counter("sluice_requests_total", "Finished requests."),
                        limits.other_sets, {"route", "status"}, {true, false})),
      attempts(table<2>(
          families.counter("sluice_upstream_attempts_total", "Ended attempts at upstreams."),
          limits.other_sets, {"upstream", "outcome"}, {false, true})),
      connections(
          table<2>(families.gauge("sluice_upstream_connections", "Open connections to upstreams."),
                   limits.other_sets, {"upstream", "state"}, {true, false})),
      refused(table<1>(families.counter("sluice_http_refused_total",
                                        "Requests refused as HTTP, before any route."),
                       limits.other_sets, {"reason"}, {true})),
      dispatch(families, limits.dispatch_sets),
      translation(families) {
    families.gauge("sluice_build_info", "Always 1; the version is a label.")
        .Add({{"version", SLUICE_VERSION}})
        .Set(1);
    families.gauge("sluice_start_time_seconds", "When serving began, Unix time.")
        .Add({})
        .Set(seconds(std::chrono::system_clock::now().time_since_epoch()));
}

ModelSeries Metrics::State::make_model(const LabelViews<4>& labels) {
    const prometheus::Labels plain = labelled(kModelLabels, labels);
    prometheus::Labels input = plain;
    input.emplace("gen_ai_token_type", "input");
    prometheus::Labels output = plain;
    output.emplace("gen_ai_token_type", "output");
    return {.input_tokens = &token_family.Add(input, token_buckets()),
            .output_tokens = &token_family.Add(output, token_buckets()),
            .first_token = &first_token_family.Add(plain, first_token_buckets()),
            .per_output_token = &output_token_family.Add(plain, output_token_buckets())};
}

RequestSeries Metrics::State::find_series(const LabelViews<7>& labels) {
    const auto& [operation, provider, asked, answered, error, route, status] = labels;
    const bool generates = !operation.empty();
    return {.duration =
                generates ? durations.get({operation, provider, asked, answered, error}) : nullptr,
            .requests = requests.get({route, status}),
            .model = nullptr};
}

RequestSeries& Metrics::State::series_of(const RequestSample& sample) {
    thread_local SeriesCache cache;
    if (cache.owner != owner || cache.entries.size() > kCacheEntries) {
        cache.entries.clear();
        cache.owner = owner;
    }
    std::array<char, 12> digits{};
    const auto end = std::to_chars(digits.begin(), digits.end(), sample.status).ptr;
    const LabelViews<7> labels = {
        clipped(sample.operation),
        clipped(sample.provider),
        sample.request_model.empty() ? kOther : clipped(sample.request_model),
        clipped(sample.response_model),
        clipped(sample.error_type),
        clipped(sample.route),
        std::string_view(digits.begin(), end)};
    auto found = cache.entries.find(labels);
    if (found == cache.entries.end()) {
        found = cache.entries.emplace(owned(labels), find_series(labels)).first;
    }
    RequestSeries& series = found->second;
    const bool counted = sample.input_tokens || sample.output_tokens || sample.first_token;
    if (counted && series.duration != nullptr && series.model == nullptr) {
        series.model = &models.get({labels[0], labels[1], labels[2], labels[3]});
    }
    return series;
}

Metrics::Metrics(MetricsLimits limits) : state_(std::make_unique<State>(limits)) {}
Metrics::~Metrics() = default;

void Metrics::request_started() noexcept {
    state_->in_flight.Increment();
}

void Metrics::request_finished(const RequestSample& sample) {
    const RequestSeries& series = state_->series_of(sample);
    state_->in_flight.Decrement();
    state_->bytes_in.Increment(static_cast<double>(sample.bytes_in));
    state_->bytes_out.Increment(static_cast<double>(sample.bytes_out));
    series.requests->Increment();
    if (series.duration == nullptr) return;
    series.duration->Observe(seconds(sample.total));
    if (sample.input_tokens) {
        series.model->input_tokens->Observe(static_cast<double>(*sample.input_tokens));
    }
    if (sample.output_tokens) {
        series.model->output_tokens->Observe(static_cast<double>(*sample.output_tokens));
    }
    if (!sample.first_token) return;
    series.model->first_token->Observe(seconds(*sample.first_token));
    if (sample.output_tokens && *sample.output_tokens > 1) {
        const auto later = static_cast<double>(*sample.output_tokens - 1);
        const auto rest = std::max(sample.total - *sample.first_token, std::chrono::nanoseconds(0));
        series.model->per_output_token->Observe(seconds(rest) / later);
    }
}

void Metrics::attempt(std::string_view upstream, std::string_view outcome) {
    state_->attempts.get({clipped(upstream), clipped(outcome)})->Increment();
}

void Metrics::upstream_connections(std::string_view upstream, std::string_view state, int change) {
    state_->connections.get({clipped(upstream), clipped(state)})->Increment(change);
}

void Metrics::upstream_reuse_race() noexcept {
    state_->reuse_races.Increment();
}

void Metrics::client_connections(int change) noexcept {
    state_->client_connections.Increment(change);
}

void Metrics::client_gone() noexcept {
    state_->client_gone.Increment();
}

void Metrics::http_refused(std::string_view reason) {
    state_->refused.get({clipped(reason)})->Increment();
}

void Metrics::retry(std::string_view upstream, std::string_view reason) {
    count(state_->dispatch.retries, upstream, reason);
}

void Metrics::fallback(std::string_view upstream, std::string_view reason) {
    count(state_->dispatch.fallbacks, upstream, reason);
}

void Metrics::breaker(std::string_view upstream, std::string_view state, int number) {
    count(state_->dispatch.breaker_changes, upstream, state);
    breaker_state(upstream, number);
}

void Metrics::breaker_state(std::string_view upstream, int number) {
    state_->dispatch.breaker_state.get({clipped(upstream)})->Set(number);
}

void Metrics::in_flight(std::string_view upstream, std::size_t active, std::size_t waiting,
                        std::size_t limit) {
    const LabelViews<1> labels = {clipped(upstream)};
    state_->dispatch.in_flight.get(labels)->Set(static_cast<double>(active));
    state_->dispatch.waiting.get(labels)->Set(static_cast<double>(waiting));
    state_->dispatch.concurrency_limit.get(labels)->Set(static_cast<double>(limit));
}

void Metrics::queue_refused(std::string_view upstream, std::string_view reason) {
    count(state_->dispatch.queue_refused, upstream, reason);
}

void Metrics::budget_exhausted(std::string_view upstream) {
    state_->dispatch.budget_exhausted.get({clipped(upstream)})->Increment();
}

void Metrics::hedge(std::string_view route, std::string_view result) {
    count(state_->dispatch.hedges, route, result);
}

void Metrics::split(std::string_view route, std::string_view variant) {
    count(state_->dispatch.splits, route, variant);
}

void Metrics::dropped_field(std::string_view upstream, std::string_view field) {
    count(state_->dispatch.dropped_fields, upstream, field);
}

void Metrics::keepalive_comment() noexcept {
    state_->dispatch.keepalive_comments.Increment();
}

void Metrics::translation_change(std::string_view rule) {
    state_->translation.changes.get({clipped(rule)})->Increment();
}

void Metrics::reasoning_replayed(std::size_t found, std::size_t missing) noexcept {
    auto& counters = state_->translation.reasoning;
    if (found > 0) counters.get({"found"})->Increment(static_cast<double>(found));
    if (missing > 0) counters.get({"missing"})->Increment(static_cast<double>(missing));
}

void Metrics::token_estimate(std::uint64_t estimated, std::uint64_t reported) {
    if (reported == 0) return;
    state_->translation.estimate_ratio.Observe(static_cast<double>(estimated) /
                                               static_cast<double>(reported));
}

void Metrics::state_writer(std::size_t queued, std::uint64_t lost) noexcept {
    state_->translation.state_queued.Set(static_cast<double>(queued));
    state_->translation.state_lost.Set(static_cast<double>(lost));
}

std::string Metrics::text() const {
    auto families = state_->families.registry.Collect();
    std::ranges::move(state_->process.Collect(), std::back_inserter(families));
    prometheus::ClientMetric dropped;
    dropped.counter.value = static_cast<double>(log_dropped());
    families.push_back({.name = kLogDropped,
                        .help = "Log records lost to a full queue or a dead descriptor.",
                        .type = prometheus::MetricType::Counter,
                        .metric = {dropped}});
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families);
    return std::move(out).str();
}

std::vector<std::string> Metrics::family_names() const {
    std::vector<std::string> names = state_->families.names;
    for (const auto& family : state_->process.Collect()) names.push_back(family.name);
    names.emplace_back(kLogDropped);
    std::ranges::sort(names);
    return names;
}

}  // namespace sluice::observe
