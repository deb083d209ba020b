"""What goes through unchanged, and the few things that do not."""

import concurrent.futures
import json
import random
import re
import time
import unittest
import zlib

from gateway import Gateway, StandaloneUpstream, to_upstream
from raw_http import Connection, chat, request
from upstream import USAGE, Upstream, completion, delta, stream_head, usage_chunk, whole

# Order, spacing, escapes, big and odd numbers, unknown fields: none of them is ours to change.
BODY = (
    b' {\r\n "zeta" : {"deep":[1, 2.50,-0, 1E+2, 123456789012345678901234567890, 0.1e-400 ]},"model" : "MODEL" ,\n'
    b'\t"messages":[ {"role":"user" , "content":"caf\\u00e9 \\ud83d\\ude00 \xc3\xa9 \\/ \\n"}],"temperature":0.70000,'
    b'"seed":9223372036854775808,"metadata":{"model":"inner","stream":true,"":null}, "unknown_field":[[],{}],'
    b'"alpha":1 }\n '
)


def with_model(model):
    return BODY.replace(b'"MODEL"', json.dumps(model).encode())


class Requests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = Upstream()
        config = to_upstream(cls.upstream.port)
        config["routes"] = [{"model": "friendly*", "to": "main/lab/real-model:1"}]
        cls.gateway = Gateway(config)

    @classmethod
    def tearDownClass(cls):
        cls.gateway.stop()
        cls.upstream.close()

    def forwarded(self, body, headers=()):
        seen = len(self.upstream.requests)
        reply = self.gateway.chat(body, headers)
        self.assertEqual(reply.status, 200, reply)
        return self.upstream.wait_for_requests(seen + 1)[seen]

    def test_a_body_goes_through_byte_for_byte(self):
        self.assertEqual(self.forwarded(with_model("some-model")).body, with_model("some-model"))

    def test_only_the_model_is_replaced(self):
        for name in ("friendly", "friendly-\u00e9\"\\"):
            with self.subTest(name):
                self.assertEqual(self.forwarded(with_model(name)).body, with_model("lab/real-model:1"))

    def test_a_chunked_body_arrives_whole_with_a_length(self):
        body = with_model("some-model")
        pieces = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 7]), body[i:i + 7]) for i in range(0, len(body), 7))
        asked = self.forwarded(pieces + b"0\r\n\r\n", {"Transfer-Encoding": "chunked"})
        self.assertEqual(asked.body, body)
        self.assertEqual(asked.all("content-length"), [str(len(body))])
        self.assertEqual(asked.all("transfer-encoding"), [])

    def test_usage_is_asked_for_where_a_stream_does_not(self):
        base = with_model("some-model")
        for given in (b'"stream":true', b'"stream":true,"stream_options":null',
                      b'"stream" : true , "stream_options" : { "x" : [1.0] , "y":2}',
                      b'"stream":true,"stream_options":{}', b'"stream":true,"stream_options":{"include_usage":false}'):
            with self.subTest(given):
                body = base.replace(b'"alpha":1', given + b',"alpha":1')
                asked = self.forwarded(body)
                self.assertIs(asked.json()["stream_options"]["include_usage"], True)
                changed, expected = asked.json(), json.loads(body)
                extra = changed.pop("stream_options")
                kept = expected.pop("stream_options", None) or {}
                self.assertEqual({**kept, "include_usage": True}, extra)
                self.assertEqual(changed, expected)
                # All but the spliced value is there, byte for byte.
                before, after = base.split(b'"alpha":1')
                self.assertTrue(asked.body.endswith(b'"alpha":1' + after))
                self.assertIn(before.lstrip(b" \r\n{"), asked.body)

    def test_a_stream_that_asks_for_usage_itself_is_not_touched(self):
        body = with_model("some-model").replace(b'"alpha":1', b'"stream":true,"stream_options":{ "include_usage" : true }')
        self.assertEqual(self.forwarded(body).body, body)

    def test_what_is_sent_upstream_as_header(self):
        asked = self.forwarded(chat(model="m"), [
            ("Authorization", "Bearer sk-of-the-client"), ("x-api-key", "sk-of-the-client"), ("Cookie", "a=sk-of-the-client"),
            ("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Host", "evil"), ("X-Forwarded-Proto", "https"),
            ("Forwarded", "for=6.6.6.6"), ("X-Real-IP", "6.6.6.6"), ("Via", "1.1 evil"), ("x-sluice-route", "evil"),
            ("X-Sluice-Anything", "evil"), ("x-gw-tenant", "evil"), ("X-Request-Id", "evil"), ("OpenAI-Organization", "evil"),
            ("Accept-Encoding", "gzip, br"), ("Connection", "keep-alive, x-listed"), ("x-listed", "evil"), ("TE", "trailers"),
            ("Proxy-Authorization", "Basic evil"), ("Accept", "text/evil"), ("User-Agent", "evil"), ("Range", "bytes=0-1"),
        ])
        raw = asked.raw.decode()
        self.assertNotIn("sk-of-the-client", raw)
        self.assertNotIn("evil", raw)
        self.assertNotIn("6.6.6.6", raw)
        self.assertEqual(asked.all("authorization"), ["Bearer sk-of-the-upstream"])
        self.assertEqual(asked.all("accept-encoding"), ["identity"])
        self.assertEqual(asked.all("host"), [f"127.0.0.1:{self.upstream.port}"])
        self.assertEqual(asked.all("content-type"), ["application/json"])
        self.assertFalse([name for name, _ in asked.fields if name.lower().startswith("x-sluice")])
        self.assertEqual((asked.method, asked.target), ("POST", "/v1/chat/completions"))

    def test_the_target_upstream_is_ours_whatever_the_client_asked(self):
        reply = self.gateway.ask("POST", "http://evil.test/chat/completions?api_base=http://evil.test", chat(),
                                 {"Host": "evil.test"})
        self.assertEqual(reply.status, 200, reply)
        self.assertEqual(self.upstream.requests[-1].target, "/v1/chat/completions")
        self.assertNotIn("evil", self.upstream.requests[-1].raw.decode())

    def test_a_base_url_without_a_path(self):
        with Gateway(to_upstream(self.upstream.port, path="", api_key=None)) as gateway:
            self.assertEqual(gateway.chat().status, 200)
        self.assertEqual(self.upstream.requests[-1].target, "/chat/completions")
        self.assertEqual(self.upstream.requests[-1].all("authorization"), [])

    def test_connections_are_kept_and_used_again(self):
        with Gateway(to_upstream(self.upstream.port), workers=1) as gateway:
            before = self.upstream.connections
            for i in range(10):
                self.assertEqual(gateway.chat(chat(stream=i % 2 == 1)).status, 200)
            self.assertEqual(self.upstream.connections - before, 1)


class Replies(unittest.TestCase):
    """The upstream's answer is whatever the test puts into `script`."""

    @classmethod
    def setUpClass(cls):
        cls.script = []
        cls.upstream = Upstream(lambda link, request: link.send(b"".join(cls.script)))
        cls.gateway = Gateway(to_upstream(cls.upstream.port, timeouts={"first_byte": "2s", "idle": "2s"}), workers=1)

    @classmethod
    def tearDownClass(cls):
        cls.gateway.stop()
        cls.upstream.close()

    def reply_to(self, script, **request):
        self.script[:] = [script]
        return self.gateway.chat(chat(**request))

    def stream(self, *events, fields=(), **request):
        data = b"".join(b"data: " + (event if isinstance(event, bytes) else json.dumps(event).encode()) + b"\n\n"
                        for event in events)
        return self.reply_to(stream_head(fields) + b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data), stream=True, **request)

    def line_of(self, reply):
        name = reply.header("x-request-id")
        return self.gateway.access_lines(where=lambda line: line["request_id"] == name)[0]

    def test_a_whole_reply_goes_through_byte_for_byte(self):
        body = json.dumps(completion(extra={"big": 10 ** 40, "x": [1.50]}), indent=3).replace("10000", "1e4").encode() + b"\n"
        body = body.replace(b"Hello", b"H\\u00e9llo \xc3\xa9")
        reply = self.reply_to(whole(body))
        self.assertEqual((reply.status, reply.body), (200, body))
        self.assertEqual(reply.header("content-length"), str(len(body)))
        line = self.line_of(reply)
        self.assertEqual((line["input_tokens"], line["output_tokens"], line["finish_reason"], line["reply_model"]),
                         (11, 7, "stop", "real-model"))

    def test_a_chunked_whole_reply(self):
        body = json.dumps(completion()).encode()
        reply = self.reply_to(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
                              + b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n")
        self.assertEqual((reply.status, reply.body), (200, body))

    def test_events_go_through_byte_for_byte(self):
        events = [b'{"choices":[{"index":0, "delta":{"content":"caf\\u00e9 \xc3\xa9","unknown":1.50}}],"x":1E5 }',
                  b'{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}', b"[DONE]"]
        reply = self.stream(*events)
        self.assertTrue(reply.complete)
        self.assertEqual(reply.body, b"".join(b"data: " + event + b"\n\n" for event in events))

    def test_the_usage_chunk_is_kept_back_unless_asked_for(self):
        events = (delta("Hi"), delta(finish="stop"), usage_chunk(), b"[DONE]")
        hidden = self.stream(*events)
        self.assertEqual(len(hidden.events()), 3)
        self.assertNotIn(b'"usage"', hidden.body)
        self.assertEqual(self.line_of(hidden)["output_tokens"], 7)
        shown = self.stream(*events, stream_options={"include_usage": True})
        self.assertEqual(shown.chunks()[-1]["usage"], USAGE)
        self.assertEqual(self.line_of(shown)["input_tokens"], 11)

    def test_usage_on_the_finish_chunk(self):
        reply = self.stream(delta("Hi"), delta(finish="length", usage=USAGE), b"[DONE]")
        line = self.line_of(reply)
        self.assertEqual((line["input_tokens"], line["output_tokens"], line["finish_reason"]), (11, 7, "length"))
        self.assertEqual(reply.events()[-1], "[DONE]")

    def test_usage_absent(self):
        line = self.line_of(self.stream(delta("Hi"), delta(finish="stop"), b"[DONE]"))
        self.assertNotIn("input_tokens", line)
        body = completion()
        del body["usage"]
        self.assertNotIn("output_tokens", self.line_of(self.reply_to(whole(body))))

    def test_done_without_a_finish_reason_gets_one(self):
        reply = self.stream(delta("Hi"), b"[DONE]")
        self.assertTrue(reply.complete)
        self.assertEqual(reply.events()[-1], "[DONE]")
        self.assertEqual([choice["finish_reason"] for chunk in reply.chunks() for choice in chunk["choices"]
                          if choice.get("finish_reason")], ["stop"])
        call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        chunk = delta()
        chunk["choices"][0]["delta"] = {"tool_calls": [call]}
        reply = self.stream(chunk, b"[DONE]")
        self.assertEqual(reply.chunks()[-1]["choices"][0]["finish_reason"], "tool_calls")

    def test_only_known_headers_come_back(self):
        passed = {"Retry-After": "7", "x-ratelimit-remaining-requests": "99", "x-ratelimit-reset-tokens": "6m0s",
                  "openai-processing-ms": "12"}
        dropped = {"Set-Cookie": "a=b", "X-Api-Key": "sk-x", "x-other-api-key": "sk-x", "Authorization": "Bearer x",
                   "Server": "evil", "Via": "evil", "X-Powered-By": "evil", "Access-Control-Allow-Origin": "*",
                   "Strict-Transport-Security": "x", "Alt-Svc": "x", "Location": "http://evil", "x-sluice-fake": "evil",
                   "openai-organization": "org-secret"}
        for stream in (False, True):
            with self.subTest(stream=stream):
                fields = [*passed.items(), *dropped.items(), ("x-request-id", "req-of-upstream")]
                reply = (self.stream(delta("Hi"), delta(finish="stop"), b"[DONE]", fields=fields) if stream
                         else self.reply_to(whole(completion(), fields=fields)))
                self.assertEqual(reply.status, 200)
                for name, value in passed.items():
                    self.assertEqual(reply.all(name.lower()), [value])
                for name in dropped:
                    self.assertEqual(reply.all(name.lower()), [], name)
                self.assertEqual(reply.all("x-sluice-upstream-request-id"), ["req-of-upstream"])
                self.assertEqual(len(reply.all("x-request-id")), 1)
                self.assertNotEqual(reply.header("x-request-id"), "req-of-upstream")
                self.assertEqual(self.line_of(reply)["upstream_request_id"], "req-of-upstream")

    def test_request_ids_differ(self):
        names = {self.reply_to(whole(completion())).header("x-request-id") for _ in range(20)}
        self.assertEqual(len(names), 20)

    def test_an_upstreams_refusal_passes_with_status_and_retry_after(self):
        error = {"error": {"message": "slow down", "type": "rate_limit_error", "param": None, "code": "slow_down", "x": 1}}
        for status, stream in (("429 Too Many Requests", False), ("429 Too Many Requests", True),
                               ("500 Oops", False), ("503 Busy", True), ("400 Bad Request", False)):
            with self.subTest(status, stream=stream):
                reply = self.reply_to(whole(error, status, [("Retry-After", "3")]), stream=stream)
                self.assertEqual(reply.status, int(status[:3]))
                self.assertEqual(reply.header("retry-after"), "3")
                self.assertEqual(reply.json(), error)

    def test_another_error_body_gets_the_envelope(self):
        for body, kind in (("<html><h1>Bad Gateway</h1></html>", "text/html"), ("", "text/plain"), ("{broken", "application/json"),
                           ('{"detail":"no"}', "application/json"), ("\x00\x01", "text/plain")):
            with self.subTest(body):
                reply = self.reply_to(whole(body, "503 Busy", content_type=kind))
                self.assertEqual(reply.status, 503)
                self.assertTrue(reply.error["message"])
                self.assertEqual(reply.header("content-type"), "application/json")
                self.assertNotIn(b"<html", reply.body)

    def test_an_echoed_key_is_redacted(self):
        for body in ({"error": {"message": "bad key sk-of-the-upstream!"}}, {"detail": "key sk-of-the-upstream"},
                     "plain sk-of-the-upstream", {"error": {"message": "bad key sk-of-the-upstream!", "code": "sk-of-the-upstream"}}):
            for stream in (False, True):
                reply = self.reply_to(whole(body, "401 Unauthorized"), stream=stream)
                self.assertNotIn(b"sk-of-the-upstream", reply.body)
                self.assertIn(b"[redacted]", reply.body)

    def test_an_echoed_key_in_a_stream_error_is_redacted(self):
        error = {"error": {"message": "bad key sk-of-the-upstream", "type": "x", "code": None, "param": None}}
        for events in ((error,), (delta("Hi"), error)):
            self.assertNotIn(b"sk-of-the-upstream", self.stream(*events).body)

    def test_redirects_are_not_followed(self):
        for status in ("301 Moved", "302 Found", "307 Temporary", "304 Not Modified", "204 No Content"):
            with self.subTest(status):
                before = len(self.upstream.requests)
                head = f"HTTP/1.1 {status}\r\nlocation: http://127.0.0.1:{self.upstream.port}/v1/other\r\n"
                length = "" if status[:3] in ("204", "304") else "content-length: 0\r\n"
                reply = self.reply_to((head + length + "\r\n").encode())
                self.assertEqual(reply.status, 502, reply)
                self.assertIsNone(reply.header("location"))
                self.assertEqual(len(self.upstream.requests) - before, 1)


class Volume(unittest.TestCase):
    """Much of everything, in pieces of every size, to clients that read in their own time."""

    def test_a_long_stream_arrives_whole_at_a_slow_reader(self):
        generator = random.Random(7)
        events = [json.dumps(delta("x" * generator.choice((1, 100, 5000, 70_000)))).encode() for _ in range(400)]
        events += [json.dumps(delta(finish="stop")).encode(), b"[DONE]"]
        sent = b"".join(b"data: " + event + b"\n\n" for event in events)

        def answer(link, asked):
            link.send(stream_head())
            rest = sent
            pieces = random.Random(8)
            while rest:
                piece, rest = rest[:(size := pieces.choice((1, 7, 1000, 40_000, 200_000)))], rest[size:]
                link.chunk(piece)
            link.last_chunk()

        def read(port, pause):
            with Connection(port, receive_buffer=8192) as connection:
                connection.send(request("POST", "/v1/chat/completions", chat(stream=True)))
                reply = connection.read_head()
                while chunk := connection.read_chunk():
                    reply.body += chunk
                    time.sleep(pause)
                return reply.body == sent and chunk == b""

        with Upstream(answer) as upstream, Gateway(to_upstream(upstream.port)) as gateway:
            with concurrent.futures.ThreadPoolExecutor(6) as pool:
                self.assertEqual(list(pool.map(lambda pause: read(gateway.port, pause), (0, 0, 0.0005, 0.001, 0.002, 0.003))),
                                 [True] * 6)

    def test_large_requests_and_replies_arrive_whole(self):
        replies = {}

        def answer(link, asked):
            size = asked.json()["size"]
            body = replies[size] = json.dumps(completion("y" * size)).encode()
            link.send(whole(body))

        with Upstream(answer) as upstream, Gateway(to_upstream(upstream.port)) as gateway:
            for size in (0, 1, 16_000, 16_384, 70_000, 1_000_000, 20_000_000):
                body = json.dumps(chat(content="z" * size, size=size)).encode()
                reply = gateway.chat(body)
                self.assertEqual(reply.status, 200)
                self.assertTrue(reply.body == replies[size], f"{size}: {len(reply.body)}")
                self.assertTrue(upstream.requests[-1].body == body)

    def test_replies_of_many_clients_are_never_mixed_up(self):
        def answer(link, asked):
            name = asked.json()["messages"][0]["content"]
            if not asked.json().get("stream"):
                link.send(whole(completion(name)))
                return
            link.send(stream_head())
            for _ in range(20):
                link.event(delta(name))
            link.event(delta(finish="stop"))
            if zlib.crc32(name.encode()) % 3 == 0:
                link.socket.close()  # some break off at the end
                return
            link.event("[DONE]")
            link.last_chunk()

        failures = []

        def client(gateway, index):
            for i in range(20):
                name = f"<{index}-{i}>"
                reply = gateway.chat(chat(content=name, stream=i % 2 == 0))
                texts = re.findall(r"<\d+-\d+>", reply.body.decode())
                if not texts or set(texts) != {name}:
                    failures.append(reply)

        with Upstream(answer) as upstream, Gateway(to_upstream(upstream.port)) as gateway:
            with concurrent.futures.ThreadPoolExecutor(24) as pool:
                list(pool.map(lambda index: client(gateway, index), range(24)))
            self.assertEqual(failures, [])


class Standalone(unittest.TestCase):
    """Against `sluice upstream`, by its journal."""

    def test_whole_and_streamed_answers_of_the_stand_alone_upstream(self):
        with StandaloneUpstream() as upstream, Gateway(to_upstream(upstream.port)) as gateway:
            reply = gateway.chat(chat(model="echo", content="ping"))
            self.assertEqual(reply.status, 200, reply)
            streamed = gateway.chat(chat(model="lorem", stream=True, max_tokens=20))
            self.assertEqual(streamed.events()[-1], "[DONE]")
            self.assertTrue(streamed.content())
            self.assertEqual(len(upstream.journal()), 2, upstream.journal())


if __name__ == "__main__":
    unittest.main()
