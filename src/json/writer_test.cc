#include "json/writer.h"

#include "json/reader.h"

#include <gtest/gtest.h>

#include <limits>

namespace sluice::json {
namespace {

using namespace std::string_view_literals;

std::string json_of(std::string_view text) {
    std::string out;
    append_string(out, text);
    return out;
}

TEST(JsonWriter, PutsCommasBetweenMembersAndElements) {
    std::string out;
    Writer json(out);

    json.begin_object().key("a").begin_array().number(1).begin_array().end_array().null();
    json.end_array().key("b").begin_object().end_object().key("c").raw("[1 ]").end_object();

    EXPECT_EQ(out, R"({"a":[1,[],null],"b":{},"c":[1 ]})");
}

TEST(JsonWriter, WritesScalars) {
    std::string out;
    Writer json(out);

    json.begin_array().boolean(true).boolean(false).string("s").string_or_null("");
    json.number(std::numeric_limits<std::uint64_t>::max()).number(-7).number(0.25);
    json.number(std::numeric_limits<double>::infinity()).end_array();

    EXPECT_EQ(out, R"([true,false,"s",null,18446744073709551615,-7,0.25,null])");
}

TEST(JsonWriter, EscapesQuotesBackslashesAndControlCharacters) {
    EXPECT_EQ(json_of("a\"b\\c/\b\f\n\r\t\x01\x1F\x7F\0"sv),
              "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001f\x7F\\u0000\"");
}

TEST(JsonWriter, FindsWhatNeedsAnEscapeAtAnyPlace) {
    for (int byte = 0; byte < 0x80; ++byte) {
        const char c = static_cast<char>(byte);
        for (std::size_t before = 0; before < 20; ++before) {
            for (const std::string_view around : {"a"sv, "\x7F"sv, "\xC3\xA4"sv, "!"sv}) {
                std::string text;
                for (std::size_t i = 0; i < before; ++i) text += around;
                text += c;
                text += around;
                ASSERT_EQ(to_string(as_value(json_of(text))), text) << byte << " at " << before;
                ASSERT_EQ(find_error(json_of(text)), std::nullopt);
            }
        }
    }
}

TEST(JsonWriter, KeepsUtf8AndReplacesWhatIsNone) {
    EXPECT_EQ(json_of("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"),
              "\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\"");
    EXPECT_EQ(json_of("a\xFF"
                      "b\xC3"),
              "\"a\xEF\xBF\xBD"
              "b\xEF\xBF\xBD\"");
    for (const std::string_view bad :
         {"\xC0\x80"sv, "\xED\xA0\x80"sv, "\xF5\x80\x80\x80"sv, "\xE0\x80\x80"sv, "\xE2\x82"sv}) {
        EXPECT_TRUE(is_valid_utf8(json_of(bad)));
        EXPECT_NE(json_of(bad).find("\xEF\xBF\xBD"), std::string::npos);
    }
}

TEST(JsonWriter, WhatItWritesReadsBackTheSame) {
    std::string all;
    for (int c = 0; c < 128; ++c) all.push_back(static_cast<char>(c));

    const std::string json = json_of(all);

    EXPECT_EQ(find_error(json), std::nullopt);
    EXPECT_EQ(to_string(as_value(json)), all);
}

}  // namespace
}  // namespace sluice::json
