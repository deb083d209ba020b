#include "shaping/adapt_fixture.h"

namespace sluice::shaping {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

using AdaptResults = AdaptTest;

TEST_F(AdaptResults, ResultsStandInTheOrderOfTheCalls) {
    assistant(call("a"), text("and"), call("b"), call("c"));
    user(result("c", text("3")), result("a", text("1")), text("x"), result("b", text("2")));

    run(chat::Abilities());

    EXPECT_THAT(messages(), ElementsAre("assistant: call(a, {}) text(and) call(b, {}) call(c, {})",
                                        "user: result(a: text(1)) result(b: text(2)) "
                                        "result(c: text(3)) text(x)"));
    EXPECT_THAT(changes(), ElementsAre("sort.tool_results messages[1]"));
}

TEST_F(AdaptResults, ResultsInOrderAreLeftAlone) {
    assistant(call("a"), call("b"));
    user(result("a"), result("b"), text("x"));

    run(chat::Abilities());

    EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(AdaptResults, ResultsOfSeveralMessagesAreBroughtTogether) {
    assistant(call("a"), call("b"));
    system("between");
    user(result("b", text("2")));
    user(result("a", text("1")), text("x"));

    run(chat::Abilities());

    EXPECT_THAT(messages(), ElementsAre("assistant: call(a, {}) call(b, {})",
                                        "user: result(a: text(1)) result(b: text(2))",
                                        "system: text(between)", "user: text(x)"));
    EXPECT_THAT(changes(), Contains("sort.tool_results messages[1]"));
}

TEST_F(AdaptResults, AMissingResultIsSaidToBeMissing) {
    assistant(call("a"), call("b"));
    user(result("b", text("2")));
    assistant(call("c"));
    assistant(call("d"));
    user(text("never mind"));
    assistant(call("e"));

    run(chat::Abilities());

    EXPECT_THAT(
        messages(),
        ElementsAre("assistant: call(a, {}) call(b, {})",
                    "user: error(a: text(No result.)) result(b: text(2))", "assistant: call(c, {})",
                    "user: error(c: text(No result.))", "assistant: call(d, {})",
                    "user: error(d: text(No result.)) text(never mind)", "assistant: call(e, {})",
                    "user: error(e: text(No result.))"));
    EXPECT_THAT(changes(), ElementsAre("add.tool_result a", "add.tool_result c",
                                       "add.tool_result d", "add.tool_result e"));
}

TEST_F(AdaptResults, AResultWithoutACallBecomesText) {
    user(result("z", text("early")));
    assistant(call("a"));
    user(result("a", text("1")), result("a", text("again")), result("x", text("what"), image()),
         text("y"));

    run(chat::Abilities());

    EXPECT_THAT(
        messages(),
        ElementsAre("user: text([result of the tool call z]) text(early)", "assistant: call(a, {})",
                    "user: result(a: text(1)) text([result of the tool call a]) "
                    "text(again) text([result of the tool call x]) text(what) "
                    "image(AAAA) text(y)"));
    EXPECT_THAT(changes(), ElementsAre("fold.orphan_tool_result messages[0].content[0]",
                                       "fold.orphan_tool_result messages[2].content[1]",
                                       "fold.orphan_tool_result messages[2].content[2]"));
}

TEST_F(AdaptResults, IdsAreMadeUniqueInPairs) {
    assistant(call("a"), call("a"), call(""));
    user(result("a", text("1")), result("a", text("2")), result("", text("3")));
    assistant(call("a"), call("a_2"));
    user(result("a_2", text("5")), result("a", text("4")));

    run(chat::Abilities());

    EXPECT_THAT(messages(), ElementsAre("assistant: call(a, {}) call(a_2, {}) call(call_1, {})",
                                        "user: result(a: text(1)) result(a_2: text(2)) "
                                        "result(call_1: text(3))",
                                        "assistant: call(a_3, {}) call(a_2_2, {})",
                                        "user: result(a_3: text(4)) result(a_2_2: text(5))"));
    EXPECT_THAT(changes(), Contains("rename.tool_id messages[0].content[1]"));
    EXPECT_THAT(changes(), Contains("rename.tool_id messages[2].content[0]"));
}

TEST_F(AdaptResults, ImagesOfResultsFollowBehindAllResults) {
    assistant(call("a"), call("b"));
    user(result("b", text("two:"), image("B")), result("a", image("A")), text("look"));

    run(chat::Abilities());

    EXPECT_THAT(messages(),
                Contains("user: result(a: text([image 1 of the tool's result follows])) "
                         "result(b: text(two:) text([image 2 of the tool's result follows])) "
                         "image(A) image(B) text(look)"));
    EXPECT_THAT(changes(), Contains("fold.tool_result_image messages[1].content[0]"));
    EXPECT_THAT(changes(), Contains("fold.tool_result_image messages[1].content[1]"));
}

TEST_F(AdaptResults, DocumentsOfResultsFollowAsWell) {
    chat::Abilities abilities;
    abilities.documents = true;
    assistant(call("a"));
    user(result("a", document(chat::Media::Source::base64, "PDF")));

    run(abilities);

    EXPECT_THAT(messages(),
                Contains("user: result(a: text([document 1 of the tool's result follows])) "
                         "document(PDF)"));
    EXPECT_THAT(changes(), ElementsAre("fold.tool_result_document messages[1].content[0]"));
}

TEST_F(AdaptResults, AnthropicHasImagesInResults) {
    assistant(call("a"));
    user(result("a", image("A")));

    run(anthropic());

    EXPECT_THAT(messages(), Contains("user: result(a: image(A))"));
    EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(AdaptResults, AnImageThatCannotBeSeenIsSaidToBeOmitted) {
    chat::Abilities abilities;
    abilities.images = false;
    assistant(call("a"));
    user(result("a", image("A")));

    run(abilities);

    EXPECT_THAT(messages(),
                Contains("user: result(a: text([image omitted: the model cannot see images]))"));
    EXPECT_THAT(changes(), ElementsAre("drop.image messages[1].content[0]"));
}

TEST_F(AdaptResults, ManyCallsOfOneIdAreSortedOutInReasonableTime) {
    std::vector<chat::Part> calls;
    std::vector<chat::Part> results;
    constexpr std::size_t kMany = 20'000;
    for (std::size_t i = 0; i < kMany; ++i) {
        calls.push_back(call("a"));
        results.push_back(result("a", text(std::to_string(i))));
    }
    say(chat::Role::assistant, std::move(calls));
    say(chat::Role::user, std::move(results));

    run(chat::Abilities());

    EXPECT_EQ(show(request_.messages[1].parts[kMany - 1]), "result(a_20000: text(19999))");
    EXPECT_THAT(changes(), SizeIs(9));
}

}  // namespace
}  // namespace sluice::shaping
