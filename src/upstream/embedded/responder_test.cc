#include "upstream/embedded/responder.h"

#include "dialect/openai_chat/models.h"
#include "dialect/openai_chat/reply.h"
#include "dialect/openai_chat/stream_filter.h"
#include "json/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::upstream::embedded {
namespace {

using dialect::openai_chat::StreamFilter;
using ::testing::HasSubstr;
using ::testing::Not;

Identity identity() {
    Identity identity;
    identity.id = "chatcmpl-7";
    identity.created = 1'700'000'000;
    return identity;
}

std::string take_all(Reply& reply) {
    std::string out;
    while (reply.due()) reply.take(out);
    return out;
}

/// A request with the given members besides the messages.
std::string ask(std::string_view user_text, std::string_view members = "") {
    return R"({"model":"echo","messages":[{"role":"system","content":"Be brief."},)"
           R"({"role":"user","content":")" +
           std::string(user_text) + R"("}])" + std::string(members) + "}";
}

std::string answer_to(const std::string& body, const config::Embedded& settings = {}) {
    Reply reply = respond(body, identity(), settings);
    return take_all(reply);
}

constexpr std::string_view kTools =
    R"(,"tools":[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object",)"
    R"("properties":{"city":{"type":"string"}},"required":["city"]}}},)"
    R"({"type":"function","function":{"name":"get_time"}}])";

std::string with_tools(std::string_view user_text, std::string_view members = "") {
    return ask(user_text, std::string(kTools) + std::string(members));
}

/// A string at the path of keys in a JSON text; a number selects an element.
std::string at(std::string_view text, std::initializer_list<std::string_view> path) {
    json::Value value = json::as_value(text);
    for (const std::string_view key : path) {
        if (value.is(json::Kind::array)) {
            json::Reader reader(value.raw);
            for (std::size_t i = std::stoul(std::string(key)) + 1; i > 0 && reader.next(); --i) {
                value = reader.value();
            }
            continue;
        }
        const auto found = json::find(value, key);
        if (!found) return "(none)";
        value = *found;
    }
    return json::to_string(value).value_or(std::string(value.raw));
}

/// Runs a stream through the filter that the gateway uses.
struct Filtered {
    explicit Filtered(std::string_view stream) : filter({}) {
        StreamFilter::Pieces pieces;
        fed = filter.feed(stream, pieces);
        for (const auto piece : pieces) passed += piece;
        pieces.clear();
        ended = filter.end(pieces);
    }
    StreamFilter filter;
    Result<void> fed;
    Result<void> ended;
    std::string passed;
};

TEST(Responder, EchoTellsWhatArrived) {
    const std::string reply = answer_to(with_tools("Hello \\u00e4"));

    EXPECT_EQ(at(reply, {"choices", "0", "message", "content"}),
              "You said: Hello \u00e4\n\nWhat arrived: 2 messages (1 system, 1 user), 17 bytes of "
              "text, 2 tools (get_weather, get_time).");
    EXPECT_EQ(at(reply, {"choices", "0", "finish_reason"}), "stop");
    EXPECT_EQ(at(reply, {"id"}), "chatcmpl-7");
    EXPECT_EQ(at(reply, {"object"}), "chat.completion");
    EXPECT_EQ(at(reply, {"model"}), "echo");
}

TEST(Responder, AnyOtherNameIsAnEchoUnderThatName) {
    const std::string reply =
        answer_to(R"({"model":"gpt-9","messages":[{"role":"user","content":"Hi"}]})");

    EXPECT_EQ(at(reply, {"model"}), "gpt-9");
    EXPECT_THAT(reply, HasSubstr("You said: Hi"));
}

TEST(Responder, TheSameRequestGetsTheSameAnswer) {
    EXPECT_EQ(answer_to(ask("Hello")), answer_to(ask("Hello")));
}

TEST(Responder, WholeRepliesAreReadByTheGatewaysReader) {
    const auto facts = dialect::openai_chat::read_reply(answer_to(ask("Hello")));

    ASSERT_TRUE(facts);
    EXPECT_TRUE(facts->usage.known);
    EXPECT_EQ(facts->usage.input, 3U + (4 + 3) + (4 + 2));
    EXPECT_EQ(facts->usage.total, facts->usage.input + facts->usage.output);
    EXPECT_EQ(facts->finish_reason, chat::FinishReason::stop);
}

TEST(Responder, StreamsPassTheGatewaysFilter) {
    const std::string stream =
        answer_to(ask("Hello", R"(,"stream":true,"stream_options":{"include_usage":true})"));

    const Filtered filtered(stream);
    EXPECT_TRUE(filtered.fed);
    EXPECT_TRUE(filtered.ended);
    EXPECT_EQ(filtered.passed, stream);
    EXPECT_TRUE(filtered.filter.facts().usage.known);
    EXPECT_EQ(filtered.filter.facts().finish_reason, chat::FinishReason::stop);
    EXPECT_EQ(filtered.filter.facts().model, "echo");
}

TEST(Responder, StreamsAndWholeRepliesSayTheSame) {
    const std::string stream = answer_to(ask("Hello", R"(,"stream":true)"));
    std::string content;
    for (std::size_t at_event = stream.find("{\"content\":"); at_event != std::string::npos;
         at_event = stream.find("{\"content\":", at_event + 1)) {
        content +=
            at(stream.substr(at_event, stream.find("},", at_event) + 1 - at_event), {"content"});
    }

    EXPECT_EQ(content, at(answer_to(ask("Hello")), {"choices", "0", "message", "content"}));
}

TEST(Responder, TheFirstChunkHasTheRoleAndTheLastTheFinish) {
    const std::string stream = answer_to(ask("Hello", R"(,"stream":true)"));

    EXPECT_THAT(stream.substr(0, stream.find("\n\n")),
                HasSubstr(R"("delta":{"role":"assistant","content":"","refusal":null})"));
    EXPECT_THAT(stream, HasSubstr(R"("delta":{},"logprobs":null,"finish_reason":"stop"}]})"
                                  "\n\ndata: [DONE]\n\n"));
    EXPECT_THAT(stream, Not(HasSubstr("usage")));
}

TEST(Responder, UsageComesInAChunkOfItsOwnWhenAskedFor) {
    const std::string stream =
        answer_to(ask("Hello", R"(,"stream":true,"stream_options":{"include_usage":true})"));

    EXPECT_THAT(stream, HasSubstr(R"("choices":[],"usage":{"prompt_tokens":16,)"));
    EXPECT_THAT(stream, HasSubstr(R"("finish_reason":null}],"usage":null})"));
}

TEST(Responder, LoremWritesAsManyTokensAsItMay) {
    const std::string reply =
        answer_to(R"({"model":"lorem","max_tokens":5,"messages":[{"role":"user","content":"x"}]})");

    EXPECT_EQ(at(reply, {"choices", "0", "message", "content"}), "lorem ipsum dolor sit amet");
    EXPECT_EQ(at(reply, {"usage", "completion_tokens"}), "5");
}

TEST(Responder, LoremTakesItsLengthFromTheConfiguration) {
    config::Embedded settings;
    settings.tokens = 40;
    const std::string reply =
        answer_to(R"({"model":"lorem","messages":[{"role":"user","content":"x"}]})", settings);

    EXPECT_EQ(at(reply, {"usage", "completion_tokens"}), "40");
    EXPECT_EQ(at(reply, {"choices", "0", "finish_reason"}), "stop");
}

TEST(Responder, AnEchoCutByMaxTokensEndsWithLength) {
    const std::string reply = answer_to(ask("Hello", R"(,"max_completion_tokens":2)"));

    EXPECT_EQ(at(reply, {"choices", "0", "message", "content"}), "You said:");
    EXPECT_EQ(at(reply, {"choices", "0", "finish_reason"}), "length");
    EXPECT_EQ(at(reply, {"usage", "completion_tokens"}), "2");
}

TEST(Responder, TokensAreDueAtTheRateAskedFor) {
    Reply reply =
        respond(R"({"model":"lorem","stream":true,"max_tokens":3,"sluice_tokens_per_second":4,)"
                R"("messages":[{"role":"user","content":"x"}]})",
                identity(), {});
    std::vector<std::int64_t> due;
    std::string out;
    while (const auto when = reply.due()) {
        due.push_back(when->count());
        reply.take(out);
    }

    EXPECT_THAT(due, ::testing::ElementsAre(0, 250'000, 500'000, 750'000, 750'000, 750'000));
}

TEST(Responder, AWholeReplyIsDueWithItsLastToken) {
    config::Embedded settings;
    settings.tokens_per_second = 10;
    settings.tokens = 20;
    const Reply reply = respond(R"({"model":"lorem","messages":[{"role":"user","content":"x"}]})",
                                identity(), settings);

    EXPECT_EQ(reply.due(), std::chrono::seconds(2));
}

TEST(Responder, ReasoningComesFirstAndIsCounted) {
    const std::string body = ask("Hello", R"(,"reasoning_effort":"low")");
    const std::string reply = answer_to(body);

    EXPECT_EQ(at(reply, {"choices", "0", "message", "reasoning_content"}),
              "The last message is from user and holds 5 bytes. The answer follows from it alone.");
    EXPECT_EQ(at(reply, {"usage", "completion_tokens_details", "reasoning_tokens"}), "16");
    EXPECT_THAT(answer_to(ask("Hello", R"(,"thinking":{"type":"enabled"})")),
                HasSubstr("reasoning_content"));
    EXPECT_THAT(answer_to(ask("Hello", R"(,"reasoning_effort":"none")")),
                Not(HasSubstr("reasoning_content")));
    const std::string stream =
        answer_to(ask("Hello", R"(,"reasoning_effort":"low","stream":true)"));
    EXPECT_LT(stream.rfind("reasoning_content"), stream.find(R"("delta":{"content")"));
}

TEST(Responder, AToolThatIsMentionedIsCalled) {
    const std::string reply = answer_to(with_tools("Please try Get_Weather for me"));

    const std::string message = at(reply, {"choices", "0", "message"});
    EXPECT_EQ(at(message, {"content"}), "null");
    EXPECT_EQ(at(message, {"tool_calls", "0", "id"}), "call_7_0");
    EXPECT_EQ(at(message, {"tool_calls", "0", "function", "name"}), "get_weather");
    EXPECT_EQ(at(message, {"tool_calls", "0", "function", "arguments"}), R"({"city":"city"})");
    EXPECT_EQ(at(reply, {"choices", "0", "finish_reason"}), "tool_calls");
    EXPECT_THAT(message, Not(HasSubstr("get_time")));
}

TEST(Responder, TwoToolsThatAreMentionedAreCalledAtOnce) {
    const std::string prompt = "use get_time and get_weather";

    EXPECT_THAT(answer_to(with_tools(prompt)), HasSubstr("call_7_1"));
    EXPECT_THAT(answer_to(with_tools(prompt, R"(,"parallel_tool_calls":false)")),
                Not(HasSubstr("call_7_1")));
}

TEST(Responder, AnyToolIsCalledWhenThePromptAsksForOne) {
    EXPECT_THAT(answer_to(with_tools("Use the tool, please.")), HasSubstr("tool_calls"));
    EXPECT_THAT(answer_to(with_tools("I have no use for it")), Not(HasSubstr("tool_calls")));
    EXPECT_THAT(answer_to(ask("Use the tool")), Not(HasSubstr("tool_calls")));
}

TEST(Responder, ToolChoiceIsHonoured) {
    EXPECT_THAT(answer_to(with_tools("call get_time", R"(,"tool_choice":"none")")),
                Not(HasSubstr("tool_calls")));
    EXPECT_THAT(answer_to(with_tools("Hello", R"(,"tool_choice":"required")")),
                HasSubstr(R"("name":"get_weather")"));
    EXPECT_THAT(answer_to(with_tools("Hello", R"(,"tool_choice":{"type":"function",)"
                                              R"("function":{"name":"get_time"}})")),
                HasSubstr(R"("name":"get_time","arguments":"{}")"));
}

TEST(Responder, AToolChoiceThatCannotBeHonouredIsRefused) {
    Reply unknown = respond(with_tools("Hello", R"(,"tool_choice":{"type":"function",)"
                                                R"("function":{"name":"get_rich"}})"),
                            identity(), {});
    const Reply none = respond(ask("Hello", R"(,"tool_choice":"required")"), identity(), {});

    EXPECT_EQ(unknown.status(), 400);
    EXPECT_EQ(at(take_all(unknown), {"error", "param"}), "tool_choice");
    EXPECT_EQ(none.status(), 400);
}

TEST(Responder, AToolsResultIsAnsweredInWords) {
    const std::string reply =
        answer_to(R"({"model":"echo","messages":[{"role":"user","content":"call get_weather"},)"
                  R"({"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function",)"
                  R"("function":{"name":"get_weather","arguments":"{}"}}]},)"
                  R"({"role":"tool","tool_call_id":"c","content":"sunny"}])" +
                  std::string(kTools) + "}");

    EXPECT_THAT(at(reply, {"choices", "0", "message", "content"}),
                ::testing::StartsWith("get_weather answered: sunny"));
    EXPECT_EQ(at(reply, {"choices", "0", "finish_reason"}), "stop");
}

TEST(Responder, StreamedToolCallsFollowOpenAIsGrammar) {
    const std::string stream = answer_to(with_tools("call get_weather", R"(,"stream":true)"));

    EXPECT_THAT(stream, HasSubstr(R"({"tool_calls":[{"index":0,"id":"call_7_0","type":"function",)"
                                  R"("function":{"name":"get_weather","arguments":""}}]})"));
    EXPECT_THAT(stream, HasSubstr(R"({"tool_calls":[{"index":0,"function":{"arguments":)"
                                  R"("{\"city\":\"city\"}"}}]})"));
    const Filtered filtered(stream);
    EXPECT_TRUE(filtered.ended);
    EXPECT_TRUE(filtered.filter.facts().has_tool_calls);
    EXPECT_EQ(filtered.filter.facts().finish_reason, chat::FinishReason::tool_calls);
}

TEST(Responder, PartsOfAMessageAreReadTogether) {
    const std::string reply = answer_to(
        R"({"model":"echo","messages":[{"role":"user","content":[{"type":"text","text":"a"},)"
        R"({"type":"image_url","image_url":{"url":"data:"}},{"type":"text","text":"b"}]}]})");

    EXPECT_THAT(reply, HasSubstr("You said: ab"));
    EXPECT_THAT(reply, HasSubstr("1 part other than text"));
}

TEST(Responder, BadRequestsAreRefusedInOpenAIsEnvelope) {
    for (const std::string_view body : {
             R"({"model":"echo"})",
             R"({"model":"echo","messages":7})",
             R"({"model":"echo","messages":[]})",
             R"({"model":"echo","messages":[7]})",
             R"({"model":"echo","messages":[{"content":"no role"}]})",
             R"({"model":"echo","messages":[{"role":"user","content":7}]})",
             R"({"model":"echo","n":2,"messages":[{"role":"user","content":"x"}]})",
             R"({"model":"echo","max_tokens":0,"messages":[{"role":"user","content":"x"}]})",
             R"({"model":"echo","tools":7,"messages":[{"role":"user","content":"x"}]})",
             R"({"model":"echo","sluice_tokens_per_second":"1","messages":[{"role":"user"}]})",
             R"({"model":"echo","messages":[{"role":"user","content":"x"})",
             "",
         }) {
        Reply reply = respond(body, identity(), {});
        EXPECT_EQ(reply.status(), 400) << body;
        EXPECT_FALSE(reply.is_event_stream()) << body;
        EXPECT_EQ(at(take_all(reply), {"error", "type"}), "invalid_request_error") << body;
    }
}

TEST(Responder, ModelsAreListedAndFaultsOnlyWhenEnabled) {
    config::Embedded settings;
    Reply without = list_models(settings);
    settings.faults = true;
    Reply with = list_models(settings);

    const auto models = dialect::openai_chat::read_models(take_all(without));
    ASSERT_TRUE(models);
    ASSERT_EQ(models->size(), 2U);
    EXPECT_EQ((*models)[0].id, "echo");
    EXPECT_EQ((*models)[1].id, "lorem");
    EXPECT_GT(dialect::openai_chat::read_models(take_all(with))->size(), 40U);
}

TEST(TokenText, PiecesMakeUpTheTextAndNeverCutACodePoint) {
    std::string long_word;
    for (int i = 0; i < 40; ++i) long_word += "\u20ac";
    const std::string text = "  two words\n" + long_word + " \t end ";
    const TokenText tokens = TokenText::of(text);

    EXPECT_EQ(tokens.whole(), text);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        EXPECT_TRUE(json::is_valid_utf8(tokens.piece(i))) << i;
        EXPECT_LE(tokens.piece(i).size(), 24U);
    }
}

std::string complete(std::string_view members) {
    Reply reply =
        respond(R"({"model":"echo",)" + std::string(members) + "}", identity(), {}, Shape::text);
    return std::to_string(reply.status()) + " " + take_all(reply);
}

TEST(TextCompletionTest, IsOneTextWithItsUsage) {
    const std::string answer = complete(R"("prompt":"Once","max_tokens":3)");

    EXPECT_THAT(answer, HasSubstr(R"("object":"text_completion")"));
    EXPECT_THAT(answer, HasSubstr(R"("text":"You said: Once","logprobs":null,)"
                                  R"("finish_reason":"length")"));
    EXPECT_THAT(answer, HasSubstr(R"("prompt_tokens":1,"completion_tokens":3,"total_tokens":4)"));
}

TEST(TextCompletionTest, AStreamHasNothingButText) {
    const std::string answer = complete(
        R"("prompt":["a"],"max_tokens":3,"stream":true,"stream_options":{"include_usage":true})");

    EXPECT_THAT(answer, HasSubstr(R"("choices":[{"index":0,"text":"You","logprobs":null,)"
                                  R"("finish_reason":null}],"usage":null})"));
    EXPECT_THAT(answer, HasSubstr(R"({"index":0,"text":"","logprobs":null,)"
                                  R"("finish_reason":"length"})"));
    EXPECT_THAT(answer, HasSubstr(R"("choices":[],"usage":{"prompt_tokens":1)"));
    EXPECT_THAT(answer, ::testing::EndsWith("data: [DONE]\n\n"));
    EXPECT_THAT(answer, Not(HasSubstr("delta")));
}

TEST(TextCompletionTest, TakesTokensAndRefusesTwoPrompts) {
    EXPECT_THAT(complete(R"("prompt":[1,2])"), HasSubstr("You said: [1,2]"));
    for (const std::string_view members :
         {R"("prompt":["a","b"])", R"("prompt":[])", R"("prompt":7)", R"("user":"me")"}) {
        const std::string answer = complete(members);
        EXPECT_THAT(answer, ::testing::StartsWith("400 ")) << members;
        EXPECT_THAT(answer, HasSubstr(R"("param":"prompt")")) << members;
    }
    EXPECT_THAT(complete(R"("prompt":"a","n":2)"), ::testing::StartsWith("400 "));
    EXPECT_THAT(complete(R"("prompt":"a","max_tokens":0)"), ::testing::StartsWith("400 "));
}

TEST(ServeTest, EveryPathHasItsMethod) {
    const auto status = [](std::string_view method, std::string_view path) {
        return serve(method, path, R"({"model":"echo","input":"a","prompt":"a"})", identity(), {})
            .status();
    };

    EXPECT_EQ(status("GET", "/models"), 200);
    EXPECT_EQ(status("POST", "/embeddings"), 200);
    EXPECT_EQ(status("POST", "/completions"), 200);
    EXPECT_EQ(status("POST", "/chat/completions"), 400);
    EXPECT_EQ(status("GET", "/embeddings"), 405);
    EXPECT_EQ(status("POST", "/models"), 405);
    EXPECT_EQ(status("GET", "/"), 404);
}

}  // namespace
}  // namespace sluice::upstream::embedded
