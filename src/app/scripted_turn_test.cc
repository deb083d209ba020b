#include "app/scripted_turn.h"

#include "app/upstream_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace sluice::app {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using upstream::embedded::WireScript;
using upstream::embedded::WireStep;

ScriptedTurn turn_of(const std::string& text) {
    const auto turn = parse_turn(json::as_value(text));
    EXPECT_TRUE(turn) << turn.error().message;
    return turn ? *turn : ScriptedTurn();
}

DeepSeekRequest request(bool stream, const std::string& more = "") {
    const auto read = read_deepseek_request(
        R"({"model":"deepseek-flash","messages":[{"role":"user","content":"hi"}],"stream":)" +
        std::string(stream ? "true" : "false") + more + "}");
    return read ? *read : DeepSeekRequest();
}

TurnContext context() {
    return {.number = 7,
            .created = 1,
            .prompt = {.tokens = 100, .cached = 64, .bytes = 400, .common_bytes = 256}};
}

std::string bytes_of(const WireScript& wire) {
    std::string bytes;
    for (const WireStep& step : wire) {
        for (std::uint64_t i = 0; i < step.times; ++i) bytes += step.bytes;
    }
    return bytes;
}

/// The data of the events, each from its `choices` on.
std::vector<std::string> choices(const WireScript& wire) {
    std::vector<std::string> found;
    for (const WireStep& step : wire) {
        const auto at = step.bytes.find("\"choices\"");
        if (at == std::string::npos) continue;
        found.push_back(step.bytes.substr(at, step.bytes.find("\n\n") - at));
    }
    return found;
}

constexpr const char* kRest = R"(,"logprobs":null,"finish_reason":null}],"usage":null})";

std::string choice(const std::string& delta) {
    return R"("choices":[{"index":0,"delta":{)" + delta + "}" + kRest;
}

TEST(ScriptedTurn, AThinkingModelsStreamHasDeepSeeksForm) {
    const auto events = choices(
        write_turn(turn_of(R"({"reasoning":"We see","content":"Hi"})"), request(true), context()));

    ASSERT_EQ(events.size(), 5U);
    EXPECT_EQ(events[0], choice(R"("role":"assistant","content":null,"reasoning_content":"")"));
    EXPECT_EQ(events[1], choice(R"("content":null,"reasoning_content":"We")"));
    EXPECT_EQ(events[2], choice(R"("content":null,"reasoning_content":" see")"));
    EXPECT_EQ(events[3], choice(R"("content":"Hi","reasoning_content":null)"));
    EXPECT_EQ(
        events[4],
        R"("choices":[{"index":0,"delta":{"content":"","reasoning_content":null},)"
        R"("logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":100,)"
        R"("completion_tokens":3,"total_tokens":103,"prompt_tokens_details":{"cached_tokens":64},)"
        R"("completion_tokens_details":{"reasoning_tokens":2},"prompt_cache_hit_tokens":64,)"
        R"("prompt_cache_miss_tokens":36}})");
}

TEST(ScriptedTurn, AModelThatDoesNotThinkKeepsItsReasoning) {
    const auto turn = turn_of(R"({"reasoning":"We","content":"Hi"})");
    const DeepSeekRequest asked = request(true, R"(,"thinking":{"type":"disabled"})");
    const WireScript wire = write_turn(turn, asked, context());

    const auto events = choices(wire);
    ASSERT_EQ(events.size(), 3U);
    EXPECT_EQ(events[0], choice(R"("role":"assistant","content":"")"));
    EXPECT_EQ(events[1], choice(R"("content":"Hi")"));
    EXPECT_THAT(bytes_of(wire), Not(HasSubstr("reasoning")));
    EXPECT_THAT(bytes_of(wire), EndsWith("data: [DONE]\n\n\r\n0\r\n\r\n"));
}

TEST(ScriptedTurn, CallsComeTokenByToken) {
    const auto events = choices(write_turn(
        turn_of(R"({"tool_calls":[{"name":"f","arguments":"{\"a\""},{"name":"g","id":"x"}]})"),
        request(true), context()));

    ASSERT_EQ(events.size(), 5U);
    EXPECT_EQ(events[1],
              choice(R"("tool_calls":[{"index":0,"id":"call_00_sluice7","type":"function",)"
                     R"("function":{"name":"f","arguments":""}}])"));
    EXPECT_EQ(events[2], choice(R"("tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}])"));
    EXPECT_EQ(events[3], choice(R"("tool_calls":[{"index":1,"id":"x","type":"function",)"
                                R"("function":{"name":"g","arguments":""}}])"));
    EXPECT_THAT(events.back(), HasSubstr(R"("finish_reason":"tool_calls")"));
}

TEST(ScriptedTurn, ArgumentsAreSentAsTheyStand) {
    const WireScript wire =
        write_turn(turn_of(R"({"tool_calls":[{"name":"f","arguments":{"b": 1.0,  "a":2}}]})"),
                   request(false), context());

    EXPECT_THAT(bytes_of(wire), HasSubstr(R"("arguments":"{\"b\": 1.0,  \"a\":2}")"));
}

TEST(ScriptedTurn, AWholeReplyHasTheSame) {
    const std::string bytes =
        bytes_of(write_turn(turn_of(R"({"reasoning":"r","content":"c","finish_reason":"length"})"),
                            request(false), context()));

    EXPECT_THAT(bytes, HasSubstr(R"("object":"chat.completion","created":1,)"
                                 R"("model":"deepseek-flash")"));
    EXPECT_THAT(bytes, HasSubstr(R"("message":{"role":"assistant","content":"c",)"
                                 R"("reasoning_content":"r"},"logprobs":null,)"
                                 R"("finish_reason":"length")"));
    EXPECT_THAT(bytes, HasSubstr(R"("prompt_cache_hit_tokens":64)"));
}

TEST(ScriptedTurn, ACutStreamEndsAfterSoManyEvents) {
    const auto turn = turn_of(R"({"content":"a b c","cut_after":2,"then":"reset"})");
    const WireScript wire = write_turn(turn, request(true), context());

    EXPECT_EQ(choices(wire).size(), 2U);
    EXPECT_EQ(wire.back().act, WireStep::Act::reset);
    EXPECT_EQ(write_turn(turn_of(R"({"content":"a","cut_after":0})"), request(true), context())
                  .back()
                  .act,
              WireStep::Act::close);
}

TEST(ScriptedTurn, AHangComesWhereItIsStated) {
    const WireScript wire =
        write_turn(turn_of(R"({"content":"a","then":"hang"})"), request(true), context());

    EXPECT_THAT(bytes_of(wire), EndsWith("data: [DONE]\n\n\r\n"));
    EXPECT_EQ(wire.back().act, WireStep::Act::hang);
}

TEST(ScriptedTurn, AWholeReplyIsCutInHalf) {
    const WireScript wire =
        write_turn(turn_of(R"({"content":"a","cut_after":1})"), request(false), context());

    EXPECT_THAT(bytes_of(wire), Not(EndsWith("}")));
    EXPECT_EQ(wire.back().act, WireStep::Act::close);
}

TEST(ScriptedTurn, WaitsAndKeepAlivesComeFirst) {
    const WireScript wire =
        write_turn(turn_of(R"({"content":"a","delay_ms":5,"interval_ms":7,"keep_alives":2})"),
                   request(true), context());

    EXPECT_EQ(wire[0].wait, std::chrono::milliseconds(5));
    EXPECT_THAT(wire[1].bytes, HasSubstr(": keep-alive\n\n"));
    EXPECT_EQ(wire[1].times, 2U);
    EXPECT_EQ(wire[3].wait, std::chrono::milliseconds(7));
}

TEST(ScriptedTurn, AnErrorHasDeepSeeksEnvelope) {
    EXPECT_THAT(
        bytes_of(write_turn(turn_of(R"({"error":{"status":402,"message":"Insufficient Balance"}})"),
                            request(true), context())),
        testing::AllOf(
            HasSubstr("HTTP/1.1 402 "),
            EndsWith(R"({"error":{"message":"Insufficient Balance","type":)"
                     R"("unknown_error","param":null,"code":"invalid_request_error"}})")));
}

TEST(ScriptedTurn, WhatIsWrongIsNamed) {
    const auto error = [](const std::string& text) {
        const auto turn = parse_turn(json::as_value(text));
        return turn ? std::string() : turn.error().message;
    };
    EXPECT_EQ(error(R"({"contents":"x"})"), "'contents' is not known in a turn");
    EXPECT_EQ(error(R"({"content":1})"), "'content' must be a string");
    EXPECT_EQ(error(R"({"tool_calls":[{}]})"), "'tool_calls' must be a list of {name, arguments}");
    EXPECT_EQ(error(R"({"then":"sleep"})"), "'then' must be close, reset, half_close or hang");
    EXPECT_EQ(error(R"({"error":{"status":500}})"), "'error' must be {status, message}");
}

class RulesTest : public testing::Test {
protected:
    /// The content of the turn that answers; empty where none does.
    std::string told(const std::string& messages, const std::string& more = "") {
        const std::string body =
            R"({"model":"deepseek-flash","messages":[)" + messages + "]" + more + "}";
        const auto conversation = read_deepseek_request(body);
        EXPECT_TRUE(conversation);
        auto script = UpstreamScript::parse(
            R"({"rules":[
                {"match":{"last_result":"done","tool_results":2},"turn":{"content":"both"}},
                {"match":{"last_result":"failed"},"turn":{"content":"again"}},
                {"match":{"tool":"Agent","assistant_turns":0},"turn":{"content":"delegate"}},
                {"match":{"system":"explorer"},"turn":{"content":"explore"}},
                {"match":{"first_user":"one","last_user":"two"},"turn":{"content":"second"}}]})",
            [](const std::string&) -> Result<std::string> { return std::string(); });
        EXPECT_TRUE(script) << script.error().message;
        if (!script || !conversation) return "";
        EXPECT_TRUE(script->reads_conversations());
        EXPECT_EQ(script->answer("/", "deepseek-flash", body), nullptr);
        const ScriptedReply* const reply =
            script->answer("/", "deepseek-flash", body, &*conversation);
        return reply == nullptr ? "" : reply->turn->content;
    }

    static std::string user(const std::string& text) {
        return R"({"role":"user","content":")" + text + R"("})";
    }
    static std::string result(const std::string& text) {
        return R"({"role":"tool","tool_call_id":"a","content":")" + text + R"("})";
    }
};

TEST_F(RulesTest, AConversationFindsItsRule) {
    EXPECT_EQ(told(user("x") + "," + result("a") + "," + result("all done")), "both");
    EXPECT_EQ(told(user("x") + "," + result("all done")), "");
    EXPECT_EQ(told(user("x") + "," + result("a") + "," + result("it failed")), "again");
    EXPECT_EQ(told(user("x"), R"(,"tools":[{"type":"function","function":{"name":"Agent"}}])"),
              "delegate");
    EXPECT_EQ(told(R"({"role":"system","content":"an explorer"},)" + user("x")), "explore");
    EXPECT_EQ(told(user("one") + "," + user("two")), "second");
    EXPECT_EQ(told(user("two")), "");
}

TEST(UpstreamScript, AMatchOfWhatIsNotKnownIsRefused) {
    const auto script = UpstreamScript::parse(
        R"({"rules":[{"match":{"turns":1},"turn":{}}]})",
        [](const std::string&) -> Result<std::string> { return std::string(); });
    ASSERT_FALSE(script);
    EXPECT_EQ(script.error().message, "rule 1: 'turns' is not known in a match");
}

}  // namespace
}  // namespace sluice::app
