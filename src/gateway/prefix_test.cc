/// A provider's prefix cache lives on this: each request of an agent's conversation, read, adapted
/// and written for the upstream, begins with all that the request before it held. The conversations
/// are such as Claude Code and OpenAI's clients have them.

#include "dialect/anthropic_messages/read_request.h"
#include "dialect/anthropic_messages/write_request.h"
#include "dialect/openai_chat/read_request.h"
#include "dialect/openai_chat/write_request.h"
#include "json/reader.h"
#include "json/writer.h"
#include "shaping/adapt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace sluice::gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string as_json(std::string_view text) {
    std::string json;
    json::append_string(json, text);
    return json;
}

std::string list(const std::vector<std::string>& items) {
    std::string json = "[";
    for (const std::string& item : items) json += (json.size() > 1 ? "," : "") + item;
    return json + "]";
}

/// A request as its upstream sees it, less what may change.
struct Rendered {
    std::string system;
    std::vector<std::string> tools;
    std::vector<std::string> messages;
    std::vector<std::string> parameters;
};

std::vector<std::string> elements(std::string_view array) {
    std::vector<std::string> found;
    json::Reader reader(array);
    while (reader.next()) found.emplace_back(reader.value().raw);
    return found;
}

std::string without_marks(std::string body) {
    constexpr std::string_view kMark = R"(,"cache_control":{"type":"ephemeral"})";
    for (auto at = body.find(kMark); at != std::string::npos; at = body.find(kMark, at)) {
        body.erase(at, kMark.size());
    }
    return body;
}

Rendered rendered(const std::string& body) {
    EXPECT_EQ(json::find_error(body), std::nullopt) << body;
    Rendered request;
    json::Reader reader(body);
    while (reader.next()) {
        const std::string_view raw = reader.value().raw;
        if (reader.key_is("messages")) {
            request.messages = elements(raw);
        } else if (reader.key_is("tools")) {
            request.tools = elements(raw);
        } else if (reader.key_is("system")) {
            request.system = raw;
        } else {
            request.parameters.push_back(std::string(reader.raw_key()) + ":" + std::string(raw));
        }
    }
    return request;
}

chat::Abilities deepseek() {
    chat::Abilities abilities;
    abilities.thinking = chat::ThinkingControl::deepseek;
    abilities.reasoning_history = chat::ReasoningHistory::reasoning_content;
    abilities.reasoning_required = true;
    abilities.forced_tools_when_thinking = false;
    abilities.max_tools = 128;
    abilities.json_schema = false;
    abilities.parallel_tool_calls = false;
    abilities.user_field = "user_id";
    return abilities;
}

/// A server that has little.
chat::Abilities plain() {
    chat::Abilities abilities;
    abilities.thinking = chat::ThinkingControl::none;
    abilities.images = false;
    abilities.mid_system = false;
    abilities.sampling = false;
    return abilities;
}

chat::Abilities deepseek_anthropic() {
    chat::Abilities abilities = deepseek();
    abilities.thinking = chat::ThinkingControl::anthropic;
    abilities.reasoning_history = chat::ReasoningHistory::blocks;
    abilities.family = chat::Family::anthropic;
    abilities.mid_system = false;
    return abilities;
}

chat::Abilities anthropic() {
    chat::Abilities abilities = deepseek_anthropic();
    abilities.signatures = true;
    abilities.server_tools = true;
    abilities.deferred_tools = true;
    abilities.documents = true;
    abilities.mid_system = true;
    return abilities;
}

std::string for_upstream(chat::Request request, const chat::Abilities& abilities) {
    chat::Changes changes;
    const auto adapted = shaping::adapt(request, abilities, changes);
    EXPECT_TRUE(adapted);
    switch (abilities.family) {
        case chat::Family::openai:
            return dialect::openai_chat::write_request(request, abilities, changes);
        case chat::Family::anthropic:
            return without_marks(
                dialect::anthropic_messages::write_request(request, abilities, changes));
    }
    return {};
}

/// What one upstream gets of a conversation.
class Watch {
public:
    explicit Watch(chat::Abilities abilities) : abilities_(std::move(abilities)) {}

    void see(const chat::Request& request) {
        const Rendered now = rendered(for_upstream(request, abilities_));
        if (!last_.messages.empty()) {
            EXPECT_EQ(now.system, last_.system);
            EXPECT_EQ(now.parameters, last_.parameters);
            expect_prefix(last_.tools, now.tools);
            expect_prefix(last_.messages, now.messages);
        }
        last_ = now;
    }

    [[nodiscard]] const Rendered& last() const noexcept { return last_; }

private:
    static void expect_prefix(const std::vector<std::string>& before,
                              const std::vector<std::string>& now) {
        ASSERT_LE(before.size(), now.size());
        for (std::size_t i = 0; i < before.size(); ++i) EXPECT_EQ(now[i], before[i]);
    }

    chat::Abilities abilities_;
    Rendered last_;
};

/// A conversation of Claude Code's, told as it sends it: the cache mark moves with each request,
/// the system message is a block first and a string later, results come as they are done, and tools
/// that were searched for stand in the middle of the list.
class ClaudeCode {
public:
    explicit ClaudeCode(std::vector<chat::Abilities> upstreams) {
        for (chat::Abilities& abilities : upstreams) watches_.emplace_back(std::move(abilities));
    }

    void begin(std::string_view prompt) {
        user({block("<system-reminder>attribution</system-reminder>"), block(prompt)});
        system("# Environment\ncwd: /work\nDeferred tools: WebFetch, NotebookEdit");
    }

    void user(std::vector<std::string> blocks) { add("user", std::move(blocks)); }
    void assistant(std::vector<std::string> blocks) { add("assistant", std::move(blocks)); }
    void system(std::string_view text) {
        add("system", {block(text)});
        said_.back().text = as_json(text);
    }
    void load(std::string name) { loaded_.push_back(std::move(name)); }

    static std::string block(std::string_view text) {
        return R"({"type":"text","text":)" + as_json(text) + "}";
    }
    static std::string thinking(std::string_view text, std::string_view signature) {
        return R"({"type":"thinking","thinking":)" + as_json(text) + R"(,"signature":)" +
               as_json(signature) + "}";
    }
    static std::string call(std::string_view id, std::string_view name, std::string_view input) {
        return R"({"type":"tool_use","id":)" + as_json(id) + R"(,"name":)" + as_json(name) +
               R"(,"input":)" + std::string(input) + "}";
    }
    static std::string result(std::string_view id, std::string_view content,
                              std::string_view more = "") {
        return R"({"tool_use_id":)" + as_json(id) + R"(,"type":"tool_result","content":)" +
               std::string(content) + std::string(more) + "}";
    }
    static std::string image(std::string_view data) {
        return R"({"type":"image","source":{"type":"base64","media_type":"image/png","data":)" +
               as_json(data) + "}}";
    }
    static std::string reference(std::string_view tool) {
        return R"({"type":"tool_reference","tool_name":)" + as_json(tool) + "}";
    }

    /// Sends what was said so far.
    void ask() {
        const std::string body = this->body();
        const auto request = dialect::anthropic_messages::read_request(body);
        ASSERT_TRUE(request) << request.error().message << body;
        for (Watch& watch : watches_) watch.see(*request);
    }

    [[nodiscard]] const Rendered& seen(std::size_t upstream = 0) const {
        return watches_[upstream].last();
    }

private:
    struct Said {
        std::string role;
        std::vector<std::string> blocks;
        std::string text;  // of a system message, which is a block only while it is the last
    };

    void add(std::string role, std::vector<std::string> blocks) {
        said_.push_back({.role = std::move(role), .blocks = std::move(blocks), .text = {}});
    }

    static std::string marked(std::string block) {
        block.pop_back();
        return block + R"(,"cache_control":{"type":"ephemeral"}})";
    }

    [[nodiscard]] std::string body() const {
        std::vector<std::string> messages;
        for (const Said& said : said_) {
            const bool is_last = &said == &said_.back();
            std::vector<std::string> blocks = said.blocks;
            if (is_last) blocks.back() = marked(blocks.back());
            const std::string content = is_last || said.text.empty() ? list(blocks) : said.text;
            messages.push_back(R"({"role":)" + as_json(said.role) + R"(,"content":)" + content +
                               "}");
        }
        return R"({"model":"deepseek-flash","messages":)" + list(messages) + R"(,"system":[)" +
               block("x-anthropic-billing-header: cc_version=2.1.328.a1b;") + "," +
               marked(block("You are Claude Code.")) + "," + marked(block("Long prompt.")) +
               R"(],"tools":)" + list(tools()) +
               R"(,"metadata":{"user_id":"{\"device_id\":\"d\"}"},"max_tokens":32000,)"
               R"("thinking":{"type":"adaptive","display":"omitted"},)"
               R"("context_management":{"edits":[]},"output_config":{"effort":"medium"},)"
               R"("stream":true})";
    }

    [[nodiscard]] std::vector<std::string> tools() const {
        std::vector<std::string> all{tool("Bash"), tool("Read"), tool("ToolSearch")};
        std::vector<std::string> searched = loaded_;
        std::ranges::sort(searched);
        for (const std::string& name : searched) all.push_back(tool(name));
        all.emplace_back(R"({"name":"DeferredToolPlaceholder","description":"none",)"
                         R"("input_schema":{"type":"object"},"defer_loading":true})");
        all.push_back(tool("Write"));
        return all;
    }

    static std::string tool(std::string_view name) {
        return R"({"name":)" + as_json(name) +
               R"(,"description":"d","input_schema":{"type":"object","properties":{"b":{},"a":{}}}})";
    }

    std::vector<Said> said_;
    std::vector<std::string> loaded_;
    std::vector<Watch> watches_;
};

std::vector<chat::Abilities> all_upstreams() {
    return {deepseek(), chat::Abilities(), plain(), deepseek_anthropic()};
}

using C = ClaudeCode;

TEST(Prefix, ParallelToolsThatAreDoneOutOfOrder) {
    ClaudeCode code(all_upstreams());
    code.begin("run two things");
    code.ask();
    code.assistant({C::thinking("two", ""), C::block("Now."),
                    C::call("a", "Bash", R"({"timeout":1.0,"command":"ls","1":true})"),
                    C::call("b", "Read", R"({"path":"é\n"})")});
    code.user(
        {C::result("b", R"("two")"), C::result("a", R"("Exit code 3")", R"(,"is_error":true)")});
    code.ask();
    code.assistant({C::thinking("done", "sluice1.x"), C::block("Both are done.")});
    code.user({C::block("thanks")});
    code.ask();

    const Rendered& seen = code.seen();
    ASSERT_EQ(seen.messages.size(), 8U);
    EXPECT_THAT(seen.messages[0], HasSubstr("You are Claude Code.\\n\\nLong prompt."));
    EXPECT_THAT(seen.messages[0], Not(HasSubstr("billing")));
    EXPECT_THAT(seen.messages[2], HasSubstr(R"("role":"system")"));
    EXPECT_THAT(seen.messages[3], HasSubstr(R"("reasoning_content":"two")"));
    EXPECT_THAT(seen.messages[3], HasSubstr(R"({\"timeout\":1.0,\"command\":\"ls\",\"1\":true})"));
    EXPECT_THAT(seen.messages[4], HasSubstr(R"("tool_call_id":"a")"));
    EXPECT_THAT(seen.messages[5], HasSubstr(R"("tool_call_id":"b")"));
}

TEST(Prefix, ToolsThatAreLoadedOnTheWay) {
    ClaudeCode code(all_upstreams());
    code.begin("fetch");
    code.ask();
    code.assistant({C::call("a", "ToolSearch", R"({"query":"fetch"})")});
    code.user({C::result("a", "[" + C::reference("WebFetch") + "]"), C::block("Tool loaded.")});
    code.load("WebFetch");
    code.ask();
    code.assistant({C::call("b", "WebFetch", "{}"), C::call("c", "ToolSearch", "{}")});
    code.user(
        {C::result("c", "[" + C::reference("NotebookEdit") + "," + C::reference("Agent") + "]"),
         C::result("b", R"("page")")});
    code.load("NotebookEdit");
    code.load("Agent");
    code.ask();

    std::vector<std::string> names;
    for (const std::string& tool : code.seen().tools) {
        const auto function = json::find(json::as_value(tool), "function");
        names.emplace_back(json::find(*function, "name")->raw);
    }
    EXPECT_THAT(names, ElementsAre(R"("Bash")", R"("Read")", R"("ToolSearch")", R"("Write")",
                                   R"("WebFetch")", R"("NotebookEdit")", R"("Agent")"));
}

TEST(Prefix, ImagesThatAToolReads) {
    ClaudeCode code(all_upstreams());
    code.begin("look");
    code.ask();
    code.assistant({C::call("a", "Read", "{}"), C::call("b", "Read", "{}")});
    code.user({C::result("b", "[" + C::image("QkI=") + "]"),
               C::result("a", "[" + C::image("QUE=") + "]")});
    code.ask();
    code.assistant({C::block("Two images.")});
    code.user({C::block("and this?"), C::image("Q0M=")});
    code.ask();

    EXPECT_THAT(code.seen().messages[6], HasSubstr("QUE="));
    EXPECT_THAT(code.seen(2).messages.back(), HasSubstr("the model cannot see images"));
}

/// One of Claude Code's turns, chosen by chance, whose results or prompt are the client's to send.
class ChanceAgent {
public:
    explicit ChanceAgent(unsigned seed) : chance_(seed) {}

    void converse(ClaudeCode& code) {
        code.begin("begin");
        code.ask();
        const std::size_t turns = 2 + pick(8);
        for (std::size_t i = 0; i < turns; ++i) {
            turn(code);
            if (pick(4) == 0) code.system("note " + std::to_string(pick(100)));
            code.ask();
        }
    }

private:
    std::size_t pick(std::size_t below) {
        return std::uniform_int_distribution<std::size_t>(0, below - 1)(chance_);
    }

    void turn(ClaudeCode& code) {
        std::vector<std::string> reply;
        std::vector<std::string> results;
        if (pick(2) == 0) reply.push_back(C::thinking("hm", pick(2) == 0 ? "" : "sig"));
        if (pick(8) == 0) reply.emplace_back(R"({"type":"redacted_thinking","data":"x"})");
        if (pick(4) == 0) reply.push_back(C::block(""));
        if (pick(8) == 0) search(reply);
        const std::size_t calls = pick(4);
        for (std::size_t i = 0; i < calls; ++i) call(code, reply, results);
        if (calls == 0) reply.push_back(C::block("answer " + std::to_string(pick(100))));
        std::ranges::shuffle(results, chance_);
        if (results.empty() || pick(3) == 0) results.push_back(C::block("go on"));
        code.assistant(std::move(reply));
        code.user(std::move(results));
    }

    static void search(std::vector<std::string>& reply) {
        reply.emplace_back(
            R"({"type":"server_tool_use","id":"s","name":"web_search","input":{"query":"q"}})");
        reply.emplace_back(R"({"type":"web_search_tool_result","tool_use_id":"s","content":[)"
                           R"({"type":"web_search_result","title":"T","url":"https://t/"}]})");
    }

    void call(ClaudeCode& code, std::vector<std::string>& reply,
              std::vector<std::string>& results) {
        // Some upstreams number their calls anew in each turn.
        const std::string id = "call_" + std::to_string(pick(2) == 0 ? results.size() : ++calls_);
        reply.push_back(C::call(id, "Bash", R"({"n":)" + std::to_string(pick(9)) + ".0}"));
        switch (pick(7)) {
            case 0: return;  // never answered
            case 1: results.push_back(C::result(id, "[" + C::image("QQ==") + "]")); return;
            case 2: {
                const std::string name = "Loaded" + std::to_string(++loaded_ * 7 % 10);
                results.push_back(C::result(id, "[" + C::reference(name) + "]"));
                if (loaded_ < 10) code.load(name);
                return;
            }
            case 3: results.push_back(C::result(id, R"("no")", R"(,"is_error":true)")); return;
            case 4: results.push_back(C::result(id, "[]")); return;
            case 5: results.push_back(C::result("stray", R"("what")")); return;
            default: results.push_back(C::result(id, as_json("ok " + id)));
        }
    }

    std::mt19937 chance_;
    std::size_t calls_ = 10;
    std::size_t loaded_ = 0;
};

TEST(Prefix, ConversationsByChance) {
    for (unsigned seed = 0; seed < 60; ++seed) {
        SCOPED_TRACE(seed);
        ClaudeCode code(all_upstreams());
        ChanceAgent(seed).converse(code);
        if (HasFailure()) return;
    }
}

/// An OpenAI client's: tool messages, and `reasoning_content` that it does or does not return.
TEST(Prefix, AnOpenAIClientsConversation) {
    std::vector<Watch> watches;
    for (const auto& abilities : {deepseek(), plain(), deepseek_anthropic(), anthropic()}) {
        watches.emplace_back(abilities);
    }
    std::vector<std::string> messages{R"({"role":"system","content":"You are opencode."})",
                                      R"({"role":"user","content":"hi"})"};
    const auto ask = [&](const std::vector<std::string>& more) {
        messages.insert(messages.end(), more.begin(), more.end());
        const std::string body =
            R"({"model":"m","reasoning_effort":"medium","tools":[{"type":"function","function":)"
            R"({"name":"bash","parameters":{"type":"object"}}}],"messages":)" +
            list(messages) + "}";
        const auto request = dialect::openai_chat::read_request(body);
        ASSERT_TRUE(request) << request.error().message;
        for (Watch& watch : watches) watch.see(*request);
    };
    const auto call = [](std::string_view id) {
        return R"({"id":)" + as_json(id) +
               R"(,"type":"function","function":{"name":"bash","arguments":"{\"a\": 1}"}})";
    };
    const auto answer = [](std::string_view id) {
        return R"({"role":"tool","tool_call_id":)" + as_json(id) + R"(,"content":"ok"})";
    };

    ask({});
    ask({R"({"role":"assistant","content":"","reasoning_content":"hm","tool_calls":[)" + call("a") +
             "," + call("b") + "]}",
         answer("b"), answer("a")});
    ask({R"({"role":"assistant","content":null,"tool_calls":[)" + call("a") + "]}", answer("a"),
         R"({"role":"user","content":[{"type":"text","text":"see"},{"type":"image_url",)"
         R"("image_url":{"url":"data:image/png;base64,QQ=="}}]})"});
    ask({R"({"role":"assistant","content":"done"})", R"({"role":"user","content":"bye"})",
         R"({"role":"developer","content":"Be brief."})"});
    ask({R"({"role":"assistant","content":"ok"})", R"({"role":"user","content":"more"})"});

    EXPECT_THAT(watches[0].last().messages[3], HasSubstr(R"("tool_call_id":"a")"));
    EXPECT_THAT(watches[0].last().messages[5], HasSubstr(R"("reasoning_content":"")"));
}

}  // namespace
}  // namespace sluice::gateway
