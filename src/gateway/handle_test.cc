#include "gateway/handle.h"

#include "gateway/test_gateway.h"

#include <gtest/gtest.h>

#include <chrono>

namespace sluice::gateway {
namespace {

using namespace std::chrono_literals;
using testing::chat_request;
using testing::TestGateway;
using testing::TestTransaction;

constexpr const char* kPath = "/v1/chat/completions";

/// Faults are open, and nothing waits for long.
config::Config faulty_config() {
    auto config = testing::embedded_config();
    config::Upstream& upstream = config.upstreams.at("local");
    upstream.embedded.faults = true;
    upstream.timeouts.first_byte = 50ms;
    upstream.timeouts.idle = 50ms;
    return config;
}

TEST(HandleTest, AWholeReplyComesWithItsRequestId) {
    TestGateway gateway;
    TestTransaction transaction("POST", kPath, chat_request("echo", false));

    gateway.run(transaction);

    EXPECT_EQ(transaction.status, 200);
    EXPECT_TRUE(transaction.fields.contains("x-request-id: req_")) << transaction.fields;
    EXPECT_TRUE(transaction.reply.contains("\"finish_reason\":\"stop\"")) << transaction.reply;
}

TEST(HandleTest, AStreamEndsInDoneAndHidesTheUsageThatNobodyAskedFor) {
    TestGateway gateway;
    TestTransaction transaction("POST", kPath, chat_request("echo", true));

    gateway.run(transaction);

    EXPECT_EQ(transaction.status, 200);
    EXPECT_TRUE(transaction.finished);
    EXPECT_TRUE(transaction.reply.ends_with("data: [DONE]\n\n"));
    EXPECT_FALSE(transaction.reply.contains("\"prompt_tokens\"")) << transaction.reply;
    EXPECT_TRUE(gateway.shared.metrics.text().contains("gen_ai_client_token_usage_token_sum"))
        << "what is hidden from the client is counted all the same";
}

TEST(HandleTest, AnUnknownModelIsNotFoundWhereNoDefaultRouteTakesIt) {
    auto config = testing::embedded_config();
    config.default_route.targets.clear();
    config.routes.push_back({.model = "mine", .targets = {{.upstream = "local", .model = "echo"}}});
    TestGateway gateway(std::move(config));
    TestTransaction unknown("POST", kPath, chat_request("other", false));
    TestTransaction known("POST", kPath, chat_request("mine", false));

    gateway.run(unknown);
    gateway.run(known);

    EXPECT_EQ(unknown.status, 404);
    EXPECT_TRUE(unknown.reply.contains("model_not_found")) << unknown.reply;
    EXPECT_EQ(known.status, 200);
}

TEST(HandleTest, AStreamThatBreaksEndsInAnErrorEventAndNoEnd) {  // UP-3, UP-5
    TestGateway gateway(faulty_config());
    for (const std::string_view model : {"fault-close-mid-stream", "fault-reset-mid-stream",
                                         "fault-hang-mid-stream", "fault-no-done"}) {
        TestTransaction transaction("POST", kPath, chat_request(model, true));

        gateway.run(transaction);

        EXPECT_EQ(transaction.status, 200) << model;
        EXPECT_TRUE(transaction.aborted) << model;
        EXPECT_FALSE(transaction.finished) << model;
        EXPECT_TRUE(transaction.reply.contains("data: {\"error\":")) << model;
        EXPECT_FALSE(transaction.reply.contains("[DONE]")) << model;
    }
}

TEST(HandleTest, AFailureBeforeTheFirstContentIsAStatus) {
    TestGateway gateway(faulty_config());
    for (const bool stream : {false, true}) {
        TestTransaction closed("POST", kPath, chat_request("fault-close-before-head", stream));
        TestTransaction silent("POST", kPath, chat_request("fault-hang-before-head", stream));

        gateway.run(closed);
        gateway.run(silent);

        EXPECT_EQ(closed.status, 502) << closed.reply;
        EXPECT_EQ(silent.status, 504) << silent.reply;
    }
}

TEST(HandleTest, TheNextTargetAnswersWhereTheFirstCannot) {
    auto config = faulty_config();
    config.default_route.targets = {
        {.upstream = "local", .model = "fault-reset-before-head", .tier = 0},
        {.upstream = "local", .model = "echo", .tier = 1}};
    TestGateway gateway(std::move(config));
    TestTransaction transaction("POST", kPath, chat_request("any", true));

    gateway.run(transaction);

    EXPECT_EQ(transaction.status, 200);
    EXPECT_TRUE(transaction.finished);
}

TEST(HandleTest, AClientThatHangsUpEndsTheFlight) {
    auto config = testing::embedded_config();
    config.upstreams.at("local").embedded.tokens_per_second = 20;
    TestGateway gateway(std::move(config));
    TestTransaction transaction("POST", kPath, chat_request("lorem", true));
    transaction.on_write = [&] { transaction.hang_up(); };
    const auto start = net::Clock::now();

    gateway.run(transaction);

    EXPECT_LT(net::Clock::now() - start, 1500ms) << "the whole reply takes more than 3 s";
    EXPECT_FALSE(transaction.finished);
    EXPECT_TRUE(gateway.shared.metrics.text().contains("sluice_client_gone_total 1"));
}

TEST(HandleTest, AStreamThatAStopCutsEndsInAnErrorThatSaysSo) {  // DR-3
    auto config = testing::embedded_config();
    config.upstreams.at("local").embedded.tokens_per_second = 20;
    TestGateway gateway(std::move(config));
    TestTransaction transaction("POST", kPath, chat_request("lorem", true));
    bool stopped = false;
    transaction.on_write = [&] {
        if (!std::exchange(stopped, true)) transaction.stop_server();
    };

    gateway.run(transaction);

    EXPECT_TRUE(transaction.aborted);
    EXPECT_FALSE(transaction.finished);
    EXPECT_TRUE(transaction.reply.contains("the gateway is stopping")) << transaction.reply;
    EXPECT_FALSE(gateway.shared.metrics.text().contains("sluice_client_gone_total 1"));
}

TEST(HandleTest, AnExchangeKeepsTheSnapshotThatItBeganWith) {
    auto config = testing::embedded_config();
    config.upstreams.at("local").embedded.tokens_per_second = 200;
    TestGateway gateway(config);
    TestTransaction before("POST", kPath, chat_request("lorem", true));
    bool swapped = false;
    before.on_write = [&] {
        if (std::exchange(swapped, true)) return;
        auto next = testing::embedded_config();
        next.default_route.targets.clear();
        gateway.use(std::move(next));
    };

    gateway.run(before);
    TestTransaction after("POST", kPath, chat_request("lorem", true));
    gateway.run(after);

    EXPECT_TRUE(swapped);
    EXPECT_TRUE(before.finished);
    EXPECT_TRUE(before.reply.ends_with("data: [DONE]\n\n"));
    EXPECT_EQ(after.status, 404) << "the next one meets the new configuration";
}

TEST(HandleTest, ARequestThatIsNoneIsRefusedWithTheFieldAtFault) {
    TestGateway gateway;
    for (const auto& [body, field] :
         {std::pair{R"({"messages":[]})", R"("param":"model")"},
          std::pair{R"({"model":"a","model":"b","messages":[]})", R"("param":"model")"},
          std::pair{R"({"model":"a","messages":[)", R"("type":"invalid_request_error")"},
          std::pair{"", R"("type":"invalid_request_error")"}}) {
        TestTransaction transaction("POST", kPath, body);

        gateway.run(transaction);

        EXPECT_EQ(transaction.status, 400) << body;
        EXPECT_TRUE(transaction.reply.contains(field)) << transaction.reply;
    }
}

TEST(HandleTest, AnExceptionCostsOneRequestAndNotTheProcess) {
    TestGateway gateway;
    TestTransaction broken("POST", kPath, chat_request("echo", false));
    broken.throws = true;
    TestTransaction next("POST", kPath, chat_request("echo", false));

    gateway.run(broken);
    gateway.run(next);

    EXPECT_EQ(broken.status, 500);
    EXPECT_FALSE(broken.reply.contains("luck")) << "the reason is for the log";
    EXPECT_EQ(next.status, 200);
}

TEST(HandleTest, ACodedBodyIsRefused) {
    TestGateway gateway;
    TestTransaction transaction("POST", kPath, chat_request("echo", false));
    transaction.with("content-encoding", "gzip");

    gateway.run(transaction);

    EXPECT_EQ(transaction.status, 415);
}

TEST(HandleTest, ABrowserMayAskOnlyWhereItsOriginIsAllowed) {
    auto config = testing::embedded_config();
    config.cors.allow_origins.emplace_back("https://app.example");
    TestGateway gateway(std::move(config));
    TestTransaction allowed("OPTIONS", kPath);
    allowed.with("origin", "https://app.example");
    TestTransaction other("OPTIONS", kPath);
    other.with("origin", "https://evil.example");

    gateway.run(allowed);
    gateway.run(other);

    EXPECT_EQ(allowed.status, 204);
    EXPECT_TRUE(allowed.fields.contains("access-control-allow-origin: https://app.example\r\n"));
    EXPECT_EQ(other.status, 405);
    EXPECT_FALSE(other.fields.contains("access-control"));
}

TEST(HandleTest, HealthIsBadWhenNoUpstreamCanBeReached) {
    auto config = testing::embedded_config();
    config::Upstream& upstream = config.upstreams.at("local");
    upstream.kind = config::UpstreamKind::openai;
    upstream.base_url.host = "127.0.0.1";
    upstream.base_url.port = 1;
    upstream.base_url.path = "/v1";
    TestGateway gateway(std::move(config));
    TestTransaction transaction("GET", "/health");

    gateway.run(transaction);

    EXPECT_EQ(transaction.status, 503);
    EXPECT_TRUE(transaction.reply.contains("\"status\":\"unhealthy\"")) << transaction.reply;
    EXPECT_TRUE(transaction.reply.contains("\"target\":\"http://127.0.0.1:1/v1\""));
}

}  // namespace
}  // namespace sluice::gateway
