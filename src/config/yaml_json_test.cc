#include "config/yaml_json.h"

#include "config/describe_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace sluice::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class YamlJsonTest : public testing::Test {
protected:
    std::optional<std::string> json_of(const std::string& yaml) {
        problems_.clear();
        const Variables variables(environment_, {});
        const Reader reader(variables, problems_);
        const NodePtr root = parse_yaml("v: " + yaml + "\n", "f", problems_);
        return root ? to_json(reader, *root->entries.at(0).value, "v") : std::nullopt;
    }

    std::vector<std::string> messages() const {
        std::vector<std::string> all;
        all.reserve(problems_.size());
        for (const Problem& problem : problems_) all.push_back(to_string(problem));
        return all;
    }

    Environment environment_ = [](std::string_view name) -> std::optional<std::string> {
        return name == "N" ? std::optional<std::string>("7") : std::nullopt;
    };
    std::vector<Problem> problems_;
};

TEST_F(YamlJsonTest, PlainScalarsHaveTheTypeTheyLookLike) {
    using Case = std::pair<const char*, const char*>;
    for (const auto& [yaml, json] :
         {Case{"true", "true"}, Case{"False", "false"}, Case{"~", "null"}, Case{"null", "null"},
          Case{"", "null"}, Case{"0", "0"}, Case{"123", "123"}, Case{"-5", "-5"}, Case{"+5", "5"},
          Case{"007", "7"}, Case{"1.5", "1.5"}, Case{"-.5", "-0.5"}, Case{"5.", "5"},
          Case{"1e-8", "1e-8"}, Case{"1E+3", "1e3"}, Case{"0x1F", "31"}, Case{"0o17", "15"},
          Case{"123456789012345678901234567890", "123456789012345678901234567890"}}) {
        EXPECT_EQ(json_of(yaml), json) << yaml;
    }
}

TEST_F(YamlJsonTest, EverythingElseIsAString) {
    using Case = std::pair<const char*, const char*>;
    for (const auto& [yaml, json] :
         {Case{"'123'", R"("123")"}, Case{"\"true\"", R"("true")"}, Case{"!!str 1", R"("1")"},
          Case{"yes", R"("yes")"}, Case{"1.2.3", R"("1.2.3")"}, Case{"1e", R"("1e")"},
          Case{".", R"(".")"}, Case{"-", R"("-")"}, Case{"0x", R"("0x")"}, Case{"''", R"("")"},
          Case{"tRue", R"("tRue")"}, Case{R"("a\"b\\c\n\x01")", R"("a\"b\\c\u000a\u0001")"}}) {
        // `-` alone begins a list in YAML.
        if (std::string_view(yaml) == "-") continue;
        EXPECT_EQ(json_of(yaml), json) << yaml;
    }
}

TEST_F(YamlJsonTest, MapsAndListsNest) {
    EXPECT_EQ(json_of("{type: disabled, a: [1, {b: ~}, []], c: {}}"),
              R"({"type":"disabled","a":[1,{"b":null},[]],"c":{}})");
}

TEST_F(YamlJsonTest, VariablesAreReplacedBeforeTheTypeIsSeen) {
    EXPECT_EQ(json_of("${N}"), "7");
    EXPECT_EQ(json_of("'${N}'"), R"("7")");
    EXPECT_EQ(json_of("{a: 'x$$y'}"), R"({"a":"x$y"})");
    EXPECT_EQ(json_of("${NOPE}"), std::nullopt);
    EXPECT_THAT(messages(), ElementsAre(HasSubstr("${NOPE} is not set")));
}

TEST_F(YamlJsonTest, WhatJsonCannotSayIsRefused) {
    for (const char* yaml : {".inf", "-.inf", ".NaN", "[1, .nan]"}) {
        EXPECT_EQ(json_of(yaml), std::nullopt) << yaml;
        EXPECT_THAT(messages(), ElementsAre(HasSubstr("`v` is not a number that JSON has")));
    }
}

TEST_F(YamlJsonTest, DepthAndSizeHaveBounds) {
    const auto nested = [](std::size_t levels) {
        return std::string(levels, '[') + "1" + std::string(levels, ']');
    };
    EXPECT_EQ(json_of(nested(kMaxJsonDepth)), nested(kMaxJsonDepth));
    EXPECT_EQ(json_of(nested(kMaxJsonDepth + 1)), std::nullopt);
    EXPECT_THAT(messages(), ElementsAre(HasSubstr("nested deeper than 16 levels")));
    EXPECT_EQ(json_of(std::string(kMaxJsonBytes, 'x')), std::nullopt);
    EXPECT_THAT(messages(), ElementsAre(HasSubstr("longer than 64 KiB")));
    EXPECT_TRUE(json_of(std::string(kMaxJsonBytes - 2, 'x')));
}

TEST_F(YamlJsonTest, JsonIsReadBackAsItself) {
    for (const char* json :
         {"null", "-1.5e-8", R"("a$b${c}\"\\:\u000a")", R"({"$k":"$v","a":[{"b":true},"x: y"]})",
          R"({"a":{"b":{}}})", R"(["",{"":""}])", "\"\xC3\xA4 \xF0\x9F\x98\x80\""}) {
        EXPECT_EQ(json_of(json_as_yaml(json)), json);
        EXPECT_THAT(messages(), IsEmpty());
    }
}

}  // namespace
}  // namespace sluice::config
