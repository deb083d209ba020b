#include "json/splice.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace sluice::json {
namespace {

std::string text_of(const Splice& splice) {
    std::string text;
    splice.append_to(text);
    EXPECT_EQ(text.size(), splice.size());
    return text;
}

Span place(std::size_t offset, std::size_t length) {
    return {.offset = offset, .length = length};
}

TEST(Splice, IsTheOriginalWhenNothingIsChanged) {
    const std::string_view original = R"({"a":1})";

    const Splice splice(original);

    EXPECT_TRUE(splice.unchanged());
    EXPECT_EQ(text_of(splice), original);
    ASSERT_EQ(splice.pieces().size(), 1U);
    EXPECT_EQ(splice.pieces().begin()->data(), original.data());
}

TEST(Splice, ReplacesAndInsertsInWhateverOrderItIsTold) {
    Splice splice(R"({"a":1,"b":2})");

    splice.replace(place(11, 1), "[true]");
    splice.insert(1, R"("z":0,)");
    splice.replace(place(5, 1), "");

    EXPECT_EQ(text_of(splice), R"({"z":0,"a":,"b":[true]})");
}

TEST(Splice, KeepsTheOrderOfInsertionsInOnePlace) {
    Splice splice("()");

    splice.insert(1, "a");
    splice.insert(1, "b");

    EXPECT_EQ(text_of(splice), "(ab)");
}

TEST(Splice, PiecesOfTheOriginalAreNotCopied) {
    const std::string_view original = "0123456789";
    Splice splice(original);
    splice.replace(place(0, 2), "x");
    splice.replace(place(8, 2), "y");

    const auto pieces = splice.pieces();

    const std::vector<std::string_view> all(pieces.begin(), pieces.end());
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0], "x");
    EXPECT_EQ(all[1].data(), original.data() + 2);
    EXPECT_EQ(all[1], "234567");
    EXPECT_EQ(all[2], "y");
}

TEST(Splice, RefusesWhatIsOutsideAndWhatIsTooMuch) {
    Splice splice("{}");

    EXPECT_THROW(splice.replace(place(1, 2), "x"), std::out_of_range);
    EXPECT_THROW(splice.insert(3, "x"), std::out_of_range);
    for (std::size_t i = 0; i < Splice::kMaxEdits; ++i) splice.insert(1, "x");
    EXPECT_EQ(splice.pieces().size(), Splice::kMaxEdits + 2);
    EXPECT_THROW(splice.insert(1, "x"), std::length_error);
}

}  // namespace
}  // namespace sluice::json
