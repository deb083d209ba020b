"""POST /v1/completions: the legacy endpoint, streamed and not, with `suffix` for filling in."""

import json
import unittest

from gateway import EMBEDDED, Gateway
from raw_http import request
from scripted import ONCE, Scripted, gateway_before, refuse, tried
from upstream import USAGE, stream_head, whole

PATH = "/v1/completions"


def piece(text, finish=None, **more):
    return {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "real-model",
            "choices": [{"text": text, "index": 0, "logprobs": None, "finish_reason": finish}], **more}


def answer_text(link, asked):
    body = asked.json()
    if not body.get("stream"):
        link.send(whole(piece("Once upon a time", "stop", usage=USAGE)))
        return
    link.send(stream_head())
    link.event(piece("Once upon"))
    link.event(piece(" a time", "stop"))
    if (body.get("stream_options") or {}).get("include_usage"):
        link.event({**piece(""), "choices": [], "usage": USAGE})
    link.event("[DONE]")
    link.last_chunk()


def text_of(reply):
    return "".join(choice["text"] for chunk in reply.chunks() for choice in chunk["choices"])


def body_of(prompt="Tell me", **more):
    return {"model": "writer", "prompt": prompt, **more}


class Completions(unittest.TestCase):
    def ask(self, gateway, body):
        return gateway.ask("POST", PATH, body)

    def test_whole(self):
        with gateway_before([answer_text]) as (gateway, upstream):
            reply = self.ask(gateway, body_of(max_tokens=5))
            self.assertEqual(reply.status, 200, reply)
            self.assertEqual(reply.json()["choices"][0]["text"], "Once upon a time")
            self.assertEqual(upstream.requests[0].target, "/v1/completions")
            line = gateway.access_lines()[0]
            self.assertEqual((line["input_tokens"], line["output_tokens"], line["finish_reason"]), (11, 7, "stop"))

    def test_streamed(self):
        with gateway_before([answer_text]) as (gateway, upstream):
            hidden = self.ask(gateway, body_of(stream=True))
            self.assertEqual((text_of(hidden), hidden.events()[-1], hidden.complete), ("Once upon a time", "[DONE]", True))
            self.assertNotIn(b'"usage"', hidden.body)
            self.assertEqual(gateway.access_lines()[0]["output_tokens"], 7)
            shown = self.ask(gateway, body_of(stream=True, stream_options={"include_usage": True}))
            self.assertEqual(shown.chunks()[-1]["usage"], USAGE)

    def test_the_request_goes_through_byte_for_byte(self):
        body = b' {"prompt":["a","b"], "suffix":"end" ,"model":"writer","max_tokens":5,"logprobs":3,"big":1234567890123456789012,"echo":true}'
        with gateway_before([answer_text]) as (gateway, upstream):
            self.assertEqual(self.ask(gateway, body).status, 200)
            self.assertEqual(upstream.requests[0].body, body)

    def test_every_kind_of_prompt(self):
        with gateway_before([answer_text]) as (gateway, upstream):
            for prompt in ("text", ["a", "b"], [1, 2, 3], [[1, 2], [3]], ""):
                self.assertEqual(self.ask(gateway, body_of(prompt)).status, 200, prompt)
                self.assertEqual(upstream.requests[-1].json()["prompt"], prompt)

    def test_filling_in_goes_to_deepseeks_path(self):
        with Scripted(answer_text) as upstream:
            config = {"upstreams": {"deepseek": {"preset": "deepseek", "base_url": f"http://127.0.0.1:{upstream.port}",
                                                 "api_key": "sk-of-the-upstream"}}, "default_route": "deepseek/*"}
            with Gateway(config) as gateway:
                for stream in (False, True):
                    reply = self.ask(gateway, body_of("def f(", suffix="return x", stream=stream))
                    self.assertEqual((reply.status, reply.complete), (200, True), reply)
                    asked = upstream.requests[-1]
                    self.assertEqual((asked.target, asked.json()["suffix"]), ("/beta/completions", "return x"))

    def test_retry_fallback_and_refusals_are_those_of_chat(self):
        with gateway_before([503], [answer_text]) as (gateway, *_):
            for stream in (False, True):
                reply = self.ask(gateway, body_of(stream=stream))
                self.assertEqual((reply.status, tried(reply)), (200, ["main:503", "other:200"]))
        with gateway_before([refuse(429, [("retry-after", "3")])], retry=ONCE) as (gateway, _):
            reply = self.ask(gateway, body_of())
            self.assertEqual((reply.status, reply.error["code"], reply.header("retry-after")), (429, "c429", "3"))

    def test_a_stream_that_breaks_off_is_no_silent_end(self):  # UP-3, UP-5
        def breaks(link, asked):
            link.send(stream_head())
            link.event(piece("Once"))
            return False

        def no_done(link, asked):
            link.send(stream_head())
            link.event(piece("Once"))
            link.last_chunk()

        for failure in (breaks, no_done):
            with gateway_before([failure]) as (gateway, upstream):
                reply = self.ask(gateway, body_of(stream=True))
                self.assertFalse(reply.complete)
                self.assertTrue(json.loads(reply.events()[-1])["error"]["message"])
                self.assertNotIn(b"[DONE]", reply.body)
                self.assertEqual(len(upstream.requests), 1)

    def test_mistakes_are_the_clients(self):
        with gateway_before([answer_text]) as (gateway, upstream):
            for body in ({"prompt": "x"}, b"{", [1], {"model": 3, "prompt": "x"}):
                self.assertEqual(self.ask(gateway, body).status, 400, body)
            self.assertEqual(gateway.ask("GET", PATH).status, 405)
            self.assertEqual(upstream.requests, [])

    def test_a_client_that_leaves_ends_it(self):  # SC-6
        def hangs(link, asked):
            link.send(stream_head())
            link.event(piece("Once"))
            link.seconds_until_closed(20)
            return False

        with gateway_before([hangs]) as (gateway, _):
            with gateway.connect() as connection:
                connection.send(request("POST", PATH, body_of(stream=True)))
                connection.read_head()
                connection.read_event(b"Once")
            self.assertEqual(gateway.access_lines()[0]["status"], 499)

    def test_the_embedded_model_answers_too(self):
        with Gateway(EMBEDDED) as gateway:
            whole_reply = self.ask(gateway, {"model": "embedded/echo", "prompt": "ping"})
            self.assertEqual(whole_reply.status, 200, whole_reply)
            self.assertEqual(whole_reply.json()["object"], "text_completion")
            streamed = self.ask(gateway, {"model": "embedded/echo", "prompt": "ping", "stream": True})
            self.assertEqual(text_of(streamed), whole_reply.json()["choices"][0]["text"])


if __name__ == "__main__":
    unittest.main()
