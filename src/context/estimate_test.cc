#include "context/estimate.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace sluice::context {
namespace {

TEST(Calibration, AnUnknownModelsEstimateStaysAsItIs) {
    const Calibration calibration;

    EXPECT_EQ(calibration.apply("m", 1234), 1234U);
    EXPECT_DOUBLE_EQ(calibration.factor("m"), 1);
}

TEST(Calibration, TheFirstReportIsTakenAsItIs) {
    Calibration calibration;

    calibration.learn("m", 1000, 1100);

    EXPECT_EQ(calibration.apply("m", 500), 550U);
    EXPECT_EQ(calibration.apply("other", 500), 500U);
}

TEST(Calibration, TheFirstReportsAreAveraged) {
    Calibration calibration;

    calibration.learn("m", 1000, 1000);
    calibration.learn("m", 1000, 1200);
    calibration.learn("m", 1000, 1400);

    EXPECT_NEAR(calibration.factor("m"), 1.2, 1e-9);
}

TEST(Calibration, LaterReportsWeighAnEighth) {
    Calibration calibration;
    for (int i = 0; i < 50; ++i) calibration.learn("m", 1000, 1000);

    calibration.learn("m", 1000, 1800);

    EXPECT_NEAR(calibration.factor("m"), 1.1, 1e-9);
}

TEST(Calibration, ItFollowsAChangeForGood) {
    Calibration calibration;
    for (int i = 0; i < 50; ++i) calibration.learn("m", 1000, 800);
    for (int i = 0; i < 50; ++i) calibration.learn("m", 1000, 1500);

    EXPECT_NEAR(calibration.factor("m"), 1.5, 0.01);
}

TEST(Calibration, TheFactorStaysWithinItsBounds) {
    Calibration calibration;

    calibration.learn("high", 1, 1'000'000);
    calibration.learn("low", 1'000'000, 1);

    EXPECT_DOUBLE_EQ(calibration.factor("high"), Calibration::kMostFactor);
    EXPECT_DOUBLE_EQ(calibration.factor("low"), Calibration::kLeastFactor);
}

TEST(Calibration, NothingIsLearnedFromZero) {
    Calibration calibration;

    calibration.learn("m", 0, 100);
    calibration.learn("m", 100, 0);

    EXPECT_DOUBLE_EQ(calibration.factor("m"), 1);
}

TEST(Calibration, TheModelThatWasReportedLongestAgoIsForgotten) {
    Calibration calibration(2);
    calibration.learn("a", 10, 12);
    calibration.learn("b", 10, 12);
    calibration.learn("a", 10, 12);

    calibration.learn("c", 10, 12);

    EXPECT_DOUBLE_EQ(calibration.factor("a"), 1.2);
    EXPECT_DOUBLE_EQ(calibration.factor("b"), 1);
    EXPECT_DOUBLE_EQ(calibration.factor("c"), 1.2);
}

TEST(Calibration, WithoutPlacesNothingIsLearned) {
    Calibration calibration(0);

    calibration.learn("m", 10, 12);

    EXPECT_DOUBLE_EQ(calibration.factor("m"), 1);
}

TEST(Calibration, SeveralThreadsMayLearnAndAsk) {
    Calibration calibration(8);
    std::vector<std::jthread> threads;
    threads.reserve(4);
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&calibration, t] {
            for (int i = 0; i < 2000; ++i) {
                const std::string model = "m" + std::to_string((i + t) % 12);
                calibration.learn(model, 100, 150);
                const std::uint64_t applied = calibration.apply(model, 100);
                EXPECT_TRUE(applied == 150 || applied == 100) << applied;
            }
        });
    }
    threads.clear();

    EXPECT_EQ(calibration.apply("m1", 1000) % 500, 0U);
}

}  // namespace
}  // namespace sluice::context
