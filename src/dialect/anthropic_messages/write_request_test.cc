#include "dialect/anthropic_messages/write_request.h"

#include "dialect/anthropic_messages/read_request.h"
#include "json/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace sluice::dialect::anthropic_messages {
namespace {

using chat::Message;
using chat::Part;
using chat::Request;
using chat::Role;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

chat::Abilities claude() {
    chat::Abilities abilities;
    abilities.family = chat::Family::anthropic;
    abilities.thinking = chat::ThinkingControl::anthropic;
    abilities.reasoning_history = chat::ReasoningHistory::blocks;
    abilities.signatures = true;
    abilities.server_tools = true;
    abilities.deferred_tools = true;
    abilities.documents = true;
    abilities.service_tier = true;
    return abilities;
}

Message message(Role role, std::vector<Part> parts) {
    Message result;
    result.role = role;
    result.parts = std::move(parts);
    return result;
}

Part text(std::string words) {
    return chat::Text{std::move(words)};
}

Part marked(Part part) {
    part.cache_control = R"({"type":"ephemeral","ttl":"1h"})";
    return part;
}

Part call(std::string id, std::string name, std::string arguments) {
    chat::ToolUse use;
    use.id = std::move(id);
    use.name = std::move(name);
    use.arguments = std::move(arguments);
    return use;
}

Part result(std::string id, std::vector<Part> content, bool is_error = false) {
    return chat::ToolResult{
        .id = std::move(id), .content = std::move(content), .is_error = is_error};
}

chat::Tool function(std::string name, std::string schema) {
    chat::Tool tool;
    tool.name = std::move(name);
    tool.schema = std::move(schema);
    return tool;
}

/// A request of Anthropic's own family, so that no cache marks are set.
Request plain(std::vector<Message> messages) {
    Request request;
    request.family = chat::Family::anthropic;
    request.model = "m";
    request.messages = std::move(messages);
    request.max_output_tokens = 100;
    return request;
}

Request hello() {
    return plain({message(Role::user, {text("Hi")})});
}

std::string write(const Request& request, const chat::Abilities& abilities = claude()) {
    chat::Changes changes;
    std::string body = write_request(request, abilities, changes);
    EXPECT_EQ(json::find_error(body), std::nullopt) << body;
    return body;
}

std::vector<std::string> changes_of(const Request& request,
                                    const chat::Abilities& abilities = claude()) {
    chat::Changes changes;
    std::ignore = write_request(request, abilities, changes);
    std::vector<std::string> list;
    for (const chat::Change& change : changes) {
        list.push_back(std::string(change.rule) + " " + change.what);
    }
    return list;
}

std::string messages_of(const Request& request, const chat::Abilities& abilities = claude()) {
    const std::string body = write(request, abilities);
    return std::string(json::find(json::as_value(body), "messages")->raw);
}

/// The blocks of a single message.
std::string blocks(Role role, std::vector<Part> parts,
                   const chat::Abilities& abilities = claude()) {
    Request request = plain({message(role, std::move(parts))});
    request.messages.push_back(
        message(role == Role::user ? Role::assistant : Role::user, {text("end")}));
    const std::string body = write(request, abilities);
    json::Reader messages(*json::find(json::as_value(body), "messages"));
    if (!messages.next()) return {};
    return std::string(json::find(messages.value(), "content")->raw);
}

std::string member_of(const Request& request, std::string_view name,
                      const chat::Abilities& abilities = claude()) {
    const std::string body = write(request, abilities);
    const auto member = json::find(json::as_value(body), name);
    return member ? std::string(member->raw) : "";
}

TEST(WriteMessagesRequest, TheLeastIsAModelMessagesAndALimit) {
    EXPECT_EQ(
        write(hello()),
        R"({"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}],)"
        R"("max_tokens":100})");
}

TEST(WriteMessagesRequest, MembersStandInTheOrderOfClaudeCodes) {
    Request request = hello();
    request.system = {text("Be kind.")};
    request.tools = {function("f", R"({"type":"object"})")};
    request.tool_choice = chat::ToolChoice{};
    request.user = "u";
    request.stop = {"END", " \n", "STOP"};
    request.temperature = "0.50";
    request.top_p = "0.9";
    request.top_k = "5";
    request.thinking.kind = chat::ThinkingMode::Kind::enabled;
    request.thinking.budget_tokens = 50;
    request.thinking.display = "omitted";
    request.effort = chat::Effort::high;
    request.service_tier = "auto";
    request.others = {{.name = "context_management", .json = R"({"edits":[]})"}};
    request.stream = true;

    EXPECT_EQ(
        write(request),
        R"({"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}],)"
        R"("system":"Be kind.","tools":[{"name":"f","input_schema":{"type":"object"}}],)"
        R"("tool_choice":{"type":"auto"},"metadata":{"user_id":"u"},"max_tokens":100,)"
        R"("stop_sequences":["END","STOP"],"temperature":0.50,"top_p":0.9,"top_k":5,)"
        R"("thinking":{"type":"enabled","budget_tokens":50,"display":"omitted"},)"
        R"("context_management":{"edits":[]},"output_config":{"effort":"high"},)"
        R"("service_tier":"auto","stream":true})");
    EXPECT_THAT(changes_of(request), ElementsAre("drop.stop stop[1]"));
}

TEST(WriteMessagesRequest, ALimitIsThereAlways) {
    Request request = hello();
    request.max_output_tokens.reset();
    chat::Abilities abilities = claude();

    EXPECT_EQ(member_of(request, "max_tokens"), "8192");
    EXPECT_THAT(changes_of(request), ElementsAre("default.max_tokens 8192"));

    abilities.default_output_tokens = 32000;
    EXPECT_EQ(member_of(request, "max_tokens", abilities), "32000");
}

TEST(WriteMessagesRequest, SeveralSystemTextsAreBlocks) {
    Request request = hello();
    request.system = {text("One."), text(" "), marked(text("Two."))};

    EXPECT_EQ(member_of(request, "system"),
              R"([{"type":"text","text":"One."},{"type":"text","text":"Two.",)"
              R"("cache_control":{"type":"ephemeral","ttl":"1h"}}])");
}

TEST(WriteMessagesRequest, MessagesOfOneRoleBecomeOneAndResultsComeFirst) {
    const Request request =
        plain({message(Role::user, {text("a")}), message(Role::user, {text("b")}),
               message(Role::assistant, {call("t1", "f", "{}")}),
               message(Role::assistant, {call("t2", "f", "{}")}),
               message(Role::user, {text("also"), result("t1", {text("1")})}),
               message(Role::user, {result("t2", {text("2")})})});

    EXPECT_EQ(
        messages_of(request),
        R"([{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},)"
        R"({"role":"assistant","content":[)"
        R"({"type":"tool_use","id":"t1","name":"f","input":{}},)"
        R"({"type":"tool_use","id":"t2","name":"f","input":{}}]},)"
        R"({"role":"user","content":[)"
        R"({"type":"tool_result","tool_use_id":"t1","content":"1"},)"
        R"({"type":"tool_result","tool_use_id":"t2","content":"2"},)"
        R"({"type":"text","text":"also"}]}])");
}

TEST(WriteMessagesRequest, EmptyTextsAndMessagesAreLeftOut) {
    const Request request =
        plain({message(Role::user, {text("a")}), message(Role::assistant, {text(""), text(" \n")}),
               message(Role::user, {text("b"), text("")})});

    EXPECT_EQ(
        messages_of(request),
        R"([{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}])");
    EXPECT_THAT(changes_of(request), ElementsAre("drop.empty_text messages[1].content[0]",
                                                 "drop.empty_text messages[1].content[1]",
                                                 "drop.empty_message messages[1]",
                                                 "drop.empty_text messages[2].content[1]"));
}

TEST(WriteMessagesRequest, ASystemMessageAmongOthersStaysWhereItCan) {
    const Request request =
        plain({message(Role::user, {text("a")}), message(Role::system, {text("now in French")})});
    chat::Abilities abilities = claude();

    EXPECT_THAT(messages_of(request, abilities), HasSubstr(R"({"role":"system","content":[)"));

    abilities.mid_system = false;
    EXPECT_EQ(messages_of(request, abilities),
              R"([{"role":"user","content":[{"type":"text","text":"a"},)"
              R"({"type":"text","text":"now in French"}]}])");
    EXPECT_THAT(changes_of(request, abilities), ElementsAre("fold.system_message messages[1]"));
}

TEST(WriteMessagesRequest, ArgumentsKeepTheirBytesOrAreRepairedOrStandAsTheyAre) {
    const auto input = [](std::string arguments) {
        const std::string all = blocks(Role::assistant, {call("t", "f", std::move(arguments))});
        const std::size_t from = all.find(R"("input":)") + 8;
        return all.substr(from, all.size() - from - 2);
    };
    EXPECT_EQ(input(R"({"b": 1.0,  "a":"\u00e9"})"), R"({"b": 1.0,  "a":"\u00e9"})");
    EXPECT_EQ(input(""), "{}");
    EXPECT_EQ(input(R"({"a":1,})"), R"({"a":1})");
    EXPECT_EQ(input(R"({"a":)"), R"({"_raw":"{\"a\":"})");
    EXPECT_EQ(input("[1]"), R"({"_raw":"[1]"})");
}

TEST(WriteMessagesRequest, ResultsAreTextOrBlocks) {
    chat::Media image;
    image.media_type = "image/png";
    image.data = "aGk=";
    EXPECT_EQ(
        blocks(Role::user, {result("1", {text("ok")}), result("2", {}, true),
                            result("3", {text("see"), text(""), Part(image)}),
                            marked(result("4", {chat::ToolReference{"f"}}))}),
        R"([{"type":"tool_result","tool_use_id":"1","content":"ok"},)"
        R"({"type":"tool_result","tool_use_id":"2","is_error":true},)"
        R"({"type":"tool_result","tool_use_id":"3","content":[{"type":"text","text":"see"},)"
        R"({"type":"image","source":{"type":"base64","media_type":"image/png","data":"aGk="}}]},)"
        R"({"type":"tool_result","tool_use_id":"4","content":[)"
        R"({"type":"tool_reference","tool_name":"f"}],)"
        R"("cache_control":{"type":"ephemeral","ttl":"1h"}}])");
}

TEST(WriteMessagesRequest, ImagesAndDocumentsHaveTheirSources) {
    using Media = chat::Media;
    const auto media = [](Media::Kind kind, Media::Source source, std::string data) {
        Media result;
        result.kind = kind;
        result.source = source;
        result.data = std::move(data);
        result.title = "T";
        return Part(result);
    };
    EXPECT_EQ(
        blocks(Role::user, {media(Media::Kind::image, Media::Source::url, "https://a.example/"),
                            media(Media::Kind::image, Media::Source::base64, "aGk="),
                            media(Media::Kind::document, Media::Source::base64, "aGk="),
                            media(Media::Kind::document, Media::Source::text, "Once."),
                            media(Media::Kind::document, Media::Source::file, "file_1")}),
        R"([{"type":"image","source":{"type":"url","url":"https://a.example/"}},)"
        R"({"type":"image","source":{"type":"base64","media_type":"image/png","data":"aGk="}},)"
        R"({"type":"document","source":{"type":"base64","media_type":"application/pdf",)"
        R"("data":"aGk="},"title":"T"},)"
        R"({"type":"document","source":{"type":"text","media_type":"text/plain","data":"Once."},)"
        R"("title":"T"},)"
        R"({"type":"document","source":{"type":"file","file_id":"file_1"},"title":"T"}])");
}

TEST(WriteMessagesRequest, ThinkingIsWrittenWhereItsSignatureCanBeChecked) {
    const std::vector<Part> parts = {chat::Thinking{.text = "hm", .signature = "s"},
                                     chat::Thinking{.text = "so", .signature = ""},
                                     chat::RedactedThinking{"x"}, text("Hi")};
    chat::Abilities lenient = claude();
    lenient.signatures = false;

    EXPECT_EQ(blocks(Role::assistant, parts),
              R"([{"type":"thinking","thinking":"hm","signature":"s"},)"
              R"({"type":"redacted_thinking","data":"x"},{"type":"text","text":"Hi"}])");
    EXPECT_THAT(blocks(Role::assistant, parts, lenient),
                HasSubstr(R"({"type":"thinking","thinking":"so","signature":""})"));
    EXPECT_EQ(blocks(Role::user, parts), R"([{"type":"text","text":"Hi"}])");
}

TEST(WriteMessagesRequest, WhatOnlyAnthropicHasIsWrittenBackToItOnly) {
    const Part native =
        chat::Native{.type = "search_result", .json = R"({"type":"search_result"})"};
    EXPECT_EQ(blocks(Role::user, {native}), R"([{"type":"search_result"}])");

    Request request = plain({message(Role::user, {native, text("a")})});
    request.family = chat::Family::openai;
    EXPECT_THAT(messages_of(request), Not(HasSubstr("search_result")));
    EXPECT_THAT(changes_of(request), ElementsAre("drop.native messages[0].content[0]"));
}

TEST(WriteMessagesRequest, APrefixDoesNotEndInWhiteSpace) {
    const Request request =
        plain({message(Role::user, {text("a")}), message(Role::assistant, {text("So: \n")})});

    EXPECT_THAT(messages_of(request), HasSubstr(R"("text":"So:"}]}])"));
}

TEST(WriteMessagesRequest, ToolsHaveSchemasWithAType) {
    Request request = hello();
    request.tools = {function("a", ""), function("b", "{}"), function("c", R"({"properties":{}})")};
    request.tools[0].description = "";
    request.tools[1].strict = true;
    request.tools[1].deferred = true;

    EXPECT_EQ(member_of(request, "tools"),
              R"([{"name":"a","description":"","input_schema":{"type":"object","properties":{}}},)"
              R"({"name":"b","input_schema":{"type":"object","properties":{}},"strict":true,)"
              R"("defer_loading":true},)"
              R"({"name":"c","input_schema":{"type":"object","properties":{}}}])");
}

TEST(WriteMessagesRequest, ToolsThatAreUnknownHereAreLeftOut) {
    Request request = hello();
    chat::Tool server;
    server.kind = chat::Tool::Kind::server;
    server.json = R"({"type":"web_search_20250305","name":"web_search"})";
    chat::Tool custom;
    custom.kind = chat::Tool::Kind::custom;
    custom.json = "{}";
    request.tools = {server, custom};

    EXPECT_EQ(member_of(request, "tools"), "[" + server.json + "]");
    EXPECT_THAT(changes_of(request), ElementsAre("drop.tool tools[1]"));
    request.family = chat::Family::openai;
    EXPECT_EQ(member_of(request, "tools"), "");
}

TEST(WriteMessagesRequest, ToolChoiceAndParallelism) {
    using Kind = chat::ToolChoice::Kind;
    const auto choice = [](std::optional<chat::ToolChoice> wanted, std::optional<bool> parallel) {
        Request request = hello();
        request.tools = {function("f", "{}")};
        request.tool_choice = std::move(wanted);
        request.parallel_tool_calls = parallel;
        return member_of(request, "tool_choice");
    };
    EXPECT_EQ(choice(std::nullopt, std::nullopt), "");
    EXPECT_EQ(choice(std::nullopt, true), "");
    EXPECT_EQ(choice(std::nullopt, false), R"({"type":"auto","disable_parallel_tool_use":true})");
    EXPECT_EQ(choice(chat::ToolChoice{.kind = Kind::required, .name = {}}, std::nullopt),
              R"({"type":"any"})");
    EXPECT_EQ(choice(chat::ToolChoice{.kind = Kind::named, .name = "f"}, false),
              R"({"type":"tool","name":"f","disable_parallel_tool_use":true})");
    EXPECT_EQ(choice(chat::ToolChoice{.kind = Kind::none, .name = {}}, false),
              R"({"type":"none"})");

    Request request = hello();
    request.tool_choice = chat::ToolChoice{};
    EXPECT_EQ(member_of(request, "tool_choice"), "");
    EXPECT_THAT(changes_of(request), ElementsAre("drop.tool_choice tool_choice"));
}

TEST(WriteMessagesRequest, SamplingIsCappedOrLeftOut) {
    Request request = hello();
    request.temperature = "1.7";
    chat::Abilities without = claude();
    without.sampling = false;

    EXPECT_EQ(member_of(request, "temperature"), "1");
    EXPECT_THAT(changes_of(request), ElementsAre("clamp.temperature 1.7"));
    EXPECT_EQ(member_of(request, "temperature", without), "");
}

TEST(WriteMessagesRequest, EffortAndFormatStandInTheOutputConfig) {
    Request request = hello();
    request.effort = chat::Effort::minimal;
    request.response_format = chat::ResponseFormat{.kind = chat::ResponseFormat::Kind::json_schema,
                                                   .name = "n",
                                                   .schema = R"({"type":"object"})",
                                                   .strict = true};
    EXPECT_EQ(member_of(request, "output_config"),
              R"({"effort":"low","format":{"type":"json_schema","schema":{"type":"object"}}})");

    request.effort = chat::Effort::none;
    request.response_format.reset();
    EXPECT_EQ(member_of(request, "output_config"), "");
}

Request from_openai() {
    Request request =
        plain({message(Role::user, {text("a")}), message(Role::assistant, {call("t", "f", "{}")}),
               message(Role::user, {result("t", {text("1")})})});
    request.family = chat::Family::openai;
    request.tools = {function("f", "{}"), function("g", "{}")};
    return request;
}

std::size_t marks_in(std::string_view body) {
    std::size_t count = 0;
    for (std::size_t at = body.find("cache_control"); at != std::string_view::npos;
         at = body.find("cache_control", at + 1)) {
        ++count;
    }
    return count;
}

TEST(WriteMessagesRequest, AConversationWithoutCacheMarksGetsThem) {
    Request request = from_openai();
    EXPECT_THAT(messages_of(request),
                testing::EndsWith(R"("content":"1","cache_control":{"type":"ephemeral"}}]}])"));
    EXPECT_THAT(member_of(request, "tools"),
                testing::EndsWith(R"(,"cache_control":{"type":"ephemeral"}}])"));
    EXPECT_EQ(marks_in(write(request)), 2U);

    request.system = {text("Be"), text("kind.")};
    EXPECT_EQ(member_of(request, "system"),
              R"([{"type":"text","text":"Be"},)"
              R"({"type":"text","text":"kind.","cache_control":{"type":"ephemeral"}}])");
    EXPECT_EQ(marks_in(write(request)), 2U);
}

TEST(WriteMessagesRequest, AClientsOwnCacheMarksAreTheOnlyOnes) {
    Request request = from_openai();
    request.system = {marked(text("Be kind."))};
    EXPECT_EQ(marks_in(write(request)), 1U);

    request = from_openai();
    request.family = chat::Family::anthropic;
    EXPECT_EQ(marks_in(write(request)), 0U);
}

std::string without_marks(std::string body) {
    constexpr std::string_view kMark = R"(,"cache_control":{"type":"ephemeral"})";
    for (std::size_t at = body.find(kMark); at != std::string::npos; at = body.find(kMark)) {
        body.erase(at, kMark.size());
    }
    return body;
}

TEST(WriteMessagesRequest, ALongerConversationBeginsWithTheShorterOne) {
    Request request = from_openai();
    const std::string before = without_marks(messages_of(request));

    request.messages.push_back(message(Role::assistant, {text("Done.")}));
    request.messages.push_back(message(Role::user, {text("More")}));

    EXPECT_THAT(without_marks(messages_of(request)),
                testing::StartsWith(before.substr(0, before.size() - 1)));
}

TEST(WriteMessagesRequest, WhatWasReadIsWrittenAgain) {
    const std::string body =
        R"({"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a"}]},)"
        R"({"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},)"
        R"({"type":"server_tool_use","id":"s1","name":"web_search","input":{"query":"q"}},)"
        R"({"type":"tool_use","id":"t","name":"f","input":{"z":1.50,"a":[]}}]},)"
        R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"r",)"
        R"("is_error":true},{"type":"text","text":"b","cache_control":{"type":"ephemeral"}}]},)"
        R"({"role":"system","content":[{"type":"text","text":"c"}]}],)"
        R"("system":[{"type":"text","text":"s1"},{"type":"text","text":"s2"}],)"
        R"("tools":[{"name":"f","description":"d","input_schema":{"type":"object"}},)"
        R"({"type":"bash_20250124","name":"bash"}],"tool_choice":{"type":"tool","name":"f"},)"
        R"("metadata":{"user_id":"{\"session_id\":\"x\"}"},"max_tokens":128000,)"
        R"("thinking":{"type":"adaptive","display":"omitted"},"context_management":{"edits":[]},)"
        R"("output_config":{"effort":"medium"},"stream":true})";

    const auto request = read_request(body);

    ASSERT_TRUE(request);
    EXPECT_EQ(write(*request), body);
}

}  // namespace
}  // namespace sluice::dialect::anthropic_messages
