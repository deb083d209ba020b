#include "shaping/adapt_fixture.h"

namespace sluice::shaping {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class AdaptTools : public AdaptTest {
protected:
    void choose(chat::ToolChoice::Kind kind, std::string name = {}) {
        request_.tool_choice = chat::ToolChoice{.kind = kind, .name = std::move(name)};
    }

    static chat::Tool server(std::string name) {
        chat::Tool made = tool(std::move(name));
        made.kind = chat::Tool::Kind::server;
        made.type = "web_search_20250305";
        return made;
    }

    static chat::Tool custom(std::string name, std::string json) {
        chat::Tool made;
        made.kind = chat::Tool::Kind::custom;
        made.name = std::move(name);
        made.json = std::move(json);
        return made;
    }
};

TEST_F(AdaptTools, ADeferredToolThatNothingNamesIsDropped) {
    request_.tools = {tool("Bash"), tool("DeferredToolPlaceholder", true), tool("Write")};

    run(deepseek());

    EXPECT_THAT(tools(), ElementsAre("Bash", "Write"));
    EXPECT_THAT(changes(), Contains("drop.deferred_tool tools[1]"));
}

TEST_F(AdaptTools, LoadedToolsComeLastInTheOrderInWhichTheyWereLoaded) {
    request_.tools = {tool("Bash"), tool("Zip", true), tool("Fetch"), tool("Never", true),
                      tool("Write")};
    user(text("hi"));
    assistant(call("a"), call("b"));
    user(result("a", reference("Fetch"), reference("Zip")), result("b", reference("Fetch")));

    run(deepseek());

    EXPECT_THAT(tools(), ElementsAre("Bash", "Write", "Fetch", "Zip"));
    EXPECT_THAT(changes(), Contains("move.loaded_tool tools[1]"));
    EXPECT_THAT(changes(), Contains("move.loaded_tool tools[2]"));
    EXPECT_THAT(changes(), Contains("drop.deferred_tool tools[3]"));
}

TEST_F(AdaptTools, ASystemMessageMayLoadATool) {
    request_.tools = {tool("Fetch", true), tool("Bash")};
    user(text("hi"));
    say(chat::Role::system,
        parts(native("tool_addition",
                     R"({"type":"tool_addition","tool":{"type":"tool_reference","name":"Fetch"}})"),
              native("tool_removal", R"({"type":"tool_removal","tool":{"name":"Bash"}})")));

    run(deepseek());

    EXPECT_THAT(tools(), ElementsAre("Bash", "Fetch"));
    EXPECT_THAT(messages(), ElementsAre("user: text(hi)",
                                        "system: text(Tool Fetch loaded.) "
                                        "text(Tool Bash is no longer available.)"));
    EXPECT_THAT(changes(), Contains("fold.native messages[1].content[0]"));
}

TEST_F(AdaptTools, AnthropicSeesToDeferredToolsItself) {
    request_.tools = {tool("Fetch", true), tool("Bash")};
    user(reference("Fetch"));

    run(anthropic());

    EXPECT_THAT(tools(), ElementsAre("Fetch (deferred)", "Bash"));
    EXPECT_THAT(messages(), ElementsAre("user: reference(Fetch)"));
    EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(AdaptTools, AReferenceIsTextWhereTheWriterHasNoWordsForIt) {
    assistant(call("a"));
    user(result("a", reference("Fetch")));
    say(chat::Role::system, parts(reference("Zip")));
    auto again = request_;

    run(deepseek());

    EXPECT_THAT(messages(), Contains("user: result(a: reference(Fetch))"));
    EXPECT_THAT(messages(), Contains("system: text(Tool Zip loaded.)"));
    EXPECT_THAT(changes(), Contains("fold.tool_reference messages[2].content[0]"));

    request_ = again;
    run(deepseek_anthropic());

    EXPECT_THAT(messages()[1], HasSubstr("result(a: text(Tool Fetch loaded.))"));
}

TEST_F(AdaptTools, ToolsOfTheProvidersOwnAreDroppedElsewhere) {
    request_.tools = {server("web_search"), tool("Bash")};
    choose(chat::ToolChoice::Kind::required);

    run(deepseek());

    EXPECT_THAT(tools(), ElementsAre("Bash"));
    EXPECT_THAT(changes(), Contains("drop.server_tool tools[0]"));
    EXPECT_TRUE(request_.tool_choice);

    request_.tools = {server("web_search")};
    run(anthropic());
    EXPECT_THAT(tools(), ElementsAre("web_search"));

    request_.family = chat::Family::openai;
    run(chat::Abilities());
    EXPECT_THAT(tools(), ElementsAre("web_search"));
    run(anthropic());
    EXPECT_THAT(tools(), IsEmpty());
}

TEST_F(AdaptTools, AChoiceWithoutToolsIsDropped) {
    request_.tools = {server("web_search")};
    choose(chat::ToolChoice::Kind::automatic);
    request_.parallel_tool_calls = true;

    run(chat::Abilities());

    EXPECT_THAT(tools(), IsEmpty());
    EXPECT_FALSE(request_.tool_choice);
    EXPECT_FALSE(request_.parallel_tool_calls);
    EXPECT_THAT(changes(),
                ElementsAre("drop.server_tool tools[0]", "drop.tool_choice tool_choice"));
}

TEST_F(AdaptTools, AChoiceOfAToolThatIsGoneIsDropped) {
    request_.tools = {server("web_search"), tool("Bash")};
    choose(chat::ToolChoice::Kind::named, "web_search");
    run(deepseek());
    EXPECT_FALSE(request_.tool_choice);
    EXPECT_THAT(changes(), Contains("drop.tool_choice tool_choice"));

    // What never was a tool is for the upstream to refuse.
    choose(chat::ToolChoice::Kind::named, "nonsense");
    run(deepseek());
    EXPECT_TRUE(request_.tool_choice);
}

TEST_F(AdaptTools, MoreToolsThanTheUpstreamTakesAreCut) {
    chat::Abilities abilities;
    abilities.max_tools = 2;
    request_.tools = {tool("a"), tool("b"), tool("c"), tool("d")};

    run(abilities);

    EXPECT_THAT(tools(), ElementsAre("a", "b"));
    EXPECT_THAT(changes(), ElementsAre("drop.tool tools[2]", "drop.tool tools[3]"));
}

TEST_F(AdaptTools, ACustomToolIsAFunctionWithOneText) {
    request_.family = chat::Family::openai;
    request_.tools = {custom("patch",
                             R"({"type":"custom","custom":{"name":"patch","description":"Edits.",)"
                             R"("format":{"type":"grammar","grammar":{"syntax":"lark",)"
                             R"("definition":"start: x"}}}})")};
    choose(chat::ToolChoice::Kind::named, "patch");
    assistant(
        chat::ToolUse{.id = "a", .name = "patch", .arguments = "a \"b\"\n", .is_custom = true});
    user(result("a", text("ok")));

    run(anthropic());

    ASSERT_EQ(request_.tools.size(), 1U);
    const chat::Tool& function = request_.tools[0];
    EXPECT_EQ(function.kind, chat::Tool::Kind::function);
    EXPECT_EQ(function.name, "patch");
    EXPECT_EQ(function.description, "Edits.\n\nThe input follows this lark grammar:\nstart: x");
    EXPECT_EQ(function.schema,
              R"({"type":"object","properties":{"input":{"type":"string"}},"required":["input"]})");
    EXPECT_THAT(messages(), Contains(R"(assistant: call(a, {"input":"a \"b\"\n"}))"));
    EXPECT_TRUE(request_.tool_choice);
    EXPECT_THAT(changes(), ElementsAre("fold.custom_tool tools[0]"));
}

TEST_F(AdaptTools, ACustomToolStaysWhereItIsKnown) {
    request_.family = chat::Family::openai;
    request_.tools = {custom("patch", R"({"type":"custom"})")};
    assistant(chat::ToolUse{.id = "a", .name = "patch", .arguments = "x", .is_custom = true});
    user(result("a"));
    chat::Abilities abilities;
    abilities.custom_tools = true;

    run(abilities);

    EXPECT_EQ(request_.tools[0].kind, chat::Tool::Kind::custom);
    EXPECT_THAT(messages(), Contains("assistant: call(a, custom x)"));
    EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(AdaptTools, StrictIsDroppedWhereItIsUnknown) {
    request_.tools = {tool("a"), tool("b")};
    request_.tools[0].strict = true;
    request_.tools[1].strict = false;
    chat::Abilities abilities;
    run(abilities);
    EXPECT_EQ(request_.tools[0].strict, true);
    EXPECT_THAT(changes(), IsEmpty());

    abilities.strict_tools = false;
    run(abilities);

    EXPECT_FALSE(request_.tools[0].strict);
    EXPECT_FALSE(request_.tools[1].strict);
    EXPECT_THAT(changes(), ElementsAre("drop.strict tools[0]"));
}

TEST_F(AdaptTools, DeepSeekTakesStrictForAllOrNone) {
    request_.tools = {tool("a"), tool("b")};
    request_.tools[0].strict = true;
    request_.tools[1].strict = true;
    run(deepseek());
    EXPECT_EQ(request_.tools[0].strict, true);

    request_.tools[1].strict = false;
    run(deepseek());

    EXPECT_FALSE(request_.tools[0].strict);
    EXPECT_THAT(changes(), Contains("drop.strict tools[0]"));
}

TEST_F(AdaptTools, ANameThatSomeRefuseIsPassedOnAndNoted) {
    request_.tools = {tool("a.b"), tool(std::string(65, 'x')), tool(std::string(64, 'y'))};

    run(chat::Abilities());

    EXPECT_THAT(tools(), ElementsAre("a.b", std::string(65, 'x'), std::string(64, 'y')));
    EXPECT_THAT(changes(), ElementsAre("pass.tool_name tools[0]", "pass.tool_name tools[1]"));
}

TEST_F(AdaptTools, ParallelCallsAreNotMentionedWhereTheyCannotBeForbidden) {
    request_.tools = {tool("a")};
    request_.parallel_tool_calls = false;
    run(chat::Abilities());
    EXPECT_EQ(request_.parallel_tool_calls, false);

    run(deepseek());
    EXPECT_FALSE(request_.parallel_tool_calls);
    EXPECT_THAT(changes(), Contains("drop.parallel_tool_calls parallel_tool_calls"));

    request_.parallel_tool_calls = true;
    run(deepseek());
    EXPECT_FALSE(request_.parallel_tool_calls);
    EXPECT_THAT(changes(), testing::Not(Contains(HasSubstr("drop.parallel"))));
}

}  // namespace
}  // namespace sluice::shaping
