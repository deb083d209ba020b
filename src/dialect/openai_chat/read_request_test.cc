#include "dialect/openai_chat/read_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace sluice::dialect::openai_chat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string joined(const std::vector<chat::Part>& parts);

std::string media_line(const chat::Media& media) {
    static constexpr std::array<std::string_view, 4> kSources = {"base64", "url", "file", "text"};
    const auto source = kSources.at(static_cast<std::size_t>(media.source));
    return std::string(media.kind == chat::Media::Kind::image ? "image " : "document ")
        .append(source)
        .append(" " + media.media_type + " " + media.data + " " + media.title);
}

/// A part in a few words.
std::string line_of(const chat::Part& part) {
    if (const auto* text = part.as<chat::Text>()) return "text " + text->text;
    if (const auto* media = part.as<chat::Media>()) return media_line(*media);
    if (const auto* thinking = part.as<chat::Thinking>()) return "thinking " + thinking->text;
    if (const auto* use = part.as<chat::ToolUse>()) {
        return (use->is_custom ? "custom " : "use ") + use->id + " " + use->name + " " +
               use->arguments;
    }
    if (const auto* result = part.as<chat::ToolResult>()) {
        return "result " + result->id + " [" + joined(result->content) + "]";
    }
    if (const auto* native = part.as<chat::Native>()) return "native " + native->json;
    return "?";
}

std::string joined(const std::vector<chat::Part>& parts) {
    std::string all;
    for (const chat::Part& part : parts) all += (all.empty() ? "" : "; ") + line_of(part);
    return all;
}

std::string line_of(const chat::Message& message) {
    static constexpr std::array<std::string_view, 3> kRoles = {"system: ", "user: ", "assistant: "};
    return std::string(kRoles.at(static_cast<std::size_t>(message.role))) + joined(message.parts);
}

std::vector<std::string> lines_of(const std::vector<chat::Message>& messages) {
    std::vector<std::string> lines;
    lines.reserve(messages.size());
    for (const chat::Message& message : messages) lines.push_back(line_of(message));
    return lines;
}

chat::Request read(const std::string& members, Shape shape = Shape::chat) {
    auto request = read_request(R"({"model":"m",)" + members + "}", shape);
    EXPECT_TRUE(request) << request.error().message;
    return request ? *std::move(request) : chat::Request();
}

chat::Request read_messages(const std::string& messages) {
    return read("\"messages\":[" + messages + "]");
}

std::string refused(const std::string& members, Shape shape = Shape::chat) {
    const auto request = read_request(R"({"model":"m",)" + members + "}", shape);
    if (request) return "accepted";
    EXPECT_EQ(request.error().code, Errc::bad_request);
    EXPECT_FALSE(request.error().message.empty());
    return request.error().param;
}

TEST(ReadChatRequest, LeadingSystemMessagesAreTheSystemPrompt) {
    const chat::Request request = read_messages(
        R"({"role":"system","content":"A"},{"role":"developer","content":[{"type":"text","text":"B"}]},)"
        R"({"role":"user","content":"Hi","name":"bob"},{"role":"system","content":"C"})");
    EXPECT_EQ(joined(request.system), "text A; text B");
    EXPECT_THAT(lines_of(request.messages), ElementsAre("user: text Hi", "system: text C"));
}

TEST(ReadChatRequest, EveryKindOfContentIsAPart) {
    const chat::Request request = read_messages(
        R"({"role":"user","content":[{"type":"text","text":"a\u00fc\n"},{"type":"text","text":""},)"
        R"({"type":"image_url","image_url":{"url":"data:image/PNG;base64,AAAA","detail":"low"}},)"
        R"({"type":"image_url","image_url":{"url":"https://x/y.png"}},)"
        R"({"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,QUJD"}},)"
        R"({"type":"file","file":{"file_data":"QUJD"}},)"
        R"({"type":"file","file":{"file_id":"file-1"}},)"
        R"({"type":"input_audio","input_audio":{"data":"x"}}]})");
    EXPECT_THAT(
        lines_of(request.messages),
        ElementsAre("user: text aü\n; image base64 image/png AAAA ; image url  https://x/y.png ; "
                    "document base64 application/pdf QUJD a.pdf; document base64  QUJD ; "
                    "document file  file-1 ; "
                    R"(native {"type":"input_audio","input_audio":{"data":"x"}})"));
}

TEST(ReadChatRequest, CacheMarksOfPartsAreKept) {
    const chat::Request request = read_messages(
        R"({"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]})");
    EXPECT_EQ(request.messages.at(0).parts.at(0).cache_control, R"({"type":"ephemeral"})");
}

TEST(ReadChatRequest, AnAssistantsTurnIsReasoningTextAndCalls) {
    const chat::Request request = read_messages(
        R"({"role":"assistant","tool_calls":[)"
        R"({"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\": 1.0}"}},)"
        R"({"id":"b","type":"custom","custom":{"name":"g","input":"ls"}}],)"
        R"("content":"Hi","reasoning_content":"R","refusal":null},)"
        R"({"role":"assistant","content":null,"reasoning":"S","refusal":"No"},)"
        R"({"role":"assistant","content":"so","prefix":true})");
    EXPECT_THAT(lines_of(request.messages),
                ElementsAre("assistant: thinking R; text Hi; use a f {\"x\": 1.0}; custom b g ls",
                            "assistant: thinking S; text No", "assistant: text so"));
    EXPECT_TRUE(request.messages.back().is_prefix);
    EXPECT_FALSE(request.messages.front().is_prefix);
}

TEST(ReadChatRequest, ARunOfResultsAndTheUsersMessageBehindItAreOneMessage) {
    const chat::Request request = read_messages(
        R"({"role":"tool","tool_call_id":"b","content":"two"},)"
        R"({"role":"tool","tool_call_id":"a","content":[{"type":"text","text":"one"}]},)"
        R"({"role":"user","content":"go on"},{"role":"user","content":"now"},)"
        R"({"role":"tool","tool_call_id":"c","content":""},{"role":"assistant","content":"ok"})");
    EXPECT_THAT(lines_of(request.messages),
                ElementsAre("user: result b [text two]; result a [text one]; text go on",
                            "user: text now", "user: result c []", "assistant: text ok"));
}

TEST(ReadChatRequest, LegacyFunctionsAreToolsWithMadeUpIds) {
    const chat::Request request =
        read(R"("messages":[)"
             R"({"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},)"
             R"({"role":"function","name":"f","content":"1"},)"
             R"({"role":"assistant","content":null,"function_call":{"name":"g","arguments":""}},)"
             R"({"role":"function","name":"g","content":"2"}],)"
             R"("functions":[{"name":"f","parameters":{"type":"object"}}],)"
             R"("function_call":{"name":"f"})");
    EXPECT_THAT(
        lines_of(request.messages),
        ElementsAre("assistant: use call_function_1 f {}", "user: result call_function_1 [text 1]",
                    "assistant: use call_function_2 g ", "user: result call_function_2 [text 2]"));
    EXPECT_EQ(request.tools.at(0).name, "f");
    EXPECT_EQ(request.tool_choice->kind, chat::ToolChoice::Kind::named);
    EXPECT_EQ(request.tool_choice->name, "f");
}

TEST(ReadChatRequest, ToolsKeepTheirSchemaByteForByte) {
    const chat::Request request = read(
        R"("messages":[],"tools":[{"type":"function","function":{"name":"f","description":"d",)"
        R"("strict":true,"parameters":{ "b":1.0, "a":{} }}},)"
        R"({"type":"custom","custom":{"name":"g","format":{"type":"text"}}},)"
        R"({"type":"web_search"}],"parallel_tool_calls":false)");
    ASSERT_EQ(request.tools.size(), 3);
    EXPECT_EQ(request.tools[0].schema, R"({ "b":1.0, "a":{} })");
    EXPECT_EQ(request.tools[0].description, "d");
    EXPECT_EQ(request.tools[0].strict, true);
    EXPECT_EQ(request.tools[1].kind, chat::Tool::Kind::custom);
    EXPECT_EQ(request.tools[1].name, "g");
    EXPECT_EQ(request.tools[2].kind, chat::Tool::Kind::server);
    EXPECT_EQ(request.tools[2].json, R"({"type":"web_search"})");
    EXPECT_EQ(request.parallel_tool_calls, false);
}

TEST(ReadChatRequest, EveryFormOfToolChoiceIsRead) {
    using Kind = chat::ToolChoice::Kind;
    const std::string tools =
        R"("tools":[{"type":"function","function":{"name":"f"}},)"
        R"({"type":"function","function":{"name":"g"}}],"messages":[],"tool_choice":)";
    EXPECT_EQ(read(tools + "\"auto\"").tool_choice->kind, Kind::automatic);
    EXPECT_EQ(read(tools + "\"none\"").tool_choice->kind, Kind::none);
    EXPECT_EQ(read(tools + "\"required\"").tool_choice->kind, Kind::required);
    EXPECT_EQ(read(tools + "null").tool_choice, std::nullopt);
    const auto named = read(tools + R"({"type":"function","function":{"name":"g"}})").tool_choice;
    EXPECT_EQ(named->kind, Kind::named);
    EXPECT_EQ(named->name, "g");
    EXPECT_EQ(refused(tools + "\"perhaps\""), "tool_choice");
    EXPECT_EQ(refused(tools + "{}"), "tool_choice");

    // It stands in front of the tools here.
    const chat::Request allowed =
        read(R"("tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required",)"
             R"("tools":[{"type":"function","function":{"name":"g"}}]}},)" +
             tools + "null");
    ASSERT_EQ(allowed.tools.size(), 1);
    EXPECT_EQ(allowed.tools[0].name, "g");
    EXPECT_EQ(allowed.tool_choice->kind, Kind::required);
}

TEST(ReadChatRequest, ParametersAreRead) {
    const chat::Request request = read(
        R"("messages":[],"max_tokens":5,"max_completion_tokens":7,"stop":"x","temperature":1.0,)"
        R"("top_p":0.50,"top_k":3,"reasoning_effort":"high","thinking":{"type":"enabled"},)"
        R"("response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,)"
        R"("schema":{"a": 1}}},"user":"u","service_tier":"flex","n":2,"stream":true,)"
        R"("stream_options":{"include_usage":true})");
    EXPECT_EQ(request.model, "m");
    EXPECT_EQ(request.max_output_tokens, 7);
    EXPECT_THAT(request.stop, ElementsAre("x"));
    EXPECT_EQ(request.temperature, "1.0");
    EXPECT_EQ(request.top_p, "0.50");
    EXPECT_EQ(request.top_k, "3");
    EXPECT_EQ(request.effort, chat::Effort::high);
    EXPECT_EQ(request.thinking.kind, chat::ThinkingMode::Kind::enabled);
    EXPECT_EQ(request.response_format->kind, chat::ResponseFormat::Kind::json_schema);
    EXPECT_EQ(request.response_format->schema, R"({"a": 1})");
    EXPECT_EQ(request.response_format->strict, true);
    EXPECT_EQ(request.user, "u");
    EXPECT_EQ(request.service_tier, "flex");
    EXPECT_EQ(request.choices, 2);
    EXPECT_TRUE(request.stream);
    EXPECT_TRUE(request.include_usage);
    EXPECT_THAT(request.others, IsEmpty());
}

TEST(ReadChatRequest, NullIsNothingAndNumbersMayBeWrittenInOtherWays) {
    const chat::Request request =
        read(R"("messages":[],"max_tokens":1e3,"stop":["a","b"],"temperature":null,"n":null,)"
             R"("tools":null,"user":null,"safety_identifier":"s","seed":null)");
    EXPECT_EQ(request.max_output_tokens, 1000);
    EXPECT_THAT(request.stop, ElementsAre("a", "b"));
    EXPECT_EQ(request.temperature, "");
    EXPECT_EQ(request.choices, 1);
    EXPECT_EQ(request.user, "s");
    EXPECT_THAT(request.others, IsEmpty());
    EXPECT_EQ(read(R"("messages":[],"max_tokens":-1)").max_output_tokens, std::nullopt);
}

TEST(ReadChatRequest, WhatIsUnknownIsKept) {
    const chat::Request request =
        read(R"("messages":[],"seed":7,"se\u0065n":{ "a":1 },"reasoning_effort":"colossal",)"
             R"("thinking":{"type":"deep"})");
    ASSERT_EQ(request.others.size(), 4);
    EXPECT_EQ(request.others[0].name, "seed");
    EXPECT_EQ(request.others[1].name, "seen");
    EXPECT_EQ(request.others[1].json, "{ \"a\":1 }");
    EXPECT_EQ(request.others[2].json, "\"colossal\"");
    EXPECT_EQ(request.others[3].name, "thinking");
}

TEST(ReadChatRequest, WhatCannotBeUnderstoodIsRefusedByItsName) {
    const auto message = [](const std::string& json) { return "\"messages\":[" + json + "]"; };
    EXPECT_EQ(refused(message(R"({"content":"a"})")), "messages[0].role");
    EXPECT_EQ(refused(message(R"({"role":"user","content":"a"},{"role":"king","content":"a"})")),
              "messages[1].role");
    EXPECT_EQ(refused(message("7")), "messages[0]");
    EXPECT_EQ(refused(message(R"({"role":"user","content":7})")), "messages[0].content");
    EXPECT_EQ(refused(message(R"({"role":"user","content":["a"]})")), "messages[0].content[0]");
    EXPECT_EQ(refused(message(R"({"role":"user","content":[{"text":"a"}]})")),
              "messages[0].content[0].type");
    EXPECT_EQ(refused(message(R"({"role":"user","content":[{"type":"text"}]})")),
              "messages[0].content[0].text");
    EXPECT_EQ(refused(message(R"({"role":"user","content":[{"type":"image_url"}]})")),
              "messages[0].content[0].image_url.url");
    EXPECT_EQ(refused(message(R"({"role":"user","content":[{"type":"file","file":{}}]})")),
              "messages[0].content[0].file");
    EXPECT_EQ(refused(message(R"({"role":"tool","content":"a"})")), "messages[0].tool_call_id");
    EXPECT_EQ(refused(message(R"({"role":"assistant","tool_calls":[{"function":{"name":"f"}}]})")),
              "messages[0].tool_calls[0].id");
    EXPECT_EQ(refused(message(R"({"role":"assistant","tool_calls":[{"id":"a"}]})")),
              "messages[0].tool_calls[0].function");
    EXPECT_EQ(refused(message(R"({"role":"assistant","tool_calls":)"
                              R"([{"id":"a","function":{"name":"f","arguments":{}}}]})")),
              "messages[0].tool_calls[0].function.arguments");
    EXPECT_EQ(refused(R"("messages":[],"tools":[{"type":"function","function":{}}])"),
              "tools[0].function.name");
    EXPECT_EQ(refused(R"("messages":[],"stop":[1])"), "stop");
    EXPECT_EQ(refused(R"("messages":[],"n":0)"), "n");
    EXPECT_EQ(refused(R"("messages":[],"max_tokens":1.5)"), "max_tokens");
    EXPECT_EQ(refused(R"("messages":[],"max_tokens":1e999)"), "max_tokens");
    EXPECT_EQ(refused(R"("messages":[],"stream":"yes")"), "stream");
    EXPECT_EQ(refused(R"("messages":[],"temperature":"hot")"), "temperature");
    EXPECT_EQ(refused(R"("messages":[)"), "");
}

TEST(ReadTextRequest, APromptIsAUsersMessage) {
    const chat::Request request = read(
        R"("prompt":"Say","max_tokens":5,"stop":["x"],"echo":false,"suffix":null,"logprobs":3,"best_of":1)",
        Shape::text);
    EXPECT_THAT(lines_of(request.messages), ElementsAre("user: text Say"));
    EXPECT_EQ(request.max_output_tokens, 5);
    EXPECT_THAT(request.others, IsEmpty());
    EXPECT_THAT(lines_of(read(R"("prompt":["Say"])", Shape::text).messages),
                ElementsAre("user: text Say"));
}

TEST(ReadTextRequest, WhatAChatCannotDoIsRefused) {
    for (const auto& [members, param] : std::vector<std::pair<std::string, std::string>>{
             {R"("prompt":["a","b"])", "prompt"},
             {R"("prompt":[1,2])", "prompt"},
             {R"("prompt":[[1],[2]])", "prompt"},
             {R"("prompt":[])", "prompt"},
             {R"("prompt":"a","suffix":"b")", "suffix"},
             {R"("prompt":"a","echo":true)", "echo"},
             {R"("prompt":"a","best_of":2)", "best_of"}}) {
        EXPECT_EQ(refused(members, Shape::text), param) << members;
    }
}

}  // namespace
}  // namespace sluice::dialect::openai_chat
