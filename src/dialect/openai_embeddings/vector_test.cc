#include "dialect/openai_embeddings/vector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

namespace sluice::dialect::openai_embeddings {
namespace {

using testing::ElementsAre;

std::vector<float> read(std::string_view text) {
    EXPECT_FALSE(json::find_error(text)) << text;
    std::vector<float> numbers = {1, 2, 3};
    EXPECT_TRUE(read_numbers(json::as_value(text), numbers)) << text;
    return numbers;
}

std::string numbers_text(const std::vector<float>& numbers) {
    std::string out;
    EXPECT_TRUE(append_numbers(out, numbers));
    return out;
}

std::string base64_text(const std::vector<float>& numbers) {
    std::string out;
    append_base64_string(out, numbers);
    return out;
}

/// What the library makes of a number's text.
float library_value(const std::string& text) {
    float number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

TEST(Vector, IsReadFromBothSpellings) {
    EXPECT_THAT(read("[1.0, -2.0]"), ElementsAre(1.0F, -2.0F));
    EXPECT_THAT(read(R"("AACAPwAAAMA=")"), ElementsAre(1.0F, -2.0F));
    EXPECT_THAT(read(R"("\/\/9\/Pw==")"), ElementsAre(std::bit_cast<float>(0x3F7FFFFFU)));
    EXPECT_THAT(read("[ 0,-0 , 1e3,\n2.5E-1,-1e+2,100000000000000000000]"),
                ElementsAre(0.0F, -0.0F, 1000.0F, 0.25F, -100.0F, 1e20F));
    EXPECT_TRUE(std::signbit(read("[-0]")[0]));
    EXPECT_TRUE(std::signbit(read("[-0.0]")[0]));
}

TEST(Vector, IsWrittenInBothSpellings) {
    EXPECT_EQ(base64_text({1.0F, -2.0F}), R"("AACAPwAAAMA=")");
    EXPECT_EQ(numbers_text({1.0F, -2.0F, 0.1F, -0.0F, 1e-7F, 1e30F}), "[1,-2,0.1,-0,1e-07,1e+30]");
    EXPECT_EQ(numbers_text({std::numeric_limits<float>::max()}), "[3.4028235e+38]");
    EXPECT_EQ(numbers_text({-std::numeric_limits<float>::denorm_min()}), "[-1e-45]");
}

TEST(Vector, EveryFloatIsReadBackFromItsText) {
    std::minstd_rand random(11);
    std::vector<float> numbers;
    for (int i = 0; i < 200'000; ++i) {
        const auto number = std::bit_cast<float>(
            static_cast<std::uint32_t>((static_cast<std::uint64_t>(random()) << 16U) ^ random()));
        if (std::isfinite(number)) numbers.push_back(number);
    }
    const std::string text = numbers_text(numbers);
    EXPECT_FALSE(json::find_error(text));
    const auto bits = [](float number) { return std::bit_cast<std::uint32_t>(number); };
    const std::vector<float> back = read(text);
    ASSERT_EQ(back.size(), numbers.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) ASSERT_EQ(bits(back[i]), bits(numbers[i]));
    EXPECT_EQ(read(base64_text(numbers)), numbers);
}

TEST(Vector, ANumberIsRoundedAsTheLibraryRoundsIt) {
    std::minstd_rand random(13);
    std::vector<std::string> texts = {// Halfway between two floats, and a little beside it.
                                      "16777217",
                                      "16777217.0000000001",
                                      "16777216.9999999999",
                                      "16777219",
                                      "1.00000005960464477",
                                      "1.000000059604644775390625",
                                      "1.000000059604644775390624",
                                      "1.0000000596046447753906251",
                                      "0.000000000000000000000000000000000000011754943508222875",
                                      "1.1754942e-38",
                                      "9007199254740993",
                                      "18446744073709551615",
                                      "18446744073709551616",
                                      "123456789012345678901",
                                      "0.1234567890123456789012345",
                                      "0.00000000000000000000001",
                                      "3.4028235e38",
                                      "1e22",
                                      "1e23",
                                      "1e-22",
                                      "1e-23",
                                      "1e-45",
                                      "7.0064923216240853e-46",
                                      "-0.006929283495992422"};
    for (int i = 0; i < 100'000; ++i) {
        const auto float_bits = static_cast<std::uint32_t>(random() & 0x7FFFFFU) | 0x3B000000U;
        const auto number = std::bit_cast<float>(float_bits);
        const double halfway = static_cast<double>(number) +
                               std::ldexp(1.0, std::ilogb(number) - 24) * (i % 3 == 0 ? 1 : 0.7);
        std::array<char, 64> text{};
        const auto format = i % 2 == 0 ? std::chars_format::fixed : std::chars_format::scientific;
        const int digits = static_cast<int>(random() % 20) + 5;
        const auto end =
            std::to_chars(text.data(), text.data() + text.size(), halfway, format, digits).ptr;
        texts.emplace_back(text.data(), end);
    }
    for (const std::string& text : texts) {
        EXPECT_EQ(read("[" + text + "]")[0], library_value(text)) << text;
    }
}

TEST(Vector, ANumberTooSmallForAFloatIsZero) {
    EXPECT_THAT(read("[1e-60,-1e-60]"), ElementsAre(0.0F, -0.0F));
}

TEST(Vector, ANumberBeyondAFloatIsRefused) {
    std::vector<float> numbers;
    for (const std::string_view text :
         {"[1e39]", "[-1e39]", "[1,3.5e38]", "[1e999]", "[1e99999999999]"}) {
        EXPECT_FALSE(read_numbers(json::as_value(text), numbers)) << text;
    }
}

TEST(Vector, WhatIsNotFiniteCannotBeAList) {
    std::string out;
    EXPECT_FALSE(append_numbers(out, std::vector{1.0F, std::numeric_limits<float>::infinity()}));
    EXPECT_FALSE(append_numbers(out, std::vector{std::numeric_limits<float>::quiet_NaN()}));
}

TEST(Vector, IsCountedWithoutBeingRead) {
    const auto count = [](std::string_view text) { return count_numbers(json::as_value(text)); };
    EXPECT_EQ(count("[1]"), 1U);
    EXPECT_EQ(count("[ 1 , 2, 3e5 ]"), 3U);
    EXPECT_EQ(count(R"("AACAPwAAAMA=")"), 2U);
    EXPECT_EQ(count(R"("\/\/9\/Pw==")"), 1U);
}

TEST(Vector, WhatIsNoneIsRefused) {
    std::vector<float> numbers;
    for (const std::string_view text :
         {"[]", "[ ]", "{}", "1", "null", "true", R"("")", R"("AAAA")", R"("AACAPwAAAMA")",
          R"("AACAPw=")", R"("AACA Pw=")", R"(["1"])", "[[1]]", "[1,null]", "[true]", "[false]",
          R"([{"a":1}])", "[1,[]]"}) {
        ASSERT_FALSE(json::find_error(text)) << text;
        EXPECT_FALSE(count_numbers(json::as_value(text))) << text;
        EXPECT_FALSE(read_numbers(json::as_value(text), numbers)) << text;
    }
}

}  // namespace
}  // namespace sluice::dialect::openai_embeddings
