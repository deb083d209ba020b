#include "context/json_text.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::context {
namespace {

std::string escaped(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

std::string spaced(std::string_view json) {
    std::string out;
    append_spaced_json(out, json);
    return out;
}

TEST(JsonText, AStringIsEscapedAsPythonDoes) {
    EXPECT_EQ(escaped("a\"b\\c\n\r\t\b\f/é😀"), R"("a\"b\\c\n\r\t\b\f/é😀")");
    EXPECT_EQ(escaped(std::string("\0\x1F", 2)), R"("\u0000\u001f")");
}

TEST(JsonText, ADocumentIsSpacedAsPythonDoes) {
    EXPECT_EQ(spaced("{\"a\":1,\"b\" : [ true,\n null ],\"c\":{}}"),
              R"({"a": 1, "b": [true, null], "c": {}})");
}

TEST(JsonText, WhatIsInStringsStaysAsItIs) {
    EXPECT_EQ(spaced(R"({"a,b:c":"x , y\" : \\","d":"\\"})"),
              R"({"a,b:c": "x , y\" : \\", "d": "\\"})");
}

TEST(JsonText, MembersAreThoseOfTheObjectItself) {
    EXPECT_EQ(count_members(R"({"a":1,"b":{"c":2,"d":[{"e":3}]},"f:g":"h:i"})"), 3U);
    EXPECT_EQ(count_members("{}"), 0U);
    EXPECT_EQ(count_members(R"([{"a":1}])"), 0U);
    EXPECT_EQ(count_members(R"("a:b")"), 0U);
}

TEST(JsonText, WhatIsNoJsonDoesNoHarm) {
    for (const char* text :
         {"", "}", "]]]}", "{", "{\"", "{\"a\\", "plain text: yes", "{\"a\":1"}) {
        EXPECT_LE(count_members(text), 1U) << text;
        EXPECT_GE(spaced(text).size(), 0U);
    }
    EXPECT_EQ(spaced("{\"a\\"), "{\"a\\");
}

}  // namespace
}  // namespace sluice::context
