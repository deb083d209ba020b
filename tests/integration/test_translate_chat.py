"""Chat clients before an Anthropic upstream: what it is asked, and what they hear
(anthropic-openai-mapping.md 2.2, 4.2, 6, 8.4)."""

import json
import unittest

from gateway import Gateway
from messages import (Behind, Chunks, anthropic_bytes, anthropic_events, refuse_messages, routed_to, say_messages,
                      to_anthropic)
from raw_http import chat
from scripted import Scripted, close
from upstream import stream_head

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
TOOLS = [{"type": "function", "function": {"name": "get_weather", "description": "Weather.",
                                           "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}]
USAGE = {"input_tokens": 15, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 2, "output_tokens": 7}
FULL = (("thinking", "Well then.", "sig=="), "Hello there", ("tool", "toolu_1", "get_weather", '{"city":', '"Oslo"}'),
        ("tool", "toolu_2", "get_weather"))


class Asked(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = cls.enterClassContext(Scripted(say_messages("Hello there")))
        cls.gateway = cls.enterClassContext(Gateway(routed_to(to_anthropic(cls.upstream.port))))

    def asked(self, body=None, **more):
        reply = self.gateway.chat(body or chat(model="claude-real", **more))
        self.assertEqual(reply.status, 200, reply)
        return self.upstream.requests[-1].json()

    def conversation(self, *messages, **more):
        return self.asked(chat(model="claude-real", **more) | {"messages": list(messages)})

    def test_where_and_how(self):
        body = self.asked()
        asked = self.upstream.requests[-1]
        self.assertEqual((asked.target, asked.all("x-api-key")), ("/v1/messages", ["sk-of-the-upstream"]))
        self.assertEqual(len(asked.all("anthropic-version")), 1)
        self.assertEqual(body["model"], "claude-real")
        self.assertGreater(body["max_tokens"], 0)
        (block,) = body["messages"][0]["content"]
        self.assertEqual((block["type"], block["text"]), ("text", "Hello"))

    def test_what_comes_before_the_answer_is_marked_for_the_cache(self):
        """A chat client cannot say so itself; there may be four marks."""
        asked = self.conversation({"role": "system", "content": "Be brief."}, *[{"role": role, "content": "x"} for role in
                                  ("user", "assistant") * 4], {"role": "user", "content": "y"}, tools=TOOLS)
        self.assertIn(json.dumps(asked).count('"cache_control"'), range(1, 5))

    def test_limits(self):
        self.assertEqual(self.asked(max_tokens=77)["max_tokens"], 77)
        self.assertEqual(self.asked(max_completion_tokens=78)["max_tokens"], 78)

    def test_leading_systems(self):
        asked = self.conversation({"role": "system", "content": "One."}, {"role": "developer", "content": "Two."},
                                  {"role": "user", "content": "x"})
        self.assertEqual([each["role"] for each in asked["messages"]], ["user"])
        told = json.dumps(asked["system"])
        self.assertIn("One.", told)
        self.assertIn("Two.", told)

    def test_tools_and_choices(self):
        asked = self.asked(tools=TOOLS, tool_choice="required")
        (tool,) = asked["tools"]
        self.assertEqual((tool["name"], tool["description"], tool["input_schema"]),
                         ("get_weather", "Weather.", TOOLS[0]["function"]["parameters"]))
        self.assertEqual(asked["tool_choice"]["type"], "any")
        named = self.asked(tools=TOOLS, tool_choice={"type": "function", "function": {"name": "get_weather"}})
        self.assertEqual((named["tool_choice"]["type"], named["tool_choice"]["name"]), ("tool", "get_weather"))
        alone = self.asked(tools=TOOLS, parallel_tool_calls=False)["tool_choice"]
        self.assertEqual((alone["type"], alone["disable_parallel_tool_use"]), ("auto", True))

    def test_a_round_of_tools(self):
        calls = [{"id": name, "type": "function", "function": {"name": "get_weather", "arguments": arguments}}
                 for name, arguments in (("a", '{"city":"Oslo"}'), ("b", ""))]
        asked = self.conversation({"role": "user", "content": "x"}, {"role": "assistant", "content": None, "tool_calls": calls},
                                  {"role": "tool", "tool_call_id": "a", "content": "rain"},
                                  {"role": "tool", "tool_call_id": "b", "content": "sun"},
                                  {"role": "user", "content": "and?"}, tools=TOOLS)
        said = asked["messages"]
        self.assertEqual([each["role"] for each in said], ["user", "assistant", "user"])
        self.assertEqual([(block["type"], block["id"], block["input"]) for block in said[1]["content"]],
                         [("tool_use", "a", {"city": "Oslo"}), ("tool_use", "b", {})])
        self.assertEqual([block["type"] for block in said[2]["content"]], ["tool_result", "tool_result", "text"])
        self.assertEqual([block.get("tool_use_id") for block in said[2]["content"]], ["a", "b", None])

    def test_arguments_that_are_no_json(self):
        calls = [{"id": "a", "type": "function", "function": {"name": "get_weather", "arguments": '{"city'}}]
        asked = self.conversation({"role": "user", "content": "x"}, {"role": "assistant", "content": "", "tool_calls": calls},
                                  {"role": "tool", "tool_call_id": "a", "content": "bad"}, tools=TOOLS)
        (block,) = asked["messages"][1]["content"]
        self.assertIsInstance(block["input"], dict)
        self.assertIn('{"city', json.dumps(list(block["input"].values())).replace('\\"', '"'))

    def test_images(self):
        parts = [{"type": "text", "text": "What?"},
                 {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}},
                 {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}]
        content = self.conversation({"role": "user", "content": parts})["messages"][0]["content"]
        self.assertEqual(content[1]["source"], {"type": "base64", "media_type": "image/png", "data": PNG})
        self.assertEqual(content[2]["source"], {"type": "url", "url": "https://x.test/a.png"})

    def test_reasoning_without_a_signature_is_not_shown_to_claude(self):
        said = self.conversation({"role": "user", "content": "x"},
                                 {"role": "assistant", "content": "Hi", "reasoning_content": "hm"},
                                 {"role": "user", "content": "y"})["messages"]
        self.assertNotIn("thinking", json.dumps(said))

    def test_what_it_cannot_say_is_left_out(self):
        asked = self.asked(logprobs=True, seed=1, presence_penalty=0.5, logit_bias={}, n=1, user="u", store=True,
                           stop="\n", temperature=1.7, response_format={"type": "text"}, service_tier="auto",
                           stream_options=None, metadata={"a": "b"})
        for name in ("logprobs", "seed", "presence_penalty", "logit_bias", "n", "store", "stop", "response_format", "user"):
            self.assertNotIn(name, asked)
        self.assertLessEqual(asked.get("temperature", 0), 1)
        self.assertNotIn("\n", asked.get("stop_sequences", []))

    def test_several_choices_are_refused(self):
        reply = self.gateway.chat(chat(model="claude-real", n=2))
        self.assertEqual((reply.status, reply.error["param"]), (400, "n"))

    def test_effort(self):
        asked = self.asked(reasoning_effort="high")
        self.assertEqual(asked["output_config"]["effort"], "high")
        self.assertIn(asked["thinking"]["type"], ("adaptive", "enabled"))
        self.assertEqual(self.asked(reasoning_effort="none")["thinking"], {"type": "disabled"})

    def test_a_schema_for_the_answer(self):
        schema = {"type": "object", "properties": {"a": {"type": "string"}}}
        asked = self.asked(response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": schema}})
        self.assertEqual(asked["output_config"]["format"], {"type": "json_schema", "schema": schema})

    def test_consecutive_messages_of_one_role(self):
        said = self.conversation({"role": "user", "content": "a"}, {"role": "user", "content": "b"},
                                 {"role": "assistant", "content": "c"}, {"role": "user", "content": "d"})["messages"]
        self.assertEqual([each["role"] for each in said], ["user", "assistant", "user"])


class Heard(Behind):
    def hear(self, answer, stream=True, include_usage=True, **more):
        body = chat(model="claude-asked", stream=stream, tools=TOOLS, **more)
        if stream and include_usage:
            body["stream_options"] = {"include_usage": True}
        return self.before(answer, upstream=to_anthropic)[0].chat(body)

    def test_a_whole_reply(self):
        reply = self.hear(say_messages(*FULL, stop_reason="tool_use", usage=USAGE), stream=False)
        self.assertEqual(reply.status, 200, reply)
        said = reply.json()
        self.assertEqual(said["object"], "chat.completion")
        self.assertIsInstance(said["created"], int)
        (choice,) = said["choices"]
        told = choice["message"]
        self.assertEqual((told["role"], told["content"], told["reasoning_content"], choice["finish_reason"]),
                         ("assistant", "Hello there", "Well then.", "tool_calls"))
        self.assertEqual([(call["id"], call["type"], call["function"]["name"], json.loads(call["function"]["arguments"]))
                          for call in told["tool_calls"]],
                         [("toolu_1", "function", "get_weather", {"city": "Oslo"}), ("toolu_2", "function", "get_weather", {})])
        self.assert_usage(said["usage"])

    def assert_usage(self, usage):
        self.assertEqual((usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"],
                          usage["prompt_tokens_details"]["cached_tokens"]), (21, 7, 28, 4))

    def test_a_stream(self):
        reply = self.hear(say_messages(*FULL, stop_reason="tool_use", usage=USAGE))
        self.assertTrue(reply.complete)
        said = Chunks(reply.body, include_usage=True)
        self.assertEqual((said.text, said.reasoning, said.finish_reason), ("Hello there", "Well then.", "tool_calls"))
        self.assertEqual([(call["id"], call["arguments"]) for call in said.calls],
                         [("toolu_1", '{"city":"Oslo"}'), ("toolu_2", "{}")])
        self.assert_usage(said.usage)

    def test_usage_only_where_it_is_wanted(self):
        Chunks(self.hear(say_messages("Hi"), include_usage=False).body, include_usage=False)

    def test_reasons(self):
        reasons = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "refusal": "content_filter",
                   "model_context_window_exceeded": "length", "pause_turn": "stop"}
        for stop_reason, reason in reasons.items():
            for stream in (False, True):
                reply = self.hear(say_messages("Hi", stop_reason=stop_reason), stream)
                seen = (Chunks(reply.body, True).finish_reason if stream
                        else reply.json()["choices"][0]["finish_reason"])
                self.assertEqual(seen, reason, stop_reason)

    def test_a_refusal_without_words(self):
        said = Chunks(self.hear(say_messages(stop_reason="refusal")).body, True)
        self.assertEqual((said.text, said.finish_reason), ("", "content_filter"))

    def test_input_that_comes_whole(self):
        told = anthropic_events(("tool", "toolu_1", "get_weather"), stop_reason="tool_use")
        told[2]["content_block"]["input"] = {"city": "Oslo"}
        told = [event for event in told if event["type"] != "content_block_delta"]
        said = Chunks(self.hear(self.play(told)).body, True)
        self.assertEqual(json.loads(said.calls[0]["arguments"]), {"city": "Oslo"})

    def play(self, told, cut=False, last=True):
        def answer(link, _):
            link.send(stream_head())
            link.chunk(anthropic_bytes(told))
            if cut:
                return False
            if last:
                link.last_chunk()
            return None

        return answer

    def test_blocks_that_chat_does_not_have(self):
        told = anthropic_events("Found it.")
        more = [{"type": "content_block_start", "index": 0, "content_block": {"type": "redacted_thinking", "data": "d"}},
                {"type": "content_block_stop", "index": 0},
                {"type": "content_block_start", "index": 1,
                 "content_block": {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}},
                {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"q":1}'}},
                {"type": "content_block_stop", "index": 1},
                {"type": "content_block_start", "index": 2,
                 "content_block": {"type": "web_search_tool_result", "tool_use_id": "s", "content": []}},
                {"type": "content_block_stop", "index": 2}]
        for event in told:
            if "index" in event:
                event["index"] += 3
        said = Chunks(self.hear(self.play(told[:2] + more + told[2:])).body, True)
        self.assertEqual((said.text, said.calls, said.finish_reason), ("Found it.", [], "stop"))

    def test_a_second_beginning_is_passed_over(self):
        told = anthropic_events("Hello")
        said = Chunks(self.hear(self.play(told[:4] + [told[0]] + told[4:])).body, True)
        self.assertEqual(said.text, "Hello")

    def test_an_end_without_its_mark(self):
        said = Chunks(self.hear(self.play(anthropic_events("Hello")[:-1])).body, True)
        self.assertEqual((said.text, said.finish_reason), ("Hello", "stop"))

    def test_an_error_after_content(self):
        told = anthropic_events("Hello")[:5] + [{"type": "error", "error": {"type": "overloaded_error", "message": "Over"}}]
        reply = self.hear(self.play(told))
        self.assertNotIn(b"[DONE]", reply.body)
        self.assertIn("Over", Chunks(reply.body, complete=False).error["message"])

    def test_a_cut_after_content(self):
        for cut in (True, False):
            reply = self.hear(self.play(anthropic_events("Hello")[:5], cut))
            self.assertNotIn(b"[DONE]", reply.body)
            self.assertTrue(Chunks(reply.body, complete=False).error)

    def test_failures_before_content_are_statuses(self):
        failures = {refuse_messages(529, "overloaded_error", "Overloaded"): (503, 529), close: (502,),
                    refuse_messages(400, "invalid_request_error", "prompt is too long: 3 tokens > 2 maximum"): (400,),
                    refuse_messages(401, "authentication_error", "invalid x-api-key"): (401,),
                    self.play([{"type": "error", "error": {"type": "overloaded_error", "message": "Over"}}]): (502, 503, 529)}
        for failure, statuses in failures.items():
            for stream in (False, True):
                reply = self.hear(failure, stream)
                self.assertIn(reply.status, statuses, reply)
                self.assertLessEqual({"message", "type", "param", "code"}, set(reply.error))
                self.assertNotIn("request_id", reply.json())

    def test_words_are_kept(self):
        reply = self.hear(refuse_messages(400, "invalid_request_error", "prompt is too long: 3 tokens > 2 maximum"))
        self.assertIn("prompt is too long: 3 tokens > 2 maximum", reply.error["message"])


if __name__ == "__main__":
    unittest.main()
