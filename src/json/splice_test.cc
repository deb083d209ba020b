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

TEST(Splice, AnInsertionComesBeforeTheSpanThatBeginsThere) {
    Splice splice("(ab)");

    splice.replace(place(1, 2), "x");
    splice.insert(1, "1");
    splice.insert(3, "2");

    EXPECT_EQ(text_of(splice), "(1x2)");
}

TEST(Splice, TakesAsManyEditsAsThereAre) {
    constexpr std::size_t kMany = 5000;
    const std::string original(kMany, '-');
    Splice splice(original);
    std::string expected;

    for (std::size_t i = kMany; i-- > 0;) splice.insert(i, "+");
    for (std::size_t i = 0; i < kMany; ++i) expected += "+-";

    EXPECT_EQ(text_of(splice), expected);
    EXPECT_EQ(splice.edit_count(), kMany);
    const auto pieces = splice.pieces();
    EXPECT_EQ(pieces.size(), 2 * kMany);
    auto moved = splice.pieces();
    const auto elsewhere = std::move(moved);
    EXPECT_EQ(*elsewhere.begin(), "+");
    EXPECT_EQ(elsewhere.end() - elsewhere.begin(), 2 * kMany);
}

TEST(Splice, PiecesAtTheEdgeOfTheInlineRoomAreAllThere) {
    for (const std::size_t edits : {15U, 16U, 17U, 18U}) {
        const std::string original(edits + 1, '-');
        Splice splice(original);
        for (std::size_t i = 0; i < edits; ++i) splice.insert(i + 1, "+");
        EXPECT_EQ(splice.pieces().size(), 2 * edits + 1);
        EXPECT_EQ(text_of(splice).size(), 2 * edits + 1);
    }
}

TEST(Splice, TakesTheEditsOfAPart) {
    const std::string_view original = "0123456789";
    Splice part(original.substr(4, 3));
    part.replace(place(0, 1), "x");
    part.insert(3, "y");
    Splice splice(original);
    splice.replace(place(8, 1), "z");

    splice.take(std::move(part), 4);

    EXPECT_EQ(text_of(splice), "0123x56y7z9");
}

TEST(Splice, RefusesWhatIsOutside) {
    Splice splice("{}");

    EXPECT_THROW(splice.replace(place(1, 2), "x"), std::out_of_range);
    EXPECT_THROW(splice.insert(3, "x"), std::out_of_range);
    EXPECT_TRUE(splice.unchanged());
}

}  // namespace
}  // namespace sluice::json
