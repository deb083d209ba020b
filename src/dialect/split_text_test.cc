#include "dialect/split_text.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::dialect {
namespace {

using namespace std::string_literals;

/// What the pieces, each the inside of a JSON string, are as one text.
std::string join(const std::vector<std::string>& pieces) {
    TextJoiner joiner;
    std::string text;
    for (const std::string& piece : pieces) {
        const std::string value = '"' + piece + '"';
        text += joiner.take(json::as_value(value));
    }
    text += joiner.flush();
    return text;
}

TEST(TextJoiner, PlainTextIsAViewIntoTheValue) {
    TextJoiner joiner;
    const std::string value = "\"plain \xE2\x82\xAC\"";

    const std::string_view text = joiner.take(json::as_value(value));

    EXPECT_EQ(text, "plain \xE2\x82\xAC");
    EXPECT_EQ(text.data(), value.data() + 1);
}

TEST(TextJoiner, EscapesAreUndone) {
    EXPECT_EQ(join({R"(a\n\"b\"\\\u0041)"}), "a\n\"b\"\\A");
    EXPECT_EQ(join({R"(\ud83d\ude00)"}), "\xF0\x9F\x98\x80");
}

TEST(TextJoiner, ASurrogatePairCutInTwoBecomesOneCharacter) {
    EXPECT_EQ(join({R"(a\ud83d)", R"(\ude00b)"}),
              "a\xF0\x9F\x98\x80"
              "b");
    EXPECT_EQ(join({R"(\uD83D)", "", R"(\uDE00)"}), "\xF0\x9F\x98\x80");
}

TEST(TextJoiner, TheFirstHalfIsHeldBackAndNothingElse) {
    TextJoiner joiner;
    const std::string value = R"("two\ud83d")";

    EXPECT_EQ(joiner.take(json::as_value(value)), "two");
    EXPECT_EQ(joiner.flush(), "\xEF\xBF\xBD");
    EXPECT_EQ(joiner.flush(), "");
}

TEST(TextJoiner, AHalfWithoutItsOtherBecomesAReplacementCharacter) {
    EXPECT_EQ(join({R"(a\ud83d)", "b"}),
              "a\xEF\xBF\xBD"
              "b");
    EXPECT_EQ(join({R"(a\ud83d)", R"(\ud83d)", R"(\ude00)"}), "a\xEF\xBF\xBD\xF0\x9F\x98\x80");
    EXPECT_EQ(join({R"(a\ude00)", "b"}),
              "a\xEF\xBF\xBD"
              "b");
    EXPECT_EQ(join({R"(a\ud83d)"}), "a\xEF\xBF\xBD");
}

TEST(TextJoiner, AnEscapedBackslashBeginsNoSurrogate) {
    EXPECT_EQ(join({R"(\\ud83d)", R"(\\ude00)"}), R"(\ud83d\ude00)");
    EXPECT_EQ(join({R"(\\\ud83d)", R"(\ude00)"}), "\\\xF0\x9F\x98\x80");
}

TEST(TextJoiner, WhatIsNoStringIsNoText) {
    TextJoiner joiner;

    for (const std::string_view value : {"null", "7", "{}", "[\"a\"]", "true"}) {
        EXPECT_EQ(joiner.take(json::as_value(value)), "") << value;
    }
}

}  // namespace
}  // namespace sluice::dialect
