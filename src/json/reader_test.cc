#include "json/reader.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace sluice::json {
namespace {

using namespace std::string_literals;

std::string nested(std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
}

/// Reads it the other way, member by member; must come to the same judgement as find_error().
bool reader_accepts(const std::string& text) {
    Reader reader(text);
    while (reader.next()) {
    }
    return is_valid_utf8(text) && !reader.failed();
}

class LegalJson : public testing::TestWithParam<std::string> {};

TEST_P(LegalJson, IsAcceptedAloneAndWithinAnObject) {
    EXPECT_EQ(find_error(GetParam()), std::nullopt);
    EXPECT_TRUE(reader_accepts(R"({"metadata": )" + GetParam() + " }")) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(
    Rfc8259, LegalJson,
    testing::Values(
        "[]", "{}", "[[]   ]", "[\"\"]", "[\"a\"]", "[false]", "[null, 1, \"1\", {}]", "[null]",
        "[1\n]", " [1]", "[1,null,null,null,2]", "[2] ", "[123e65]", "[0e+1]", "[0e1]", "[ 4]",
        "[-0.000000000000000000000000000000000000000000000000000000000000001]", "[20e1]", "[-0]",
        "[-123]", "[-1]", "[1E22]", "[1E-2]", "[1E+2]", "[123e45]", "[123.456e78]", "[1e-2]",
        "[1e+2]", "[123]", "[123.456789]", "{\"asd\":\"sdf\", \"dfg\":\"fgh\"}",
        "{\"asd\":\"sdf\"}", "{\"a\":\"b\",\"a\":\"c\"}", "{\"\":0}", "{\"foo\\u0000bar\": 42}",
        "{ \"min\": -1.0e+28, \"max\": 1.0e+28 }", "{\"a\":[]}", "{\n\"a\": \"b\"\n}",
        "[\"\\u0060\\u012a\\u12AB\"]", "[\"\\uD801\\udc37\"]", "[\"\\ud83d\\ude39\\ud83d\\udc8d\"]",
        "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "[\"\\\\u0000\"]", "[\"\\\"\"]", "[\"a/*b*/c/*d//e\"]",
        "[\"\\\\a\"]", "[\"\\\\n\"]", "[\"\\u0012\"]", "[\"\\uFFFF\"]", "[\"asd\"]", "[ \"asd\"]",
        "[\"\xF4\x8F\xBF\xBF\"]", "[\"\xEF\xBF\xBF\"]", "[\"\\u0000\"]", "[\"\xCF\x80\"]",
        "[\"\x7F\"]", "false", "42", "-0.1", "null", "\"asd\"", "true", "\"\"", "[\"a\"]\n",
        "[true]", "\t[\r\n] ", "[\"\\uDFAA\"]", "[\"\\uD800\"]", "[\"\\uD800\\n\"]",
        "[\"\\uDd1e\\uD834\"]", "123123123123123123123123123123123123", "[0.4e00669999999999]",
        "[-1e+9999]"));

class IllegalJson : public testing::TestWithParam<std::string> {};

TEST_P(IllegalJson, IsRefusedAloneAndWithinAnObject) {
    EXPECT_NE(find_error(GetParam()), std::nullopt) << GetParam();
    EXPECT_FALSE(reader_accepts(GetParam())) << GetParam();
    EXPECT_FALSE(reader_accepts("{\"metadata\":" + GetParam() + "}")) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(
    Rfc8259, IllegalJson,
    testing::Values(
        "", " ", "[1 true]", "[a\xE5]", "[\"\": 1]", "[\"\"],", "[,1]", "[1,,2]", "[\"x\",,]",
        "[\"x\"]]", "[\"\",]", "[\"x\"", "[x", "[3[4]]", "[:1]", "[,]", "[-]", "[   , \"\"]",
        "[\"a\",\n4\n,1,", "[1,]", "[1,,]", "[\"\va\"\\f]", "[*]", "[1", "[{}", "[fals]", "[nul]",
        "[tru]", "[++1234]", "[+1]", "[-01]", "[-1.0.]", "[-2.]", "[-NaN]", "[.-1]", "[.2e-3]",
        "[0.1.2]", "[0.3e+]", "[0.3e]", "[0.e1]", "[0E+]", "[0E]", "[1.0e+]", "[1.0e-]", "[1.0e]",
        "[1 000.0]", "[1eE2]", "[2.e+3]", "[2.e3]", "[9.e+]", "[Inf]", "[NaN]", "[1+2]", "[0x1]",
        "[0x42]", "[Infinity]", "[-123.123foo]", "[012]", "[-foo]", "[- 1]", "[1ea]", "[1.]",
        "[.123]", "[1.2a-3]", "[1.8011670033376514H-308]", "[\"x\", truth]", "{[: \"x\"}\n",
        "{\"x\", null}", "{\"x\"::\"b\"}", "{\"a\":\"a\" 123}", "{key: 'value'}", "{\"a\" b}",
        "{:\"b\"}", "{\"a\" \"b\"}", "{\"a\":", "{\"a\"", "{1:1}", "{9999E9999:1}",
        "{null:null,null:null}", "{\"id\":0,,,,,}", "{'a':0}", "{\"id\":0,}", "{\"a\":\"b\"}/**/",
        "{\"a\":\"b\"}#", "{\"a\":\"b\",,\"c\":\"d\"}", "{a: \"b\"}", "{\"a\":\"a",
        "[\"\\uD800\\\"]", "[\"\\uD800\\u\"]", "[\"\\uD800\\u1x\"]", "[\xC3\xA9]", "[\"\\x00\"]",
        "[\"\\\\\\\"]", "[\"\\\t\"]", "[\"\\\xF0\x9F\x8C\x80\"]", "[\"\\\"]", "[\"\\u00A\"]",
        "[\"\\a\"]", "[\"\\uqqqq\"]", "[\"new\nline\"]", "[\"\t\"]", "\"\\UA66D\"", "\"abc",
        "[\"a\0a\"]"s, "\\u0020\"asd\"", "<.>", "[<null>]", "[1]x", "[\"a\"\"b\"]", "2@", "{}}",
        "{\"a\":/**/1}", "{\"\":", "{\"a\": true} \"x\"", "[\f]", "\xEF\xBB\xBF{}", "[\"\xFF\"]",
        "[\"\xC0\xAF\"]", "[\"\xED\xA0\x80\"]", "[\"\xF4\xBF\xBF\xBF\"]", "[\"\x81\"]",
        "[truefalse]", "[\"a\"b]", "nullx", "[1}", "{\"a\":1]", "'a'", "-", "tru", "\"", "\"\\",
        "\"\\u12", "[\"a\":1]", "[\"a\":1,2]", "[[\"a\":1]]", "{\"a\":\"b\":1}", "[{\"a\":1,}]",
        "[[1,]]", "[[1]", "[[1}]", "{\"a\":[1}", "{\"a\":{\"b\":1}", "{\"a\"}", "{\"a\":}",
        "{\"a\":,}", "{\"a\":1 \"b\":2}", "{]", "[truee]", "[nulll]", "[true\"a\"]", "[1\"a\"]",
        "[\"a\"1]", "[\"a\"true]", "{\"a\"b:1}", "[1 2]", "[[1][2]]", "[[]{}]", "[01]", "[1.]",
        "[-]", "[--1]", "{\"\\x\":1}", "[{\"\\u12\":1}]", "[1]\0"s, "[1]\xC2\xA0", "\xFE\xFF[]",
        "[1]\xEF\xBB\xBF", "[[\"\x1F\"]]", "[\x01]"));

TEST(JsonReader, EveryPrefixOfADocumentIsRefused) {
    const std::string text = R"({"a":[1.5e-3,{"b":"\u00e4\n"},true],"c":null})";

    for (std::size_t length = 0; length < text.size(); ++length) {
        // A buffer of its own, so that a sanitizer sees a read past the end.
        const std::vector<char> prefix(text.begin(),
                                       text.begin() + static_cast<std::ptrdiff_t>(length));
        EXPECT_NE(find_error({prefix.data(), prefix.size()}), std::nullopt) << length;
    }
    EXPECT_EQ(find_error(text), std::nullopt);
}

TEST(JsonReader, BytesBehindAPaddedTextAreNoPartOfIt) {
    const std::string text = R"({"a":[1.5e-3,{"b":"\u00e4\n"},true],"c":null})";
    for (const std::string_view behind : {"}", "]", ",", "\"", "1", "]}]}]}", ",1]}", "\":1}"}) {
        for (std::size_t length = 0; length <= text.size(); ++length) {
            std::string padded = text.substr(0, length);
            for (unsigned i = 0; i < kPadding; ++i) padded += behind;

            Reader reader({padded.data(), length}, padded.size() - length);
            while (reader.next()) {
                EXPECT_LE(reader.value().raw.data() + reader.value().raw.size(),
                          padded.data() + length);
            }
            EXPECT_EQ(reader.failed(), length != text.size()) << behind << length;
        }
    }
}

TEST(JsonReader, ReadersWithinReadersOfAnyDepthKeepTheirPlaces) {
    const std::string text = nested(40) + " ";
    std::vector<Reader> readers;
    Value value = as_value(text);
    while (!is_empty(value)) {
        readers.emplace_back(value.raw);
        ASSERT_TRUE(readers.back().next());
        value = readers.back().value();
        EXPECT_EQ(value.raw.data(), text.data() + readers.size());
    }
    EXPECT_EQ(readers.size(), 39U);
    for (Reader& reader : readers) {
        EXPECT_FALSE(reader.next());
        EXPECT_FALSE(reader.failed());
    }
}

TEST(JsonReader, ElementsHaveNoKeysWhateverWasReadBefore) {
    EXPECT_TRUE(Reader(R"({"a":1})").next());
    Reader reader("[1]");

    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.raw_key(), "");
    EXPECT_FALSE(reader.key_is("a"));
}

TEST(JsonReader, ACheckedValueIsReadLikeAnyOther) {
    const std::string_view text = R"( {"a":"x" , "b":[1,{"c":[]}] ,"\u0063":{} , "d":-1 } )";
    Reader checking(text);
    Reader trusting(as_value(text));

    while (checking.next()) {
        ASSERT_TRUE(trusting.next());
        EXPECT_EQ(trusting.raw_key(), checking.raw_key());
        EXPECT_EQ(trusting.value().raw, checking.value().raw);
        EXPECT_EQ(trusting.value().kind, checking.value().kind);
    }
    EXPECT_FALSE(trusting.next());
    EXPECT_FALSE(trusting.failed());
    EXPECT_TRUE(Reader(Value{}).failed());
}

TEST(JsonReader, SixtyFourLevelsAreAcceptedAndNoMore) {
    EXPECT_EQ(find_error(nested(64)), std::nullopt);
    EXPECT_EQ(find_error(nested(65)), "nested too deeply at byte 64");
    EXPECT_TRUE(reader_accepts("{\"a\":" + nested(63) + "}"));
    EXPECT_FALSE(reader_accepts("{\"a\":" + nested(64) + "}"));
    EXPECT_NE(find_error(std::string(200'000, '[')), std::nullopt);
    EXPECT_NE(find_error(nested(200'000)), std::nullopt);
}

TEST(JsonReader, HugeNumbersAndStringsTakeLinearTime) {
    const auto started = std::chrono::steady_clock::now();

    EXPECT_EQ(find_error("[" + std::string(100'000, '9') + "]"), std::nullopt);
    EXPECT_EQ(find_error("[0." + std::string(100'000, '9') + "]"), std::nullopt);
    EXPECT_EQ(find_error("[\"" + std::string(1'000'000, 'x') + "\"]"), std::nullopt);

    EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::milliseconds(500));
}

TEST(JsonReader, HandsOutMembersWithTheirPlaces) {
    const std::string_view text = R"( { "a" : 1 , "b":[ 2 ],"c":"x"} )";
    Reader reader(text);

    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.raw_key(), "a");
    EXPECT_EQ(reader.value().raw, "1");
    EXPECT_TRUE(reader.value().is(Kind::number));
    EXPECT_EQ(reader.span(), (Span{9, 1}));
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.value().raw, "[ 2 ]");
    EXPECT_EQ(reader.span().in(text), "[ 2 ]");
    ASSERT_TRUE(reader.next());
    EXPECT_TRUE(reader.value().is(Kind::string));
    EXPECT_FALSE(reader.next());
    EXPECT_FALSE(reader.failed());
    EXPECT_FALSE(reader.next());
}

TEST(JsonReader, SaysWhatIsWrongAndWhere) {
    Reader reader(R"({"a":1,"b":tru})");

    EXPECT_TRUE(reader.next());
    EXPECT_FALSE(reader.next());
    EXPECT_TRUE(reader.failed());
    EXPECT_EQ(reader.failure(), "unexpected character at byte 11");
    EXPECT_EQ(find_error("[1 2]"), "unexpected character at byte 3");
    EXPECT_EQ(find_error("[1]]"), "something follows the document at byte 3");
    EXPECT_EQ(find_error("1 2"), "something follows the document at byte 2");
    EXPECT_EQ(find_error("[1"), "the document is not closed, or something follows it");
    EXPECT_EQ(find_error("[[1]"), "unexpected end at byte 4");
    EXPECT_EQ(find_error(""), "unexpected end");
    EXPECT_EQ(find_error("[\"a]"), "a string is not closed");
    EXPECT_EQ(find_error("[\"\xFF\"]"), "not valid UTF-8");
    EXPECT_EQ(Reader("7").failure(), "an object or a list was expected at byte 0");
}

TEST(JsonReader, AKeyWrittenWithEscapesIsTheSameKey) {
    Reader reader(R"({"mod\u0065l":1})");

    ASSERT_TRUE(reader.next());
    EXPECT_TRUE(reader.key_is("model"));
    EXPECT_FALSE(reader.key_is("mode"));
}

TEST(JsonValue, StringsAreUnescaped) {
    const auto unescaped = [](std::string_view json) { return to_string(as_value(json)); };

    EXPECT_EQ(unescaped(R"("a\"\\\/\b\f\n\r\t")"), "a\"\\/\b\f\n\r\t");
    EXPECT_EQ(unescaped(R"("\u0041\u00e4\u20AC\ud83d\ude00")"), "A\u00e4\u20AC\U0001F600");
    EXPECT_EQ(unescaped(R"("\ud83dx\ude00")"), "\uFFFDx\uFFFD");
    EXPECT_EQ(unescaped(R"("\ud83d\u0041")"), "\uFFFDA");
    EXPECT_EQ(unescaped(R"("\u0000")"), "\0"s);
    EXPECT_EQ(unescaped(R"("")"), "");
    EXPECT_EQ(unescaped("12"), std::nullopt);
}

TEST(JsonValue, OnlyPlainIntegersInRangeAreCounts) {
    const auto count = [](std::string_view json) { return to_uint64(as_value(json)); };

    EXPECT_EQ(count("0"), 0U);
    EXPECT_EQ(count("18446744073709551615"), 18446744073709551615U);
    for (const std::string_view other :
         {"18446744073709551616", "-1", "1.0", "1e3", "\"1\"", "null", "[]"}) {
        EXPECT_EQ(count(other), std::nullopt) << other;
    }
}

TEST(JsonValue, FindLooksForTheFirstMemberOfAnObjectOnly) {
    const Value object = as_value(R"( {"a":1,"a":2,"b":{"c":3}} )");

    EXPECT_EQ(find(object, "a")->raw, "1");
    EXPECT_EQ(find(*find(object, "b"), "c")->raw, "3");
    EXPECT_FALSE(find(object, "c"));
    EXPECT_FALSE(find(as_value("[1]"), "a"));
    EXPECT_FALSE(find(Value{}, "a"));
}

TEST(JsonValue, OnlyAContainerWithoutMembersIsEmpty) {
    for (const std::string_view empty : {"[]", "{}", "[ \n]", " {\t} "}) {
        EXPECT_TRUE(is_empty(as_value(empty))) << empty;
    }
    for (const std::string_view other : {"[1]", "[[]]", "{\"a\":1}", "null", "\"\"", "0"}) {
        EXPECT_FALSE(is_empty(as_value(other))) << other;
    }
}

}  // namespace
}  // namespace sluice::json
