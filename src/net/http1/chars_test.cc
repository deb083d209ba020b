#include "net/http1/chars.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::net::http1 {
namespace {

TEST(Chars, EveryControlByteIsFoundWhereverItStands) {
    for (int byte = 0; byte < 256; ++byte) {
        const char c = static_cast<char>(byte);
        const bool control = (byte < 0x20 && c != '\t') || byte == 0x7F;
        EXPECT_EQ(is_control(c), control) << byte;
        for (const char around : {'a', ' ', '\t', '\x80', '\xFF', '~'}) {
            for (std::size_t at = 0; at < 20; ++at) {
                std::string text(20, around);
                text[at] = c;
                EXPECT_EQ(has_control(text), control) << byte << " at " << at;
            }
        }
    }
}

TEST(Chars, TokensAreThoseOfTheRfc) {
    EXPECT_TRUE(all(CharClass::token, "!#$%&'*+-.^_`|~09azAZ"));
    for (const char c : std::string("\"(),/:;<=>?@[\\]{} \t\x7F\x80")) {
        EXPECT_FALSE(is(CharClass::token, c)) << c;
    }
}

TEST(Chars, StripTakesBlanksOffBothEnds) {
    EXPECT_EQ(strip(" \t a b\t "), "a b");
    EXPECT_EQ(strip(" \t "), "");
    EXPECT_EQ(strip(""), "");
}

}  // namespace
}  // namespace sluice::net::http1
