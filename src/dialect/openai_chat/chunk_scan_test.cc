#include "dialect/openai_chat/chunk_scan.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::dialect::openai_chat {
namespace {

TEST(ChunkScan, SeesMembersWhateverSpaceIsAroundTheColon) {
    EXPECT_TRUE(scan_chunk(R"({"usage":{}})").usage);
    EXPECT_TRUE(scan_chunk("{\"usage\" :\n {}}").usage);
    EXPECT_TRUE(scan_chunk(R"({"finish_reason": "stop"})").finish_reason);
    EXPECT_TRUE(scan_chunk(R"({"tool_calls":[{}]})").tool_calls);
    EXPECT_TRUE(scan_chunk(R"({"error":{}})").error);
    EXPECT_TRUE(scan_chunk(R"({"error":"x"})").error);
}

TEST(ChunkScan, ValuesThatSayNothingAreNotSeen) {
    const auto seen = scan_chunk(
        R"({"usage":null,"finish_reason":null,"tool_calls":[ ],"tool_calls":null,"error":null})");

    EXPECT_FALSE(seen.worth_reading());
    EXPECT_FALSE(seen.tool_calls);
}

TEST(ChunkScan, TextThatLooksLikeAMemberIsNone) {
    const auto seen = scan_chunk(
        R"({"content":"\"usage\":{ \"finish_reason\":\"x\"","a":"error","b":"usage","tool":[1]})");

    EXPECT_FALSE(seen.worth_reading());
    EXPECT_FALSE(seen.tool_calls);
}

TEST(ChunkScan, FindsAMemberAtEveryPlace) {
    for (std::size_t before = 0; before < 100; ++before) {
        for (const std::size_t after : {0UL, 1UL, 40UL}) {
            const std::string chunk =
                std::string(before, 'x') + R"("usage":{)" + std::string(after, 'y');
            EXPECT_TRUE(scan_chunk(chunk).usage) << before << " " << after;
        }
    }
}

TEST(ChunkScan, EndsWhereTheTextEnds) {
    const std::string chunk = R"({"usage" : {"a":1}})";
    const std::size_t seen_from = chunk.find("{\"a") + 1;
    for (std::size_t length = 0; length <= chunk.size(); ++length) {
        const std::string cut = chunk.substr(0, length);
        EXPECT_EQ(scan_chunk(cut).usage, length >= seen_from);
    }
}

}  // namespace
}  // namespace sluice::dialect::openai_chat
