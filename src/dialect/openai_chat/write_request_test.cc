#include "dialect/openai_chat/write_request.h"

#include "dialect/openai_chat/read_request.h"
#include "json/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace sluice::dialect::openai_chat {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

chat::Message message(chat::Role role, std::vector<chat::Part> parts) {
    chat::Message out;
    out.role = role;
    out.parts = std::move(parts);
    return out;
}
chat::Message user(std::vector<chat::Part> parts) {
    return message(chat::Role::user, std::move(parts));
}
chat::Message assistant(std::vector<chat::Part> parts) {
    return message(chat::Role::assistant, std::move(parts));
}
chat::Part text(std::string words) {
    return chat::Text{std::move(words)};
}
chat::Part thinking(std::string words) {
    return chat::Thinking{.text = std::move(words), .signature = "sig"};
}
chat::Part use(std::string id, std::string arguments) {
    return chat::ToolUse{
        .id = std::move(id), .name = "f", .arguments = std::move(arguments), .is_custom = false};
}
chat::Part result(std::string id, std::vector<chat::Part> content, bool is_error = false) {
    return chat::ToolResult{
        .id = std::move(id), .content = std::move(content), .is_error = is_error};
}
chat::Part image() {
    return chat::Media{
        .source = chat::Media::Source::base64, .media_type = "image/jpeg", .data = "AAAA"};
}
chat::Tool function(std::string name) {
    chat::Tool tool;
    tool.name = std::move(name);
    tool.schema = R"({"type":"object"})";
    return tool;
}

chat::Request request_of(std::vector<chat::Message> messages) {
    chat::Request request;
    request.model = "m";
    request.messages = std::move(messages);
    return request;
}

chat::Abilities deepseek() {
    chat::Abilities abilities;
    abilities.thinking = chat::ThinkingControl::deepseek;
    abilities.reasoning_history = chat::ReasoningHistory::reasoning_content;
    abilities.reasoning_required = true;
    abilities.parallel_tool_calls = false;
    abilities.strict_tools = false;
    abilities.user_field = "user_id";
    abilities.prefix = true;
    return abilities;
}

std::string write(const chat::Request& request, const chat::Abilities& abilities = {}) {
    chat::Changes changes;
    std::string out = write_request(request, abilities, changes);
    EXPECT_EQ(json::find_error(out), std::nullopt) << out;
    return out;
}

/// The list of messages.
std::string messages_of(std::vector<chat::Message> messages,
                        const chat::Abilities& abilities = {}) {
    const std::string out = write(request_of(std::move(messages)), abilities);
    return std::string(json::find(json::as_value(out), "messages").value().raw);
}

TEST(WriteChatRequest, SystemPartsAreJoinedAndNamedAsTheUpstreamWantsIt) {
    chat::Request request = request_of({user({text("Hi")})});
    request.system = {text("A"), text("B")};
    request.messages.push_back(message(chat::Role::system, {text("C")}));
    chat::Abilities abilities;
    abilities.system_role = "developer";
    EXPECT_EQ(write(request, abilities),
              R"({"model":"m","messages":[{"role":"developer","content":"A\n\nB"},)"
              R"({"role":"user","content":"Hi"},{"role":"developer","content":"C"}]})");
}

TEST(WriteChatRequest, TextAloneIsAStringAndMediaMakeAList) {
    EXPECT_EQ(messages_of({user({text("a"), text("b")}), user({}), user({text("a"), image()})}),
              R"([{"role":"user","content":"a\n\nb"},{"role":"user","content":""},)"
              R"({"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url",)"
              R"("image_url":{"url":"data:image/jpeg;base64,AAAA"}}]}])");
}

TEST(WriteChatRequest, DocumentsAreFilesAndTheirTextIsText) {
    chat::Media file{.kind = chat::Media::Kind::document,
                     .source = chat::Media::Source::base64,
                     .media_type = "application/pdf",
                     .data = "QUJD",
                     .title = "a.pdf"};
    EXPECT_EQ(messages_of({user({file})}),
              R"([{"role":"user","content":[{"type":"file","file":{"filename":"a.pdf",)"
              R"("file_data":"data:application/pdf;base64,QUJD"}}]}])");
    file.source = chat::Media::Source::file;
    EXPECT_THAT(messages_of({user({file})}), HasSubstr(R"("file":{"file_id":"QUJD"})"));
    file.source = chat::Media::Source::text;
    EXPECT_EQ(messages_of({user({file})}), R"([{"role":"user","content":"a.pdf\n\nQUJD"}])");
}

TEST(WriteChatRequest, ResultsFollowInTheOrderOfTheCalls) {
    EXPECT_EQ(messages_of({assistant({text("x"), use("a", "{\"p\": 1.0}"), use("b", "")}),
                           user({result("b", {text("2"), text("3")}), result("q", {text("?")}),
                                 result("a", {text("gone")}, true), text("go on")}),
                           user({result("a", {text("Error: no")}, true)})}),
              R"([{"role":"assistant","content":"x","tool_calls":[)"
              R"({"id":"a","type":"function","function":{"name":"f","arguments":"{\"p\": 1.0}"}},)"
              R"({"id":"b","type":"function","function":{"name":"f","arguments":"{}"}}]},)"
              R"({"role":"tool","tool_call_id":"a","content":"Error: gone"},)"
              R"({"role":"tool","tool_call_id":"b","content":"2\n\n3"},)"
              R"({"role":"tool","tool_call_id":"q","content":"?"},)"
              R"({"role":"user","content":"go on"},)"
              R"({"role":"tool","tool_call_id":"a","content":"Error: no"}])");
}

TEST(WriteChatRequest, ALoadedToolIsTold) {
    EXPECT_THAT(messages_of({user({result("a", {chat::ToolReference{"Grep"}})})}),
                HasSubstr(R"("content":"Tool Grep loaded.")"));
}

TEST(WriteChatRequest, AnAssistantAlwaysHasContent) {
    EXPECT_EQ(messages_of({assistant({}), assistant({text("a"), thinking("T"), text("b")})}),
              R"([{"role":"assistant","content":""},{"role":"assistant","content":"ab"}])");
}

TEST(WriteChatRequest, ReasoningComesBackUnderTheUpstreamsName) {
    const std::vector<chat::Message> turns = {assistant({thinking("A"), thinking("B"), text("x")})};
    chat::Abilities abilities;
    abilities.reasoning_history = chat::ReasoningHistory::reasoning_content;
    EXPECT_EQ(messages_of(turns, abilities),
              R"([{"role":"assistant","content":"x","reasoning_content":"AB"}])");
    abilities.reasoning_history = chat::ReasoningHistory::reasoning;
    EXPECT_EQ(messages_of(turns, abilities),
              R"([{"role":"assistant","content":"x","reasoning":"AB"}])");
    abilities.reasoning_history = chat::ReasoningHistory::drop;
    EXPECT_EQ(messages_of(turns, abilities), R"([{"role":"assistant","content":"x"}])");
}

TEST(WriteChatRequest, RequiredReasoningIsEmptyWhereItIsUnknownAndThereAreTools) {
    chat::Request request = request_of({assistant({text("x")})});
    EXPECT_THAT(write(request, deepseek()), Not(HasSubstr("reasoning_content")));
    request.tools = {function("f")};
    EXPECT_THAT(write(request, deepseek()), HasSubstr(R"("content":"x","reasoning_content":"")"));
}

TEST(WriteChatRequest, APrefixIsMarkedWhereTheUpstreamKnowsIt) {
    chat::Message last = assistant({text("so")});
    last.is_prefix = true;
    EXPECT_EQ(messages_of({last}, deepseek()),
              R"([{"role":"assistant","content":"so","prefix":true}])");
    EXPECT_EQ(messages_of({last}), R"([{"role":"assistant","content":"so"}])");
}

TEST(WriteChatRequest, WhatCannotBeSaidIsLeftOutAndNoted) {
    chat::Request request =
        request_of({user({text("a"), chat::Native{.type = "search_result", .json = "{}"}}),
                    assistant({chat::RedactedThinking{"x"}, text("b")})});
    request.family = chat::Family::anthropic;
    request.others = {{.name = "context_management", .json = "{}"}};
    chat::Changes changes;
    EXPECT_EQ(write_request(request, {}, changes),
              R"({"model":"m","messages":[{"role":"user","content":"a"},)"
              R"({"role":"assistant","content":"b"}]})");
    EXPECT_EQ(changes, (chat::Changes{{.rule = "drop.native", .what = "messages[0]"},
                                      {.rule = "drop.redacted_thinking", .what = "messages[1]"}}));
}

TEST(WriteChatRequest, ItsOwnDialectsPartsAndMembersComeThrough) {
    chat::Request request = request_of(
        {user({chat::Native{.type = "input_audio", .json = R"({"type":"input_audio"})"}})});
    request.others = {{.name = "seed", .json = "7"}};
    EXPECT_EQ(write(request), R"({"model":"m","seed":7,"messages":[{"role":"user",)"
                              R"("content":[{"type":"input_audio"}]}]})");
}

TEST(WriteChatRequest, ToolsAndTheChoiceAmongThem) {
    chat::Request request = request_of({});
    request.tools = {function("f"), function("g"), function("h")};
    request.tools[0].description = "d";
    request.tools[0].strict = true;
    request.tools[1].deferred = true;
    request.tool_choice = chat::ToolChoice{.kind = chat::ToolChoice::Kind::named, .name = "h"};
    request.parallel_tool_calls = false;
    EXPECT_EQ(
        write(request),
        R"({"model":"m","tools":[{"type":"function","function":{"name":"f","description":"d",)"
        R"("parameters":{"type":"object"},"strict":true}},)"
        R"({"type":"function","function":{"name":"h","parameters":{"type":"object"}}}],)"
        R"("tool_choice":{"type":"function","function":{"name":"h"}},)"
        R"("parallel_tool_calls":false,"messages":[]})");
    const std::string plain = write(request, deepseek());
    EXPECT_THAT(plain, Not(HasSubstr("parallel_tool_calls")));
    EXPECT_THAT(plain, Not(HasSubstr("strict")));
    request.tools.clear();
    EXPECT_THAT(write(request), Not(HasSubstr("tool")));
}

TEST(WriteChatRequest, Parameters) {
    chat::Request request = request_of({});
    request.stream = true;
    request.max_output_tokens = 32000;
    request.choices = 2;
    request.stop = {"x", "y"};
    request.temperature = "1.0";
    request.top_p = "0.5";
    request.user = "u";
    request.service_tier = "flex";
    request.effort = chat::Effort::xhigh;
    request.response_format = chat::ResponseFormat{.kind = chat::ResponseFormat::Kind::json_schema,
                                                   .name = {},
                                                   .schema = "{}",
                                                   .strict = true};
    chat::Abilities abilities;
    abilities.output_limit_field = "max_completion_tokens";
    abilities.service_tier = true;
    EXPECT_EQ(
        write(request, abilities),
        R"({"model":"m","stream":true,"stream_options":{"include_usage":true},)"
        R"("max_completion_tokens":32000,"n":2,"stop":["x","y"],"temperature":1.0,"top_p":0.5,)"
        R"("reasoning_effort":"xhigh","response_format":{"type":"json_schema","json_schema":)"
        R"({"name":"response","schema":{},"strict":true}},"user":"u","service_tier":"flex",)"
        R"("messages":[]})");
}

TEST(WriteChatRequest, ThinkingNeverComesWithAnEffortWhereItIsDisabled) {
    using Kind = chat::ThinkingMode::Kind;
    const auto written = [](Kind kind, std::optional<chat::Effort> effort,
                            const chat::Abilities& abilities) {
        chat::Request request = request_of({});
        request.thinking.kind = kind;
        request.effort = effort;
        std::string out = write(request, abilities);
        out.erase(0, std::string_view(R"({"model":"m",)").size());
        out.resize(out.size() - std::string_view(R"("messages":[]})").size());
        return out;
    };
    using enum chat::Effort;
    EXPECT_EQ(written(Kind::disabled, high, deepseek()), R"("thinking":{"type":"disabled"},)");
    EXPECT_EQ(written(Kind::enabled, none, deepseek()), R"("thinking":{"type":"disabled"},)");
    EXPECT_EQ(written(Kind::adaptive, medium, deepseek()),
              R"("thinking":{"type":"enabled"},"reasoning_effort":"high",)");
    EXPECT_EQ(written(Kind::enabled, {}, deepseek()), R"("thinking":{"type":"enabled"},)");
    EXPECT_EQ(written(Kind::unset, max, deepseek()), R"("reasoning_effort":"max",)");
    EXPECT_EQ(written(Kind::unset, {}, deepseek()), "");
    EXPECT_EQ(written(Kind::disabled, high, {}), R"("reasoning_effort":"none",)");
    EXPECT_EQ(written(Kind::enabled, {}, {}), "");
    chat::Abilities silent;
    silent.thinking = chat::ThinkingControl::none;
    EXPECT_EQ(written(Kind::enabled, max, silent), "");
}

TEST(WriteChatRequest, AConversationThatGoesOnOnlyAddsToTheBytes) {
    chat::Request request = request_of({});
    request.system = {text("S")};
    request.tools = {function("f")};
    const std::vector<chat::Message> turns = {
        user({text("a"), text("b")}),
        assistant({thinking("T"), text("x"), use("1", R"({"b":1,"a":2})"), use("2", "{}")}),
        user({result("2", {text("r")}), result("1", {}, true), text("also")}),
        message(chat::Role::system, {text("note")}),
        assistant({text("y")}),
        user({image(), text("c")}),
        assistant({use("1", "{}")}),
        user({result("1", {text("r")})}),
    };
    for (const chat::Abilities& abilities : {chat::Abilities(), deepseek()}) {
        std::string before;
        request.messages.clear();
        for (const chat::Message& turn : turns) {
            request.messages.push_back(turn);
            std::string now = write(request, abilities);
            ASSERT_TRUE(now.ends_with("]}"));
            now.resize(now.size() - 2);
            EXPECT_TRUE(now.starts_with(before)) << before << "\n" << now;
            EXPECT_GT(now.size(), before.size());
            before = std::move(now);
        }
    }
}

std::string read_text(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

fs::path golden_folder() {
    const char* const source = std::getenv("SLUICE_SOURCE_DIR");
    const fs::path root =
        source != nullptr ? fs::path(source) : fs::path(__FILE__).parent_path() / "../../..";
    return root / "tests/golden/openai_chat_requests";
}

std::vector<std::string> golden_requests() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(golden_folder())) {
        names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
}

class GoldenRequest : public testing::TestWithParam<std::string> {};

/// client.json read and written again, for a cautious server and for DeepSeek's.
TEST_P(GoldenRequest, IsWrittenAsItShouldBe) {
    const auto request = read_request(read_text(golden_folder() / GetParam() / "client.json"));
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_EQ(write(*request) + "\n", read_text(golden_folder() / GetParam() / "upstream.json"));
    EXPECT_EQ(write(*request, deepseek()) + "\n",
              read_text(golden_folder() / GetParam() / "upstream.deepseek.json"));
}

INSTANTIATE_TEST_SUITE_P(ChatRequests, GoldenRequest, testing::ValuesIn(golden_requests()),
                         [](const auto& name) { return name.param; });

}  // namespace
}  // namespace sluice::dialect::openai_chat
