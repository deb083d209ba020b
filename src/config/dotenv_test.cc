#include "config/dotenv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::config {
namespace {

using testing::HasSubstr;

std::string value_of(std::string_view line) {
    std::vector<Problem> problems;
    const DotEnv values = parse_dotenv(line, ".env", problems);
    EXPECT_TRUE(problems.empty()) << line;
    return values.contains("A") ? values.find("A")->second.value : "(none)";
}

TEST(DotEnv, ValueStandsForItself) {
    EXPECT_EQ(value_of("A=b"), "b");
    EXPECT_EQ(value_of("A="), "");
    EXPECT_EQ(value_of("  export A = b c  "), "b c");
    EXPECT_EQ(value_of("A=b=c"), "b=c");
    EXPECT_EQ(value_of("A=$HOME `id` $(id)"), "$HOME `id` $(id)");
    EXPECT_EQ(value_of("\xEF\xBB\xBF"
                       "A=b\r\n"),
              "b");
}

TEST(DotEnv, CommentBeginsAfterABlank) {
    EXPECT_EQ(value_of("A=b # c"), "b");
    EXPECT_EQ(value_of("A=b#c"), "b#c");
    EXPECT_EQ(value_of("A=# c"), "");
    EXPECT_EQ(value_of("# A=b"), "(none)");
}

TEST(DotEnv, QuotesKeepBlanksAndDoubleOnesKnowEscapes) {
    EXPECT_EQ(value_of("A=' b # \\n '"), " b # \\n ");
    EXPECT_EQ(value_of(R"(A="b\n\t\r\"\\\$ # c" # d)"), "b\n\t\r\"\\$ # c");
    EXPECT_EQ(value_of("A=''"), "");
}

TEST(DotEnv, LastLineForANameCounts) {
    EXPECT_EQ(value_of("A=1\nB=2\nA=3\n"), "3");
}

TEST(DotEnv, MistakeIsReportedWithItsLineAndWithoutItsValue) {
    for (const char* wrong : {"hunter2", "=hunter2", "1A=hunter2", "A B=hunter2", "A='hunter2",
                              R"(A="hunter2\")", "A=\"hunter2\" x"}) {
        std::vector<Problem> problems;
        const DotEnv values =
            parse_dotenv("OK=1\n\n" + std::string(wrong) + "\nB=2", ".env", problems);

        ASSERT_EQ(problems.size(), 1U) << wrong;
        EXPECT_THAT(to_string(problems.front()), HasSubstr(".env:3: "));
        EXPECT_THAT(problems.front().message, Not(HasSubstr("hunter2")));
        EXPECT_EQ(values.size(), 2U);
    }
}

}  // namespace
}  // namespace sluice::config
