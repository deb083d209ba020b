#include "gateway/memory_watch.h"

#include "gateway/test_gateway.h"

#include <gtest/gtest.h>

namespace sluice::gateway {
namespace {

using testing::chat_request;
using testing::TestGateway;
using testing::TestTransaction;

constexpr std::size_t kMebibyte = 1024UL * 1024;

TEST(MemoryWatchTest, ConnectionsAreShedBeforeRequestsAreRefused) {  // OV-3
    constexpr std::size_t kBudget = 100 * kMebibyte;
    EXPECT_EQ(pressure_of(94 * kMebibyte, kBudget), Pressure::none);
    EXPECT_EQ(pressure_of(95 * kMebibyte, kBudget), Pressure::shed);
    EXPECT_EQ(pressure_of(98 * kMebibyte, kBudget), Pressure::refuse);
}

TEST(MemoryWatchTest, UnderPressureRequestsAreRefusedButHealthIsTold) {
    auto config = testing::embedded_config();
    config.limits.memory_bytes = 1024UL * 1024 * kMebibyte;
    TestGateway gateway(std::move(config));
    gateway.shared.pressure = Pressure::refuse;
    TestTransaction refused("POST", "/v1/chat/completions", chat_request("echo", false));
    TestTransaction page("GET", "/livez");

    gateway.begin(refused);
    gateway.begin(page);
    gateway.worker.io().run_for(std::chrono::milliseconds(50));  // the watch never ends by itself

    EXPECT_EQ(refused.status, 503);
    EXPECT_TRUE(refused.fields.contains("retry-after: 1\r\n")) << refused.fields;
    EXPECT_TRUE(refused.closes);
    EXPECT_EQ(page.status, 200);
}

TEST(MemoryWatchTest, ABudgetThatIsFarAwayChangesNothing) {
    auto config = testing::embedded_config();
    config.limits.memory_bytes = 1024UL * 1024 * kMebibyte;
    TestGateway gateway(std::move(config));
    TestTransaction transaction("POST", "/v1/chat/completions", chat_request("echo", false));

    gateway.begin(transaction);
    gateway.worker.io().run_for(std::chrono::milliseconds(300));

    EXPECT_EQ(transaction.status, 200);
    EXPECT_FALSE(transaction.closes);
    EXPECT_EQ(gateway.shared.pressure, Pressure::none);
}

TEST(MemoryWatchTest, ABudgetThatIsUsedUpIsNoticed) {
    auto config = testing::embedded_config();
    config.limits.memory_bytes = kMebibyte;
    TestGateway gateway(std::move(config));

    gateway.worker.io().run_for(std::chrono::milliseconds(300));

    EXPECT_EQ(gateway.shared.pressure, Pressure::refuse);
}

}  // namespace
}  // namespace sluice::gateway
