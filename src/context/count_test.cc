#include "context/count.h"

#include "context/tokenizer.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace sluice::context {
namespace {

using chat::Media;
using chat::Message;
using chat::Request;
using chat::Role;
using chat::Text;
using chat::Thinking;
using chat::ThinkingMode;
using chat::ToolResult;
using chat::ToolUse;

std::uint64_t tokens_of(Vocabulary vocabulary, std::string_view text) {
    return Tokenizer::of(vocabulary).count(text);
}

Message message(Role role, std::vector<chat::Part> parts) {
    Message made;
    made.role = role;
    made.parts = std::move(parts);
    return made;
}

Request question(std::string text) {
    Request request;
    request.messages.push_back(message(Role::user, {Text{std::move(text)}}));
    return request;
}

chat::Tool tool(std::string name) {
    chat::Tool made;
    made.name = std::move(name);
    made.description = "Runs a \"command\".\nCarefully.";
    made.schema = R"({"type":"object","properties":{"command":{"type":"string"}}})";
    return made;
}

/// The V3.2 reply of the fixture deepseek-text reports 13; V4 with thinking reports 90 for the
/// other.
TEST(CountTokens, ADeepseekQuestionIsWhatTheUpstreamReports) {
    Request plain = question("What is the capital of France?");
    plain.thinking.kind = ThinkingMode::Kind::disabled;
    const Request thinking = question("What is the capital of France?");

    EXPECT_EQ(count_tokens(plain, Vocabulary::deepseek), 7 + 4U);
    EXPECT_EQ(count_tokens(thinking, Vocabulary::deepseek), 90U);
}

TEST(CountTokens, AnOpenAiQuestionIsThreeTokensAMessageAndThreeForTheReply) {
    Request request = question("What is the capital of France?");
    EXPECT_EQ(count_tokens(request, Vocabulary::o200k), 7 + 3 + 3U);

    request.system.emplace_back(Text{"You are a helpful assistant."});
    EXPECT_EQ(count_tokens(request, Vocabulary::o200k),
              7 + 3 + 3 + 3 + tokens_of(Vocabulary::o200k, "You are a helpful assistant."));
}

TEST(CountTokens, AnEmptyRequestCountsWhatIsAroundIt) {
    EXPECT_EQ(count_tokens({}, Vocabulary::o200k), 3U);
    EXPECT_EQ(count_tokens({}, Vocabulary::deepseek), 1 + 79 + 2U);
}

TEST(CountTokens, ToolsAreALineOfJsonEachToDeepseek) {
    Request request = question("x");
    const std::uint64_t without = count_tokens(request, Vocabulary::deepseek);
    request.tools.push_back(tool("Bash"));

    const std::uint64_t line = tokens_of(
        Vocabulary::deepseek,
        R"({"name": "Bash", "description": "Runs a \"command\".\nCarefully.", "parameters": {"type": )"
        R"("object", "properties": {"command": {"type": "string"}}}})"
        "\n");
    EXPECT_EQ(count_tokens(request, Vocabulary::deepseek), without + 222 + 1 + line);
}

TEST(CountTokens, ADeferredToolCountsOnlyWhereItIsNamed) {
    Request request = question("x");
    request.tools.push_back(tool("Bash"));
    request.tools.push_back(tool("Rarely"));
    for (const Vocabulary vocabulary : {Vocabulary::deepseek, Vocabulary::o200k}) {
        request.tools.back().deferred = false;
        const std::uint64_t both = count_tokens(request, vocabulary);
        request.tools.back().deferred = true;
        const std::uint64_t one = count_tokens(request, vocabulary);
        EXPECT_LT(one, both);

        Request naming = request;
        ToolResult result;
        result.content.emplace_back(chat::ToolReference{"Rarely"});
        result.content.emplace_back(chat::ToolReference{"unknown"});
        naming.messages.back().parts.insert(naming.messages.back().parts.begin(),
                                            std::move(result));
        EXPECT_GE(count_tokens(naming, vocabulary), both);
    }
}

TEST(CountTokens, ACallIsRenderedInDeepseeksOwnWay) {
    Request request = question("x");
    request.thinking.kind = ThinkingMode::Kind::disabled;
    const std::uint64_t before = count_tokens(request, Vocabulary::deepseek);
    ToolUse use;
    use.name = "Bash";
    use.arguments = R"({"command":"ls -la","timeout":120000})";
    request.messages.push_back(message(Role::assistant, {use}));

    // The reference tokenizer makes 50 of the call as the template writes it; 13 are around all
    // calls, and three more special tokens around the message. A token more or less is where texts
    // meet.
    const std::uint64_t rendered = before + 2 + 50 + 13 + 1;
    EXPECT_GE(count_tokens(request, Vocabulary::deepseek), rendered - 1);
    EXPECT_LE(count_tokens(request, Vocabulary::deepseek), rendered + 1);
}

TEST(CountTokens, ThinkingIsKeptWithToolsAndElseOnlyBehindTheLastUserMessage) {
    Request request = question("first");
    request.messages.push_back(message(
        Role::assistant,
        {Thinking{.text = "some long thoughts about it", .signature = {}}, Text{"answer"}}));
    request.messages.push_back(message(Role::user, {Text{"second"}}));
    const auto count_of = [&request](bool with_thoughts) {
        Request one = request;
        if (!with_thoughts) one.messages[1].parts.erase(one.messages[1].parts.begin());
        return count_tokens(one, Vocabulary::deepseek);
    };
    EXPECT_EQ(count_of(true), count_of(false));

    request.tools.push_back(tool("Bash"));
    EXPECT_EQ(count_of(true), count_of(false) + 5);

    request.thinking.kind = ThinkingMode::Kind::disabled;
    EXPECT_EQ(count_of(true), count_of(false));
}

TEST(CountTokens, ImagesAndFilesHaveAFixedPriceAndTextDocumentsTheirOwn) {
    const Request request = question("x");
    for (const auto& [vocabulary, image] :
         {std::pair{Vocabulary::deepseek, 384U}, {Vocabulary::o200k, 765U}}) {
        const std::uint64_t before = count_tokens(request, vocabulary);
        const std::uint64_t joint = vocabulary == Vocabulary::deepseek ? 1 : 0;  // "\n\n"
        Request with = request;
        with.messages[0].parts.emplace_back(Media{.data = std::string(100'000, 'A')});
        EXPECT_EQ(count_tokens(with, vocabulary), before + image + joint);

        with.messages[0].parts.back() = Media{.kind = Media::Kind::document, .data = "JVBERi0"};
        EXPECT_EQ(count_tokens(with, vocabulary), before + 3000 + joint);

        with.messages[0].parts.back() = Media{
            .kind = Media::Kind::document, .source = Media::Source::text, .data = "one two three"};
        EXPECT_EQ(count_tokens(with, vocabulary), before + 3 + joint);
    }
}

TEST(CountTokens, AResultCountsWithAllThatItHolds) {
    for (const Vocabulary vocabulary : {Vocabulary::deepseek, Vocabulary::cl100k}) {
        Request request = question("x");
        ToolResult result;
        result.content.emplace_back(Text{"one two three four five"});
        result.content.emplace_back(chat::Native{.type = "search_result", .json = R"({"a":"b"})"});
        request.messages[0].parts.insert(request.messages[0].parts.begin(), std::move(result));

        EXPECT_GE(count_tokens(request, vocabulary), count_tokens(question("x"), vocabulary) + 8);
    }
}

TEST(CountTokens, AReplyThatGoesOnHasNoEnd) {
    Request request = question("x");
    request.messages.push_back(message(Role::assistant, {Text{"Once"}}));
    const std::uint64_t ended = count_tokens(request, Vocabulary::deepseek);

    request.messages.back().is_prefix = true;

    EXPECT_EQ(count_tokens(request, Vocabulary::deepseek), ended - 3);
}

TEST(CountTokens, TheSchemaOfTheReplyCounts) {
    for (const Vocabulary vocabulary : {Vocabulary::deepseek, Vocabulary::o200k}) {
        Request request = question("x");
        const std::uint64_t before = count_tokens(request, vocabulary);
        request.response_format.emplace();
        EXPECT_EQ(count_tokens(request, vocabulary), before);

        request.response_format->schema = R"({"type":"object"})";
        EXPECT_GT(count_tokens(request, vocabulary), before + 12);
    }
}

TEST(CountTokens, EveryKindOfPartInEveryRoleIsTaken) {
    for (const Vocabulary vocabulary : {Vocabulary::deepseek, Vocabulary::o200k}) {
        for (const Role role : {Role::system, Role::user, Role::assistant}) {
            Request request;
            ToolResult nested;
            nested.content.emplace_back(ToolResult{});
            request.messages.push_back(message(
                role, {Text{"\xFF"}, Media{}, Thinking{}, chat::RedactedThinking{}, ToolUse{},
                       std::move(nested), chat::ToolReference{}, chat::Native{}}));
            EXPECT_GT(count_tokens(request, vocabulary), 300U);
        }
    }
}

}  // namespace
}  // namespace sluice::context
