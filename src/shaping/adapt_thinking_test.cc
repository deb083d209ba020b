#include "shaping/adapt_fixture.h"

namespace sluice::shaping {
namespace {

using chat::Effort;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using Mode = chat::ThinkingMode::Kind;

class AdaptThinking : public AdaptTest {
protected:
    struct Asked {
        Mode mode = Mode::unset;
        std::optional<Effort> effort = std::nullopt;
        std::optional<std::uint64_t> budget = std::nullopt;
    };

    /// "enabled high".
    std::string after(Asked asked, const chat::Abilities& abilities) {
        request_.thinking = {
            .kind = asked.mode, .budget_tokens = asked.budget, .display = "omitted"};
        request_.effort = asked.effort;
        run(abilities);
        std::string shown;
        switch (request_.thinking.kind) {
            case Mode::unset: shown = "unset"; break;
            case Mode::disabled: shown = "disabled"; break;
            case Mode::enabled: shown = "enabled"; break;
            case Mode::adaptive: shown = "adaptive"; break;
            case Mode::between_tools: shown = "between_tools"; break;
        }
        if (request_.thinking.budget_tokens) shown += " budget";
        if (request_.effort) shown += " " + std::string(chat::to_string(*request_.effort));
        return shown;
    }

    static chat::Abilities with(chat::ThinkingControl control) {
        chat::Abilities abilities;
        abilities.thinking = control;
        return abilities;
    }

    void force(chat::ToolChoice::Kind kind) {
        request_.tools = {tool("Bash")};
        request_.tool_choice = chat::ToolChoice{.kind = kind, .name = "Bash"};
    }
};

TEST_F(AdaptThinking, NothingIsSentToAnUpstreamWithoutAControl) {
    const auto none = with(chat::ThinkingControl::none);

    EXPECT_EQ(after({.mode = Mode::adaptive, .effort = Effort::high}, none), "unset");
    EXPECT_THAT(changes(), ElementsAre("drop.thinking thinking", "drop.effort high"));
    EXPECT_EQ(after({}, none), "unset");
    EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(AdaptThinking, DeepSeekIsToldNotToThinkWhereAnAnthropicClientDidNotAsk) {
    EXPECT_EQ(after({}, deepseek()), "disabled");
    EXPECT_THAT(changes(), ElementsAre("default.thinking thinking"));
    EXPECT_EQ(after({.effort = Effort::high}, deepseek()), "disabled");
    EXPECT_THAT(changes(), ElementsAre("default.thinking thinking", "drop.effort high"));
    EXPECT_EQ(after({}, deepseek_anthropic()), "disabled");
    EXPECT_EQ(after({}, anthropic()), "unset");

    request_.family = chat::Family::openai;
    EXPECT_EQ(after({}, deepseek()), "unset");
    EXPECT_THAT(changes(), IsEmpty());
    EXPECT_EQ(after({.effort = Effort::medium}, deepseek()), "unset high");
    EXPECT_EQ(after({.effort = Effort::none}, deepseek()), "disabled");
}

TEST_F(AdaptThinking, EffortNeverGoesWithThinkingDisabled) {
    for (const auto& abilities : {deepseek(), deepseek_anthropic()}) {
        EXPECT_EQ(after({.mode = Mode::disabled, .effort = Effort::high}, abilities), "disabled");
        EXPECT_THAT(changes(), Contains("drop.effort high"));
    }
    // Anthropic itself has a use for it.
    EXPECT_EQ(after({.mode = Mode::disabled, .effort = Effort::high}, anthropic()),
              "disabled high");
}

TEST_F(AdaptThinking, EveryModeIsEnabledAtDeepSeek) {
    EXPECT_EQ(after({.mode = Mode::adaptive}, deepseek()), "enabled");
    EXPECT_THAT(changes(), ElementsAre("downgrade.thinking adaptive"));
    EXPECT_EQ(after({.mode = Mode::between_tools, .effort = Effort::low}, deepseek()),
              "enabled low");
    EXPECT_THAT(changes(), ElementsAre("downgrade.thinking between_tools"));
    EXPECT_EQ(after({.mode = Mode::enabled}, deepseek()), "enabled");
    EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(AdaptThinking, ABudgetIsAnEffortWhereNoneIsGiven) {
    const auto budget = [](std::uint64_t tokens) {
        return Asked{.mode = Mode::enabled, .budget = tokens};
    };
    const auto effort = with(chat::ThinkingControl::effort);

    EXPECT_EQ(after(budget(2000), deepseek()), "enabled low");
    EXPECT_THAT(changes(), ElementsAre("downgrade.thinking budget_tokens"));
    EXPECT_EQ(after(budget(2001), deepseek()), "enabled high");
    EXPECT_EQ(after(budget(16000), deepseek()), "enabled high");
    EXPECT_EQ(after(budget(16001), deepseek()), "enabled max");
    EXPECT_EQ(after(budget(1024), effort), "enabled low");
    EXPECT_EQ(after(budget(10000), effort), "enabled medium");
    EXPECT_EQ(after(budget(32000), effort), "enabled high");
    EXPECT_EQ(after({.mode = Mode::enabled, .effort = Effort::max, .budget = 1024}, deepseek()),
              "enabled max");
    EXPECT_EQ(after(budget(1024), anthropic()), "enabled budget");
}

TEST_F(AdaptThinking, DeepSeekKnowsThreeEfforts) {
    const auto at = [&](Effort effort) {
        return after({.mode = Mode::adaptive, .effort = effort}, deepseek());
    };

    EXPECT_EQ(at(Effort::none), "disabled");
    EXPECT_EQ(at(Effort::minimal), "enabled low");
    EXPECT_THAT(changes(), Contains("downgrade.effort minimal"));
    EXPECT_EQ(at(Effort::low), "enabled low");
    EXPECT_EQ(at(Effort::medium), "enabled high");
    EXPECT_EQ(at(Effort::high), "enabled high");
    EXPECT_EQ(at(Effort::xhigh), "enabled high");
    EXPECT_EQ(at(Effort::max), "enabled max");
    EXPECT_THAT(changes(), ElementsAre("downgrade.thinking adaptive"));
}

TEST_F(AdaptThinking, OpenAIIsToldByEffortAlone) {
    const auto effort = with(chat::ThinkingControl::effort);

    EXPECT_EQ(after({}, effort), "unset");
    EXPECT_EQ(after({.mode = Mode::disabled}, effort), "disabled none");
    EXPECT_THAT(changes(), IsEmpty());
    EXPECT_EQ(after({.mode = Mode::disabled, .effort = Effort::high}, effort), "disabled none");
    EXPECT_THAT(changes(), ElementsAre("drop.effort high"));
    EXPECT_EQ(after({.mode = Mode::adaptive, .effort = Effort::xhigh}, effort), "enabled xhigh");
    EXPECT_EQ(after({.mode = Mode::between_tools}, effort), "enabled");
    EXPECT_THAT(changes(), ElementsAre("downgrade.thinking between_tools"));
}

TEST_F(AdaptThinking, AnOpenAIClientsEffortIsAdaptiveThinkingAtAnthropic) {
    request_.family = chat::Family::openai;

    EXPECT_EQ(after({}, anthropic()), "unset");
    EXPECT_EQ(after({.effort = Effort::high}, anthropic()), "adaptive high");
    EXPECT_EQ(after({.effort = Effort::minimal}, anthropic()), "adaptive low");
    EXPECT_THAT(changes(), ElementsAre("downgrade.effort minimal"));
    EXPECT_EQ(after({.effort = Effort::none}, anthropic()), "disabled");
    EXPECT_EQ(after({.mode = Mode::enabled}, anthropic()), "adaptive");
}

TEST_F(AdaptThinking, AForcedToolDisablesThinkingWhereTheTwoDoNotGoTogether) {
    using Choice = chat::ToolChoice::Kind;
    const Asked adaptive{.mode = Mode::adaptive, .effort = Effort::high};

    for (const Choice kind : {Choice::required, Choice::named}) {
        force(kind);
        EXPECT_EQ(after(adaptive, deepseek()), "disabled");
        EXPECT_THAT(changes(), Contains("downgrade.thinking_for_forced_tool tool_choice"));
        EXPECT_TRUE(request_.tool_choice);
    }
    for (const Choice kind : {Choice::automatic, Choice::none}) {
        force(kind);
        EXPECT_EQ(after(adaptive, deepseek()), "enabled high");
    }
    force(Choice::required);
    EXPECT_EQ(after(adaptive, anthropic()), "disabled");
    EXPECT_EQ(after(adaptive, with(chat::ThinkingControl::effort)), "enabled high");
    chat::Abilities strict = with(chat::ThinkingControl::effort);
    strict.forced_tools_when_thinking = false;
    EXPECT_EQ(after(adaptive, strict), "disabled none");
    EXPECT_EQ(after({.mode = Mode::disabled}, deepseek()), "disabled");
    EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(AdaptThinking, AForcedToolFindsThinkingOnByDefault) {
    request_.family = chat::Family::openai;
    force(chat::ToolChoice::Kind::required);

    EXPECT_EQ(after({}, deepseek()), "disabled");
    EXPECT_EQ(after({}, deepseek_anthropic()), "disabled");
    EXPECT_EQ(after({}, anthropic()), "unset");
}

TEST_F(AdaptThinking, AToolChoiceThatIsDroppedForcesNothing) {
    chat::Tool search = tool("web_search");
    search.kind = chat::Tool::Kind::server;
    request_.tools = {search};
    request_.tool_choice =
        chat::ToolChoice{.kind = chat::ToolChoice::Kind::named, .name = "web_search"};

    EXPECT_EQ(after({.mode = Mode::adaptive}, deepseek()), "enabled");
}

TEST_F(AdaptThinking, ReasoningOfEarlierTurnsIsDroppedWhereNobodyWantsIt) {
    assistant(thinking("hm", "sig"), chat::RedactedThinking{"x"}, text("a"));

    run(chat::Abilities());

    EXPECT_THAT(messages(), ElementsAre("assistant: text(a)"));
    EXPECT_THAT(changes(), ElementsAre("drop.reasoning messages[0].content[0]",
                                       "drop.redacted_thinking messages[0].content[1]"));
}

TEST_F(AdaptThinking, ReasoningOfAnyProviderIsKeptAsText) {
    for (const auto history :
         {chat::ReasoningHistory::reasoning_content, chat::ReasoningHistory::reasoning}) {
        request_.messages.clear();
        assistant(thinking("ours", "sluice1.ab"), thinking("Claude's", "sig"), thinking("bare"),
                  thinking("", "only a signature"), chat::RedactedThinking{"x"}, text("a"));
        chat::Abilities abilities = deepseek();
        abilities.reasoning_history = history;

        run(abilities);

        EXPECT_THAT(messages(), ElementsAre("assistant: thinking(ours, sluice1.ab) "
                                            "thinking(Claude's, sig) thinking(bare) text(a)"));
        EXPECT_THAT(changes(), Contains("drop.reasoning messages[0].content[3]"));
        EXPECT_THAT(changes(), Contains("drop.redacted_thinking messages[0].content[4]"));
    }
}

TEST_F(AdaptThinking, AnthropicGetsOnlyWhatItSignedItself) {
    assistant(thinking("ours", "sluice1.ab"), thinking("bare"), thinking("Claude's", "sig"),
              thinking("", "sig2"), chat::RedactedThinking{"x"}, text("a"));

    run(anthropic());

    EXPECT_THAT(messages(), ElementsAre("assistant: thinking(Claude's, sig) thinking(, sig2) "
                                        "redacted(x) text(a)"));
    EXPECT_THAT(changes(), ElementsAre("drop.unsigned_thinking messages[0].content[0]",
                                       "drop.unsigned_thinking messages[0].content[1]"));
}

TEST_F(AdaptThinking, BlocksWithoutSignaturesAreKeptWhereNobodyChecksThem) {
    assistant(thinking("ours", "sluice1.ab"), thinking("bare"), chat::RedactedThinking{"x"},
              text("a"));

    run(deepseek_anthropic());

    EXPECT_THAT(messages(),
                ElementsAre("assistant: thinking(ours, sluice1.ab) thinking(bare) text(a)"));
}

TEST_F(AdaptThinking, DeepSeeksBlocksComeWithEachReplyWhereThereAreTools) {
    chat::Abilities abilities = deepseek_anthropic();
    abilities.reasoning_required = true;
    user(text("hi"));
    assistant(thinking("hm"), call("a"));
    user(result("a"));
    assistant(text("done"));
    assistant(text(""));
    run(abilities);
    EXPECT_THAT(messages(), Contains("assistant: text(done)"));

    request_.tools = {tool("Bash")};
    run(abilities);

    EXPECT_THAT(messages(), ElementsAre("user: text(hi)", "assistant: thinking(hm) call(a, {})",
                                        "user: result(a: )", "assistant: thinking() text(done)"));
    EXPECT_THAT(changes(), Contains("add.thinking messages[3]"));
    request_.messages.clear();
    assistant(text("done"));
    run(deepseek());
    EXPECT_THAT(messages(), ElementsAre("assistant: text(done)"));
}

}  // namespace
}  // namespace sluice::shaping
