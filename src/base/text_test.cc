#include "base/text.h"

#include <gtest/gtest.h>

#include <array>

namespace sluice {
namespace {

TEST(TextTest, IequalsIgnoresOnlyTheCaseOfLetters) {
    EXPECT_TRUE(iequals("Content-Length", "content-LENGTH"));
    EXPECT_FALSE(iequals("content_length", "content-length"));
    EXPECT_FALSE(iequals("content", "content-length"));
}

TEST(TextTest, TrimTakesSpacesAndTabsFromBothEnds) {
    EXPECT_EQ(trim(" \t a b \t"), "a b");
    EXPECT_EQ(trim(" \t "), "");
    EXPECT_EQ(trim("\r\na"), "\r\na");
}

TEST(TextTest, GlobStarMatchesAnyRunAndNothingElseIsSpecial) {
    EXPECT_TRUE(glob_match("*", ""));
    EXPECT_TRUE(glob_match("deepseek-*", "deepseek-chat"));
    EXPECT_TRUE(glob_match("*/gpt-*-mini", "openai/gpt-5-mini"));
    EXPECT_TRUE(glob_match("a*b*c", "a-b-b-c"));
    EXPECT_FALSE(glob_match("deepseek-*", "Deepseek-chat"));
    EXPECT_FALSE(glob_match("a?c", "abc"));
    EXPECT_FALSE(glob_match("a*b", "a-b-c"));
    EXPECT_FALSE(glob_match("", "a"));
}

TEST(TextTest, NearestFindsATypoAndRefusesAStranger) {
    constexpr std::array<std::string_view, 3> kKeys = {"listen", "upstreams", "routes"};

    EXPECT_EQ(nearest("upstream", kKeys), "upstreams");
    EXPECT_EQ(nearest("Lisen", kKeys), "listen");
    EXPECT_EQ(nearest("frobnicate", kKeys), std::nullopt);
}

}  // namespace
}  // namespace sluice
