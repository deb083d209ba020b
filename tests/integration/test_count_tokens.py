"""POST /v1/messages/count_tokens: counted here, or by the upstream where it can."""

import unittest

from gateway import EMBEDDED, Gateway
from messages import (PATH, ask_messages, headers, message, refuse_messages, routed_to, say_chat, say_messages,
                      to_anthropic, to_chat, tool)
from raw_http import ask
from scripted import Scripted
from upstream import whole

COUNT = PATH + "/count_tokens"
TEXT = "The quick brown fox jumps over the lazy dog. "


def question(content="Hello", **more):
    body = message(content, **more)
    del body["max_tokens"]
    return body


class Counted(unittest.TestCase):
    """By the gateway's own tokenizer, for an upstream that has no such endpoint."""

    @classmethod
    def setUpClass(cls):
        cls.upstream = cls.enterClassContext(Scripted(say_chat()))
        cls.gateway = cls.enterClassContext(Gateway(routed_to(to_chat(cls.upstream.port))))

    def count(self, body, path=COUNT):
        reply = ask_messages(self.gateway, body, path=path)
        self.assertEqual(reply.status, 200, reply)
        self.assertEqual(list(reply.json()), ["input_tokens"])
        return reply.json()["input_tokens"]

    def test_a_plausible_number(self):
        count = self.count(question(TEXT * 100))
        self.assertGreater(count, 800)
        self.assertLess(count, 1300)

    def test_nothing_is_asked_of_the_upstream(self):
        self.count(question())
        self.assertEqual(self.upstream.requests, [])

    def test_more_text_is_more(self):
        counts = [self.count(question(TEXT * times)) for times in (1, 2, 5, 20, 200)]
        self.assertEqual(counts, sorted(set(counts)))
        self.assertGreater(counts[0], 8)

    def test_everything_counts(self):
        plain = self.count(question())
        fuller = [question(system=TEXT), question(system=[{"type": "text", "text": TEXT}]), question(tools=[tool()]),
                  question([{"type": "text", "text": "Hello"}, {"type": "text", "text": TEXT}]),
                  {**question(), "messages": [*question()["messages"], {"role": "assistant", "content": TEXT},
                                              {"role": "user", "content": "Hello"}]},
                  {**question(), "messages": [*question()["messages"],
                                              {"role": "assistant", "content": [{"type": "tool_use", "id": "t",
                                                                                 "name": "get_weather",
                                                                                 "input": {"city": TEXT}}]},
                                              {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t",
                                                                            "content": TEXT}]}]}]
        for body in fuller:
            self.assertGreater(self.count(body), plain + 5, body)

    def test_it_is_constant(self):
        self.assertEqual(self.count(question(TEXT)), self.count(question(TEXT)))

    def test_other_scripts(self):
        self.assertGreater(self.count(question("今天的天气很好，我们去公园散步。" * 20)), 100)
        self.assertGreater(self.count(question("😀" * 100)), 50)

    def test_what_claude_code_asks(self):
        """Its bodies have no tools, dummy messages, and betas; its path has a query."""
        body = question("foo", tools=[])
        fields = headers(anthropic_beta="token-counting-2024-11-01,claude-code-20250219")
        for path in (COUNT, COUNT + "?beta=true", "/v1/v1/messages/count_tokens", "/anthropic/v1/messages/count_tokens"):
            reply = ask_messages(self.gateway, body, fields, path)
            self.assertEqual(reply.status, 200, reply)
            self.assertGreater(reply.json()["input_tokens"], 0)

    def test_fields_of_any_kind(self):
        self.count(question(thinking={"type": "adaptive"}, output_config={"effort": "high"}, never_heard_of=1,
                            stream=True, max_tokens=5, tool_choice={"type": "auto"}, mcp_servers=[]))

    def test_a_large_conversation(self):
        self.assertGreater(self.count(question(TEXT * 20_000)), 150_000)

    def test_what_makes_no_sense(self):
        for body in (b"{", {"model": "claude-x"}, question(messages="hi")):
            reply = ask_messages(self.gateway, body, path=COUNT)
            self.assertEqual((reply.status, reply.json()["error"]["type"]), (400, "invalid_request_error"))


class Keys(unittest.TestCase):
    def test_a_wrong_key(self):
        config = {**EMBEDDED, "keys": [{"name": "a", "secret": "sk-a"}]}
        with Gateway(config) as gateway:
            self.assertEqual(ask_messages(gateway, question(), path=COUNT).status, 401)
            body = question(model="embedded/echo")
            self.assertEqual(ask_messages(gateway, body, headers() | {"x-api-key": "sk-a"}, COUNT).status, 200)


class Forwarded(unittest.TestCase):
    def start(self, *script, **more):
        self.upstream = self.enterContext(Scripted(*script))
        return self.enterContext(Gateway(routed_to(to_anthropic(self.upstream.port, **more))))

    def test_an_upstream_that_counts_is_asked(self):
        gateway = self.start(lambda link, _: link.send(whole({"input_tokens": 4711})))
        body = b'{"model": "claude-x",  "messages":[{"role":"user","content":"hi"}], "never_heard_of": 1.0}'
        fields = headers(anthropic_beta="token-counting-2024-11-01")
        reply = ask(gateway.port, "POST", COUNT + "?beta=true", body, fields)
        self.assertEqual((reply.status, reply.json()), (200, {"input_tokens": 4711}))
        asked = self.upstream.requests[0]
        self.assertEqual((asked.target.split("?")[0], asked.body), (COUNT, body))
        self.assertEqual(asked.all("anthropic-beta"), ["token-counting-2024-11-01"])
        self.assertEqual(asked.all("x-api-key"), ["sk-of-the-upstream"])

    def test_one_that_fails_to_is_done_without(self):
        """Claude Code must never be told that counting failed."""
        gateway = self.start(refuse_messages(404, "not_found_error", "Not found"))
        reply = ask_messages(gateway, question(TEXT), path=COUNT)
        self.assertEqual(reply.status, 200, reply)
        self.assertGreater(reply.json()["input_tokens"], 8)

    def test_one_that_cannot_is_not_asked(self):
        gateway = self.start(say_messages("x"), paths={"count_tokens": "none"})
        self.assertGreater(ask_messages(gateway, question(TEXT), path=COUNT).json()["input_tokens"], 8)
        self.assertEqual(self.upstream.requests, [])


if __name__ == "__main__":
    unittest.main()
