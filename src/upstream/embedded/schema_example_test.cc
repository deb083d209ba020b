#include "upstream/embedded/schema_example.h"

#include "json/reader.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::upstream::embedded {
namespace {

TEST(SchemaExample, OnlyRequiredPropertiesAreGiven) {
    EXPECT_EQ(
        write_example_arguments(R"({"type":"object","properties":{"city":{"type":"string"},)"
                                R"("unit":{"enum":["celsius","kelvin"]}},"required":["city"]})"),
        R"({"city":"city"})");
}

TEST(SchemaExample, AllPropertiesAreGivenWhenNoneIsRequired) {
    EXPECT_EQ(write_example_arguments(
                  R"({"properties":{"a":{"type":"integer","minimum":3},"b":{"type":"boolean"},)"
                  R"("c":{"const":null},"d":{"default":[1,2]},"e":{"type":["null","number"]}}})"),
              R"({"a":3,"b":true,"c":null,"d":[1,2],"e":1})");
}

TEST(SchemaExample, ReferencesAndChoicesAreFollowed) {
    EXPECT_EQ(write_example_arguments(
                  R"({"$defs":{"p":{"type":"object","properties":{"x":{"type":"integer"}}}},)"
                  R"("properties":{"at":{"$ref":"#/$defs/p"},"or":{"anyOf":[{"type":"array",)"
                  R"("minItems":2,"items":{"type":"boolean"}},{"type":"null"}]}}})"),
              R"({"at":{"x":1},"or":[true,true]})");
}

TEST(SchemaExample, NothingIsAnEmptyObject) {
    EXPECT_EQ(write_example_arguments(""), "{}");
    EXPECT_EQ(write_example_arguments("{}"), "{}");
    EXPECT_EQ(write_example_arguments(R"({"properties":7,"required":{}})"), "{}");
}

TEST(SchemaExample, ASchemaThatRefersToItselfEnds) {
    const std::string example = write_example_arguments(
        R"({"properties":{"a":{"$ref":"#"},"b":{"type":"array","minItems":9,)"
        R"("items":{"$ref":"#/properties/b"}}}})");

    EXPECT_FALSE(json::find_error(example));
    EXPECT_LT(example.size(), 64U * 1024);
}

}  // namespace
}  // namespace sluice::upstream::embedded
