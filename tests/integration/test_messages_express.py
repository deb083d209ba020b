"""A Messages client before an Anthropic upstream: bodies and headers pass as they came."""

import json
import unittest

from gateway import Gateway
from messages import (PATH, Message, anthropic_bytes, anthropic_events, ask_messages, headers, message, routed_to,
                      say_messages, to_anthropic, whole_message)
from raw_http import ask
from scripted import Scripted
from upstream import stream_head, whole

BODY = (b' {"max_tokens" : 128000,"stream":false , "model":"claude-asked","messages":[{"role":"user","content":'
        b'[{"type":"text","text":"caf\\u00e9 \xf0\x9f\x98\x80","cache_control":{"type":"ephemeral"}}]},'
        b'{"role":"system","content":"x"}],"never_heard_of":{"z":1.0,"a":1e2},"big":1234567890123456789012,'
        b'"thinking":{"type":"adaptive","display":"omitted"},"context_management":{"edits":[]}}\n')


class Express(unittest.TestCase):
    def setUp(self):
        self.told = anthropic_events(("thinking", "Well.", "sig=="), "Hello there",
                                     ("tool", "toolu_1", "get_weather", '{"city":', '"Oslo"}'), stop_reason="tool_use",
                                     usage={"input_tokens": 15, "cache_read_input_tokens": 4,
                                            "cache_creation_input_tokens": 2, "output_tokens": 7})
        self.upstream = self.enterContext(Scripted(self.answer))

    def answer(self, link, asked):
        if asked.json().get("stream"):
            link.send(stream_head([("request-id", "req_of_the_provider")]))
            link.chunk(anthropic_bytes(self.told))
            link.last_chunk()
        else:
            link.send(whole(json.dumps(whole_message(self.told), indent=3)))

    def start(self, **more):
        return self.enterContext(Gateway({**routed_to(to_anthropic(self.upstream.port)), **more}))

    def test_a_whole_exchange_passes_byte_for_byte(self):
        gateway = self.start()
        reply = ask_messages(gateway, BODY)
        self.assertEqual(reply.status, 200, reply)
        self.assertEqual(reply.body, json.dumps(whole_message(self.told), indent=3).encode())
        self.assertEqual((self.upstream.requests[0].target, self.upstream.requests[0].body), ("/v1/messages", BODY))

    def test_only_the_model_is_changed_where_it_is_another(self):
        gateway = self.start(default_route="main/claude-real")
        ask_messages(gateway, BODY)
        self.assertEqual(self.upstream.requests[0].body, BODY.replace(b"claude-asked", b"claude-real"))

    def test_a_stream_passes_byte_for_byte(self):
        gateway = self.start()
        reply = ask_messages(gateway, message(stream=True))
        self.assertEqual(reply.body, anthropic_bytes(self.told))
        self.assertTrue(reply.complete)
        line = gateway.access_lines()[0]
        self.assertEqual((line["input_tokens"], line["output_tokens"]), (21, 7))

    def test_versions_and_betas_pass_byte_for_byte(self):
        gateway = self.start()
        beta = "claude-code-20250219, interleaved-thinking-2025-05-14 ,never-heard-of"
        for version in ("2023-06-01", "2026-10-21", "2999-12-31"):
            ask_messages(gateway, fields=[("anthropic-version", version), ("anthropic-beta", beta)])
            asked = self.upstream.requests[-1]
            self.assertEqual((asked.all("anthropic-version"), asked.all("anthropic-beta")), ([version], [beta]))
        ask_messages(gateway, fields=[("anthropic-version", "2023-06-01"), ("anthropic-beta", "a"),
                                      ("anthropic-beta", "b")])
        self.assertEqual(",".join(self.upstream.requests[-1].all("anthropic-beta")).replace(" ", ""), "a,b")

    def test_a_client_without_a_version_gets_one(self):
        ask_messages(self.start(), fields={})
        self.assertEqual(len(self.upstream.requests[0].all("anthropic-version")), 1)

    def test_the_upstream_is_shown_its_own_key_only(self):
        gateway = self.start(keys=[{"name": "a", "secret": "sk-clients-own"}])
        for fields in ({"x-api-key": "sk-clients-own"}, {"authorization": "Bearer sk-clients-own"}):
            self.assertEqual(ask_messages(gateway, fields=headers() | fields).status, 200)
            asked = self.upstream.requests[-1]
            self.assertEqual((asked.all("x-api-key"), asked.all("authorization")), (["sk-of-the-upstream"], []))
            self.assertNotIn(b"sk-clients-own", asked.raw)

    def test_query_and_prefixed_paths(self):
        gateway = self.start()
        for path in (PATH + "?beta=true", "/v1/v1/messages", "/anthropic/v1/messages?beta=true"):
            self.assertEqual(ask_messages(gateway, path=path).status, 200)
        self.assertEqual({asked.target.split("?")[0] for asked in self.upstream.requests}, {"/v1/messages"})

    def test_requests_that_need_no_translation_say_of_no_change(self):
        reply = ask_messages(self.start(debug={"changes": True}))
        self.assertFalse(reply.header("x-sluice-changes"))

    def test_an_error_event_passes(self):
        def fall_over(link, _):
            link.send(stream_head())
            link.chunk(anthropic_bytes(self.told[:8]))
            link.chunk(anthropic_bytes([{"type": "error", "error": {"type": "overloaded_error", "message": "Over"}}]))
            link.last_chunk()

        self.upstream.script = [fall_over]
        reply = ask_messages(self.start(), message(stream=True))
        said = Message(reply.body, complete=False)
        self.assertFalse(said.stopped)
        self.assertTrue(said.error or not reply.complete)

    def test_events_that_nobody_knows_pass(self):
        self.told[2:2] = [{"type": "never_heard_of", "x": 1}]
        reply = ask_messages(self.start(), message(stream=True))
        self.assertEqual(reply.body, anthropic_bytes(self.told))


class Models(unittest.TestCase):
    def test_an_upstreams_list_is_everybodys(self):
        def answer(link, asked):
            if asked.target.startswith("/v1/models"):
                listed = [{"type": "model", "id": "claude-real", "display_name": "Real", "created_at": "2026-01-01T00:00:00Z"}]
                link.send(whole({"data": listed, "has_more": False, "first_id": "claude-real", "last_id": "claude-real"}))
                return
            say_messages("x")(link, asked)

        with Scripted(answer) as upstream, Gateway(routed_to(to_anthropic(upstream.port))) as gateway:
            for fields in ({}, headers()):
                listed = ask(gateway.port, "GET", "/v1/models", headers=fields).json()
                self.assertIn("claude-real", [model["id"] for model in listed["data"]])


if __name__ == "__main__":
    unittest.main()
