#include "shaping/object_edit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace sluice::shaping {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Outcome {
    std::string text;
    std::vector<std::string> dropped;
};

Outcome after(std::string_view document, const std::function<void(ObjectEdit&)>& change) {
    std::vector<json::Member> members;
    json::read_members(document, {.offset = 0, .length = document.size()}, members);
    ObjectEdit edit(document, document.find('{') + 1, members);
    change(edit);
    json::Splice splice(document);
    edit.apply(splice);
    Outcome outcome;
    splice.append_to(outcome.text);
    EXPECT_EQ(json::find_error(outcome.text), std::nullopt) << outcome.text;
    outcome.dropped = edit.dropped();
    return outcome;
}

std::string without(std::string_view document, const std::vector<std::string>& names) {
    return after(document,
                 [&](ObjectEdit& edit) {
                     for (const std::string& name : names) edit.drop(name);
                 })
        .text;
}

TEST(ObjectEdit, ADroppedMemberTakesOneCommaWithIt) {
    constexpr std::string_view kThree = R"({ "a" : 1 , "b" : 2 , "c" : 3 })";

    EXPECT_EQ(without(kThree, {"a"}), R"({ "b" : 2 , "c" : 3 })");
    EXPECT_EQ(without(kThree, {"b"}), R"({ "a" : 1 , "c" : 3 })");
    EXPECT_EQ(without(kThree, {"c"}), R"({ "a" : 1 , "b" : 2 })");
    EXPECT_EQ(without(kThree, {"a", "b"}), R"({ "c" : 3 })");
    EXPECT_EQ(without(kThree, {"c", "b"}), R"({ "a" : 1 })");
    EXPECT_EQ(without(kThree, {"a", "c"}), R"({ "b" : 2 })");
    EXPECT_EQ(without(kThree, {"c", "a", "b"}), R"({  })");
    EXPECT_EQ(without(R"({"a":1})", {"a"}), "{}");
    EXPECT_EQ(without(kThree, {"d"}), kThree);
}

TEST(ObjectEdit, EveryMemberOfTheNameGoesHoweverItIsWritten) {
    EXPECT_EQ(without(R"({"x":1,"b":2,"\u0078":3,"x":4})", {"x"}), R"({"b":2})");
}

TEST(ObjectEdit, ANewMemberStandsBeforeTheOthers) {
    const auto set = [](std::string_view document) {
        return after(document,
                     [](ObjectEdit& edit) {
                         edit.drop("a");
                         edit.set("n\"", "[1]");
                         edit.set("m", "2");
                     })
            .text;
    };

    EXPECT_EQ(set("{}"), R"({"n\"":[1],"m":2})");
    EXPECT_EQ(set(R"( { "b":1})"), R"( { "n\"":[1],"m":2,"b":1})");
    EXPECT_EQ(set(R"({"a":0})"), R"({"n\"":[1],"m":2})");
    EXPECT_EQ(set(R"({"a":0,"b":1})"), R"({"n\"":[1],"m":2,"b":1})");
}

TEST(ObjectEdit, ASetMemberIsThereOnce) {
    const auto set = [](std::string_view document) {
        return after(document, [](ObjectEdit& edit) { edit.set("a", "9"); }).text;
    };

    EXPECT_EQ(set(R"({"a":1,"b":2})"), R"({"a":9,"b":2})");
    EXPECT_EQ(set(R"({"a":1,"b":2,"\u0061":3})"), R"({"b":2,"\u0061":9})");
    EXPECT_EQ(set(R"({"a":null})"), R"({"a":9})");
}

TEST(ObjectEdit, WhatIsSoAlreadyIsNoChange) {
    const std::string_view document = R"({"a":1,"b":null})";
    std::vector<json::Member> members;
    json::read_members(document, {.offset = 0, .length = document.size()}, members);
    ObjectEdit edit(document, 1, members);

    EXPECT_FALSE(edit.set("a", "1"));
    EXPECT_FALSE(edit.drop("x"));
    EXPECT_FALSE(edit.rename("x", "a"));
    EXPECT_FALSE(edit.rename("a", "a"));
    EXPECT_FALSE(edit.clamp("a", 0, 2));
    EXPECT_FALSE(edit.clamp("b", 1, 2));
    EXPECT_TRUE(edit.is_given("a"));
    EXPECT_TRUE(edit.has("b"));
    EXPECT_FALSE(edit.is_given("b"));

    json::Splice splice(document);
    edit.apply(splice);
    EXPECT_TRUE(splice.unchanged());
    EXPECT_TRUE(edit.keeps_value(1));
}

TEST(ObjectEdit, OfARenamedMemberAndItsNamesakeTheOneThatIsGivenStays) {
    const auto renamed = [](std::string_view document) {
        return after(document, [](ObjectEdit& edit) { edit.rename("old", "new"); });
    };

    EXPECT_EQ(renamed(R"({"x":0,"old": 1})").text, R"({"x":0,"new": 1})");
    EXPECT_THAT(renamed(R"({"old":1})").dropped, IsEmpty());
    EXPECT_EQ(renamed(R"({"old":1,"new":2})").text, R"({"new":2})");
    EXPECT_THAT(renamed(R"({"old":1,"new":2})").dropped, ElementsAre("old"));
    EXPECT_EQ(renamed(R"({"old":1,"new":null})").text, R"({"new":1})");
    EXPECT_THAT(renamed(R"({"old":1,"new":null})").dropped, IsEmpty());
    EXPECT_EQ(renamed(R"({"old":null,"new":2})").text, R"({"new":2})");
    EXPECT_THAT(renamed(R"({"old":null,"new":2})").dropped, IsEmpty());
    EXPECT_EQ(renamed(R"({"old":null,"new":null})").text, R"({"new":null})");
    EXPECT_EQ(renamed(R"({"old":null})").text, R"({"new":null})");
}

TEST(ObjectEdit, WhatIsDroppedIsToldByTheNameThatItCameWith) {
    const auto outcome = after(R"({"\u006fld":1,"null":null,"a":2,"a":3})", [](ObjectEdit& edit) {
        edit.rename("old", "new");
        edit.drop("new");
        edit.drop("null");
        edit.drop("a");
        edit.set("a", "4");
    });

    EXPECT_THAT(outcome.dropped, ElementsAre("old", "a"));
    EXPECT_EQ(outcome.text, R"({"a":4})");
}

std::string clamped(std::string_view number, std::optional<double> lowest,
                    std::optional<double> highest) {
    return after("{\"a\":" + std::string(number) + "}",
                 [&](ObjectEdit& edit) { edit.clamp("a", lowest, highest); })
        .text;
}

TEST(ObjectEdit, ANumberIsMovedToTheBoundAndWrittenAsOneWouldWriteIt) {
    EXPECT_EQ(clamped("9000", {}, 8192), R"({"a":8192})");
    EXPECT_EQ(clamped("9e3", {}, 8192), R"({"a":8192})");
    EXPECT_EQ(clamped("2", 0, 1.5), R"({"a":1.5})");
    EXPECT_EQ(clamped("0", 1e-8, {}), R"({"a":1e-08})");
    EXPECT_EQ(clamped("-0.5", 0, 2), R"({"a":0})");
    EXPECT_EQ(clamped("1.50", 0, 1.5), R"({"a":1.50})");
    EXPECT_EQ(clamped("8192", 1, 8192), R"({"a":8192})");
    EXPECT_EQ(clamped("123456789012345678901234567890", 1, 5), R"({"a":5})");
    EXPECT_EQ(clamped("1e999", 1, 5), R"({"a":5})");
    EXPECT_EQ(clamped("-1e999", 1, 5), R"({"a":1})");
    EXPECT_EQ(clamped("1e-999", 1, 5), R"({"a":1})");
    EXPECT_EQ(clamped("7", {}, 1e300 / 1e299), R"({"a":7})");
    EXPECT_EQ(clamped("0", 1e20, {}), R"({"a":1e+20})");
}

TEST(ObjectEdit, WhatIsNoNumberIsNotClamped) {
    for (const std::string_view value : {"null", "\"9\"", "[9]", "true", "{}"}) {
        EXPECT_EQ(clamped(value, 1, 2), "{\"a\":" + std::string(value) + "}");
    }
}

TEST(ObjectEdit, EachOfSeveralNamesakesIsClamped) {
    const auto outcome =
        after(R"({"a":9,"a":1,"a":8})", [](ObjectEdit& edit) { edit.clamp("a", {}, 5); });

    EXPECT_EQ(outcome.text, R"({"a":5,"a":1,"a":5})");
}

}  // namespace
}  // namespace sluice::shaping
