#include "context/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::context {
namespace {

constexpr const char* kReplacement = "\xEF\xBF\xBD";

std::string replacements(int count) {
    std::string text;
    while (count-- > 0) text += kReplacement;
    return text;
}

TEST(Utf8, WhatIsValidStaysAsItIs) {
    for (const std::string text :
         {"", "a", "eight letters and more than eight", "\xC2\x80\xDF\xBF",
          "\xE0\xA0\x80\xEF\xBF\xBF", "\xED\x9F\xBF\xEE\x80\x80",
          "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", "12345678\xC3\xA4 12345678"}) {
        EXPECT_TRUE(is_utf8(text)) << text;
        EXPECT_EQ(repaired_utf8(text), text);
    }
}

TEST(Utf8, EachByteThatBeginsNothingIsReplaced) {
    for (const auto& [broken, count] : {std::pair{"\x80", 1},
                                        {"\xC0\xAF", 2},
                                        {"\xC1\xBF", 2},
                                        {"\xF5\x80\x80\x80", 4},
                                        {"\xFF\xFE", 2},
                                        {"\xE0\x80\xAF", 3},
                                        {"\xED\xA0\x80", 3},
                                        {"\xF0\x80\x80\xAF", 4},
                                        {"\xF4\x90\x80\x80", 4}}) {
        EXPECT_FALSE(is_utf8(broken));
        EXPECT_EQ(repaired_utf8(broken), replacements(count));
    }
}

TEST(Utf8, ACharacterThatIsCutOffIsReplacedOnce) {
    for (const std::string broken : {"\xC3", "\xE4", "\xE4\xBD", "\xF0\x9F", "\xF0\x9F\x98"}) {
        EXPECT_FALSE(is_utf8(broken));
        EXPECT_EQ(repaired_utf8(broken), kReplacement);
        EXPECT_EQ(repaired_utf8("x" + broken + "y"), std::string("x") + kReplacement + "y");
    }
}

TEST(Utf8, WhatIsBrokenIsFoundWhereverItStands) {
    for (std::size_t before = 0; before < 20; ++before) {
        for (std::size_t after = 0; after < 20; ++after) {
            const std::string front(before, 'f');
            const std::string back(after, 'b');
            EXPECT_FALSE(is_utf8(front + '\xBF' + back));
            EXPECT_EQ(repaired_utf8(front + '\xBF' + back), front + kReplacement + back);
        }
    }
}

}  // namespace
}  // namespace sluice::context
