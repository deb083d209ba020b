#include "net/digest.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::net {
namespace {

std::string hex(const Digest& digest) {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : digest) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

TEST(DigestTest, IsSha256) {
    EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(hex(sha256("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(DigestTest, TakesBytesThatAreNotText) {
    EXPECT_NE(sha256(std::string_view("a\0b", 3)), sha256("a"));
}

TEST(DigestTest, EqualOnlyWhenEveryByteIs) {
    const Digest digest = sha256("secret");
    EXPECT_TRUE(equal_in_constant_time(digest, sha256("secret")));
    for (std::size_t i = 0; i < digest.size(); ++i) {
        Digest other = digest;
        other[i] ^= 1;
        EXPECT_FALSE(equal_in_constant_time(digest, other)) << i;
    }
}

TEST(DigestTest, RandomBytesDiffer) {
    Digest a{};
    Digest b{};
    random_bytes(a);
    random_bytes(b);

    EXPECT_NE(a, b);
    EXPECT_NE(a, Digest{});
}

}  // namespace
}  // namespace sluice::net
