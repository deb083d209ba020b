"""What a chat upstream with DeepSeek's manners is asked when a Messages client asks
(anthropic-openai-mapping.md 2 to 5, claude-code-needs.md 8), and what is said of the changes."""

import json
import re
import time
import unittest

from gateway import Gateway
from messages import Message, ask_messages, headers, message, routed_to, say_chat, to_chat, tool
from scripted import Scripted

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
BILLING = "x-anthropic-billing-header: cc_version=2.1.328.526; cc_entrypoint=sdk-cli;"
THINKING = {"thinking": {"type": "adaptive", "display": "omitted"}, "output_config": {"effort": "medium"}}


def use(id, name="get_weather", **input):
    return {"type": "tool_use", "id": id, "name": name, "input": input}


def result(id, content="fine", **more):
    return {"type": "tool_result", "tool_use_id": id, "content": content, **more}


def thought(text, signature="gw"):
    return {"type": "thinking", "thinking": text, "signature": signature}


def user(*blocks):
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks):
    return {"role": "assistant", "content": list(blocks)}


class Translated(unittest.TestCase):
    PRESET = {}

    @classmethod
    def setUpClass(cls):
        cls.upstream = cls.enterClassContext(Scripted(say_chat()))
        config = routed_to(to_chat(cls.upstream.port, **cls.PRESET), debug={"changes": True})
        config["default_route"] = "main/deepseek-flash"
        cls.gateway = cls.enterClassContext(Gateway(config))

    def asked(self, body=None, fields=None, **more):
        """The upstream's request; `self.reply` is the client's answer."""
        self.reply = ask_messages(self.gateway, body or message(**more), fields)
        self.assertEqual(self.reply.status, 200, self.reply)
        return self.upstream.requests[-1].json()

    def conversation(self, *turns, **more):
        return self.asked(message(**more) | {"messages": [message()["messages"][0], *turns]})["messages"]

    @property
    def changes(self):
        return self.reply.header("x-sluice-changes") or ""


class Systems(Translated):
    def test_a_string(self):
        self.assertEqual(self.asked(system="Be brief.")["messages"],
                         [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}])

    def test_blocks_are_joined_always_alike(self):
        blocks = [{"type": "text", "text": "One.", "cache_control": {"type": "ephemeral"}},
                  {"type": "text", "text": "Two."}]
        system = self.asked(system=blocks)["messages"][0]
        self.assertEqual((system["role"], system["content"]), ("system", "One.\n\nTwo."))

    def test_the_billing_header_is_dropped(self):
        blocks = [{"type": "text", "text": BILLING}, {"type": "text", "text": "Two."}]
        self.assertEqual(self.asked(system=blocks)["messages"][0]["content"], "Two.")
        self.assertEqual(self.asked(system=[{"type": "text", "text": BILLING}])["messages"][0]["role"], "user")

    def test_between_messages_they_stay_in_their_place(self):
        for content in ("# Environment", [{"type": "text", "text": "# Environment", "cache_control": {"type": "x"}}]):
            said = self.conversation({"role": "system", "content": content}, system="First.")
            self.assertEqual([(each["role"], each["content"]) for each in said],
                             [("system", "First."), ("user", "Hello"), ("system", "# Environment")])


class Fields(Translated):
    def test_sampling_and_stops(self):
        asked = self.asked(temperature=0.5, top_p=0.9, top_k=40, stop_sequences=["a", "b"])
        self.assertEqual((asked["temperature"], asked["top_p"], asked["stop"]), (0.5, 0.9, ["a", "b"]))
        self.assertNotIn("top_k", asked)
        self.assertIn("top_k", self.changes)

    def test_a_users_id_is_hashed(self):
        """DeepSeek takes few characters, and Claude Code sends JSON."""
        id = json.dumps({"device_id": "0" * 64, "account_uuid": "", "session_id": "s"})
        first = self.asked(metadata={"user_id": id})["user_id"]
        self.assertRegex(first, re.compile(r"^[a-zA-Z0-9_-]{1,512}$"))
        self.assertEqual(self.asked(metadata={"user_id": id})["user_id"], first)
        self.assertNotEqual(self.asked(metadata={"user_id": id + "2"})["user_id"], first)

    def test_a_schema_for_the_answer(self):
        schema = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
        asked = self.asked(output_config={"effort": "high", "format": {"type": "json_schema", "schema": schema}})
        self.assertEqual(asked["response_format"], {"type": "json_object"})
        told = json.dumps(asked["messages"])
        self.assertIn("json", told.lower())
        self.assertIn("title", told)


class Thinking(Translated):
    def thinks(self, **more):
        asked = self.asked(**more)
        return asked["thinking"]["type"], asked.get("reasoning_effort")

    def test_on_and_off(self):
        self.assertEqual(self.thinks(), ("disabled", None))
        self.assertEqual(self.thinks(thinking={"type": "disabled"}), ("disabled", None))
        self.assertEqual(self.thinks(thinking={"type": "disabled"}, output_config={"effort": "max"}), ("disabled", None))
        self.assertEqual(self.thinks(output_config={"effort": "max"}), ("disabled", None))
        self.assertEqual(self.thinks(thinking={"type": "adaptive"})[0], "enabled")
        self.assertEqual(self.thinks(thinking={"type": "between_tools"})[0], "enabled")

    def test_effort(self):
        for effort, seen in (("low", "low"), ("medium", "high"), ("high", "high"), ("max", "max")):
            self.assertEqual(self.thinks(thinking={"type": "adaptive"}, output_config={"effort": effort}),
                             ("enabled", seen))
        self.assertIn(self.thinks(thinking={"type": "adaptive"}, output_config={"effort": "xhigh"})[1], ("high", "max"))

    def test_a_budget(self):
        for tokens, seen in ((1024, "low"), (10_000, "high"), (32_000, "max")):
            self.assertEqual(self.thinks(thinking={"type": "enabled", "budget_tokens": tokens}), ("enabled", seen))

    def test_forced_tools_and_thinking_do_not_meet(self):
        for choice in ({"type": "any"}, {"type": "tool", "name": "get_weather"}):
            asked = self.asked(tools=[tool()], tool_choice=choice, thinking={"type": "adaptive"})
            forced = asked.get("tool_choice", "auto") not in ("auto", "none")
            self.assertFalse(forced and asked["thinking"]["type"] == "enabled", asked)
            self.assertTrue(self.changes)

    def test_forced_tools_without_thinking(self):
        self.assertEqual(self.asked(tools=[tool()], tool_choice={"type": "any"})["tool_choice"], "required")
        named = self.asked(tools=[tool()], tool_choice={"type": "tool", "name": "get_weather"})["tool_choice"]
        self.assertEqual(named, {"type": "function", "function": {"name": "get_weather"}})
        self.assertEqual(self.asked(tools=[tool()], tool_choice={"type": "none"})["tool_choice"], "none")


class Tools(Translated):
    def test_the_schema_is_kept_to_the_letter(self):
        raw = ('{"model":"m","max_tokens":10,"messages":[{"role":"user","content":"x"}],"tools":[{"name":"f",'
               '"input_schema":{"type":"object","required":["b"],"properties":{"b":{"type":"number","default":1.0,'
               '"maximum":1e3},"a":{"enum":[10000000000000000000001]}},"$schema":"s"},"description":"d"}]}').encode()
        self.asked(raw)
        sent = self.upstream.requests[-1].body
        self.assertIn(raw[raw.index(b'{"type":"object"'):raw.index(b',"description"')], sent)

    def test_tools_that_are_held_back_come_last(self):
        held = {**tool("DeferredToolPlaceholder"), "defer_loading": True}
        loaded = {**tool("Loaded"), "defer_loading": True}
        first = self.asked(tools=[tool("A"), held, tool("Z")])["tools"]
        self.assertEqual([each["function"]["name"] for each in first], ["A", "Z"])
        turns = [message()["messages"][0], assistant(use("t", "ToolSearch", q="x")),
                 user(result("t", [{"type": "tool_reference", "tool_name": "Loaded"}]), {"type": "text", "text": "Tool loaded."})]
        later = self.asked(message(tools=[tool("A"), held, loaded, tool("Z")]) | {"messages": turns})
        self.assertEqual([each["function"]["name"] for each in later["tools"]], ["A", "Z", "Loaded"])
        self.assertEqual(later["tools"][:2], first)
        self.assertIn("Loaded", json.dumps(later["messages"]))

    def test_strict_is_not_told_who_does_not_know_it(self):
        self.assertNotIn("strict", self.asked(tools=[{**tool(), "strict": True}])["tools"][0]["function"])

    def test_tools_of_the_provider_alone(self):
        """Claude Code's WebSearch."""
        asked = self.asked(tools=[{"type": "web_search_20250305", "name": "web_search", "max_uses": 8}])
        self.assertEqual(asked.get("tools", []), [])
        self.assertIn("drop.server_tool", self.changes)


class Turns(Translated):
    def test_a_round_of_tools(self):
        said = self.conversation(assistant({"type": "text", "text": "Let me see."}, use("call_1", city="Oslo")),
                                 user(result("call_1", "rain")), tools=[tool()])
        self.assertEqual(said[1]["role"], "assistant")
        self.assertEqual(said[1]["content"], "Let me see.")
        (call,) = said[1]["tool_calls"]
        self.assertEqual((call["id"], call["type"], call["function"]["name"]), ("call_1", "function", "get_weather"))
        self.assertEqual(json.loads(call["function"]["arguments"]), {"city": "Oslo"})
        self.assertEqual({name: said[2][name] for name in ("role", "tool_call_id", "content")},
                         {"role": "tool", "tool_call_id": "call_1", "content": "rain"})

    def test_a_turn_of_calls_alone_has_content(self):
        self.assertIn(self.conversation(assistant(use("a")), user(result("a")))[1]["content"], (None, ""))

    def test_results_come_in_the_order_of_the_calls(self):
        said = self.conversation(assistant(use("a"), use("b"), use("c")),
                                 user(result("c"), result("a"), result("b"), {"type": "text", "text": "and?"}))
        self.assertEqual([(each["role"], each.get("tool_call_id")) for each in said[2:]],
                         [("tool", "a"), ("tool", "b"), ("tool", "c"), ("user", None)])
        self.assertEqual(said[-1]["content"], "and?")

    def test_text_before_a_result_comes_after_it(self):
        said = self.conversation(assistant(use("a")), user({"type": "text", "text": "look"}, result("a")))
        self.assertEqual([each["role"] for each in said[2:]], ["tool", "user"])

    def test_a_failed_call_can_be_told_from_others(self):
        said = self.conversation(assistant(use("a"), use("b")),
                                 user(result("a", "Exit code 3", is_error=True), result("b", "fine", is_error=False)))
        self.assertIn("Exit code 3", said[2]["content"])
        self.assertNotEqual(said[2]["content"], "Exit code 3")
        self.assertEqual(said[3]["content"], "fine")

    def test_results_without_content(self):
        for more in ({"content": ""}, {"content": []}, {}):
            said = self.conversation(assistant(use("a")), user({"type": "tool_result", "tool_use_id": "a", **more}))
            self.assertEqual(said[2]["content"], "")

    def test_results_in_blocks(self):
        said = self.conversation(assistant(use("a")), user(result("a", [{"type": "text", "text": "one"},
                                                                        {"type": "text", "text": "two"}])))
        self.assertIn("one", said[2]["content"])
        self.assertIn("two", said[2]["content"])

    def test_images_in_results_follow_all_results(self):
        said = self.conversation(assistant(use("a"), use("b")), user(result("a", [IMAGE]), result("b", "fine")))
        self.assertEqual([each["role"] for each in said[2:]], ["tool", "tool", "user"])
        self.assertTrue(said[2]["content"])
        self.assertIn({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}, said[4]["content"])
        self.assertTrue(self.changes)

    def test_images(self):
        url = {"type": "image", "source": {"type": "url", "url": "https://x.test/a.png"}}
        content = self.asked(content=[IMAGE, url, {"type": "text", "text": "What is it?"}])["messages"][0]["content"]
        self.assertEqual([part["type"] for part in content], ["image_url", "image_url", "text"])
        self.assertEqual(content[1]["image_url"]["url"], "https://x.test/a.png")

    def test_a_lone_text_is_a_string(self):
        self.assertEqual(self.asked(content=[{"type": "text", "text": "Hello"}])["messages"][0]["content"], "Hello")

    def test_a_text_document(self):
        document = {"type": "document", "title": "Notes", "source": {"type": "text", "media_type": "text/plain",
                                                                     "data": "the words"}}
        self.assertIn("the words", json.dumps(self.asked(content=[document])["messages"]))

    def test_key_order_and_numbers_of_input_are_kept(self):
        raw = json.dumps(message() | {"messages": [message()["messages"][0], assistant(use("a")), user(result("a"))]})
        raw = raw.replace('"input": {}', '"input": {"z": 1.0, "10": 2, "a": {"y": 1e2, "b": "\\u00e9\\ud83d\\ude00"}}')
        self.asked(raw.encode())
        arguments = self.upstream.requests[-1].json()["messages"][1]["tool_calls"][0]["function"]["arguments"]
        squeezed = arguments.replace(" ", "")
        self.assertTrue(squeezed.startswith('{"z":1.0,"10":2,"a":{"y":1e2,"b":"'), arguments)
        self.assertEqual(json.loads(arguments)["a"]["b"], "é😀")

    def test_input_that_could_not_be_parsed_goes_back_as_it_was(self):
        raw = '{"city": "Oslo" "zone"'
        said = self.conversation(assistant(use("a", __unparsedToolInput={"raw": raw, "len": len(raw)})),
                                 user(result("a", "bad", is_error=True)))
        self.assertEqual(said[1]["tool_calls"][0]["function"]["arguments"], raw)

    def test_the_words_of_a_cut_answer(self):
        said = self.conversation(assistant({"type": "text", "text": "Half"}), user({"type": "text", "text": "Resume."}))
        self.assertEqual([(each["role"], each["content"]) for each in said[1:]], [("assistant", "Half"), ("user", "Resume.")])


class Reasoning(Translated):
    def test_thinking_goes_back_where_it_came_from(self):
        said = self.conversation(assistant(thought("I see."), use("a")), user(result("a")), tools=[tool()], **THINKING)
        self.assertEqual(said[1]["reasoning_content"], "I see.")

    def test_several_blocks_are_one_text(self):
        said = self.conversation(assistant(thought("A"), thought("B"), use("a")), user(result("a")), tools=[tool()], **THINKING)
        self.assertEqual(said[1]["reasoning_content"].replace("\n", ""), "AB")

    def test_every_assistant_turn_has_it(self):
        said = self.conversation(assistant({"type": "text", "text": "Hi."}), user({"type": "text", "text": "x"}),
                                 assistant(use("a")), user(result("a")), assistant({"type": "redacted_thinking", "data": "d"},
                                                                                   {"type": "text", "text": "Ok."}),
                                 user({"type": "text", "text": "y"}), tools=[tool()], **THINKING)
        for turn in said:
            if turn["role"] == "assistant":
                self.assertIsInstance(turn.get("reasoning_content"), str, turn)

    def test_a_foreign_signature_does_not_matter(self):
        said = self.conversation(assistant(thought("A", "EvQBCkYICxgC"), use("a")), user(result("a")), tools=[tool()], **THINKING)
        self.assertEqual(said[1]["reasoning_content"], "A")

    def test_what_was_given_comes_back_the_same(self):
        """A round trip: what the client was told, given back, is what the upstream said."""
        self.upstream.script = [say_chat("", "I should look: é 😀.", [("call_7", "get_weather", '{"city": "Oslo"}')])]
        self.addCleanup(setattr, self.upstream, "script", [say_chat()])
        reply = ask_messages(self.gateway, message(stream=True, tools=[tool()], **THINKING))
        blocks = [{name: value for name, value in block.items() if name != "arguments"} for block in Message(reply.body).blocks]
        said = self.conversation(assistant(*blocks), user(result("call_7", "rain")), tools=[tool()], **THINKING)
        self.assertEqual(said[1]["reasoning_content"], "I should look: é 😀.")
        self.assertEqual(said[1]["tool_calls"][0]["function"]["arguments"].replace(" ", ""), '{"city":"Oslo"}')


class Prefix(Translated):
    """A longer conversation begins with the bytes of the shorter one."""

    def test_each_turn_extends_the_one_before(self):
        system = [{"type": "text", "text": BILLING}, {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
        tools = [tool("Bash", command={"type": "string"}), {**tool("Held"), "defer_loading": True}, tool("Read")]
        turns = [user({"type": "text", "text": "<system-reminder>x</system-reminder>"}, {"type": "text", "text": "go"}),
                 {"role": "system", "content": [{"type": "text", "text": "# Env", "cache_control": {"type": "ephemeral"}}]}]
        more = [assistant(thought("t1"), use("a", "Bash", command="ls"), use("b", "Read", path="x")),
                user(result("b", "two"), result("a", "one")),
                assistant(thought("t2"), {"type": "text", "text": "Look:"}, use("c", "Read", path="p.png")),
                user(result("c", [IMAGE])), assistant({"type": "text", "text": "Done."}), user({"type": "text", "text": "thanks"})]
        before = None
        for count in range(0, len(more) + 1, 2):
            conversation = json.loads(json.dumps(turns + more[:count]))
            if count:
                conversation[1]["content"] = "# Env"
                last = conversation[-1]["content"][-1]
                last["cache_control"] = {"type": "ephemeral"}
            asked = self.asked(message(system=system, tools=tools, **THINKING) | {"messages": conversation})
            if before:
                self.assertEqual(asked["messages"][:len(before["messages"])], before["messages"])
                self.assertEqual(asked["tools"], before["tools"])
                self.assertEqual({name: value for name, value in asked.items() if name != "messages"},
                                 {name: value for name, value in before.items() if name != "messages"})
            before = asked


class TextOnly(Translated):
    PRESET = {"text_models": ["deepseek-flash"]}

    def test_images_become_words(self):
        said = self.conversation(assistant(use("a")), user(result("a", [IMAGE])))
        self.assertNotIn("image_url", json.dumps(said))
        self.assertNotIn(PNG, json.dumps(said))
        asked = self.asked(content=[IMAGE, {"type": "text", "text": "What is it?"}])
        self.assertNotIn("image_url", json.dumps(asked))
        self.assertTrue(self.changes)


class Changes(unittest.TestCase):
    def test_they_are_not_told_unasked(self):
        with Scripted(say_chat()) as upstream, Gateway(routed_to(to_chat(upstream.port))) as gateway:
            reply = ask_messages(gateway, message(top_k=3))
            self.assertIsNone(reply.header("x-sluice-changes"))

    def test_they_are_counted(self):
        with Scripted(say_chat()) as upstream, Gateway(routed_to(to_chat(upstream.port))) as gateway:
            for _ in range(3):
                ask_messages(gateway, message(top_k=3))
            deadline = time.monotonic() + 5  # a reply is there before it is counted
            while b'{rule="drop.top_k"} 3' not in (metrics := gateway.ask("GET", "/metrics").body):
                self.assertLess(time.monotonic(), deadline, metrics[-2000:])
                time.sleep(0.02)

    def test_they_are_told_of_streams_too(self):
        with Scripted(say_chat()) as upstream:
            with Gateway(routed_to(to_chat(upstream.port), debug={"changes": True})) as gateway:
                reply = ask_messages(gateway, message(top_k=3, stream=True), headers())
                self.assertIn("top_k", reply.header("x-sluice-changes"))


if __name__ == "__main__":
    unittest.main()
