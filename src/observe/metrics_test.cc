#include "observe/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <thread>

namespace sluice::observe {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

RequestSample streamed() {
    return {.operation = "chat",
            .provider = "openai",
            .request_model = "gpt-4o",
            .response_model = "gpt-4o-2024-08-06",
            .error_type = {},
            .route = "gpt-*",
            .status = 200,
            .bytes_in = 100,
            .bytes_out = 5000,
            .input_tokens = 300,
            .output_tokens = 101,
            .first_token = 500ms,
            .total = 5500ms};
}

void finish(Metrics& metrics, const RequestSample& sample) {
    metrics.request_started();
    metrics.request_finished(sample);
}

/// One of everything that is counted of dispatch.
void dispatch(Metrics& metrics, const std::string& name) {
    metrics.retry(name, name);
    metrics.fallback(name, name);
    metrics.breaker(name, name, 2);
    metrics.in_flight(name, 3, 2, 4);
    metrics.queue_refused(name, name);
    metrics.budget_exhausted(name);
    metrics.hedge(name, name);
    metrics.split(name, name);
    metrics.dropped_field(name, name);
    metrics.keepalive_comment();
}

std::vector<std::string> samples_of(const std::string& text) {
    std::vector<std::string> samples;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        if (!line.starts_with('#')) samples.push_back(line);
    }
    return samples;
}

/// By `name{labels}`.
std::map<std::string, double> values_of(const std::string& text) {
    std::map<std::string, double> values;
    for (const std::string& sample : samples_of(text)) {
        const auto blank = sample.rfind(' ');
        values[sample.substr(0, blank)] = std::strtod(sample.c_str() + blank, nullptr);
    }
    return values;
}

TEST(MetricsTest, EveryLineOfTheTextIsValid) {
    Metrics metrics;
    RequestSample hostile = streamed();
    hostile.request_model = "a\"b\\c\nd\x1b\xff{}, #";
    finish(metrics, hostile);
    finish(metrics, streamed());
    metrics.attempt("openai\n", "ok");
    const std::string text = metrics.text();
    static const std::regex comment(R"(# (HELP|TYPE) [a-zA-Z_:][a-zA-Z0-9_:]* .+)");
    static const std::regex sample(
        R"re([a-zA-Z_:]\w*(\{[a-zA-Z_]\w*="([^"\\]|\\["\\n])*"(,[a-zA-Z_]\w*="([^"\\]|\\["\\n])*")*\})? (-?[0-9.e+-]+|\+Inf|NaN))re");
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        EXPECT_TRUE(std::regex_match(line, line.starts_with('#') ? comment : sample)) << line;
    }
    EXPECT_TRUE(text.ends_with('\n'));
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_THAT(text, Not(HasSubstr("\xff")));
}

TEST(MetricsTest, AFinishedRequestIsCountedEverywhere) {
    Metrics metrics;
    finish(metrics, streamed());
    metrics.request_started();
    const auto values = values_of(metrics.text());
    const std::string models =
        R"(gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt-4o",)"
        R"(gen_ai_response_model="gpt-4o-2024-08-06")";
    EXPECT_EQ(values.at("sluice_requests_in_flight"), 1);
    EXPECT_EQ(values.at(R"(sluice_requests_total{route="gpt-*",status="200"})"), 1);
    EXPECT_EQ(values.at(R"(sluice_request_bytes_total{direction="in"})"), 100);
    EXPECT_EQ(values.at(R"(sluice_request_bytes_total{direction="out"})"), 5000);
    EXPECT_EQ(values.at("gen_ai_server_request_duration_seconds_sum{" + models + "}"), 5.5);
    EXPECT_EQ(values.at("gen_ai_server_time_to_first_token_seconds_sum{" + models + "}"), 0.5);
    EXPECT_EQ(values.at("gen_ai_server_time_per_output_token_seconds_sum{" + models + "}"), 0.05);
    EXPECT_EQ(values.at("gen_ai_client_token_usage_token_sum{" + models +
                        R"(,gen_ai_token_type="input"})"),
              300);
    EXPECT_EQ(values.at("gen_ai_client_token_usage_token_bucket{" + models +
                        R"(,gen_ai_token_type="output",le="256"})"),
              1);
}

TEST(MetricsTest, AFailedRequestHasItsErrorAndNoTokens) {
    Metrics metrics;
    RequestSample failed;
    failed.operation = "chat";
    failed.error_type = "model_not_found";
    failed.status = 404;
    finish(metrics, failed);
    const std::string text = metrics.text();
    EXPECT_THAT(text, HasSubstr(R"(gen_ai_server_request_duration_seconds_count{)"
                                R"(error_type="model_not_found",gen_ai_operation_name="chat",)"
                                R"(gen_ai_request_model="_other"} 1)"));
    EXPECT_THAT(text, Not(HasSubstr("gen_ai_client_token_usage")));
}

TEST(MetricsTest, EachOperationHasItsOwnSeries) {
    Metrics metrics;
    for (const std::string_view operation : {"embeddings", "text_completion"}) {
        RequestSample sample = streamed();
        sample.operation = operation;
        sample.first_token.reset();
        sample.output_tokens.reset();
        finish(metrics, sample);
        const auto values = values_of(metrics.text());
        const std::string labels =
            R"({gen_ai_operation_name=")" + std::string(operation) +
            R"(",gen_ai_provider_name="openai",gen_ai_request_model="gpt-4o",)"
            R"(gen_ai_response_model="gpt-4o-2024-08-06")";
        EXPECT_EQ(values.at("gen_ai_server_request_duration_seconds_count" + labels + "}"), 1);
        EXPECT_EQ(values.at("gen_ai_client_token_usage_token_sum" + labels +
                            R"(,gen_ai_token_type="input"})"),
                  300);
    }
}

TEST(MetricsTest, ARequestThatAsksNoModelIsCountedButNotAmongTheModels) {
    Metrics metrics;
    RequestSample sample = streamed();
    sample.operation = {};
    sample.route = {};
    finish(metrics, sample);
    finish(metrics, sample);
    const std::string text = metrics.text();
    EXPECT_THAT(text, Not(HasSubstr("gen_ai_")));
    const auto values = values_of(text);
    EXPECT_EQ(values.at(R"(sluice_requests_total{status="200"})"), 2);
    EXPECT_EQ(values.at(R"(sluice_request_bytes_total{direction="in"})"), 200);
    EXPECT_EQ(values.at("sluice_requests_in_flight"), 0);
}

TEST(MetricsTest, DispatchIsCountedByWhereAndWhy) {
    Metrics metrics;
    metrics.retry("a", "429");
    metrics.retry("a", "429");
    metrics.fallback("a", "upstream_timeout");
    metrics.queue_refused("a", "too_late");
    metrics.budget_exhausted("a");
    metrics.hedge("gpt-*", "won");
    metrics.split("gpt-*", "b");
    metrics.dropped_field("a", "logit_bias");
    metrics.keepalive_comment();
    const auto values = values_of(metrics.text());
    EXPECT_EQ(values.at(R"(sluice_upstream_retries_total{reason="429",upstream="a"})"), 2);
    EXPECT_EQ(
        values.at(R"(sluice_upstream_fallbacks_total{reason="upstream_timeout",upstream="a"})"), 1);
    EXPECT_EQ(values.at(R"(sluice_upstream_queue_refused_total{reason="too_late",upstream="a"})"),
              1);
    EXPECT_EQ(values.at(R"(sluice_retry_budget_exhausted_total{upstream="a"})"), 1);
    EXPECT_EQ(values.at(R"(sluice_hedges_total{result="won",route="gpt-*"})"), 1);
    EXPECT_EQ(values.at(R"(sluice_split_requests_total{route="gpt-*",variant="b"})"), 1);
    EXPECT_EQ(values.at(R"(sluice_dropped_fields_total{field="logit_bias",upstream="a"})"), 1);
    EXPECT_EQ(values.at("sluice_keepalive_comments_total"), 1);
}

TEST(MetricsTest, GaugesOfAnUpstreamShowWhatWasSetLast) {
    Metrics metrics;
    metrics.breaker_state("a", 0);
    metrics.breaker("a", "open", 2);
    metrics.breaker("a", "half_open", 1);
    metrics.in_flight("a", 9, 8, 7);
    metrics.in_flight("a", 3, 2, 0);
    const auto values = values_of(metrics.text());
    EXPECT_EQ(values.at(R"(sluice_upstream_breaker_state{upstream="a"})"), 1);
    EXPECT_EQ(values.at(R"(sluice_upstream_breaker_changes_total{state="open",upstream="a"})"), 1);
    EXPECT_FALSE(
        values.contains(R"(sluice_upstream_breaker_changes_total{state="closed",upstream="a"})"));
    EXPECT_EQ(values.at(R"(sluice_upstream_in_flight{upstream="a"})"), 3);
    EXPECT_EQ(values.at(R"(sluice_upstream_waiting{upstream="a"})"), 2);
    EXPECT_EQ(values.at(R"(sluice_upstream_concurrency_limit{upstream="a"})"), 0);
}

TEST(MetricsTest, GaugesGoUpAndDown) {
    Metrics metrics;
    metrics.client_connections(3);
    metrics.client_connections(-1);
    metrics.upstream_connections("openai", "idle", 2);
    metrics.upstream_connections("openai", "idle", -1);
    metrics.upstream_connections("openai", "active", 1);
    const auto values = values_of(metrics.text());
    EXPECT_EQ(values.at("sluice_client_connections"), 2);
    EXPECT_EQ(values.at(R"(sluice_upstream_connections{state="idle",upstream="openai"})"), 1);
    EXPECT_EQ(values.at(R"(sluice_upstream_connections{state="active",upstream="openai"})"), 1);
}

TEST(MetricsTest, TheProcessIsDescribed) {
    const auto values = values_of(Metrics().text());
    EXPECT_GT(values.at("process_resident_memory_bytes"), 1e6);
    EXPECT_GT(values.at("process_virtual_memory_bytes"), 1e6);
    EXPECT_GE(values.at("process_cpu_seconds_total"), 0);
    EXPECT_GE(values.at("process_open_fds"), 3);
    EXPECT_GE(values.at("process_max_fds"), values.at("process_open_fds"));
    EXPECT_NEAR(values.at("process_start_time_seconds"), values.at("sluice_start_time_seconds"),
                86400);
    EXPECT_GE(values.at("sluice_start_time_seconds"), 1.6e9);
    EXPECT_EQ(values.at("sluice_build_info{version=\"" SLUICE_VERSION "\"}"), 1);
}

TEST(MetricsTest, RandomNamesStayUnderTheBoundAndLoseNoCount) {
    Metrics metrics;
    constexpr int kRequests = 3000;
    for (int i = 0; i < kRequests; ++i) {
        const std::string name = "random-" + std::to_string(i) + std::string(300, 'x');
        RequestSample sample = streamed();
        sample.request_model = name;
        sample.response_model = name;
        sample.error_type = i % 2 == 0 ? "" : "upstream_timeout";
        sample.route = name;
        finish(metrics, sample);
        metrics.attempt(name, name);
        metrics.upstream_connections(name, name, 1);
        metrics.http_refused(name);
        dispatch(metrics, name);
    }
    const std::string text = metrics.text();
    EXPECT_LT(samples_of(text).size(), 10'000);
    double requests = 0;
    double durations = 0;
    double refused = 0;
    double retries = 0;
    for (const auto& [name, value] : values_of(text)) {
        EXPECT_LT(name.size(), 800);
        if (name.starts_with("sluice_requests_total{")) requests += value;
        if (name.starts_with("sluice_http_refused_total{")) refused += value;
        if (name.starts_with("sluice_upstream_retries_total{")) retries += value;
        if (name.starts_with("gen_ai_server_request_duration_seconds_count{")) durations += value;
    }
    EXPECT_EQ(requests, kRequests);
    EXPECT_EQ(durations, kRequests);
    EXPECT_EQ(refused, kRequests);
    EXPECT_EQ(retries, kRequests);
    EXPECT_THAT(text, HasSubstr(R"(error_type="upstream_timeout",gen_ai_operation_name="chat",)"
                                R"(gen_ai_provider_name="openai",gen_ai_request_model="_other")"));
}

TEST(MetricsTest, ThreadsCountTogetherWhileTheTextIsRead) {
    Metrics metrics;
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&metrics, t] {
            const std::string model = "model-" + std::to_string(t % 2);
            RequestSample sample = streamed();
            sample.request_model = model;
            for (int i = 0; i < 1000; ++i) {
                finish(metrics, sample);
                metrics.attempt("openai", "ok");
                dispatch(metrics, "openai");
                metrics.client_connections(i % 2 == 0 ? 1 : -1);
            }
        });
    }
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(metrics.text().empty());
    for (std::thread& thread : threads) thread.join();
    const auto values = values_of(metrics.text());
    EXPECT_EQ(values.at(R"(sluice_requests_total{route="gpt-*",status="200"})"), 4000);
    EXPECT_EQ(values.at(R"(sluice_upstream_attempts_total{outcome="ok",upstream="openai"})"), 4000);
    EXPECT_EQ(values.at("sluice_requests_in_flight"), 0);
    EXPECT_EQ(values.at("sluice_client_connections"), 0);
    EXPECT_EQ(values.at("sluice_keepalive_comments_total"), 4000);
}

TEST(MetricsTest, OneThreadMayServeSeveralMetricsInTurn) {
    for (int i = 0; i < 3; ++i) {
        Metrics metrics;
        finish(metrics, streamed());
        const auto values = values_of(metrics.text());
        EXPECT_EQ(values.at(R"(sluice_requests_total{route="gpt-*",status="200"})"), 1);
    }
}

/// Every family named at the start of a row of the tables in docs/metrics.md: "| `name` | ...".
std::set<std::string> documented() {
    const char* const folder = std::getenv("SLUICE_SOURCE_DIR");
    std::ifstream file(std::string(folder == nullptr ? "." : folder) + "/docs/metrics.md");
    std::set<std::string> names;
    static const std::regex row(R"(^\| `([a-z_]+)` \|.*)");
    for (std::string line; std::getline(file, line);) {
        if (std::smatch match; std::regex_match(line, match, row)) names.insert(match[1]);
    }
    return names;
}

TEST(MetricsTest, DocumentationAndRegistryNameTheSameFamilies) {
    const auto names = Metrics().family_names();
    EXPECT_EQ(documented(), std::set<std::string>(names.begin(), names.end()));
}

TEST(MetricsTest, TranslationsAreCounted) {
    Metrics metrics;
    metrics.translation_change("drop.document");
    metrics.translation_change("drop.document");
    metrics.reasoning_replayed(3, 2);
    metrics.token_estimate(90, 100);
    metrics.token_estimate(90, 0);
    metrics.state_writer(7, 1);
    const std::string text = metrics.text();
    EXPECT_TRUE(text.contains("sluice_translation_changes_total{rule=\"drop.document\"} 2"))
        << text;
    EXPECT_TRUE(text.contains("sluice_reasoning_replayed_total{result=\"found\"} 3"));
    EXPECT_TRUE(text.contains("sluice_reasoning_replayed_total{result=\"missing\"} 2"));
    EXPECT_TRUE(text.contains("sluice_token_estimate_ratio_bucket{le=\"0.9\"} 1"));
    EXPECT_TRUE(text.contains("sluice_token_estimate_ratio_count 1"));
    EXPECT_TRUE(text.contains("sluice_state_queued 7"));
    EXPECT_TRUE(text.contains("sluice_state_lost 1"));
}

TEST(MetricsTest, TheTextShowsNoFamilyThatIsNotNamed) {
    Metrics metrics;
    finish(metrics, streamed());
    metrics.attempt("openai", "ok");
    metrics.upstream_connections("openai", "idle", 1);
    metrics.http_refused("bad_request");
    dispatch(metrics, "x");
    metrics.translation_change("drop.document");
    metrics.reasoning_replayed(1, 1);
    metrics.token_estimate(90, 100);
    const auto names = metrics.family_names();
    std::vector<std::string> shown;
    std::istringstream in(metrics.text());
    for (std::string line; std::getline(in, line);) {
        if (!line.starts_with("# TYPE ")) continue;
        shown.push_back(line.substr(7, line.find(' ', 7) - 7));
    }
    std::ranges::sort(shown);
    EXPECT_EQ(shown, names);
}

}  // namespace
}  // namespace sluice::observe
