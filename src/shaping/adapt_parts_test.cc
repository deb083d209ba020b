#include "shaping/adapt_fixture.h"

namespace sluice::shaping {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using Source = chat::Media::Source;

class AdaptParts : public AdaptTest {
protected:
    /// What becomes of the user's parts.
    template <typename... Parts>
    std::string after(const chat::Abilities& abilities, Parts... said) {
        request_.messages.clear();
        user(std::move(said)..., text("end"));
        run(abilities);
        return request_.messages.empty() ? "" : show(request_.messages[0].parts);
    }
};

TEST_F(AdaptParts, ImagesBecomeWordsWhereNobodySeesThem) {
    chat::Abilities blind;
    blind.images = false;

    EXPECT_EQ(after(blind, image()),
              "text([image omitted: the model cannot see images]) text(end)");
    EXPECT_THAT(changes(), ElementsAre("drop.image messages[0].content[0]"));
    EXPECT_EQ(after(chat::Abilities(), image()), "image(AAAA) text(end)");
}

TEST_F(AdaptParts, OnlyTheUserShowsImagesToAnOpenAIUpstream) {
    assistant(image(), document(Source::base64, "PDF"));
    chat::Abilities abilities;
    abilities.documents = true;

    run(abilities);

    EXPECT_THAT(messages(),
                ElementsAre("assistant: text([image omitted: only the user may show one]) "
                            "text([document omitted: only the user may show one])"));
}

TEST_F(AdaptParts, AFileIdMeansSomethingToItsOwnProviderOnly) {
    chat::Media file;
    file.source = Source::file;
    file.data = "file_1";
    chat::Abilities openai;
    openai.documents = true;

    EXPECT_EQ(after(openai, chat::Part(file)),
              "text([image omitted: it lies with another provider]) text(end)");
    EXPECT_EQ(after(openai, document(Source::file, "file_2", "T")),
              "text([document \"T\" omitted: it lies with another provider]) text(end)");
    EXPECT_THAT(changes(), ElementsAre("drop.document messages[0].content[0]"));
    EXPECT_EQ(after(anthropic(), chat::Part(file), document(Source::file, "file_2")),
              "image(file_1) document(file_2) text(end)");
}

TEST_F(AdaptParts, ADocumentOfTextIsText) {
    chat::Part titled = document(Source::text, "Once.", "Tale");
    titled.as<chat::Media>()->context = "for children";

    EXPECT_EQ(after(chat::Abilities(), titled),
              "text([document: Tale]\n[context: for children]\nOnce.) text(end)");
    EXPECT_THAT(changes(), ElementsAre("fold.document messages[0].content[0]"));
    EXPECT_EQ(after(deepseek_anthropic(), document(Source::text, "Once.")),
              "text(Once.) text(end)");
    EXPECT_EQ(after(anthropic(), document(Source::text, "Once.")), "document(Once.) text(end)");
}

TEST_F(AdaptParts, ADocumentThatCannotBeReadIsSaidToBeOmitted) {
    EXPECT_EQ(after(chat::Abilities(), document(Source::base64, "PDF", "Bill")),
              "text([document \"Bill\" omitted: the model cannot read it]) text(end)");
    EXPECT_THAT(changes(), ElementsAre("drop.document messages[0].content[0]"));

    chat::Abilities reader;
    reader.documents = true;
    EXPECT_EQ(after(reader, document(Source::base64, "PDF")), "document(PDF) text(end)");
    EXPECT_EQ(after(reader, document(Source::url, "https://x/y.pdf")),
              "text([document omitted: the model cannot fetch it]) text(end)");
}

TEST_F(AdaptParts, SearchResultsAreFoldedIntoText) {
    const auto found = native(
        "search_result", R"({"type":"search_result","title":"T","source":"https://a/","content":[)"
                         R"({"type":"text","text":"one"},{"type":"text","text":"two"}]})");

    EXPECT_EQ(after(deepseek(), found), "text(T\nhttps://a/\none\ntwo) text(end)");
    EXPECT_THAT(changes(), Contains("fold.native messages[0].content[0]"));
    EXPECT_EQ(after(deepseek_anthropic(), found), "text(T\nhttps://a/\none\ntwo) text(end)");
    EXPECT_EQ(after(anthropic(), found), "native(search_result) text(end)");
}

TEST_F(AdaptParts, ResultsOfAWebSearchAreFoldedIntoText) {
    const auto found = native(
        "web_search_tool_result",
        R"({"type":"web_search_tool_result","tool_use_id":"x","content":[)"
        R"({"type":"web_search_result","title":"A","url":"https://a/","encrypted_content":"e"},)"
        R"({"type":"web_search_result","title":"B","url":"https://b/"}]})");
    const auto failed = native(
        "web_search_tool_result",
        R"({"content":{"type":"web_search_tool_result_error","error_code":"max_uses_exceeded"}})");

    EXPECT_EQ(after(deepseek(), found, failed),
              "text(Results of the web search:\n- A\nhttps://a/\n- B\nhttps://b/) "
              "text(The web search failed: max_uses_exceeded) text(end)");
    EXPECT_EQ(after(deepseek_anthropic(), found), "native(web_search_tool_result) text(end)");
}

TEST_F(AdaptParts, OtherNativePartsAreDroppedForTheOtherFamily) {
    const auto use = native("server_tool_use", R"({"type":"server_tool_use"})");
    const auto empty = native("search_result", R"({"type":"search_result"})");

    EXPECT_EQ(after(deepseek(), use, empty), "text(end)");
    EXPECT_THAT(changes(), Contains("drop.native messages[0].content[0]"));
    EXPECT_THAT(changes(), Contains("drop.native messages[0].content[1]"));
    EXPECT_EQ(after(anthropic(), use), "native(server_tool_use) text(end)");

    request_.family = chat::Family::openai;
    const auto audio = native("input_audio", R"({"type":"input_audio"})");
    EXPECT_EQ(after(chat::Abilities(), audio), "native(input_audio) text(end)");
    EXPECT_EQ(after(anthropic(), audio), "text(end)");
}

TEST_F(AdaptParts, TextsWithoutContentAreDropped) {
    EXPECT_EQ(after(chat::Abilities(), text(""), text(" \n")), "text( \n) text(end)");
    EXPECT_THAT(changes(), ElementsAre("drop.empty_text messages[0].content[0]"));
    EXPECT_EQ(after(anthropic(), text(""), text(" \n")), "text(end)");

    request_.system = parts(text(""), text("s"));
    run(chat::Abilities());
    EXPECT_EQ(show(request_.system), "text(s)");
    EXPECT_THAT(changes(), ElementsAre("drop.empty_text system[0]"));
}

TEST_F(AdaptParts, TextsOfResultsAreLookedAtToo) {
    assistant(call("a"));
    user(result("a", text(""), text("x")));

    run(chat::Abilities());

    EXPECT_THAT(messages(), Contains("user: result(a: text(x))"));
}

TEST_F(AdaptParts, MessagesWithoutContentAreDropped) {
    user(text(""));
    assistant(thinking("hm"));
    assistant();
    user(text("x"));

    run(deepseek());

    EXPECT_THAT(messages(), ElementsAre("user: text(x)"));
    EXPECT_THAT(changes(), Contains("drop.empty_message messages[0]"));
    EXPECT_THAT(changes(), Contains("drop.empty_message messages[1]"));
    EXPECT_THAT(changes(), Contains("drop.empty_message messages[2]"));
}

TEST_F(AdaptParts, AnthropicHasMessagesOfThinkingAlone) {
    assistant(thinking("hm", "sig"));

    run(anthropic());

    EXPECT_THAT(messages(), ElementsAre("assistant: thinking(hm, sig)"));
}

TEST_F(AdaptParts, CacheMarksAreForAnthropicsDialect) {
    const auto marked = [](chat::Part part) {
        part.cache_control = R"({"type":"ephemeral"})";
        return part;
    };
    request_.system = parts(marked(text("s")));
    assistant(call("a"));
    user(marked(result("a", marked(text("x")))));
    request_.tools = {tool("Bash")};
    request_.tools[0].cache_control = R"({"type":"ephemeral"})";
    run(anthropic());
    EXPECT_THAT(changes(), IsEmpty());
    EXPECT_FALSE(request_.system[0].cache_control.empty());

    run(chat::Abilities());

    EXPECT_THAT(changes(), ElementsAre("drop.cache_control 4 marks"));
    EXPECT_TRUE(request_.system[0].cache_control.empty());
    EXPECT_TRUE(request_.messages[1].parts[0].cache_control.empty());
    EXPECT_TRUE(request_.tools[0].cache_control.empty());
}

TEST_F(AdaptParts, APrefixIsOneWhereTheUpstreamGoesOnWithIt) {
    const auto is_prefix = [&](const chat::Abilities& abilities) {
        request_.messages.clear();
        user(text("hi"));
        assistant(text("He"));
        request_.messages[1].is_prefix = true;
        run(abilities);
        return request_.messages[1].is_prefix;
    };
    chat::Abilities beta = deepseek();
    beta.prefix = true;

    EXPECT_TRUE(is_prefix(beta));
    EXPECT_TRUE(is_prefix(anthropic()));
    EXPECT_FALSE(is_prefix(deepseek()));
    EXPECT_THAT(changes(), Contains("drop.prefix messages[1]"));
    EXPECT_THAT(messages(), ElementsAre("user: text(hi)", "assistant: text(He)"));
}

}  // namespace
}  // namespace sluice::shaping
