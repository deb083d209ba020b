#include "app/prompt_cache.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::app {
namespace {

std::string prompt(const std::string& messages, const std::string& more = "") {
    const auto request = read_deepseek_request(
        R"({"model":"deepseek-flash","messages":[{"role":"system","content":"s"},)" + messages +
        R"(],"tools":[{"type":"function","function":{"name":"f","parameters":{"a":1}}}])" + more +
        "}");
    EXPECT_TRUE(request) << request.error().message;
    return request ? render_prompt(*request) : "";
}

constexpr const char* kUser = R"({"role":"user","content":"hi"})";

std::string calls(const std::string& reasoning, const std::string& arguments) {
    return R"({"role":"assistant","content":"","reasoning_content":")" + reasoning +
           R"(","tool_calls":[)"
           R"({"id":"a","type":"function","function":{"name":"f","arguments":")" +
           arguments +
           R"("}},)"
           R"({"id":"b","type":"function","function":{"name":"f","arguments":"{}"}}]})";
}

std::string result(const std::string& id) {
    return R"({"role":"tool","tool_call_id":")" + id + R"(","content":"of )" + id + R"("})";
}

TEST(Prompt, AConversationThatGoesOnExtendsIt) {
    const std::string user(kUser);
    const std::string turn = calls("t", R"({\"x\":1})");
    const std::string first = prompt(user);
    const std::string second = prompt(user + "," + turn + "," + result("a") + "," + result("b"));
    const std::string third = prompt(user + "," + turn + "," + result("a") + "," + result("b") +
                                     R"(,{"role":"user","content":"and"})");

    EXPECT_TRUE(second.starts_with(first));
    EXPECT_TRUE(third.starts_with(second));
}

TEST(Prompt, WhiteSpaceInJsonAndTheOrderOfResultsDoNotShow) {
    const std::string user = std::string(kUser) + ",";
    const std::string plain =
        prompt(user + calls("t", R"({\"x\":1})") + "," + result("a") + "," + result("b"));

    EXPECT_EQ(prompt(user + calls("t", R"({ \"x\" : 1 })") + "," + result("b") + "," + result("a")),
              plain);
}

TEST(Prompt, WhatTheModelSeesShows) {
    const std::string user = std::string(kUser) + ",";
    const std::string rest = "," + result("a") + "," + result("b");
    const std::string plain = prompt(user + calls("t", R"({\"x\":1,\"y\":2})") + rest);

    EXPECT_NE(prompt(user + calls("", R"({\"x\":1,\"y\":2})") + rest), plain);
    EXPECT_NE(prompt(user + calls("t", R"({\"y\":2,\"x\":1})") + rest), plain);
    EXPECT_NE(prompt(user + calls("t", R"({\"x\":1.0,\"y\":2})") + rest), plain);
    EXPECT_NE(
        prompt(user + calls("t", R"({\"x\":1,\"y\":2})") + rest, R"(,"reasoning_effort":"low")"),
        plain);
}

TEST(PromptCache, TheLongestCommonPrefixIsCachedInUnits) {
    PromptCache cache;
    const std::string head(1000, 'a');

    const PromptUsage first = cache.add("", head + "b");
    EXPECT_EQ(first.tokens, 251U);
    EXPECT_EQ(first.cached, 0U);
    EXPECT_FALSE(first.extends);

    const PromptUsage other = cache.add("", head + "c");
    EXPECT_EQ(other.common_bytes, 1000U);
    EXPECT_EQ(other.cached, 192U);
    EXPECT_FALSE(other.extends);

    const PromptUsage longer = cache.add("", head + "b and more");
    EXPECT_EQ(longer.common_bytes, 1001U);
    EXPECT_TRUE(longer.extends);
}

TEST(PromptCache, UsersSeeNothingOfEachOther) {
    PromptCache cache;
    cache.add("u", std::string(1000, 'a'));

    EXPECT_EQ(cache.add("v", std::string(1000, 'a')).cached, 0U);
    EXPECT_EQ(cache.add("u", std::string(1000, 'a')).cached, 192U);
}

TEST(PromptCache, OldPromptsAreForgotten) {
    PromptCache cache;
    cache.add("", std::string(1000, 'a'));
    for (int i = 0; i < 256; ++i) cache.add("", "b" + std::to_string(i));

    EXPECT_EQ(cache.add("", std::string(1000, 'a')).cached, 0U);
}

}  // namespace
}  // namespace sluice::app
