#include "observe/log_line.h"

#include <boost/json/parse.hpp>
#include <boost/json/src.hpp>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace sluice::observe {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::system_clock::time_point kWhen{1'700'000'000'123ms};  // 2023-11-14 22:13:20

std::string escaped(std::string_view text) {
    std::string out;
    append_escaped(out, text);
    return out;
}

std::string line(LogFormat format, std::string_view message, std::string_view name,
                 std::string_view value) {
    std::string out;
    LineWriter writer(out, format, 64);
    writer.begin(kWhen, LogLevel::warn, message);
    writer.field(name, value);
    writer.end();
    return out;
}

/// What Python's str.splitlines() and terminals take for the end of a line.
bool is_one_line(std::string_view text) {
    if (!text.ends_with('\n')) return false;
    text.remove_suffix(1);
    for (const std::string_view end : {"\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\u0085",
                                       "\u2028", "\u2029", "\x1b", "\u009b"}) {
        if (text.contains(end)) return false;
    }
    return true;
}

const std::vector<std::string>& hostile() {
    static const std::vector<std::string> texts = {
        "",
        "a\nb\r\nc",
        "\x1b[2J\x1b]0;title\x07",
        std::string("nul\0nul", 7),
        R"("},{"level":"fatal","x":")",
        R"(\" \\ \u0000 )",
        "\xff\xfe\xc0\x80\xed\xa0\x80\xf5\x80\x80\x80",
        "\xe2\x82",
        "\u2028\u2029\u0085\u009b31m\u202e\u2066",
        "key=value other=\"x\"",
        "\x7f\x1c\x1d\x1e\x0b\x0c",
        "Iñtërnâtiônàlizætiøn \U0001f4a9",
        std::string(500, '\n'),
    };
    return texts;
}

TEST(LogLineTest, JsonLineHasTimeLevelMessageAndFields) {
    EXPECT_EQ(line(LogFormat::json, "hello", "name", "value"),
              "{\"time\":\"2023-11-14T22:13:20.123Z\",\"level\":\"warn\",\"message\":\"hello\","
              "\"name\":\"value\"}\n");
}

TEST(LogLineTest, TextLineIsReadable) {
    EXPECT_EQ(line(LogFormat::text, "it is \"so\"", "name", "value"),
              "22:13:20.123 warn  it is \"so\" name=value\n");
}

TEST(LogLineTest, TextValuesAreQuotedWhereTheyWouldBeMisread) {
    EXPECT_TRUE(line(LogFormat::text, "m", "n", "").ends_with(" n=\"\"\n"));
    EXPECT_TRUE(line(LogFormat::text, "m", "n", "a b").ends_with(" n=\"a b\"\n"));
    EXPECT_TRUE(line(LogFormat::text, "m", "n", "a=b").ends_with(" n=\"a=b\"\n"));
    EXPECT_TRUE(line(LogFormat::text, "m", "n", "a\"b").ends_with(" n=\"a\\\"b\"\n"));
}

TEST(LogLineTest, NumbersFlagsAndDurationsAreJson) {
    std::string out;
    LineWriter writer(out, LogFormat::json, 64);
    writer.begin(kWhen, LogLevel::info, "m");
    writer.field("min", std::numeric_limits<std::int64_t>::min());
    writer.field("max", std::numeric_limits<std::uint64_t>::max());
    writer.field("half", 0.5);
    writer.field("nan", std::nan(""));
    writer.field("yes", true);
    writer.field("ms", 12'034'567ns);
    writer.field("negative", -5ns);
    writer.end();
    EXPECT_TRUE(out.ends_with(
        "\"min\":-9223372036854775808,\"max\":18446744073709551615,\"half\":0.5,\"nan\":null,"
        "\"yes\":true,\"ms\":12.034,\"negative\":0.000}\n"))
        << out;
}

TEST(LogLineTest, EscapesAreThoseOfJson) {
    EXPECT_EQ(escaped("a\"b\\c\n\r\t\x01\x1b\x7f"), R"(a\"b\\c\n\r\t\u0001\u001b\u007f)");
    EXPECT_EQ(escaped("\u00e9\u4e2d\U0001f600"), "\u00e9\u4e2d\U0001f600");
    EXPECT_EQ(escaped("\u0085\u009b\u2028\u202e\u2066"), R"(\u0085\u009b\u2028\u202e\u2066)");
}

TEST(LogLineTest, BytesThatAreNotUtf8AreReplacedOneByOne) {
    EXPECT_EQ(escaped("a\xff\xfe"
                      "b"),
              R"(a\ufffd\ufffdb)");
    EXPECT_EQ(escaped("\xc0\x80"), R"(\ufffd\ufffd)");                      // overlong
    EXPECT_EQ(escaped("\xe0\x9f\xbf"), R"(\ufffd\ufffd\ufffd)");            // overlong
    EXPECT_EQ(escaped("\xed\xa0\x80"), R"(\ufffd\ufffd\ufffd)");            // a surrogate
    EXPECT_EQ(escaped("\xf4\x90\x80\x80"), R"(\ufffd\ufffd\ufffd\ufffd)");  // above U+10FFFF
    EXPECT_EQ(escaped("\xe2\x82"), R"(\ufffd\ufffd)");                      // cut short
}

TEST(LogLineTest, HostileTextsStayOneLineOfValidJson) {
    for (const std::string& message : hostile()) {
        for (const std::string& value : hostile()) {
            const std::string json = line(LogFormat::json, message, "value", value);
            EXPECT_TRUE(is_one_line(json)) << json;
            const auto parsed = boost::json::parse(json).as_object();
            EXPECT_EQ(parsed.size(), 4);
            EXPECT_EQ(parsed.at("level").as_string(), "warn");
            EXPECT_TRUE(is_one_line(line(LogFormat::text, message, value, value)));
        }
    }
}

TEST(LogLineTest, EveryPairOfBytesStaysOneLineOfValidJson) {
    for (int a = 0; a < 256; ++a) {
        for (int b = 0; b < 256; ++b) {
            const std::string text = {static_cast<char>(a), static_cast<char>(b)};
            const std::string json = line(LogFormat::json, "m", text, text);
            ASSERT_TRUE(is_one_line(json)) << a << ' ' << b;
            ASSERT_NO_THROW(boost::json::parse(json)) << json;
        }
    }
}

TEST(LogLineTest, LongTextsAreCutBetweenCharacters) {
    std::string text(63, 'x');
    text += "\u00e9 and more";
    const std::string json = line(LogFormat::json, "m", "n", text);
    EXPECT_TRUE(json.ends_with("\"n\":\"" + std::string(63, 'x') + "\u2026\"}\n")) << json;
}

}  // namespace
}  // namespace sluice::observe
