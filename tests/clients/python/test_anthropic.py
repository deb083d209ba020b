"""Anthropic's official client before upstreams of both dialects. Runs with two generations of it: this
environment's, which says `anthropic-version: 2026-10-21` and Bearer, and that of ../python-0."""

import json
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

import anthropic
from sluice import client_of, say, start_gateway, start_upstream

NAMES = [f"claude-{letter}" for letter in "abcde"]
TOOLS = [{"name": name, "description": f"Does {name}.",
          "input_schema": {"type": "object", "properties": {key: {"type": "string"}}, "required": [key]}}
         for name, key in (("get_weather", "city"), ("get_time", "zone"))]


def chunk(finish=None, usage=None, **delta):
    return {"id": "up", "object": "chat.completion.chunk", "created": 1, "model": "deepseek-real",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], "usage": usage}


def call(index, arguments, **more):
    return chunk(tool_calls=[{"index": index, "function": {"arguments": arguments}, **more}])


USAGE = {"prompt_tokens": 100, "completion_tokens": 9, "total_tokens": 109, "prompt_cache_hit_tokens": 64,
         "prompt_cache_miss_tokens": 36}
THOUGHTFUL = [
    chunk(role="assistant", content=None, reasoning_content=""), chunk(content=None, reasoning_content="I should look: "),
    chunk(content=None, reasoning_content="世界 😀"), chunk(content="Let me see."),
    chunk(tool_calls=[{"index": 0, "id": "call_00_a", "type": "function",
                       "function": {"name": "get_weather", "arguments": ""}}]),
    call(0, '{"city":"Os'), call(0, 'lo"}'), chunk("tool_calls", USAGE, content="", reasoning_content=None)]
DYING = [chunk(role="assistant", content=""), chunk(content="Half an")]

START = {"type": "message_start", "message": {
    "id": "msg_up", "type": "message", "role": "assistant", "model": "claude-real", "content": [], "stop_reason": None,
    "stop_sequence": None, "usage": {"input_tokens": 11, "output_tokens": 1, "cache_read_input_tokens": 4,
                                     "cache_creation_input_tokens": 0}}}
CLAUDE = [
    START, {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Well."}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "sig=="}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Hello there"}},
    {"type": "content_block_stop", "index": 1},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 7}},
    {"type": "message_stop"}]


def frames(events):
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events]


def refusal(status, dialect, kind, words):
    body = {"message": words, "type": kind}
    path, body = (("*/messages", {"type": "error", "error": body}) if dialect == "claude"
                  else ("*/chat/completions", {"error": body}))
    return {"match": {"path": path, "model": f"refuse-{status}"},
            "reply": {"status": status, "headers": {"retry-after": "7"}, "body": body}}


RULES = [
    {"match": {"model": "thoughtful"}, "reply": {"events": THOUGHTFUL}},
    {"match": {"model": "dying"}, "reply": {"events": DYING, "done": False, "then": "reset"}},
    {"match": {"model": "flaky"}, "times": 1,
     "reply": {"status": 429, "headers": {"retry-after": "1"}, "body": {"error": {"message": "busy"}}}},
    refusal(429, "chat", "x", "slow down"), refusal(503, "chat", "x", "too many"),
    refusal(429, "claude", "rate_limit_error", "slow down"), refusal(529, "claude", "overloaded_error", "too many"),
    {"match": {"path": "*/messages", "model": "claude-dying"},
     "reply": {"events": frames(CLAUDE[:7]), "done": False, "then": "reset"}},
    {"match": {"path": "*/messages"}, "reply": {"events": frames(CLAUDE), "done": False}},
]
CONFIG = """
keys: [{{name: alice, secret: sk-alice}}]
upstreams:
  up: {{preset: deepseek, base_url: "{chat}", retry: {{max_retries: 0}}, breaker: off}}
  claude: {{kind: anthropic, base_url: "{claude}", retry: {{max_retries: 0}}, breaker: off}}
routes:
{names}
  - {{model: "claude-*", to: claude/*}}
  - {{model: "native/refuse-429", to: claude/refuse-429}}
  - {{model: "native/refuse-529", to: claude/refuse-529}}
  - {{model: refuse-529, to: up/refuse-503}}
  - {{model: "echo", to: up/*}}
  - {{model: "lorem", to: up/*}}
  - {{model: "thoughtful", to: up/*}}
  - {{model: "dying", to: up/*}}
  - {{model: "flaky", to: up/*}}
  - {{model: "refuse-*", to: up/*}}
"""


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = start_upstream(RULES)
        cls.addClassCleanup(cls.upstream.stop)
        names = "\n".join(f"  - {{model: {name}, to: up/echo}}" for name in NAMES)
        cls.gateway = start_gateway(
            CONFIG.format(chat=cls.upstream.base_url, claude=cls.upstream.origin, names=names))
        cls.addClassCleanup(cls.gateway.stop)
        cls.client = cls.client_with()
        cls.addClassCleanup(cls.client.close)

    @classmethod
    def client_with(cls, kind=anthropic.Anthropic, **options):
        return client_of(cls.gateway, kind, **{"api_key": "sk-alice", "base_url": cls.gateway.origin, **options})

    def ask(self, model="echo", content="Grüße, 世界 😀", **more):
        return self.client.messages.create(**{"model": model, "max_tokens": 1000, "messages": say(content), **more})

    def stream(self, model="echo", content="Grüße, 世界 😀", **more):
        return self.client.messages.stream(**{"model": model, "max_tokens": 1000, "messages": say(content), **more})


class ChatUpstreamTest(Case):
    def test_a_whole_message(self):
        message = self.ask()

        self.assertRegex(message.content[0].text, "^You said: Grüße, 世界 😀\n")
        self.assertEqual((message.type, message.role, message.stop_reason), ("message", "assistant", "end_turn"))
        self.assertGreater(message.usage.input_tokens, 0)
        self.assertRegex(message._request_id, "^req_")

    def test_a_stream_says_what_the_whole_message_says(self):
        whole = self.ask()
        with self.stream() as stream:
            heard = "".join(stream.text_stream)
            folded = stream.get_final_message()
        kinds = [event.type for event in self.ask(stream=True)]

        self.assertEqual(heard, whole.content[0].text)
        self.assertEqual(folded.content[0].text, heard)
        self.assertEqual(folded.usage.output_tokens, whole.usage.output_tokens)
        self.assertEqual((kinds[0], kinds[-2:]), ("message_start", ["message_delta", "message_stop"]))

    def test_thinking_text_and_tools(self):
        with self.stream("thoughtful", tools=TOOLS, thinking={"type": "enabled", "budget_tokens": 1024}) as stream:
            message = stream.get_final_message()

        self.assertEqual([block.type for block in message.content], ["thinking", "text", "tool_use"])
        thinking, text, use = message.content
        self.assertEqual((thinking.thinking, text.text), ("I should look: 世界 😀", "Let me see."))
        self.assertTrue(thinking.signature)
        self.assertEqual((use.id, use.name, use.input), ("call_00_a", "get_weather", {"city": "Oslo"}))
        self.assertEqual(message.stop_reason, "tool_use")
        usage = message.usage
        self.assertEqual((usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens), (36, 64, 9))

    def test_tools_are_called_and_their_results_go_back(self):
        asked = say("Please call get_weather and get_time.")
        message = self.ask(messages=asked, tools=TOOLS)
        calls = [block for block in message.content if block.type == "tool_use"]
        self.assertEqual([one.name for one in calls], ["get_weather", "get_time"])
        results = [{"type": "tool_result", "tool_use_id": one.id, "content": f"answer to {one.id}"} for one in calls]

        turns = [*asked, {"role": "assistant", "content": message.content}, {"role": "user", "content": results[::-1]}]
        reply = self.ask(messages=turns, tools=TOOLS)

        self.assertIn(f"answer to {calls[1].id}", reply.content[0].text)

    def test_tokens_are_counted(self):
        def count(text):
            return self.client.messages.count_tokens(model="echo", messages=say(text), tools=TOOLS).input_tokens

        self.assertGreater(count("Hello"), 0)
        self.assertGreater(count("Hello, how are you this fine day? " * 100), count("Hello") + 200)

    def test_models_are_listed_page_by_page_and_found_by_name(self):
        listed = [model.id for model in self.client.models.list(limit=2)]

        self.assertLessEqual(set(NAMES), set(listed))
        self.assertEqual(len(set(listed)), len(listed))
        self.assertEqual(self.client.models.retrieve("claude-c").id, "claude-c")
        with self.assertRaises(anthropic.NotFoundError):
            self.client.models.retrieve("nobody/knows")

    def test_twenty_streams_at_once(self):
        def ask(number):
            with self.stream(content=f"number {number} of 20") as stream:
                return stream.get_final_text()

        with ThreadPoolExecutor(20) as pool:
            for number, text in enumerate(pool.map(ask, range(20))):
                self.assertRegex(text, f"^You said: number {number} of 20\n")

    def test_leaving_a_stream_frees_the_client(self):
        for _ in range(5):
            with self.stream("lorem", max_tokens=100_000, extra_body={"sluice_tokens_per_second": 20}) as stream:
                next(iter(stream))
        self.assertEqual(self.ask().stop_reason, "end_turn")


class AnthropicUpstreamTest(Case):
    def test_what_it_sent_arrives(self):
        with self.stream("claude-real") as stream:
            message = stream.get_final_message()

        thinking, text = message.content
        self.assertEqual((thinking.thinking, thinking.signature, text.text), ("Well.", "sig==", "Hello there"))
        self.assertEqual((message.model, message.usage.input_tokens, message.usage.output_tokens), ("claude-real", 11, 7))

    def test_its_refusals(self):
        for model, kind in (("native/refuse-429", anthropic.RateLimitError), ("native/refuse-529", anthropic.APIStatusError)):
            with self.assertRaises(kind) as caught:
                self.ask(model)
            self.assertEqual(caught.exception.response.headers["retry-after"], "7")


class ErrorsTest(Case):
    def refused(self, kind, status, name, model="echo", **more):
        for stream in (False, True):
            with self.subTest(model=model, stream=stream), self.assertRaises(kind) as caught:
                self.ask(model, stream=stream, **more)
            error = caught.exception
            self.assertEqual(error.status_code, status)
            self.assertEqual((error.body["type"], error.body["error"]["type"]), ("error", name))
            self.assertRegex(error.request_id, "^req_")
        return error

    def test_a_wrong_key(self):
        with self.client_with(api_key="sk-mallory") as stranger:
            with self.assertRaises(anthropic.AuthenticationError) as caught:
                stranger.messages.create(model="echo", max_tokens=1, messages=say("hi"))
            with self.assertRaises(anthropic.AuthenticationError):
                stranger.models.list()

        self.assertEqual(caught.exception.body["error"]["type"], "authentication_error")
        self.assertEqual(caught.exception.body["request_id"], caught.exception.request_id)

    def test_the_right_key_in_either_header(self):
        for options in ({"api_key": "sk-alice"}, {"api_key": None, "auth_token": "sk-alice"}):
            with self.client_with(**options) as client:
                reply = client.messages.create(model="echo", max_tokens=100, messages=say("hi"))
                self.assertRegex(reply.content[0].text, "^You said: hi")

    def test_mistakes_of_the_client(self):
        self.refused(anthropic.NotFoundError, 404, "not_found_error", "gpt-nobody")
        self.refused(anthropic.BadRequestError, 400, "invalid_request_error", messages=[])

    def test_refusals_of_the_upstream(self):
        limited = self.refused(anthropic.RateLimitError, 429, "rate_limit_error", "refuse-429")
        self.refused(anthropic.APIStatusError, 529, "overloaded_error", "refuse-529")

        self.assertEqual(limited.response.headers["retry-after"], "7")
        self.assertIn("slow down", limited.message)

    def test_the_clients_own_retry_waits_as_long_as_it_was_told(self):
        with self.client_with(max_retries=1) as client:
            began = time.monotonic()
            reply = client.messages.create(model="flaky", max_tokens=100, messages=say("hi"))

        self.assertRegex(reply.content[0].text, "^You said: hi")
        self.assertGreaterEqual(time.monotonic() - began, 0.95)

    def test_a_stream_that_breaks_raises(self):
        for model in ("dying", "claude-dying"):
            with self.subTest(model), self.assertRaises(Exception) as caught:
                with self.stream(model) as stream:
                    self.fail(f"ended in silence: {stream.get_final_message()}")
            self.assertNotIsInstance(caught.exception, AssertionError)


if __name__ == "__main__":
    unittest.main()
