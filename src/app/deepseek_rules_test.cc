#include "app/deepseek_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace sluice::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// What DeepSeek would say of a body; empty where it would answer.
std::string refusal(const std::string& body) {
    const auto request = read_deepseek_request(body);
    if (!request) return request.error().message;
    const auto violation = find_violation(*request);
    return violation ? violation->message : "";
}

constexpr const char* kUser = R"({"role":"user","content":"hi"})";
constexpr const char* kTools =
    R"("tools":[{"type":"function","function":{"name":"f","parameters":{}}}])";

std::string chat(const std::string& messages, const std::string& more = "",
                 const std::string& model = "deepseek-flash") {
    return R"({"model":")" + model + R"(","messages":[)" + messages + "]" +
           (more.empty() ? "" : "," + more) + "}";
}

std::string user_with(const std::string& more) {
    return chat(kUser, more);
}

std::string call(const std::string& id, const std::string& more = R"("reasoning_content":"",)") {
    return R"({"role":"assistant","content":null,)" + more + R"("tool_calls":[{"id":")" + id +
           R"(","type":"function","function":{"name":"f","arguments":"{}"}}]})";
}

std::string result(const std::string& id) {
    return R"({"role":"tool","tool_call_id":")" + id + R"(","content":"r"})";
}

std::string list(const std::string& item, std::size_t count) {
    std::string items;
    for (std::size_t i = 0; i < count; ++i) items += (i > 0 ? "," : "") + item;
    return "[" + items + "]";
}

std::string tools(std::size_t count) {
    std::string items;
    for (std::size_t i = 0; i < count; ++i) {
        items += std::string(i > 0 ? "," : "") + R"({"type":"function","function":{"name":"f)" +
                 std::to_string(i) + "\"}}";
    }
    return "\"tools\":[" + items + "]";
}

TEST(DeepSeekRules, OrdinaryRequestsAreRight) {
    EXPECT_EQ(refusal(chat(kUser)), "");
    EXPECT_EQ(refusal(user_with(R"("thinking":{"type":"disabled","budget_tokens":1})")), "");
    EXPECT_EQ(refusal(user_with(R"("thinking":{"type":"enabled"},"reasoning_effort":"max")")), "");
    EXPECT_EQ(refusal(user_with(R"("max_tokens":393216,"temperature":2,"top_p":1,"stop":null)")),
              "");
    EXPECT_EQ(refusal(chat(R"({"role":"system","content":[{"type":"text","text":"s"}]},)"
                           R"({"role":"user","content":[{"type":"text","text":"u"},)"
                           R"({"type":"image_url","image_url":{"url":"data:x"}}]})")),
              "");
    EXPECT_EQ(refusal(chat(std::string(kUser) + "," + call("a") + "," + result("a"), kTools)), "");
}

TEST(DeepSeekRules, WhatIsNotListedIsIgnoredAndNoted) {
    const auto request = read_deepseek_request(
        user_with(R"("metadata":{"user_id":"x"},"cache_control":{},"context_management":{})"));

    ASSERT_TRUE(request);
    EXPECT_THAT(request->ignored, ElementsAre("metadata", "cache_control", "context_management"));
    EXPECT_FALSE(find_violation(*request));
}

TEST(DeepSeekRules, AnEffortWithoutThinkingIsRefused) {
    EXPECT_EQ(refusal(user_with(R"("thinking":{"type":"disabled"},"reasoning_effort":"high")")),
              "thinking options type cannot be disabled when reasoning_effort is set");
}

TEST(DeepSeekRules, ThinkingIsEnabledOrDisabled) {
    EXPECT_THAT(refusal(user_with(R"("thinking":{"type":"adaptive"})")),
                HasSubstr("target type: thinking.type: unknown variant `adaptive`, expected "
                          "`enabled` or `disabled` at line 1 column "));
    EXPECT_THAT(refusal(user_with(R"("reasoning_effort":"none")")),
                HasSubstr("reasoning_effort: unknown variant `none`"));
}

TEST(DeepSeekRules, ThinkingIsTheDefaultAndTakesNoForcedTool) {
    const std::string text = "Thinking mode does not support this tool_choice";
    const std::string with_tools = std::string(kTools) + ",";
    const std::string named = R"("tool_choice":{"type":"function","function":{"name":"f"}})";
    EXPECT_EQ(refusal(user_with(with_tools + R"("tool_choice":"required")")), text);
    EXPECT_EQ(refusal(user_with(with_tools + named)), text);
    EXPECT_EQ(refusal(user_with(with_tools + named + R"(,"thinking":{"type":"disabled"})")), "");
    EXPECT_EQ(refusal(user_with(with_tools + R"("tool_choice":"auto")")), "");
    EXPECT_EQ(refusal(user_with(with_tools + R"("tool_choice":"none")")), "");
}

TEST(DeepSeekRules, ToolChoicesOfAnthropicsAreNotUnderstood) {
    for (const char* choice :
         {R"({"type":"auto"})", R"({"type":"any"})", R"({"type":"tool","name":"f"})", R"("any")"}) {
        EXPECT_THAT(refusal(user_with(std::string(kTools) + ",\"tool_choice\":" + choice)),
                    HasSubstr("tool_choice: data did not match any variant"))
            << choice;
    }
}

TEST(DeepSeekRules, WithToolsEachTurnBringsItsReasoning) {
    const std::string turns =
        std::string(kUser) + R"(,{"role":"assistant","content":"a"},)" + kUser;
    const std::string text =
        "The `reasoning_content` in the thinking mode must be passed back to the API.";
    EXPECT_EQ(refusal(chat(turns)), "");
    EXPECT_EQ(refusal(chat(turns, kTools)), text);
    EXPECT_EQ(refusal(chat(turns, std::string(kTools) + R"(,"thinking":{"type":"disabled"})")), "");
    EXPECT_EQ(refusal(chat(turns, R"("tools":[])")), "");
    EXPECT_EQ(refusal(chat(std::string(kUser) + "," + call("a", "") + "," + result("a"), kTools)),
              text);
    EXPECT_EQ(refusal(chat(std::string(kUser) + "," + call("a", R"("reasoning_content":null,)") +
                               "," + result("a"),
                           kTools)),
              text);
}

TEST(DeepSeekRules, EachCallIsAnsweredAtOnce) {
    const std::string text =
        "An assistant message with 'tool_calls' must be followed by tool messages responding to "
        "each 'tool_call_id'. (insufficient tool messages following tool_calls message)";
    const std::string user = std::string(kUser) + ",";
    EXPECT_EQ(refusal(chat(user + call("a"))), text);
    EXPECT_EQ(refusal(chat(user + call("a") + "," + kUser + "," + result("a"))), text);
    const std::string orphan =
        "Messages with role 'tool' must be a response to a preceding message with 'tool_calls'";
    EXPECT_EQ(refusal(chat(user + result("a"))), orphan);
    EXPECT_EQ(refusal(chat(user + call("a") + "," + result("b"))), orphan);
    EXPECT_EQ(refusal(chat(user + call("a") + "," + result("a") + "," + kUser + "," + result("a"))),
              orphan);
    EXPECT_EQ(refusal(chat(user + call("a") + "," + result("a") + "," + result("a"))), orphan);
}

TEST(DeepSeekRules, AnAssistantSaysOrCallsSomething) {
    EXPECT_THAT(refusal(chat(R"({"role":"assistant","reasoning_content":""})")),
                HasSubstr("target type: messages[0]: missing field `content` at line 1 column "));
    EXPECT_THAT(refusal(chat(R"({"role":"assistant","content":null})")),
                HasSubstr("content or tool_calls must be set"));
    EXPECT_EQ(refusal(chat(R"({"role":"assistant","content":""})")), "");
    EXPECT_THAT(refusal(chat(R"({"role":"assistant","content":"","tool_calls":[]})")),
                HasSubstr("empty array"));
}

TEST(DeepSeekRules, MessagesInAnthropicsFormAreNotUnderstood) {
    const auto refused_part = [](const std::string& role, const std::string& part) {
        return refusal(chat(R"({"role":")" + role + R"(","content":[)" + part + "]}"));
    };
    EXPECT_THAT(
        refused_part("assistant", R"({"type":"tool_use","id":"a","name":"f","input":{}})"),
        HasSubstr("messages[0].content[0].type: unknown variant `tool_use`, expected `text`"));
    EXPECT_THAT(refused_part("user", R"({"type":"tool_result","tool_use_id":"a"})"),
                HasSubstr("unknown variant `tool_result`, expected one of `text`, `image_url`, "
                          "`file`"));
    EXPECT_THAT(refused_part("assistant", R"({"type":"thinking","thinking":"t"})"),
                HasSubstr("unknown variant `thinking`"));
    EXPECT_THAT(refused_part("user", R"({"type":"image","source":{}})"),
                HasSubstr("unknown variant `image`"));
    EXPECT_THAT(refused_part("tool", R"({"type":"image_url","image_url":{"url":"x"}})"),
                HasSubstr("unknown variant `image_url`, expected `text`"));
    EXPECT_THAT(refusal(chat(R"({"role":"developer","content":"x"})")),
                HasSubstr("messages[0].role: unknown variant `developer`, expected one of "
                          "`system`, `user`, `assistant`, `tool`"));
    EXPECT_THAT(refusal(user_with(R"("system":[{"type":"text","text":"s"}])")),
                HasSubstr("system: invalid type: sequence, expected a string"));
    EXPECT_THAT(refusal(user_with(R"("tools":[{"name":"f","input_schema":{}}])")),
                HasSubstr("tools[0]: missing field `type`"));
}

TEST(DeepSeekRules, ImagesAreForModelsThatSee) {
    const std::string image =
        R"({"role":"user","content":[{"type":"image_url","image_url":{"url":"data:x"}}]})";
    EXPECT_EQ(refusal(chat(image)), "");
    EXPECT_EQ(refusal(chat(image, "", "deepseek-v4-pro")), "This model does not support image");
    EXPECT_EQ(refusal(chat(kUser, "", "deepseek-v4-pro")), "");
    for (const char* model : {"claude-opus-5-5", "gpt-4o", "deepseek-chat", "deepseek-reasoner"}) {
        EXPECT_EQ(refusal(chat(kUser, "", model)), "Model Not Exist") << model;
    }
}

TEST(DeepSeekRules, NumbersHaveTheirBounds) {
    EXPECT_EQ(refusal(user_with(R"("max_tokens":393217)")),
              "Invalid max_tokens value, the valid range of max_tokens is [1, 393216]");
    EXPECT_THAT(refusal(user_with(R"("max_tokens":0)")), HasSubstr("[1, 393216]"));
    EXPECT_THAT(refusal(user_with(R"("temperature":2.5)")), HasSubstr("temperature value"));
    EXPECT_THAT(refusal(user_with(R"("top_p":1.5)")), HasSubstr("top_p value"));
    EXPECT_EQ(refusal(user_with("\"stop\":" + list("\"s\"", 16))), "");
    EXPECT_THAT(refusal(user_with("\"stop\":" + list("\"s\"", 17))),
                HasSubstr("maximum length 16, but got an array with length 17"));
    EXPECT_EQ(refusal(user_with(tools(128))), "");
    EXPECT_THAT(refusal(user_with(tools(129))), HasSubstr("maximum length 128"));
}

TEST(DeepSeekRules, NamesHaveTheirLetters) {
    const auto with_name = [](const std::string& name) {
        return user_with(R"("tools":[{"type":"function","function":{"name":")" + name + "\"}}]");
    };
    EXPECT_EQ(refusal(with_name(std::string(64, 'a'))), "");
    for (const std::string& name : {std::string(65, 'a'), std::string("a.b"), std::string()}) {
        EXPECT_THAT(refusal(with_name(name)), HasSubstr("Invalid 'tools[0].function.name'"))
            << name;
    }
    EXPECT_EQ(refusal(user_with(R"("user_id":"a-Z_9")")), "");
    EXPECT_THAT(refusal(user_with(R"("user_id":"{\"device_id\":1}")")),
                HasSubstr("Invalid 'user_id'"));
    EXPECT_THAT(refusal(user_with("\"user_id\":\"" + std::string(513, 'a') + "\"")),
                HasSubstr("Invalid 'user_id'"));
}

TEST(DeepSeekRules, FormatsAreTextAndObject) {
    EXPECT_EQ(refusal(user_with(R"("response_format":{"type":"json_schema"})")),
              "This response_format type is unavailable now");
    EXPECT_THAT(refusal(user_with(R"("response_format":{"type":"json_object"})")),
                HasSubstr("must contain the word 'json'"));
    EXPECT_EQ(refusal(chat(R"({"role":"user","content":"as JSON"})",
                           R"("response_format":{"type":"json_object"})")),
              "");
    EXPECT_THAT(refusal(user_with(R"("stream_options":{"include_usage":true})")),
                HasSubstr("stream = true"));
}

TEST(DeepSeekRules, PlacesAreLinesAndColumns) {
    EXPECT_EQ(refusal("{\"model\":\"m\",\n \"messages\":7}"),
              "Failed to deserialize the JSON body into the target type: messages: invalid type: "
              "number, expected a sequence at line 2 column 13");
    EXPECT_THAT(refusal("{"), HasSubstr("Failed to parse the request body as JSON"));
    EXPECT_THAT(refusal(R"({"messages":[]})"), HasSubstr("missing field `model`"));
    EXPECT_EQ(refusal(chat("")), "Empty input messages");
}

}  // namespace
}  // namespace sluice::app
