#include "shaping/adapt_fixture.h"

namespace sluice::shaping {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

using Adapt = AdaptTest;

TEST_F(Adapt, APlainQuestionIsLeftAlone) {
    request_.system = parts(text("You are brief."));
    user(text("hi"), image());
    assistant(text("Hello."), call("a"));
    user(result("a", text("ok")));
    request_.tools = {tool("Bash")};
    request_.temperature = "0.70";

    run(chat::Abilities());

    EXPECT_THAT(changes(), IsEmpty());
    EXPECT_THAT(messages(),
                ElementsAre("user: text(hi) image(AAAA)", "assistant: text(Hello.) call(a, {})",
                            "user: result(a: text(ok))"));
    EXPECT_EQ(request_.temperature, "0.70");
}

TEST_F(Adapt, ToAdaptTwiceIsToAdaptOnce) {
    request_.system = parts(text("x-anthropic-billing-header: a"), text("s"));
    user(text("hi"));
    system("env");
    assistant(thinking("hm", "sig"), call("a"), call("a"));
    user(result("a", image()), result("a", text("2")), text("go on"));
    request_.tools = {tool("Bash"), tool("Later", true)};
    request_.thinking.kind = chat::ThinkingMode::Kind::adaptive;
    request_.effort = chat::Effort::medium;
    run(deepseek());
    ASSERT_THAT(changes(), SizeIs(testing::Ge(5U)));
    const auto once = messages();

    run(deepseek());

    EXPECT_THAT(changes(), IsEmpty());
    EXPECT_EQ(messages(), once);
}

TEST_F(Adapt, SeveralChoicesAreRefusedWhereAnthropicIsSpoken) {
    request_.choices = 2;
    user(text("hi"));

    const auto refused = adapt(request_, anthropic(), changes_);

    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::bad_request);
    EXPECT_EQ(refused.error().param, "n");
    run(chat::Abilities());
    EXPECT_EQ(request_.choices, 2U);
}

TEST_F(Adapt, OfManyPlacesTheFirstAreNamedAndTheRestCounted) {
    for (int i = 0; i < 20; ++i) assistant(thinking("a"), text("b"));

    run(chat::Abilities());

    EXPECT_THAT(changes(), SizeIs(9));
    EXPECT_THAT(changes(), Contains("drop.reasoning messages[7].content[0]"));
    EXPECT_EQ(changes().back(), "drop.reasoning 12 more");
}

TEST_F(Adapt, TheBillingHeaderGoesToAnthropicOnly) {
    const auto ask = [&](const chat::Abilities& abilities) {
        request_.system = parts(text("x-anthropic-billing-header: cc_version=2.1.328.abc;"),
                                text("You are Claude Code."));
        request_.messages.clear();
        user(text("hi"));
        run(abilities);
        return show(request_.system);
    };

    EXPECT_EQ(ask(deepseek()), "text(You are Claude Code.)");
    EXPECT_THAT(changes(), Contains("drop.billing_header system[0]"));
    EXPECT_EQ(ask(deepseek_anthropic()), "text(You are Claude Code.)");
    EXPECT_THAT(ask(anthropic()), testing::StartsWith("text(x-anthropic-billing-header:"));
}

TEST_F(Adapt, SystemMessagesStayInPlaceWhereTheUpstreamHasThem) {
    system("first");
    user(text("hi"));
    system("env");
    assistant(text("yes"));
    system("late");
    user(text("go"));

    run(chat::Abilities());

    EXPECT_THAT(messages(),
                ElementsAre("system: text(first)", "user: text(hi)", "system: text(env)",
                            "assistant: text(yes)", "system: text(late)", "user: text(go)"));
    EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(Adapt, SystemMessagesBecomeTextOfTheNeighbouringUserMessage) {
    chat::Abilities abilities;
    abilities.mid_system = false;
    user(text("hi"));
    system("env");
    assistant(call("a"));
    system("between");
    user(result("a", text("ok")));
    assistant(text("done"));
    system("late");
    user(text("go"));
    assistant(text("yes"));
    system("last");

    run(abilities);

    EXPECT_THAT(messages(),
                ElementsAre("user: text(hi) text(<system-reminder>\nenv\n</system-reminder>)",
                            "assistant: call(a, {})",
                            "user: result(a: text(ok)) text(<system-reminder>\nbetween\n"
                            "</system-reminder>)",
                            "assistant: text(done)",
                            "user: text(<system-reminder>\nlate\n</system-reminder>) text(go)",
                            "assistant: text(yes)",
                            "user: text(<system-reminder>\nlast\n</system-reminder>)"));
    EXPECT_THAT(changes(),
                ElementsAre("sort.tool_results messages[3]", "fold.system_message messages[1]",
                            "fold.system_message messages[4]", "fold.system_message messages[6]",
                            "fold.system_message messages[9]"));
}

TEST_F(Adapt, ASystemMessageBetweenTwoAssistantsBecomesAUserMessage) {
    chat::Abilities abilities;
    abilities.mid_system = false;
    user(text("hi"));
    assistant(text("a"));
    system("mind");
    assistant(text("b"));

    run(abilities);

    EXPECT_THAT(messages(), ElementsAre("user: text(hi)", "assistant: text(a)",
                                        "user: text(<system-reminder>\nmind\n</system-reminder>)",
                                        "assistant: text(b)"));
}

TEST_F(Adapt, AnthropicHasSystemMessagesBehindTheUserOnly) {
    request_.family = chat::Family::openai;
    system("first");
    user(text("hi"));
    system("env");
    system("more");
    assistant(text("yes"));
    system("late");
    user(text("go"));
    system("before the user again");
    user(text("now"));

    run(anthropic());

    EXPECT_THAT(messages(),
                ElementsAre("user: text(<system-reminder>\nfirst\n</system-reminder>) text(hi)",
                            "system: text(env)", "system: text(more)", "assistant: text(yes)",
                            "user: text(<system-reminder>\nlate\n</system-reminder>) text(go) "
                            "text(<system-reminder>\nbefore the user again\n</system-reminder>)",
                            "user: text(now)"));
}

TEST_F(Adapt, AnEmptySystemMessageIsDropped) {
    chat::Abilities abilities;
    abilities.mid_system = false;
    user(text("hi"));
    system("");

    run(abilities);

    EXPECT_THAT(messages(), ElementsAre("user: text(hi)"));
    EXPECT_THAT(changes(), ElementsAre("drop.empty_text messages[1].content[0]",
                                       "drop.empty_message messages[1]"));
}

}  // namespace
}  // namespace sluice::shaping
