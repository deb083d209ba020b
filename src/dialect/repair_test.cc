#include "dialect/repair.h"

#include "json/reader.h"

#include <gtest/gtest.h>

namespace sluice::dialect {
namespace {

TEST(RepairArguments, AnObjectStaysAsItWasWritten) {
    EXPECT_EQ(repair_arguments("{}"), "{}");
    EXPECT_EQ(repair_arguments(" {\"b\": 1.0, \"a\":[ ]}\n"), " {\"b\": 1.0, \"a\":[ ]}\n");
}

TEST(RepairArguments, NothingIsAnObjectWithoutMembers) {
    EXPECT_EQ(repair_arguments(""), "{}");
    EXPECT_EQ(repair_arguments(" \n"), "{}");
    EXPECT_EQ(repair_arguments("null"), "{}");
}

TEST(RepairArguments, ACodeFenceIsTakenOff) {
    EXPECT_EQ(repair_arguments("```json\n{\"a\":1}\n```"), R"({"a":1})");
    EXPECT_EQ(repair_arguments("```\n{\"a\":1,}\n```\n"), R"({"a":1})");
    EXPECT_EQ(repair_arguments("```json\n{\"a\":1}\n``` and ```json\n{}\n```"), std::nullopt);
}

TEST(RepairArguments, AnObjectWrittenAsAStringIsReadOutOfIt) {
    EXPECT_EQ(repair_arguments(R"("{\"a\":\"x\\ny\"}")"), R"({"a":"x\ny"})");
    EXPECT_EQ(repair_arguments(R"("hello")"), std::nullopt);
}

TEST(RepairArguments, ControlCharactersInStringsAreEscaped) {
    EXPECT_EQ(repair_arguments("{\"a\":\"one\ntwo\tthree\r\x01\"}"),
              R"({"a":"one\ntwo\tthree\r\u0001"})");
    EXPECT_EQ(repair_arguments("{\n\"a\": \"x\ny\"}"), "{\n\"a\": \"x\\ny\"}");
}

TEST(RepairArguments, CommasBeforeClosingBracketsGo) {
    EXPECT_EQ(repair_arguments(R"({"a":[1,2, ],"b":{"c":",}",},})"),
              R"({"a":[1,2 ],"b":{"c":",}"}})");
}

TEST(RepairArguments, WhatAddsNothingBehindTheObjectGoes) {
    EXPECT_EQ(repair_arguments(R"({"a":1}})"), R"({"a":1})");
    EXPECT_EQ(repair_arguments(R"({"a":1} ]} )"), R"({"a":1})");
    EXPECT_EQ(repair_arguments(R"({"a":1}{"a":1})"), R"({"a":1})");
    EXPECT_EQ(repair_arguments("{\"a\":1}\n{\"a\":1}\n{\"a\":1}"), R"({"a":1})");
}

TEST(RepairArguments, WhatMayMeanSomethingElseIsLeftAlone) {
    EXPECT_EQ(repair_arguments(R"({"a":1}{"a":2})"), std::nullopt);
    EXPECT_EQ(repair_arguments(R"({"a":1} done)"), std::nullopt);
    EXPECT_EQ(repair_arguments(R"({'a':True})"), std::nullopt);
    EXPECT_EQ(repair_arguments(R"([1,2])"), std::nullopt);
    EXPECT_EQ(repair_arguments("rm -rf /tmp/x"), std::nullopt);
    EXPECT_EQ(repair_arguments(R"({"a":"say "hi""})"), std::nullopt);
}

TEST(RepairArguments, WhatBreaksOffIsNotCompleted) {
    const std::string whole = R"({"path":"/a\"b","lines":[1,{"x":null}],"n":-1.5e3})";
    for (std::size_t length = 1; length < whole.size(); ++length) {
        EXPECT_EQ(repair_arguments(whole.substr(0, length)), std::nullopt) << length;
    }
    EXPECT_EQ(repair_arguments(whole), whole);
}

}  // namespace
}  // namespace sluice::dialect
