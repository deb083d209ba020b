"""POST /v1/messages before a chat upstream: where it is, who may ask, what is tolerated, what is refused and
how; and the curl line of the proxy that `--preset claude-deepseek-proxy` stands in for."""

import json
import re
import unittest

from gateway import EMBEDDED, Gateway
from messages import (PATH, VERSION, Behind, Message, ask_messages, headers, message, refuse_messages, routed_to, say_chat,
                      to_anthropic, to_chat, tool)
from raw_http import ask, chat
from scripted import Scripted, refuse
from test_presets import Preset

CURL = r"""
curl -X POST http://localhost:8080/v1/messages \
  -H "Authorization: Bearer sk-your-key" \
  -H "Content-Type: application/json" \
  -d '{"messages": [{"role": "user", "content": "Hello"}]}'
"""
REQUEST_ID = re.compile(r"^req_[0-9A-Za-z]{16,}$")
# What Claude Code 2.1.328 sends.
BETAS = ("claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,"
         "thinking-token-count-2026-05-13,effort-2025-11-24,never-heard-of-2031-01-01")


class Translated(unittest.TestCase):
    """A gateway before one scripted upstream."""

    def setUp(self):
        self.upstream = self.enterContext(Scripted(say_chat()))
        self.gateway = self.enterContext(Gateway(self.config()))

    def config(self):
        return routed_to(to_chat(self.upstream.port))

    def ask(self, body=None, fields=None, path=PATH):
        return ask_messages(self.gateway, body, fields, path)

    def asked(self, index=-1):
        """What the upstream was asked."""
        return self.upstream.requests[index].json()


class Endpoint(Translated):
    def test_a_whole_message(self):
        reply = self.ask()
        self.assertEqual(reply.status, 200, reply)
        self.assertEqual(reply.header("content-type"), "application/json")
        said = reply.json()
        self.assertEqual((said["type"], said["role"], said["stop_reason"]), ("message", "assistant", "end_turn"))
        self.assertEqual(said["content"], [{"type": "text", "text": "Hello there"}])
        self.assertIsNone(said["stop_sequence"])
        self.assertEqual(said["model"], "claude-test")
        self.assertRegex(said["id"], "^msg_")
        usage = said["usage"]
        self.assertEqual((usage["input_tokens"], usage["cache_read_input_tokens"],
                          usage["cache_creation_input_tokens"], usage["output_tokens"]), (36, 64, 0, 9))

    def test_a_streamed_message(self):
        reply = self.ask(message(stream=True))
        self.assertEqual(reply.status, 200, reply)
        self.assertTrue(reply.header("content-type").startswith("text/event-stream"))
        self.assertTrue(reply.complete)
        said = Message(reply.body)
        self.assertEqual((said.text, said.kinds, said.stop_reason), ("Hello there", ["text"], "end_turn"))
        self.assertEqual(said.tokens, (36, 64, 9))
        self.assertEqual(said.start["model"], "claude-test")
        self.assertTrue(self.asked()["stream_options"]["include_usage"])

    def test_what_was_asked_and_answered_is_in_the_access_log(self):
        self.ask(message(stream=True))
        line = self.gateway.access_lines()[0]
        self.assertEqual((line["status"], line["input_tokens"], line["output_tokens"]), (200, 100, 9))

    def test_every_path_that_clients_make_of_a_base_url(self):
        for path in (PATH, PATH + "?beta=true", "/v1/v1/messages", "/v1/v1/messages?beta=true",
                     "/anthropic/v1/messages", "/anthropic/v1/messages?beta=true&more=%20"):
            with self.subTest(path):
                self.assertEqual(self.ask(path=path).status, 200)
        self.assertEqual({asked.target for asked in self.upstream.requests}, {"/v1/chat/completions"})

    def test_the_request_id_is_in_both_headers(self):
        reply = self.ask()
        self.assertRegex(reply.header("request-id"), REQUEST_ID)
        self.assertEqual(reply.header("x-request-id"), reply.header("request-id"))

    def test_warm_up_calls_are_answered(self):
        for method in ("HEAD", "GET"):
            self.assertEqual(ask(self.gateway.port, method, "/api/hello").status, 200)
        self.assertEqual(self.upstream.requests, [])

    def test_other_methods_are_refused_in_the_envelope(self):
        reply = ask(self.gateway.port, "GET", PATH, headers=headers())
        self.assertEqual((reply.status, reply.json()["type"]), (405, "error"))

    def test_an_accept_header_does_not_matter(self):
        reply = self.ask(message(stream=True), headers(Accept="application/json"))
        Message(reply.body)

    def test_stream_false_with_a_large_limit(self):
        """Claude Code's way back after an answer that it did not understand."""
        reply = self.ask(message(stream=False, max_tokens=64000))
        self.assertEqual(reply.json()["content"][0]["text"], "Hello there")
        self.assertEqual((self.asked()["max_tokens"], self.asked().get("stream", False)), (64000, False))


class Tolerance(Translated):
    """Nothing that is merely unknown is refused."""

    def accepted(self, body, fields=None):
        reply = self.ask(body, fields)
        self.assertEqual(reply.status, 200, reply)
        return self.asked()

    def test_headers_of_any_kind(self):
        for fields in ({}, headers(), {"anthropic-version": "2026-10-21"}, {"anthropic-version": "2999-01-01"},
                       headers(anthropic_beta=BETAS), [("anthropic-beta", "a"), ("anthropic-beta", "b,c")],
                       headers(x_app="cli", X_Stainless_Lang="js", anthropic_dangerous_direct_browser_access="true")):
            with self.subTest(fields):
                self.accepted(message(), fields)

    def test_fields_of_any_kind(self):
        body = message(
            context_management={"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
            safeguards=[{"type": "dangerous_tool_use", "classifier_context": {"cwd": "/secret/path"}}],
            container="c", mcp_servers=[], inference_geo="eu", service_tier="standard_only", speed="fast",
            metadata={"user_id": '{"device_id":"d","session_id":"s"}', "more": 1}, top_k=5, diagnostics={},
            never_heard_of={"a": [1]}, cache_control={"type": "ephemeral"}, fallbacks=[])
        asked = self.accepted(body)
        for name in ("context_management", "safeguards", "container", "mcp_servers", "metadata", "top_k", "speed",
                     "never_heard_of", "cache_control", "fallbacks", "inference_geo", "diagnostics"):
            self.assertNotIn(name, asked)
        self.assertNotIn("/secret/path", json.dumps(asked))

    def test_blocks_of_any_kind(self):
        said = [{"type": "text", "text": "Hello", "cache_control": {"type": "ephemeral"}, "citations": []},
                {"type": "never_heard_of", "stuff": {"a": 1}},
                {"type": "container_upload", "file_id": "f"}]
        asked = self.accepted(message(said))
        self.assertIn("Hello", json.dumps(asked["messages"]))
        self.assertNotIn("cache_control", json.dumps(asked))

    def test_tools_of_any_kind(self):
        tools = [{**tool("Read"), "defer_loading": True, "input_examples": [{}], "cache_control": {"type": "x"}},
                 {**tool("Write"), "eager_input_streaming": True, "allowed_callers": ["direct"], "type": "custom"},
                 {"type": "web_search_20250305", "name": "web_search", "max_uses": 8},
                 {"type": "never_heard_of_20310101", "name": "x"}]
        asked = self.accepted(message(tools=tools))
        for known in asked["tools"]:
            self.assertEqual(set(known), {"type", "function"})
            self.assertLessEqual(set(known["function"]), {"name", "description", "parameters", "strict"})
        self.assertIn("Write", [known["function"]["name"] for known in asked["tools"]])

    def test_every_way_to_think(self):
        for thinking in ({"type": "adaptive"}, {"type": "adaptive", "display": "omitted"}, {"type": "disabled"},
                         {"type": "enabled", "budget_tokens": 1024}, {"type": "between_tools"},
                         {"type": "never_heard_of"}, None):
            for effort in ("low", "medium", "high", "xhigh", "max", "never_heard_of", None):
                body = message(**({"thinking": thinking} if thinking else {}),
                               **({"output_config": {"effort": effort}} if effort else {}))
                with self.subTest(thinking=thinking, effort=effort):
                    asked = self.accepted(body)
                    self.assertIn(asked["thinking"], ({"type": "enabled"}, {"type": "disabled"}))
                    self.assertIn(asked.get("reasoning_effort", "high"), ("low", "high", "max"))
                    if asked["thinking"]["type"] == "disabled":
                        self.assertNotIn("reasoning_effort", asked)

    def test_no_thinking_asked_for_is_none(self):
        """DeepSeek would think unasked; Claude Code's requests for titles do not want it."""
        self.assertEqual(self.accepted(message())["thinking"], {"type": "disabled"})

    def test_large_limits_are_not_cut(self):
        for limit in (32000, 128000):
            self.assertEqual(self.accepted(message(max_tokens=limit))["max_tokens"], limit)

    def test_a_message_without_a_limit(self):
        body = message()
        del body["max_tokens"]
        self.accepted(body)


class Refusals(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = cls.enterClassContext(Scripted(say_chat()))
        config = routed_to(to_chat(cls.upstream.port), keys=[{"name": "alice", "secret": "sk-alice"}],
                           limits={"body_bytes": "64KiB"})
        config["routes"] = [{"model": "claude-*", "to": "main/*"}]
        del config["default_route"]
        cls.gateway = cls.enterClassContext(Gateway(config))

    def refused(self, reply, status, kind):
        self.assertEqual(reply.status, status, reply)
        self.assertTrue(reply.complete)
        self.assertEqual(reply.header("content-type"), "application/json")
        told = reply.json()
        self.assertEqual((told["type"], told["error"]["type"]), ("error", kind))
        self.assertIsInstance(told["error"]["message"], str)
        self.assertEqual(told["request_id"], reply.header("request-id"))
        self.assertRegex(told["request_id"], REQUEST_ID)
        return told["error"]["message"]

    def ask(self, body=None, path=PATH, **fields):
        fields = {"x-api-key": "sk-alice", **headers(**fields)}
        return ask_messages(self.gateway, body, {name: value for name, value in fields.items() if value}, path)

    def test_keys_of_either_kind(self):
        for fields in ({"x-api-key": "sk-alice"}, {"authorization": "Bearer sk-alice"},
                       {"x-api-key": "sk-alice", "authorization": "Bearer sk-alice"}):
            self.assertEqual(ask_messages(self.gateway, fields=fields).status, 200)

    def test_a_wrong_key_or_none(self):
        for fields in ({}, {"x-api-key": "sk-mallory"}, {"authorization": "Bearer sk-mallory"}):
            for more in ({}, headers()):
                self.refused(ask_messages(self.gateway, fields=fields | more), 401, "authentication_error")

    def test_an_unknown_model(self):
        self.assertIn("gpt-nobody", self.refused(self.ask(message(model="gpt-nobody")), 404, "not_found_error"))

    def test_an_unknown_path_of_an_anthropic_client(self):
        reply = self.ask(message(), "/v1/messages/batches")
        self.refused(reply, 404, "not_found_error")
        plain = ask(self.gateway.port, "POST", "/v1/unheard", {}, {"authorization": "Bearer sk-alice"})
        self.assertEqual((plain.status, "type" in plain.json()), (404, False))

    def test_a_body_beyond_the_limit(self):
        self.refused(self.ask(message("x" * 100_000)), 413, "request_too_large")

    def test_what_makes_no_sense(self):
        bodies = (b"", b"{", b"[]", b'{"model":"claude-x"}', message(messages="hi"),
                  message(model=7), message(stream="yes"), message(max_tokens="many"),
                  {**message(), "messages": [{"role": "user"}]}, {**message(), "messages": [{"content": "hi"}]},
                  {**message(), "messages": [{"role": "user", "content": 7}]})
        for body in bodies:
            with self.subTest(str(body)[:100]):
                self.refused(self.ask(body), 400, "invalid_request_error")

    def test_an_openai_client_gets_its_own_envelope(self):
        reply = ask(self.gateway.port, "POST", "/v1/chat/completions", chat(), {"authorization": "Bearer sk-mallory"})
        self.assertEqual((reply.status, reply.error["code"]), (401, "invalid_api_key"))
        self.assertNotIn("request_id", reply.json())

    def test_without_a_model_and_a_default(self):
        body = message()
        del body["model"]
        self.refused(self.ask(body), 400, "invalid_request_error")


class UpstreamRefusals(Behind):
    """Status, type, words and Retry-After of what a provider says."""

    STATUSES = {400: (400, "invalid_request_error"), 401: (401, "authentication_error"), 402: (402, "billing_error"),
                403: (403, "permission_error"), 404: (404, "not_found_error"), 413: (413, "request_too_large"),
                422: (None, "invalid_request_error"), 429: (429, "rate_limit_error"), 500: (500, "api_error"),
                503: (529, "overloaded_error")}

    def through(self, answer, upstream=to_chat, body=None):
        return ask_messages(self.before(answer, upstream=upstream)[0], body)

    def test_statuses_of_a_chat_upstream(self):
        for status, (seen, kind) in self.STATUSES.items():
            for stream in (False, True):
                with self.subTest(status, stream=stream):
                    told = {"error": {"message": "these very words", "type": "unknown_error", "code": None}}
                    reply = self.through(refuse(status, [("retry-after", "7")], told), body=message(stream=stream))
                    self.assertEqual(reply.status, seen or status, reply)
                    self.assertEqual(reply.json()["type"], "error")
                    self.assertEqual(reply.error["type"], kind)
                    self.assertIn("these very words", reply.error["message"])
                    self.assertEqual(reply.header("retry-after"), "7")
                    self.assertRegex(reply.header("request-id"), REQUEST_ID)

    def test_an_anthropic_upstreams_own_envelope_is_kept(self):
        answer = refuse_messages(529, "overloaded_error", "Overloaded", [("retry-after", "3")])
        reply = self.through(answer, to_anthropic)
        self.assertEqual((reply.status, reply.error), (529, {"type": "overloaded_error", "message": "Overloaded"}))
        self.assertEqual(reply.header("retry-after"), "3")

    def test_words_that_claude_code_goes_by_are_kept(self):
        for words in ("prompt is too long: 300000 tokens > 200000 maximum",
                      "This model's maximum context length is 131072 tokens. However, you requested 140000 tokens "
                      "(12000 in the messages, 128000 in the completion). Please reduce the length of the messages "
                      "or completion.",
                      "messages.1.role: Input should be 'user' or 'assistant'",
                      "messages[1].role: unknown variant `system`, expected `user` or `assistant`",
                      "capability_rejected: mid_conv_system"):
            reply = self.through(refuse(400, body={"error": {"message": words, "type": "invalid_request_error"}}))
            self.assertEqual(reply.status, 400)
            self.assertIn(words, reply.error["message"])

    def test_pages_and_strings_become_words(self):
        for body in ("<html><h1>Bad gateway</h1></html>", '{"error":"just text"}', "", "[]"):
            reply = self.through(refuse(500, body=body))
            self.assertEqual((reply.status, reply.error["type"]), (500, "api_error"))
            self.assertNotIn("<", reply.error["message"])

    def test_the_upstreams_key_is_not_told(self):
        words = {"error": {"message": "bad key sk-of-the-upstream", "type": "x"}}
        self.assertNotIn(b"sk-of-the-upstream", self.through(refuse(401, body=words)).body)

    def test_nobody_at_the_upstream(self):
        with Gateway(routed_to(to_chat(1))) as gateway:
            reply = ask_messages(gateway)
            self.assertGreaterEqual(reply.status, 500)
            self.assertEqual(reply.json()["type"], "error")


class SystemTwo(unittest.TestCase):
    """`--preset claude-deepseek-proxy` for those who used that proxy."""

    def setUp(self):
        self.upstream = self.enterContext(Scripted(say_chat()))
        environment = {"OPENAI_BASE_URL": f"http://127.0.0.1:{self.upstream.port}/v1", "OPENAI_API_KEY": "sk-up",
                       "ALLOWED_API_KEYS": "sk-your-key,sk-other"}
        self.preset = self.enterContext(Preset("claude-deepseek-proxy", 8080, environment))

    def ask(self, body):
        fields = {"authorization": "Bearer sk-your-key"}
        return ask(self.preset.port, "POST", PATH, body, fields)

    def test_its_curl_line(self):
        said = json.loads(self.preset.curl(CURL, 8080))
        self.assertEqual((said["type"], said["content"][0]["text"]), ("message", "Hello there"))
        asked = self.upstream.requests[0]
        self.assertEqual((asked.json()["model"], asked.json()["max_tokens"]), ("deepseek-v3.1", 8192))
        self.assertEqual(asked.all("authorization"), ["Bearer sk-up"])

    def test_a_limit_is_filled_in_and_never_cut(self):
        for limit in (1, 32000, 128000):
            self.assertEqual(self.ask(message(max_tokens=limit)).status, 200)
            self.assertEqual(self.upstream.requests[-1].json()["max_tokens"], limit)

    def test_any_model_is_the_one_that_there_is(self):
        for model in ("claude-opus-5-5", "gpt-4", "deepseek-v3.1"):
            self.assertEqual(self.ask(message(model=model)).status, 200)
            self.assertEqual(self.upstream.requests[-1].json()["model"], "deepseek-v3.1")

    def test_its_other_endpoints(self):
        fields = {"x-api-key": "sk-other"}
        listed = ask(self.preset.port, "GET", "/v1/models", headers=fields)
        self.assertIn("deepseek-v3.1", [model["id"] for model in listed.json()["data"]])
        self.assertEqual(ask(self.preset.port, "GET", "/health").status, 200)
        self.assertEqual(ask(self.preset.port, "GET", "/v1/models").status, 401)

    def test_a_wrong_key(self):
        reply = ask(self.preset.port, "POST", PATH, message(), {"x-api-key": "sk-mallory", "anthropic-version": VERSION})
        self.assertEqual((reply.status, reply.error["type"]), (401, "authentication_error"))


class Embedded(unittest.TestCase):
    def test_it_is_answered_with_no_provider_at_all(self):
        with Gateway(EMBEDDED) as gateway:
            reply = ask_messages(gateway, message(model="embedded/echo"))
            self.assertIn("Hello", reply.json()["content"][0]["text"])
            streamed = Message(ask_messages(gateway, message(model="embedded/echo", stream=True)).body)
            self.assertEqual(streamed.text, reply.json()["content"][0]["text"])
            self.assertEqual(streamed.tokens[2], reply.json()["usage"]["output_tokens"])


if __name__ == "__main__":
    unittest.main()
