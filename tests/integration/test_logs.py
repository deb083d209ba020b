"""What the log says of each request, and what nothing ever says."""

import json
import os
import pty
import re
import tempfile
import threading
import time
import unittest

import raw_http
from gateway import EMBEDDED, Gateway, Process, to_upstream
from raw_http import chat, request
from upstream import Upstream, answer_well, delta, stream_head, whole

FIELDS = {"time", "level", "message", "request_id", "method", "path", "status", "route", "upstream", "model", "reply_model",
          "attempts", "stream", "finish_reason", "bytes_in", "bytes_out", "input_tokens", "output_tokens", "queue_ms",
          "upstream_first_byte_ms", "total_ms"}

HOSTILE = ["a\tb", "\x1b[2J", '","level":"fatal","x":"', "\\u0000\\n", "\u2028\u2029", "\u0085\u009b31m", "\u202eabc", "x" * 3000,
           "${jndi:ldap://x}", "%0d%0aSet-Cookie:a=b", "' OR 1=1 --", "\U0001f4a9", "{}", "\x7f"]


class Lines(unittest.TestCase):
    def test_the_start_tells_the_configuration_with_secrets_masked(self):
        config = {**to_upstream(9), "keys": [{"name": "alice", "secret": "sk-secret-of-alice"}]}
        with Gateway(config) as gateway:
            start = gateway.lines_so_far()[0]
            self.assertIn("alice", start["config"])
            self.assertNotIn("sk-secret-of-alice", gateway.output)
            self.assertNotIn("sk-of-the-upstream", gateway.output)

    def test_every_request_is_one_line_with_its_facts(self):
        with Upstream() as upstream, Gateway({**to_upstream(upstream.port), "keys": [{"name": "alice", "secret": "s"}]}) as gateway:
            for stream in (False, True):
                reply = gateway.chat(chat(model="asked-model", stream=stream), {"x-api-key": "s"})
                name = reply.header("x-request-id")
                line = gateway.access_lines(where=lambda line: line["request_id"] == name)[0]
                self.assertLessEqual(FIELDS | {"key"}, set(line))
                expected = {"method": "POST", "path": "/v1/chat/completions", "status": 200, "route": "default", "upstream": "main",
                            "model": "asked-model", "reply_model": "real-model", "attempts": 1, "stream": stream, "key": "alice",
                            "finish_reason": "stop", "input_tokens": 11, "output_tokens": 7, "level": "info"}
                self.assertEqual({name: line[name] for name in expected}, expected)
                self.assertGreaterEqual(line["total_ms"], line["upstream_first_byte_ms"])
                self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
                self.assertGreater(line["bytes_in"], 20)
                self.assertGreater(line["bytes_out"], 20)

    def test_failures_are_named(self):
        with Gateway({**EMBEDDED, "keys": [{"name": "alice", "secret": "s"}]}) as gateway:
            gateway.ask("GET", "/nothing")
            gateway.ask("PUT", "/livez")
            gateway.chat()
            gateway.chat(b"{", {"x-api-key": "s"})
            with gateway.connect() as connection:
                connection.send(b"NOT HTTP\r\n\r\n")
                connection.read()
            lines = gateway.access_lines(5)
            self.assertEqual(sorted((line["status"], line["error"]) for line in lines),
                             [(400, "bad_request"), (400, "bad_request"), (401, "unauthorized"), (404, "not_found"),
                              (405, "method_not_allowed")])

    def test_query_values_are_not_logged(self):
        with Gateway(EMBEDDED) as gateway:
            gateway.ask("GET", "/v1/models?api_key=sk-in-the-query&x=private")
            self.assertEqual(gateway.access_lines()[0]["path"], "/v1/models")
            self.assertNotIn("sk-in-the-query", gateway.output)
            self.assertNotIn("private", gateway.output)

    def test_hostile_values_keep_one_line_a_request(self):
        def answer(link, asked):
            link.send(whole(json.dumps({"choices": [], "model": "m\n\x1b\u2028\u0085\r\n" * 3}),
                            fields=[("x-request-id", 'id"\\\x80\t')]))

        with Upstream(answer) as upstream, Gateway(to_upstream(upstream.port)) as gateway:
            count = 0
            for text in HOSTILE:
                gateway.chat(chat(model=text))
                gateway.chat(headers={"User-Agent": text.encode().decode("latin-1").replace("\x1b", "").replace("\x7f", ""),
                                      "x-request-id": "evil"})
                path = text.encode().decode("latin-1")[:200]
                with gateway.connect() as connection:
                    connection.send(b"GET /" + path.encode("latin-1").replace(b" ", b"") + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    connection.read()
                count += 3
            lines = gateway.access_lines(count)
            self.assertEqual(len(lines), count)
            for line in gateway.output.split("\n"):
                self.assertEqual(len(line.splitlines()), 1 if line else 0, line)
                self.assertNotRegex(line, "[\x00-\x1f\x7f-\x9f]")

    def test_prompts_and_replies_go_to_a_file_where_the_operator_names_one_and_nowhere_else(self):
        with tempfile.TemporaryDirectory() as directory:
            file = os.path.join(directory, "prompts")
            with Gateway({**EMBEDDED, "log": {"prompts_file": file, "level": "debug"}}) as gateway:
                for stream in (False, True):
                    gateway.chat(chat(model="embedded/echo", content="unheard-of", stream=stream), {"x-api-key": "sk-client"})
                gateway.access_lines(2)
                deadline = time.monotonic() + 5
                while os.path.getsize(file) < 500:
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.01)
                self.assertNotIn("unheard-of", gateway.output)
                self.assertIn(file, gateway.output)
            with open(file, encoding="utf-8") as written:
                text = written.read()
            self.assertIn("unheard-of", text)
            self.assertNotIn("sk-client", text)
            self.assertEqual(len(text.splitlines()), 2)
            self.assertEqual(os.stat(file).st_mode & 0o077, 0, "others may read it")

    def test_the_access_log_can_be_switched_off(self):
        with Gateway({**EMBEDDED, "log": {"access": False}}) as gateway:
            gateway.chat()
            time.sleep(0.4)
            self.assertFalse([line for line in gateway.lines_so_far() if line["message"] == "request"])

    def test_a_terminal_gets_readable_text(self):
        leader, follower = pty.openpty()
        gathered = []

        def gather():
            while True:
                try:
                    data = os.read(leader, 4096)
                except OSError:
                    return
                if not data:
                    return
                gathered.append(data)

        process = Process(["serve", "--listen", "127.0.0.1:0"], stdout=follower)
        os.close(follower)
        reader = threading.Thread(target=gather)
        reader.start()
        try:
            deadline = time.monotonic() + 10
            while not (found := re.search(rb"http://127\.0\.0\.1:(\d+)", b"".join(gathered))):
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.01)
            self.assertEqual(raw_http.ask_chat(int(found.group(1)), chat(model="a\x1bb")).status, 200)
        finally:
            process.stop()
            reader.join()
            os.close(leader)
        text = b"".join(gathered).decode()
        record = next(line for line in text.splitlines() if " request " in line)
        self.assertIn("status=200", record)
        self.assertNotIn("{", record)
        self.assertNotIn("\x1bb", record)


class Canary(unittest.TestCase):
    """AK-6: provider keys, client keys, wrong keys, prompts and replies are nowhere but where they belong."""

    PROVIDER = "sk-CANARY-provider-0123456789"
    CLIENT = "sk-CANARY-client-0123456789"
    ADMIN = "sk-CANARY-admin-0123456789"
    WRONG = "sk-CANARY-wrong-0123456789"
    PROMPT = "CANARY-prompt"
    REPLY = "CANARY-reply"

    def answer(self, link, asked):
        key = asked.all("authorization")[0]
        model = asked.json()["model"] if asked.method == "POST" else ""
        if model == "echo-500":
            link.send(whole({"error": {"message": f"bad {key}", "type": key, "code": key}}, "500 Oops",
                            [("x-echo", key), ("x-request-id", key), ("retry-after", key), ("openai-version", key)]))
        elif model == "echo-text":
            link.send(whole(f"<html>{key}</html> {key}", "502 Bad", content_type="text/html"))
        elif model == "echo-json":
            link.send(whole({"detail": f"your key {key}"}, "403 No"))
        elif model == "broken":
            link.send(whole(b'{"broken": "' + key.encode()))
        elif model == "not-http":
            link.send(key.encode() + b"\r\n\r\n")
            return False
        elif model == "echo-header":
            link.send(b"HTTP/1.1 200 OK\r\nbad header " + key.encode() + b": " + key.encode() + b"\r\n\r\n")
            return False
        elif model == "stream-error":
            link.send(stream_head([("x-echo", key)]))
            link.event(delta(self.REPLY))
            link.event({"error": {"message": f"bad {key}", "code": key, "type": "t", "param": None}})
            link.last_chunk()
        elif model == "stream-bad":
            link.send(stream_head())
            link.event(delta(self.REPLY))
            link.event(f"not json {key}")
            link.last_chunk()
        elif model == "model-echo":
            body = {"choices": [{"index": 0, "message": {"content": self.REPLY}, "finish_reason": "stop"}], "model": "m"}
            link.send(whole(body))
        else:
            return answer_well(link, asked)
        return None

    def test_no_secret_gets_out(self):
        seen = []
        with Upstream(self.answer) as upstream:
            config = {
                **to_upstream(upstream.port, api_key=self.PROVIDER),
                "keys": [{"name": "alice", "secret": self.CLIENT, "scopes": ["metrics"]}],
                "admin": {"listen": "127.0.0.1:0", "key": self.ADMIN},
                "log": {"level": "trace"},
            }
            config["upstreams"]["dead"] = {"base_url": "http://127.0.0.1:1/v1", "api_key": self.PROVIDER + "-dead",
                                           "retry": {"max_retries": 0}}
            config["routes"] = [{"model": "dead", "to": "dead/x"}]
            with Gateway(config) as gateway:
                right = {"Authorization": "Bearer " + self.CLIENT}
                for model in ("m", "echo-500", "echo-text", "echo-json", "broken", "not-http", "echo-header", "stream-error",
                              "stream-bad", "model-echo", "dead"):
                    for stream in (False, True):
                        reply = gateway.chat(chat(model=model, content=self.PROMPT, stream=stream), right)
                        seen.append(str(reply.fields) + reply.body.decode().replace(self.REPLY, ""))
                for headers in ({"Authorization": "Bearer " + self.WRONG}, {"x-api-key": self.WRONG}, {"Authorization": self.WRONG},
                                {"Authorization": "Basic " + self.WRONG}, {"Cookie": self.WRONG},
                                {**right, "x-api-key": self.WRONG}, {**right, "x_under": self.WRONG},
                                {**right, "Expect": self.WRONG}, {**right, "Content-Encoding": "gzip"},
                                {**right, "Transfer-Encoding": self.WRONG}, {**right, "Host": "a b " + self.WRONG}):
                    reply = gateway.chat(chat(content=self.PROMPT), headers)
                    seen.append(str(reply.fields) + reply.body.decode())
                for body in (b"{" + self.PROMPT.encode(), b'{"model":"m","messages":"' + self.PROMPT.encode() + b'"}'):
                    seen.append(gateway.chat(body, right).body.decode())
                for path in ("/", "/health", "/v1/models", "/metrics", "/nothing?key=" + self.WRONG):
                    seen.append(gateway.ask("GET", path, headers=right).body.decode())
                seen.append(raw_http.ask(gateway.admin_port, "GET", "/metrics",
                                         headers={"x-api-key": self.ADMIN}).body.decode())
                with gateway.connect() as connection:
                    connection.send(b"GET / HTTP/1.1\r\nHost: x\r\n" + self.WRONG.encode() + b"\r\n\r\n")
                    seen.append(str(connection.read()))
                with gateway.connect() as connection:
                    connection.send(request("POST", "/v1/chat/completions", chat(model="m", stream=True, content=self.PROMPT), right)[:-5])
                gateway.reload({"log": {"level": "debug"}})
                seen.append(gateway.ask("GET", "/health").body.decode())
            for text in (*seen, gateway.last_output):
                self.assertNotIn("CANARY", text)


if __name__ == "__main__":
    unittest.main()
