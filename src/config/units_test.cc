#include "config/units.h"

#include <gtest/gtest.h>

namespace sluice::config {
namespace {

using namespace std::chrono_literals;

TEST(Units, DurationIsSecondsUnlessItNamesAUnit) {
    EXPECT_EQ(parse_duration("300", 1ms), 300s);
    EXPECT_EQ(parse_duration("300s", 1ms), 300s);
    EXPECT_EQ(parse_duration("5m", 1ms), 5min);
    EXPECT_EQ(parse_duration("1h", 1ms), 1h);
    EXPECT_EQ(parse_duration("250ms", 1ms), 250ms);
    EXPECT_EQ(parse_duration("1.5s", 1ms), 1500ms);
    EXPECT_EQ(parse_duration("0", 0ms), 0ms);
}

TEST(Units, DurationOutOfBoundsIsRefused) {
    for (const char* text : {"", "s", "ms", "-1", "1e3", "nan", "inf", "0x10", "5 m", "1d", "169h",
                             "0", "0.0001s", "99999999999999999999", "1..5"}) {
        EXPECT_FALSE(parse_duration(text, 1ms)) << text;
    }
}

TEST(Units, SizeIsBytesUnlessItNamesABinaryUnit) {
    EXPECT_EQ(parse_size("1024", 0, 1U << 30U), 1024U);
    EXPECT_EQ(parse_size("7B", 0, 1U << 30U), 7U);
    EXPECT_EQ(parse_size("32KiB", 0, 1U << 30U), 32U * 1024U);
    EXPECT_EQ(parse_size("32 MiB", 0, 1U << 30U), 32U << 20U);
    EXPECT_EQ(parse_size("1GiB", 0, 1U << 30U), 1U << 30U);
}

TEST(Units, SizeOutOfBoundsIsRefused) {
    for (const char* text : {"", "KiB", "-1", "1.5MiB", "32MB", "32M", "2GiB", "0",
                             "17179869184GiB", "99999999999999999999"}) {
        EXPECT_FALSE(parse_size(text, 1, 1U << 30U)) << text;
    }
}

TEST(Units, WhatIsFormattedIsReadBackTheSame) {
    for (const auto duration : {0ms, 1ms, 999ms, 1000ms, 1500ms, 300'000ms}) {
        EXPECT_EQ(parse_duration(format_duration(duration), 0ms), duration);
    }
    for (const std::size_t size : {0UL, 1UL, 1023UL, 1024UL, 1025UL, 32UL << 20U, 1UL << 30U}) {
        EXPECT_EQ(parse_size(format_size(size), 0, 1UL << 30U), size);
    }
    for (const double number : {0.0, 0.5, 50.0, 1e6}) {
        EXPECT_EQ(parse_number(format_number(number), 1e6), number);
    }
}

TEST(Units, BoolIsReadInAnyCase) {
    for (const char* yes : {"true", "True", "YES", "on"}) EXPECT_EQ(parse_bool(yes), true) << yes;
    for (const char* no : {"false", "No", "OFF"}) EXPECT_EQ(parse_bool(no), false) << no;
    for (const char* other : {"", "1", "0", "y", "truee"}) EXPECT_FALSE(parse_bool(other)) << other;
}

TEST(Units, IntegerKeepsItsBounds) {
    EXPECT_EQ(parse_integer("0", 0, 65'535), 0U);
    EXPECT_EQ(parse_integer("65535", 0, 65'535), 65'535U);
    for (const char* text : {"65536", "-1", "+1", "1.0", " 1", "1 ", "", "0x1"}) {
        EXPECT_FALSE(parse_integer(text, 0, 65'535)) << text;
    }
}

}  // namespace
}  // namespace sluice::config
