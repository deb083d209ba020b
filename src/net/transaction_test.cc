#include "net/transaction.h"

#include <gtest/gtest.h>

namespace sluice::net {
namespace {

TEST(AppendFieldTest, WritesAWholeLineBehindTheOthers) {
    std::string fields = "a: 1\r\n";
    append_field(fields, "content-type", "text/plain; charset=\"x\"");
    EXPECT_EQ(fields, "a: 1\r\ncontent-type: text/plain; charset=\"x\"\r\n");
}

TEST(AppendFieldTest, NoValueCanEndALineOrHideACharacter) {
    std::string fields;
    append_field(fields, "x", std::string_view("a\r\nset-cookie: b\0\x7f\x1f", 19));
    EXPECT_EQ(fields, "x: a  set-cookie: b   \r\n");
}

TEST(AppendFieldTest, KeepsTabsAndBytesAbove127) {
    std::string fields;
    append_field(fields, "x", "a\tb\xc3\xa9");
    EXPECT_EQ(fields, "x: a\tb\xc3\xa9\r\n");
}

}  // namespace
}  // namespace sluice::net
