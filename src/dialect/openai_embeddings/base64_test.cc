#include "dialect/openai_embeddings/base64.h"

#include <gtest/gtest.h>

#include <random>

namespace sluice::dialect::openai_embeddings {
namespace {

std::string encoded(std::string_view text) {
    std::string out = "before";
    append_base64(out, std::as_bytes(std::span(text)));
    return out.substr(6);
}

TEST(Base64, IsThatOfTheStandard) {
    EXPECT_EQ(encoded(""), "");
    EXPECT_EQ(encoded("f"), "Zg==");
    EXPECT_EQ(encoded("fo"), "Zm8=");
    EXPECT_EQ(encoded("foo"), "Zm9v");
    EXPECT_EQ(encoded("foob"), "Zm9vYg==");
    EXPECT_EQ(encoded("fooba"), "Zm9vYmE=");
    EXPECT_EQ(encoded("foobar"), "Zm9vYmFy");
    EXPECT_EQ(encoded("\xfb\xff\xbf"), "+/+/");
}

TEST(Base64, ReadsBackWhatItWroteAtEveryLength) {
    std::minstd_rand random(7);
    std::vector<std::byte> back;
    for (std::size_t length = 0; length < 200; ++length) {
        std::vector<std::byte> bytes(length);
        for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() & 0xFFU);
        std::string text;
        append_base64(text, bytes);
        EXPECT_EQ(text.size(), (length + 2) / 3 * 4);
        ASSERT_TRUE(decode_base64(text, back)) << text;
        EXPECT_EQ(back, bytes);
    }
}

TEST(Base64, CutAnywhereButBetweenFoursItIsRefused) {
    const std::string text = encoded("all that is cut here");
    std::vector<std::byte> bytes;
    for (std::size_t length = 0; length < text.size(); ++length) {
        EXPECT_EQ(decode_base64(std::string_view(text).substr(0, length), bytes), length % 4 == 0)
            << length;
    }
}

TEST(Base64, RefusesEveryByteOutsideTheAlphabetAtEveryPlace) {
    const std::string good = "Zm9vYmFy";
    std::vector<std::byte> bytes;
    int refused = 0;
    for (int c = 0; c < 256; ++c) {
        std::string text = good;
        for (std::size_t at = 0; at < good.size(); ++at) {
            text = good;
            text[at] = static_cast<char>(c);
            const bool fits = std::isalnum(c) != 0 || c == '+' || c == '/';
            // "Zm9vYmF=" alone may be padding, but 'F' has bits that padding leaves unused.
            EXPECT_EQ(decode_base64(text, bytes), fits) << text;
            if (!fits) ++refused;
        }
    }
    EXPECT_EQ(refused, (256 - 64) * 8);
}

TEST(Base64, RefusesWhatItWouldNotHaveWritten) {
    std::vector<std::byte> bytes;
    for (const std::string_view text :
         {"Zg=", "Zg", "Zg===", "====", "A===", "Zh==", "Zm9=", "Zg==Zg==", "Zm8=Zm8=", "Z=g=",
          "Zm 9v", "Zm9v\n", "Zm-_", "=Zm9"}) {
        EXPECT_FALSE(decode_base64(text, bytes)) << text;
    }
}

}  // namespace
}  // namespace sluice::dialect::openai_embeddings
