#include "json/members.h"

#include <gtest/gtest.h>

namespace sluice::json {
namespace {

std::vector<Member> members_of(std::string_view document) {
    std::vector<Member> members;
    read_members(document, {.offset = 0, .length = document.size()}, members);
    return members;
}

TEST(Members, AreThePlacesOfNamesAndValues) {
    const std::string_view document = R"( { "a" : [1, 2] ,"b\n":"x","" :null } )";

    const auto members = members_of(document);

    ASSERT_EQ(members.size(), 3U);
    EXPECT_EQ(members[0].key.in(document), R"("a")");
    EXPECT_EQ(members[0].value.in(document), "[1, 2]");
    EXPECT_EQ(members[1].key.in(document), R"("b\n")");
    EXPECT_EQ(members[1].value.in(document), R"("x")");
    EXPECT_EQ(members[2].key.in(document), R"("")");
    EXPECT_EQ(members[2].value.in(document), "null");
}

TEST(Members, OfAnInnerObjectStandInTheWholeDocument) {
    const std::string_view document = R"({"x":[0,{"in":true}]})";
    std::vector<Member> members(3);

    read_members(document, {.offset = 8, .length = 11}, members);

    ASSERT_EQ(members.size(), 1U);
    EXPECT_EQ(members[0].key.in(document), R"("in")");
    EXPECT_EQ(members[0].value.in(document), "true");
}

TEST(Members, ThereAreNoneInWhatIsNoObject) {
    EXPECT_TRUE(members_of("[1]").empty());
    EXPECT_TRUE(members_of("{ }").empty());
    EXPECT_TRUE(members_of("12").empty());
}

TEST(Members, AreFoundByTheirNameHoweverItIsWritten) {
    const std::string_view document =
        R"({"model":1,"\u006dod\u0065l":2,"a\/b":3,"a\\b":4,"\ud83d\ude00":5,"":6})";
    const auto members = members_of(document);
    const auto value_of = [&](std::string_view name) -> std::string_view {
        const Member* const member = find_member(members, document, name);
        return member == nullptr ? "none" : member->value.in(document);
    };

    EXPECT_EQ(value_of("model"), "1");
    EXPECT_TRUE(is_named(members[1], document, "model"));
    EXPECT_EQ(value_of("a/b"), "3");
    EXPECT_EQ(value_of("a\\/b"), "none");
    EXPECT_EQ(value_of("a\\b"), "4");
    EXPECT_EQ(value_of("a\\\\b"), "none");
    EXPECT_EQ(value_of("\xF0\x9F\x98\x80"), "5");
    EXPECT_EQ(value_of(""), "6");
    EXPECT_EQ(value_of("mode"), "none");
    EXPECT_EQ(value_of("models"), "none");
}

}  // namespace
}  // namespace sluice::json
