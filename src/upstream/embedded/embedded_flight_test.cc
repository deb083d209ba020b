#include "upstream/embedded/embedded_flight.h"

#include "dialect/openai_chat/stream_filter.h"
#include "upstream/embedded/faults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

namespace sluice::upstream::embedded {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

config::Upstream settings() {
    config::Upstream upstream;
    upstream.kind = config::UpstreamKind::embedded;
    upstream.embedded.faults = true;
    upstream.timeouts.first_byte = 60ms;
    upstream.timeouts.idle = 60ms;
    return upstream;
}

/// What became of one flight.
struct Landing {
    Result<void> opened = fail(Errc::internal, "did not open");
    ReplyInfo reply;
    std::string body;
    std::size_t pieces = 0;
    std::size_t largest = 0;
    Result<void> ended;
};

/// Flies in a worker of its own until the end.
class Journey {
public:
    explicit Journey(const config::Upstream& upstream) : flight(worker, upstream) {}

    Landing fly(std::string_view model, std::string_view body, bool stream) {
        worker.spawn(run(model, body, stream));
        worker.run();
        return landing;
    }

    net::Worker worker{0};
    EmbeddedFlight flight;
    Landing landing;
    std::size_t cancel_after_pieces = SIZE_MAX;
    std::size_t stop_after_bytes = SIZE_MAX;

private:
    net::Task<> run(std::string_view model, std::string_view body, bool stream) {
        Ask ask;
        ask.path = body.empty() ? "/models" : "/chat/completions";
        const std::array<std::string_view, 2> pieces{body.substr(0, body.size() / 2),
                                                     body.substr(body.size() / 2)};
        if (!body.empty()) ask.body = pieces;
        ask.model = model;
        ask.stream = stream;
        landing.opened = co_await flight.open(ask);
        landing.reply = flight.reply();
        while (landing.opened) {
            const auto piece = co_await flight.next();
            if (!piece) {
                landing.ended = std::unexpected(piece.error());
                break;
            }
            if (piece->empty()) break;
            landing.body += *piece;
            landing.largest = std::max(landing.largest, piece->size());
            if (++landing.pieces == cancel_after_pieces) flight.cancel();
            if (landing.body.size() > stop_after_bytes) break;
        }
        worker.io().stop();
    }
};

std::string request_for(std::string_view model, bool stream, std::string_view members = "") {
    return R"({"model":")" + std::string(model) +
           R"(","messages":[{"role":"user","content":"Hello"}],"stream":)" +
           (stream ? "true" : "false") + std::string(members) + "}";
}

Landing fly(std::string_view model, bool stream, std::string_view members = "") {
    Journey journey(settings());
    journey.stop_after_bytes = 512UL * 1024;
    return journey.fly(model, request_for(model, stream, members), stream);
}

TEST(EmbeddedFlight, AWholeReplyComesInOnePiece) {
    const Landing landing = fly("echo", false);

    ASSERT_TRUE(landing.opened);
    EXPECT_EQ(landing.reply.status, 200);
    EXPECT_EQ(landing.reply.content_type, "application/json");
    EXPECT_EQ(landing.pieces, 1U);
    EXPECT_THAT(landing.body, HasSubstr("You said: Hello"));
}

TEST(EmbeddedFlight, AStreamWithoutAPaceComesInBoundedBatches) {
    const Landing landing = fly("lorem", true, R"(,"max_tokens":2000)");

    EXPECT_TRUE(landing.reply.is_event_stream());
    EXPECT_THAT(landing.body, ::testing::EndsWith("data: [DONE]\n\n"));
    EXPECT_GT(landing.pieces, 10U);
    EXPECT_LT(landing.largest, EmbeddedFlight::kBatchBytes + 1024);
}

TEST(EmbeddedFlight, AStreamWithoutAPaceLetsOthersIn) {
    Journey journey(settings());
    std::size_t seen = 0;
    const std::string body = request_for("lorem", true, R"(,"max_tokens":20000)");
    journey.worker.post([&] {
        journey.worker.post([&] { journey.worker.post([&] { seen = journey.landing.pieces; }); });
    });
    journey.fly("lorem", body, true);

    EXPECT_LT(seen, journey.landing.pieces / 2);
}

TEST(EmbeddedFlight, APacedStreamTakesItsTime) {
    const auto begin = net::Clock::now();
    const Landing landing = fly("lorem", true, R"(,"max_tokens":5,"sluice_tokens_per_second":50)");
    const auto took = net::Clock::now() - begin;

    EXPECT_GE(took, 100ms);
    EXPECT_LT(took, 1s);
    EXPECT_GE(landing.pieces, 4U);
}

TEST(EmbeddedFlight, CancelEndsTheFlight) {
    Journey journey(settings());
    journey.cancel_after_pieces = 1;
    const auto begin = net::Clock::now();
    const std::string body = request_for("lorem", true, R"(,"sluice_tokens_per_second":0.01)");
    const Landing landing = journey.fly("lorem", body, true);

    ASSERT_FALSE(landing.ended);
    EXPECT_EQ(landing.ended.error().code, Errc::cancelled);
    EXPECT_LT(net::Clock::now() - begin, 1s);
}

TEST(EmbeddedFlight, CancelEndsAWaitUnderWay) {
    Journey journey(settings());
    const std::string body = request_for("lorem", true, R"(,"sluice_tokens_per_second":0.01)");
    const auto cancel_soon = [&]() -> net::Task<> {
        co_await journey.worker.sleep(50ms);
        journey.flight.cancel();
    };
    journey.worker.spawn(cancel_soon());
    const Landing landing = journey.fly("lorem", body, true);

    ASSERT_FALSE(landing.ended);
    EXPECT_EQ(landing.ended.error().code, Errc::cancelled);
}

TEST(EmbeddedFlight, ModelsAreListed) {
    Journey journey(settings());
    const Landing landing = journey.fly("", "", false);

    EXPECT_THAT(landing.body, HasSubstr(R"("id":"lorem")"));
}

TEST(EmbeddedFlight, FaultsAreNotFoundUnlessEnabled) {
    config::Upstream upstream = settings();
    upstream.embedded.faults = false;
    Journey journey(upstream);
    const Landing landing =
        journey.fly("fault-reset-mid-stream", request_for("fault-reset-mid-stream", true), true);

    EXPECT_EQ(landing.reply.status, 404);
    EXPECT_THAT(landing.body, HasSubstr("model_not_found"));
}

/// Every fault ends, and none but those that are right answers passes for one.
TEST(EmbeddedFlight, EveryFaultIsSeenForWhatItIs) {
    for (const Fault& fault : faults()) {
        for (const bool stream : {false, true}) {
            SCOPED_TRACE(std::string(fault.name) + (stream ? " streamed" : " whole"));
            const Landing landing = fly(fault.name, stream);
            if (!landing.opened) {
                EXPECT_NE(landing.opened.error().code, Errc::internal);
            }
        }
    }
}

Errc code_of(const Result<void>& result) {
    return result ? Errc::internal : result.error().code;
}

TEST(EmbeddedFlight, FaultsOfTheConnectionBecomeTheirErrors) {
    EXPECT_EQ(code_of(fly("fault-close-before-head", true).opened), Errc::upstream_unreachable);
    EXPECT_EQ(code_of(fly("fault-reset-mid-head", true).opened), Errc::upstream_unreachable);
    EXPECT_EQ(code_of(fly("fault-hang-before-head", true).opened), Errc::upstream_timeout);
    EXPECT_EQ(code_of(fly("fault-slow-head", true).opened), Errc::upstream_timeout);
    EXPECT_EQ(code_of(fly("fault-endless-headers", true).opened), Errc::upstream_protocol);
    EXPECT_EQ(code_of(fly("fault-not-http", true).opened), Errc::upstream_protocol);
    EXPECT_EQ(code_of(fly("fault-gzip", true).opened), Errc::upstream_invalid_response);
    EXPECT_EQ(code_of(fly("fault-reset-mid-stream", true).ended), Errc::upstream_truncated);
    EXPECT_EQ(code_of(fly("fault-close-mid-chunk", true).ended), Errc::upstream_truncated);
    EXPECT_EQ(code_of(fly("fault-half-close", true).ended), Errc::upstream_truncated);
    EXPECT_EQ(code_of(fly("fault-hang-mid-stream", true).ended), Errc::upstream_timeout);
    EXPECT_EQ(code_of(fly("fault-short-content-length", false).ended), Errc::upstream_truncated);
    EXPECT_EQ(code_of(fly("fault-chunk-size-overflow", true).ended), Errc::upstream_protocol);
}

TEST(EmbeddedFlight, FaultsThatAreRightAnswersArriveWhole) {
    for (const std::string_view model : {"fault-split-utf8", "fault-set-cookie", "fault-close-idle",
                                         "fault-early-response", "fault-long-content-length"}) {
        SCOPED_TRACE(model);
        const Landing landing = fly(model, true);
        EXPECT_TRUE(landing.ended);
        EXPECT_THAT(landing.body, ::testing::EndsWith("data: [DONE]\n\n"));
    }
}

}  // namespace
}  // namespace sluice::upstream::embedded
