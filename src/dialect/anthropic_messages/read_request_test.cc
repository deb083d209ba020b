#include "dialect/anthropic_messages/read_request.h"

#include "dialect/anthropic_messages/head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::dialect::anthropic_messages {
namespace {

using chat::Media;
using chat::Part;
using chat::Request;
using testing::ElementsAre;

/// Reads what must be right.
Request read(std::string_view body) {
    EXPECT_TRUE(read_head(body)) << body;
    auto request = read_request(body);
    EXPECT_TRUE(request) << request.error().message;
    return request ? *std::move(request) : Request();
}

/// The refusal of what must be wrong.
std::string refusal(std::string_view body) {
    EXPECT_TRUE(read_head(body)) << body;
    const auto request = read_request(body);
    EXPECT_FALSE(request) << body;
    if (request) return {};
    EXPECT_EQ(request.error().code, Errc::bad_request);
    EXPECT_TRUE(request.error().message.starts_with(request.error().param + ": "));
    return request.error().message;
}

/// The parts of a user's message that has these blocks.
std::vector<Part> parts_of(std::string_view blocks) {
    Request request =
        read(R"({"messages":[{"role":"user","content":[)" + std::string(blocks) + "]}]}");
    return request.messages.empty() ? std::vector<Part>() : std::move(request.messages[0].parts);
}

std::string refused_block(std::string_view block) {
    return refusal(R"({"messages":[{"role":"user","content":[)" + std::string(block) + "]}]}");
}

template <typename T>
const T& only(const std::vector<Part>& parts) {
    static const T none;
    EXPECT_EQ(parts.size(), 1U);
    const T* const held = parts.empty() ? nullptr : parts[0].as<T>();
    EXPECT_NE(held, nullptr);
    return held == nullptr ? none : *held;
}

TEST(AnthropicRequest, ScalarsAreTakenOver) {
    const Request request =
        read(R"({"model":"deepseek-flash[1m]","messages":[],"max_tokens":32000,"stream":true,)"
             R"("stop_sequences":["a","\n"],"temperature":0.70,"top_p":1,"top_k":5,)"
             R"("service_tier":"auto","metadata":{"user_id":"{\"a\":\"b\"}"}})");

    EXPECT_EQ(request.family, chat::Family::anthropic);
    EXPECT_EQ(request.model, "deepseek-flash");
    EXPECT_EQ(request.max_output_tokens, 32000U);
    EXPECT_TRUE(request.stream);
    EXPECT_THAT(request.stop, ElementsAre("a", "\n"));
    EXPECT_EQ(request.temperature, "0.70");
    EXPECT_EQ(request.top_p, "1");
    EXPECT_EQ(request.top_k, "5");
    EXPECT_EQ(request.service_tier, "auto");
    EXPECT_EQ(request.user, R"({"a":"b"})");
    EXPECT_TRUE(request.others.empty());
}

TEST(AnthropicRequest, NullIsNotGiven) {
    const Request request =
        read(R"({"model":null,"messages":[],"system":null,"tools":null,"tool_choice":null,)"
             R"("max_tokens":null,"stop_sequences":null,"temperature":null,"thinking":null,)"
             R"("output_config":null,"output_format":null,"metadata":null,"service_tier":null})");

    EXPECT_EQ(request.model, "");
    EXPECT_EQ(request.max_output_tokens, std::nullopt);
    EXPECT_EQ(request.tool_choice, std::nullopt);
    EXPECT_EQ(request.temperature, "");
    EXPECT_EQ(request.thinking.kind, chat::ThinkingMode::Kind::unset);
    EXPECT_TRUE(request.others.empty());
}

TEST(AnthropicRequest, WhatNobodyKnowsIsKept) {
    const Request request =
        read(R"({"messages":[],"context_management":{"edits":[ ]},"s\u0061feguards":[1.0]})");

    ASSERT_EQ(request.others.size(), 2U);
    EXPECT_EQ(request.others[0].name, "context_management");
    EXPECT_EQ(request.others[0].json, R"({"edits":[ ]})");
    EXPECT_EQ(request.others[1].name, "safeguards");
    EXPECT_EQ(request.others[1].json, "[1.0]");
}

TEST(AnthropicRequest, SystemIsAStringOrBlocks) {
    EXPECT_EQ(only<chat::Text>(read(R"({"messages":[],"system":"a\nb"})").system).text, "a\nb");

    const Request request =
        read(R"({"messages":[],"system":[{"type":"text","text":"x-anthropic-billing-header: 1"},)"
             R"({"type":"text","text":"b","cache_control":{"type":"ephemeral"}},{"type":"new"}]})");

    ASSERT_EQ(request.system.size(), 2U);
    EXPECT_EQ(request.system[0].cache_control, "");
    EXPECT_EQ(request.system[1].as<chat::Text>()->text, "b");
    EXPECT_EQ(request.system[1].cache_control, R"({"type":"ephemeral"})");
}

TEST(AnthropicRequest, MessagesKeepTheirOrderAndRoles) {
    const Request request =
        read(R"({"messages":[{"role":"user","content":"hi"},)"
             R"({"content":[{"type":"text","text":"env"}],"role":"system"},)"
             R"({"role":"assistant","content":[]},{"role":"user","content":""}]})");

    ASSERT_EQ(request.messages.size(), 4U);
    EXPECT_EQ(request.messages[0].role, chat::Role::user);
    EXPECT_EQ(only<chat::Text>(request.messages[0].parts).text, "hi");
    EXPECT_EQ(request.messages[1].role, chat::Role::system);
    EXPECT_EQ(only<chat::Text>(request.messages[1].parts).text, "env");
    EXPECT_EQ(request.messages[2].role, chat::Role::assistant);
    EXPECT_TRUE(request.messages[2].parts.empty());
    EXPECT_FALSE(request.messages[3].is_prefix);
}

TEST(AnthropicRequest, AnAssistantsMessageAtTheEndIsToBeGoneOnWith) {
    const Request request = read(R"({"messages":[{"role":"user","content":"hi"},)"
                                 R"({"role":"assistant","content":"{"}]})");

    EXPECT_FALSE(request.messages.at(0).is_prefix);
    EXPECT_TRUE(request.messages.at(1).is_prefix);
}

TEST(AnthropicBlocks, ImagesComeFromAnySource) {
    const auto base64 = only<Media>(parts_of(
        R"({"type":"image","source":{"type":"base64","media_type":"image/png","data":"QQ=="}})"));
    EXPECT_EQ(base64.kind, Media::Kind::image);
    EXPECT_EQ(base64.source, Media::Source::base64);
    EXPECT_EQ(base64.media_type, "image/png");
    EXPECT_EQ(base64.data, "QQ==");

    const auto url =
        only<Media>(parts_of(R"({"type":"image","source":{"type":"url","url":"https:\/\/a"}})"));
    EXPECT_EQ(url.source, Media::Source::url);
    EXPECT_EQ(url.data, "https://a");

    const auto file =
        only<Media>(parts_of(R"({"type":"image","source":{"type":"file","file_id":"f"}})"));
    EXPECT_EQ(file.source, Media::Source::file);
    EXPECT_EQ(file.data, "f");

    const auto odd =
        only<chat::Native>(parts_of(R"({"type":"image","source":{"type":"text","data":"x"}})"));
    EXPECT_EQ(odd.json, R"({"type":"image","source":{"type":"text","data":"x"}})");
}

TEST(AnthropicBlocks, DocumentsKeepTheirTitle) {
    const auto parts = parts_of(
        R"({"type":"document","source":{"type":"text","media_type":"text/plain","data":"d"},)"
        R"("title":"t","context":"c","citations":{"enabled":true},"cache_control":{"a":1}})");

    const auto& document = only<Media>(parts);
    EXPECT_EQ(document.kind, Media::Kind::document);
    EXPECT_EQ(document.source, Media::Source::text);
    EXPECT_EQ(document.data, "d");
    EXPECT_EQ(document.title, "t");
    EXPECT_EQ(document.context, "c");
    EXPECT_EQ(parts[0].cache_control, R"({"a":1})");
}

TEST(AnthropicBlocks, ADocumentMadeOfBlocksBecomesTextAndImages) {
    const auto parts = parts_of(
        R"({"type":"document","title":"t","cache_control":{},"source":{"type":"content","content":[)"
        R"({"type":"text","text":"a"},{"type":"text","text":"b"},)"
        R"({"type":"image","source":{"type":"url","url":"u"}},{"type":"text","text":"c"}]}})");

    ASSERT_EQ(parts.size(), 3U);
    EXPECT_EQ(parts[0].as<Media>()->data, "a\n\nb");
    EXPECT_EQ(parts[0].as<Media>()->title, "t");
    EXPECT_EQ(parts[1].as<Media>()->kind, Media::Kind::image);
    EXPECT_EQ(parts[2].as<Media>()->data, "c");
    EXPECT_EQ(parts[2].as<Media>()->title, "t");
    EXPECT_EQ(parts[0].cache_control, "");
    EXPECT_EQ(parts[2].cache_control, "{}");

    EXPECT_EQ(
        only<Media>(parts_of(R"({"type":"document","source":{"type":"content","content":"s"}})"))
            .data,
        "s");
    only<chat::Native>(parts_of(R"({"type":"document","source":{"type":"content","content":[)"
                                R"({"type":"new"}]}})"));
}

TEST(AnthropicBlocks, TheInputOfAToolIsKeptByteForByte) {
    const auto use = only<chat::ToolUse>(
        parts_of(R"({"type":"tool_use","id":"t1","name":"f","caller":{"type":"direct"},)"
                 R"("input":{ "b": 1.0,"a" :"\u00e4", "1":[ ]} })"));

    EXPECT_EQ(use.id, "t1");
    EXPECT_EQ(use.name, "f");
    EXPECT_EQ(use.arguments, R"({ "b": 1.0,"a" :"\u00e4", "1":[ ]})");
    EXPECT_FALSE(use.is_custom);
    EXPECT_EQ(only<chat::ToolUse>(parts_of(R"({"type":"tool_use","id":"t","name":"f"})")).arguments,
              "{}");
}

TEST(AnthropicBlocks, WhatClaudeCodeCouldNotParseGoesBackAsItWas) {
    const auto arguments = [](std::string_view input) {
        return only<chat::ToolUse>(parts_of(R"({"type":"tool_use","id":"t","name":"f","input":)" +
                                            std::string(input) + "}"))
            .arguments;
    };
    EXPECT_EQ(arguments(R"({"__unparsedToolInput":{"raw":"{\"a\": tru","len":9}})"),
              R"({"a": tru)");
    for (const std::string_view own :
         {R"({"__unparsedToolInput":{"len":9}})", R"({"__unparsedToolInput":"x"})",
          R"({"__unparsedToolInput":{"raw":"x"},"b":1})", R"({"a":"__unparsedToolInput"})",
          R"({"a":{"__unparsedToolInput":{"raw":"x"}}})"}) {
        EXPECT_EQ(arguments(own), own);
    }
}

TEST(AnthropicBlocks, ToolResultsHoldAStringBlocksOrNothing) {
    const auto text = only<chat::ToolResult>(
        parts_of(R"({"type":"tool_result","tool_use_id":"t","content":"out","is_error":true})"));
    EXPECT_EQ(text.id, "t");
    EXPECT_TRUE(text.is_error);
    EXPECT_EQ(only<chat::Text>(text.content).text, "out");

    const auto none =
        only<chat::ToolResult>(parts_of(R"({"type":"tool_result","tool_use_id":"t"})"));
    EXPECT_TRUE(none.content.empty());
    EXPECT_FALSE(none.is_error);

    const auto blocks = only<chat::ToolResult>(parts_of(
        R"({"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"a",)"
        R"("cache_control":{}},{"type":"image","source":{"type":"base64","data":"QQ=="}},)"
        R"({"type":"tool_reference","tool_name":"Web"},{"type":"search_result","title":"s"},)"
        R"({"type":"tool_result","tool_use_id":"x"}]})"));
    ASSERT_EQ(blocks.content.size(), 5U);
    EXPECT_EQ(blocks.content[0].cache_control, "{}");
    EXPECT_EQ(blocks.content[1].as<Media>()->data, "QQ==");
    EXPECT_EQ(blocks.content[2].as<chat::ToolReference>()->name, "Web");
    EXPECT_EQ(blocks.content[3].as<chat::Native>()->type, "search_result");
    EXPECT_EQ(blocks.content[4].as<chat::Native>()->type, "tool_result");
}

TEST(AnthropicBlocks, ThinkingKeepsItsSignature) {
    const auto parts = parts_of(R"({"type":"thinking","thinking":"th","signature":"sig"},)"
                                R"({"type":"thinking","thinking":""},)"
                                R"({"type":"redacted_thinking","data":"xx"})");

    ASSERT_EQ(parts.size(), 3U);
    EXPECT_EQ(parts[0].as<chat::Thinking>()->text, "th");
    EXPECT_EQ(parts[0].as<chat::Thinking>()->signature, "sig");
    EXPECT_EQ(parts[1].as<chat::Thinking>()->signature, "");
    EXPECT_EQ(parts[2].as<chat::RedactedThinking>()->data, "xx");
}

TEST(AnthropicBlocks, WhatOnlyThisDialectHasIsKeptWhole) {
    for (const std::string_view type :
         {"server_tool_use", "web_search_tool_result", "container_upload", "mcp_tool_use",
          "compaction", "search_result", "tool_addition", "tool_removal", "of_tomorrow"}) {
        const std::string json = R"({"type":")" + std::string(type) + R"(", "a" : 1.50})";
        const auto native = only<chat::Native>(parts_of(json));
        EXPECT_EQ(native.type, type);
        EXPECT_EQ(native.json, json);
    }
    EXPECT_EQ(
        only<chat::ToolReference>(parts_of(R"({"type":"tool_reference","tool_name":"n"})")).name,
        "n");
}

TEST(AnthropicTools, FunctionsAndServerTools) {
    const Request request = read(
        R"({"messages":[],"tools":[{"name":"f","description":"d","input_schema":{ "b":1,"a":2},)"
        R"("strict":true,"cache_control":{"type":"ephemeral"},"input_examples":[],)"
        R"("allowed_callers":["direct"],"eager_input_streaming":true},)"
        R"({"type":"custom","name":"g","defer_loading":true,"input_schema":{}},)"
        R"({"type":"web_search_20250305","name":"web_search","max_uses":8},)"
        R"({"type":"mcp_toolset"}]})");

    ASSERT_EQ(request.tools.size(), 4U);
    const chat::Tool& f = request.tools[0];
    EXPECT_EQ(f.kind, chat::Tool::Kind::function);
    EXPECT_EQ(f.name, "f");
    EXPECT_EQ(f.description, "d");
    EXPECT_EQ(f.schema, R"({ "b":1,"a":2})");
    EXPECT_EQ(f.strict, true);
    EXPECT_FALSE(f.deferred);
    EXPECT_EQ(f.cache_control, R"({"type":"ephemeral"})");
    EXPECT_EQ(f.json, "");
    EXPECT_TRUE(request.tools[1].deferred);
    EXPECT_EQ(request.tools[1].description, std::nullopt);
    EXPECT_EQ(request.tools[1].strict, std::nullopt);
    EXPECT_EQ(request.tools[2].kind, chat::Tool::Kind::server);
    EXPECT_EQ(request.tools[2].type, "web_search_20250305");
    EXPECT_EQ(request.tools[2].name, "web_search");
    EXPECT_EQ(request.tools[2].json,
              R"({"type":"web_search_20250305","name":"web_search","max_uses":8})");
    EXPECT_EQ(request.tools[3].name, "");
}

TEST(AnthropicTools, TheChoice) {
    using Kind = chat::ToolChoice::Kind;
    const auto chosen = [](std::string_view choice) {
        return read(R"({"messages":[],"tool_choice":)" + std::string(choice) + "}");
    };
    EXPECT_EQ(chosen(R"({"type":"auto"})").tool_choice->kind, Kind::automatic);
    EXPECT_EQ(chosen(R"({"type":"any"})").tool_choice->kind, Kind::required);
    EXPECT_EQ(chosen(R"({"type":"none"})").tool_choice->kind, Kind::none);
    EXPECT_EQ(chosen(R"({"type":"tool","name":"f"})").tool_choice->kind, Kind::named);
    EXPECT_EQ(chosen(R"({"type":"tool","name":"f"})").tool_choice->name, "f");
    EXPECT_EQ(chosen(R"({"type":"of_tomorrow"})").tool_choice, std::nullopt);
    EXPECT_EQ(chosen(R"({"type":"auto"})").parallel_tool_calls, std::nullopt);
    EXPECT_EQ(chosen(R"({"type":"auto","disable_parallel_tool_use":true})").parallel_tool_calls,
              false);
    EXPECT_EQ(chosen(R"({"type":"any","disable_parallel_tool_use":false})").parallel_tool_calls,
              true);
}

TEST(AnthropicRequest, ThinkingAndEffort) {
    using Kind = chat::ThinkingMode::Kind;
    const auto asked = [](std::string_view members) {
        return read(R"({"messages":[],)" + std::string(members) + "}");
    };
    const Request enabled = asked(R"("thinking":{"type":"enabled","budget_tokens":2048})");
    EXPECT_EQ(enabled.thinking.kind, Kind::enabled);
    EXPECT_EQ(enabled.thinking.budget_tokens, 2048U);
    const Request adaptive = asked(R"("thinking":{"type":"adaptive","display":"omitted"},)"
                                   R"("output_config":{"effort":"xhigh","task_budget":{}})");
    EXPECT_EQ(adaptive.thinking.kind, Kind::adaptive);
    EXPECT_EQ(adaptive.thinking.display, "omitted");
    EXPECT_EQ(adaptive.effort, chat::Effort::xhigh);
    EXPECT_EQ(asked(R"("thinking":{"type":"disabled"})").thinking.kind, Kind::disabled);
    EXPECT_EQ(asked(R"("thinking":{"type":"between_tools"})").thinking.kind, Kind::between_tools);
    EXPECT_EQ(asked(R"("thinking":{"type":"of_tomorrow"})").thinking.kind, Kind::adaptive);
    EXPECT_EQ(asked(R"("output_config":{"effort":"huge"})").effort, std::nullopt);
}

TEST(AnthropicRequest, TheFormatStandsInEitherPlace) {
    for (const std::string_view member :
         {R"("output_config":{"format":{"type":"json_schema","schema":{ "a":1}}})",
          R"("output_format":{"type":"json_schema","schema":{ "a":1}})"}) {
        const Request request = read(R"({"messages":[],)" + std::string(member) + "}");
        ASSERT_TRUE(request.response_format);
        EXPECT_EQ(request.response_format->kind, chat::ResponseFormat::Kind::json_schema);
        EXPECT_EQ(request.response_format->schema, R"({ "a":1})");
        EXPECT_EQ(request.response_format->strict, true);
    }
    EXPECT_FALSE(read(R"({"messages":[],"output_format":{"type":"yaml"}})").response_format);
}

TEST(AnthropicRefusals, NameThePlaceInAnthropicsWords) {
    EXPECT_EQ(
        refusal(R"({"messages":[{"role":"user","content":"a"},{"role":"tool","content":"b"}]})"),
        "messages.1.role: Input should be 'user', 'assistant' or 'system'");
    EXPECT_EQ(refusal(R"({"messages":[{"content":"a"}]})"), "messages.0.role: Field required");
    EXPECT_EQ(refusal(R"({"messages":[{"role":"user"}]})"), "messages.0.content: Field required");
    EXPECT_EQ(refusal(R"({"messages":[{"role":"user","content":5}]})"),
              "messages.0.content: Input should be a valid list");
    EXPECT_EQ(refusal(R"({"messages":["hi"]})"),
              "messages.0: Input should be a valid dictionary or object to extract fields from");
    EXPECT_EQ(refused_block(R"({"text":"a"})"), "messages.0.content.0.type: Field required");
    EXPECT_EQ(refused_block(R"({"type":7})"),
              "messages.0.content.0.type: Input should be a valid string");
    EXPECT_EQ(refused_block(R"({"type":"text"},{"type":"text"})"),
              "messages.0.content.0.text.text: Field required");
    EXPECT_EQ(refused_block(R"({"type":"text","text":null})"),
              "messages.0.content.0.text.text: Input should be a valid string");
    EXPECT_EQ(refused_block(R"({"type":"tool_use","id":"a","name":"f","input":"{}"})"),
              "messages.0.content.0.tool_use.input: Input should be a valid dictionary");
    EXPECT_EQ(refused_block(R"({"type":"tool_result"})"),
              "messages.0.content.0.tool_result.tool_use_id: Field required");
    EXPECT_EQ(refused_block(R"({"type":"tool_result","tool_use_id":"a","content":[{}]})"),
              "messages.0.content.0.tool_result.content.0.type: Field required");
    EXPECT_EQ(refused_block(R"({"type":"tool_result","tool_use_id":"a","is_error":1})"),
              "messages.0.content.0.tool_result.is_error: Input should be a valid boolean");
    EXPECT_EQ(refused_block(R"({"type":"image"})"),
              "messages.0.content.0.image.source: Field required");
    EXPECT_EQ(refused_block(R"({"type":"image","source":{"type":"url"}})"),
              "messages.0.content.0.image.source.url: Field required");
    EXPECT_EQ(refused_block(R"({"type":"thinking"})"),
              "messages.0.content.0.thinking.thinking: Field required");
}

TEST(AnthropicRefusals, OfTopLevelFields) {
    const auto refused = [](std::string_view members) {
        return refusal(R"({"messages":[],)" + std::string(members) + "}");
    };
    EXPECT_EQ(refused(R"("temperature":"1")"), "temperature: Input should be a valid number");
    EXPECT_EQ(refused(R"("stop_sequences":"a")"), "stop_sequences: Input should be a valid list");
    EXPECT_EQ(refused(R"("stop_sequences":["a",1])"),
              "stop_sequences.1: Input should be a valid string");
    EXPECT_EQ(refused(R"("system":{})"), "system: Input should be a valid list");
    EXPECT_EQ(refused(R"("system":[{"type":"text"}])"), "system.0.text.text: Field required");
    EXPECT_EQ(refused(R"("tools":[{}])"), "tools.0.name: Field required");
    EXPECT_EQ(refused(R"("tools":[{"name":"f","input_schema":"x"}])"),
              "tools.0.input_schema: Input should be a valid dictionary or object to extract "
              "fields from");
    EXPECT_EQ(refused(R"("tool_choice":{"type":"tool"})"), "tool_choice.name: Field required");
    EXPECT_EQ(refused(R"("tool_choice":"auto")"),
              "tool_choice: Input should be a valid dictionary or object to extract fields from");
    EXPECT_EQ(refused(R"("thinking":{})"), "thinking.type: Field required");
    EXPECT_EQ(refused(R"("output_config":{"effort":1})"),
              "output_config.effort: Input should be a valid string");
    EXPECT_EQ(refused(R"("output_config":{"format":{"type":"json_schema"}})"),
              "output_config.format.schema: Field required");
    EXPECT_EQ(refused(R"("metadata":"a")"),
              "metadata: Input should be a valid dictionary or object to extract fields from");
}

TEST(AnthropicRequest, WhatIsNoObjectIsRefused) {
    for (const std::string_view body : {"", "[]", "7"}) EXPECT_FALSE(read_request(body)) << body;
}

}  // namespace
}  // namespace sluice::dialect::anthropic_messages
