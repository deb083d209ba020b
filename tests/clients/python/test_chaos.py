"""The official client before three upstreams that fail in many ways at once: each request ends in a
whole answer or in an exception of the client's, and never in silence. tests/integration/test_chaos.py
does the same with raw HTTP, in more ways, and looks behind the scenes."""

import asyncio
import collections
import random
import unittest

import openai
from sluice import client_of, content_of, say, start_gateway, start_upstream

SEED = 20261120
REQUESTS = 300
AT_ONCE = 16
SECONDS = 60  # far beyond every wait that is configured

UPSTREAM = """
  {name}:
    base_url: "{base_url}"
    retry: {{max_retries: 2, base_delay: 5ms, max_delay: 50ms, rate_limit_wait: 20ms}}
    breaker: {{error_rate: 1, consecutive_failures: 100}}
    timeouts: {{first_byte: 400ms, idle: 400ms}}"""


def refusal(status, **headers):
    error = {"message": f"chaos {status}", "type": "chaos", "param": None, "code": f"c{status}"}
    return {"status": status, "headers": headers, "body": {"error": error}}


def part(text):
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [choice],
    }


BEFORE_CONTENT = (
    *map(refusal, (401, 402, 403, 404, 408, 409, 500, 502, 503, 504, 529)),
    refusal(429, **{"retry-after-ms": "15"}),
    {"raw": "", "then": "close"},
    {"raw": "", "then": "reset"},
    {"raw": "", "then": "hang"},
    {"raw": "HTTP/1.1 200 OK\r\ncontent-ty", "then": "reset"},
    {"raw": "not HTTP at all\r\n\r\n", "then": "close"},
    {"status": 200, "headers": {"content-type": "text/html"}, "body": "<html></html>"},
    {"status": 200, "body": ""},
)
AFTER_CONTENT = (
    {"events": [part("PART")], "done": False, "then": "reset"},
    {"events": [part("PART"), part("PART")], "done": False, "then": "close"},
    {"events": [part("PART")], "done": False},
    {"events": [part("PART")], "done": False, "then": "hang"},
    {"events": [part("PART"), "data: {broken\n\n"]},
    {"events": [part("PART"), {"error": {"message": "chaos"}}], "done": False},
)


def name_of(i):
    return f"<{i:03d}>"


def make_rules(generator):
    """A third of the requests fails at first, some of them always."""
    rules = []
    for i in range(REQUESTS):
        if generator.random() > 1 / 3:
            continue
        late = i % 2 == 1 and generator.random() < 0.2
        reply = generator.choice(AFTER_CONTENT if late else BEFORE_CONTENT)
        rule = {"match": {"contains": name_of(i)}, "reply": reply}
        if generator.random() < 0.7:
            rule["times"] = 1
        rules.append(rule)
    return rules


class ChaosTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        generator = random.Random(SEED)
        config = "upstreams:"
        for name in ("one", "two", "three"):
            upstream = start_upstream(make_rules(generator))
            cls.addClassCleanup(upstream.stop)
            config += UPSTREAM.format(name=name, base_url=upstream.base_url)
        config += (
            '\nroutes: [{model: "*", to: [one/*, two/*, three/*], balance: round_robin}]'
            "\nlimits: {keepalive_after: 150ms, drain_timeout: 1s}\n"
        )
        cls.gateway = start_gateway(config)
        cls.addClassCleanup(cls.gateway.stop)

    async def ask(self, client, i):
        """The whole content, or the exception."""
        request = {"model": "echo", "messages": say(f"{name_of(i)} please"), "stream": i % 2 == 1}
        try:
            answer = await client.chat.completions.create(**request)
            if not request["stream"]:
                return answer.choices[0].message.content
            chunks = [chunk async for chunk in answer]
        except openai.APIError as error:
            return error
        finishes = [c.choices[0].finish_reason for c in chunks if c.choices]
        return content_of(chunks) if finishes[-1] else f"a silent end after {content_of(chunks)}"

    async def ask_all(self):
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(i):
            async with turns:
                return await asyncio.wait_for(self.ask(client, i), SECONDS)

        async with client_of(self.gateway, openai.AsyncOpenAI) as client:
            return await asyncio.gather(*map(one, range(REQUESTS)))

    def test_every_request_ends_in_a_whole_answer_or_an_exception(self):
        outcomes = asyncio.run(self.ask_all())
        kinds = collections.Counter(type(outcome).__name__ for outcome in outcomes)

        for i, outcome in enumerate(outcomes):
            if isinstance(outcome, openai.APIError):
                self.assertTrue(outcome.message)
            else:
                self.assertRegex(outcome, rf"^You said: {name_of(i)} please\n\nWhat arrived: .*\.$")
        self.assertGreater(kinds["str"], REQUESTS * 0.8)
        self.assertGreater(REQUESTS - kinds["str"], 3, kinds)


if __name__ == "__main__":
    unittest.main()
