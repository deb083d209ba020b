"""The two proxies that sluice stands in for: their environment variables and example requests work
as their documentation has them."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from gateway import Process, SLOWNESS, run
from raw_http import ask, ask_chat, chat
from scripted import Scripted, refuse
from upstream import answer_well

# Their README files, word for word but for the port where it is taken.
VENICE_CURL = r"""
curl -X POST http://localhost:9000/api/v1/chat/completions \
  -H "Content-Type: application/json" \
  -d '{
    "model": "llama-3.1-405b",
    "messages": [{"role": "user", "content": "Hello!"}]
  }'
"""
VENICE_CURL_STREAM = r"""
curl -X POST http://localhost:9000/api/v1/chat/completions \
  -H "Content-Type: application/json" \
  -d '{
    "model": "llama-3.1-405b",
    "messages": [{"role": "user", "content": "Hello!"}],
    "stream": true
  }'
"""
VENICE_CURL_HEALTH = "curl http://localhost:9000/health"
CUSTOM_REQUEST = """{
    "model": "deepseekqwen7bq8",
    "messages": [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "Introduce yourself"}
    ],
    "temperature": 0.7,
    "top_p": 1,
    "stream": true
}"""


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
        return True


class Preset(Process):
    """`sluice serve --preset NAME` with nothing but environment variables. Where the preset's own
    port is taken, PORT names another."""

    def __init__(self, name, documented_port, environment):
        self.folder = tempfile.TemporaryDirectory(prefix="sluice-test-")
        environment = {"HOME": self.folder.name, **environment}
        if "PORT" not in environment and not is_free(documented_port):
            environment["PORT"] = "0"
        super().__init__(["serve", "--preset", name], environment)
        try:
            self.port = int(self.wait_for(r'"?listening"?.*?http://[0-9.]+:(\d+)').group(1))
        except BaseException:
            self.kill()
            raise

    def kill(self):
        super().kill()
        self.folder.cleanup()

    def curl(self, command, documented_port):
        """Runs the line in a shell; what it prints."""
        line = command.strip().replace(f":{documented_port}/", f":{self.port}/")
        done = subprocess.run(["bash", "-c", line.replace("curl ", "curl -sS -m 20 ", 1)], capture_output=True, text=True,
                              env={"PATH": os.environ["PATH"]}, timeout=30, check=False)
        if done.returncode != 0:
            raise AssertionError(f"curl: {done.returncode} {done.stderr}")
        return done.stdout


@unittest.skipUnless(shutil.which("curl"), "there is no curl")
class Venice(unittest.TestCase):
    def start(self, upstream, **environment):
        return Preset("venice-proxy", 9000, {"OPENAI_BASE_URL": f"http://127.0.0.1:{upstream.port}/api/v1", **environment})

    def test_its_port(self):
        if not is_free(9000):
            self.skipTest("port 9000 is taken")
        with Scripted() as upstream, self.start(upstream) as gateway:
            self.assertEqual(gateway.port, 9000)

    def test_the_example_lines(self):
        with Scripted() as upstream, self.start(upstream, OPENAI_API_KEY="sk-venice-of-the-test") as gateway:
            whole = json.loads(gateway.curl(VENICE_CURL, 9000))
            self.assertEqual(whole["choices"][0]["message"]["content"], "Hello there")
            asked = upstream.requests[0]
            self.assertEqual((asked.target, asked.json()["model"]), ("/api/v1/chat/completions", "llama-3.1-405b"))
            self.assertEqual(asked.all("authorization"), ["Bearer sk-venice-of-the-test"])
            streamed = gateway.curl(VENICE_CURL_STREAM, 9000)
            self.assertTrue(streamed.rstrip().endswith("data: [DONE]"), streamed)
            health = json.loads(gateway.curl(VENICE_CURL_HEALTH, 9000))
            self.assertEqual((health["status"], health["target"]),
                             ("healthy", f"http://127.0.0.1:{upstream.port}/api/v1"))

    def test_the_clients_credential_is_passed_through(self):
        with Scripted() as upstream, self.start(upstream) as gateway:
            for path in ("/api/v1/chat/completions", "/v1/chat/completions"):
                reply = ask(gateway.port, "POST", path, chat(), {"Authorization": "Bearer sk-clients-own"})
                self.assertEqual(reply.status, 200, reply)
                self.assertEqual(upstream.requests[-1].all("authorization"), ["Bearer sk-clients-own"])

    def test_any_path_under_the_prefix_is_passed_on(self):
        def answer(link, asked):
            if asked.target.startswith("/api/v1/image"):
                link.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 6\r\n\r\nstyles")
                return None
            return answer_well(link, asked)

        with Scripted(answer) as upstream, self.start(upstream) as gateway:
            reply = ask(gateway.port, "GET", "/api/v1/image/styles?page=2", headers={"Authorization": "Bearer sk-clients-own"})
            self.assertEqual((reply.status, reply.body), (200, b"styles"))
            self.assertEqual(upstream.requests[-1].target, "/api/v1/image/styles?page=2")

    def test_the_prefix_can_be_named(self):
        with Scripted() as upstream, self.start(upstream, PROXY_PATH_PREFIX="/proxy") as gateway:
            reply = ask(gateway.port, "POST", "/proxy/chat/completions", chat(), {"Authorization": "Bearer sk-x"})
            self.assertEqual(reply.status, 200, reply)
            self.assertEqual(upstream.requests[-1].target, "/api/v1/chat/completions")

    def test_ollamas_path_is_answered(self):
        with Scripted() as upstream, self.start(upstream) as gateway:
            reply = ask(gateway.port, "GET", "/api/v1/api/tags", headers={"Authorization": "Bearer sk-x"})
            self.assertEqual(reply.status, 200, reply)
            self.assertIsInstance(reply.json()["models"], list)

    def test_max_retries_and_delays(self):
        environment = {"MAX_RETRIES": "2", "BASE_RETRY_DELAY": "0.01", "RATE_LIMIT_WAIT": "1"}
        headers = {"Authorization": "Bearer sk-x"}
        with Scripted(503) as upstream, self.start(upstream, **environment) as gateway:
            self.assertEqual(ask_chat(gateway.port, headers=headers).status, 503)
            self.assertEqual(len(upstream.requests), 3)
        with Scripted(429, answer_well) as upstream, self.start(upstream, **environment) as gateway:
            self.assertEqual(ask_chat(gateway.port, headers=headers).status, 200)
            self.assertGreaterEqual(upstream.gaps[0], 0.9)
            self.assertLess(upstream.gaps[0], 3 * SLOWNESS)

    def test_timeout(self):
        def silent(link, _):
            link.seconds_until_closed(20)
            return False

        with Scripted(silent) as upstream, self.start(upstream, TIMEOUT="1") as gateway:
            self.assertEqual(ask_chat(gateway.port, headers={"Authorization": "Bearer sk-x"}).status, 504)

    def test_venices_own_errors_come_out_in_our_form(self):
        with Scripted(refuse(402, body={"error": "Insufficient balance"})) as upstream, self.start(upstream) as gateway:
            reply = ask_chat(gateway.port, headers={"Authorization": "Bearer sk-x"})
            self.assertEqual(reply.status, 402)
            self.assertIn("Insufficient balance", reply.error["message"])

    def test_every_address_needs_a_credential_of_the_client(self):
        with Scripted() as upstream, self.start(upstream, HOST="0.0.0.0", OPENAI_API_KEY="sk-venice-of-the-test") as gateway:
            self.assertEqual(ask_chat(gateway.port).status, 401)
            self.assertEqual(upstream.requests, [])
            reply = ask_chat(gateway.port, headers={"Authorization": "Bearer sk-clients-own"})
            self.assertEqual(reply.status, 200)
            self.assertEqual(upstream.requests[-1].all("authorization"), ["Bearer sk-clients-own"])

    def test_with_keys_of_our_own_the_upstream_gets_its_own(self):
        with Scripted() as upstream, self.start(upstream, ALLOWED_API_KEYS="sk-alice-of-the-test",
                                                OPENAI_API_KEY="sk-venice-of-the-test") as gateway:
            self.assertEqual(ask_chat(gateway.port).status, 401)
            self.assertEqual(ask_chat(gateway.port, headers={"Authorization": "Bearer sk-other"}).status, 401)
            reply = ask_chat(gateway.port, headers={"Authorization": "Bearer sk-alice-of-the-test"})
            self.assertEqual(reply.status, 200)
            self.assertEqual(upstream.requests[-1].all("authorization"), ["Bearer sk-venice-of-the-test"])
            self.assertEqual(len(upstream.requests), 1)


@unittest.skipUnless(shutil.which("curl"), "there is no curl")
class Custom(unittest.TestCase):
    def start(self, upstream, **environment):
        return Preset("custom-proxy", 8000, {"URL": f"http://127.0.0.1:{upstream.port}/v1/", "TARGET_MODEL": "gemma1b",
                                             "DASHSCOPE_API_KEY": "sk-dashscope-of-the-test", **environment})

    def test_its_port(self):
        if not is_free(8000):
            self.skipTest("port 8000 is taken")
        with Scripted() as upstream, self.start(upstream) as gateway:
            self.assertEqual(gateway.port, 8000)

    def test_the_example_request(self):
        with Scripted() as upstream, self.start(upstream, VERIFY_API_KEY="sk-verify-of-the-test") as gateway:
            line = ("curl http://0.0.0.0:8000/v1/chat/completions -H 'Content-Type: application/json' "
                    f"-H 'Authorization: Bearer sk-verify-of-the-test' -d '{CUSTOM_REQUEST}'")
            streamed = gateway.curl(line, 8000)
            self.assertTrue(streamed.rstrip().endswith("data: [DONE]"), streamed)
            asked = upstream.requests[0]
            self.assertEqual((asked.target, asked.json()["model"]), ("/v1/chat/completions", "gemma1b"))
            self.assertEqual(asked.all("authorization"), ["Bearer sk-dashscope-of-the-test"])
            self.assertEqual(asked.json()["temperature"], 0.7)

    def test_every_model_is_the_target_and_the_list_has_only_it(self):
        headers = {"Authorization": "Bearer sk-verify-of-the-test"}
        with Scripted() as upstream, self.start(upstream, VERIFY_API_KEY="sk-verify-of-the-test") as gateway:
            for name in ("gpt-4o", "gemma1b", "a/b", "*"):
                self.assertEqual(ask_chat(gateway.port, chat(model=name), headers).status, 200)
                self.assertEqual(upstream.requests[-1].json()["model"], "gemma1b")
            listed = ask(gateway.port, "GET", "/v1/models", headers=headers).json()["data"]
            self.assertEqual([model["id"] for model in listed], ["gemma1b"])

    def test_the_key_is_verified(self):
        with Scripted() as upstream, self.start(upstream, VERIFY_API_KEY="sk-verify-of-the-test") as gateway:
            for headers in ({}, {"Authorization": "Bearer 123456"}, {"Authorization": "Bearer sk-verify-of-the-tesT"}):
                self.assertEqual(ask_chat(gateway.port, headers=headers).status, 401)
            self.assertEqual(upstream.requests, [])

    def test_the_published_key_is_accepted_on_loopback_only_and_warned_of(self):
        with Scripted() as upstream:
            with self.start(upstream) as gateway:
                self.assertEqual(ask_chat(gateway.port, headers={"Authorization": "Bearer 123456"}).status, 200)
                self.assertEqual(ask_chat(gateway.port, headers={"Authorization": "Bearer 1234567"}).status, 401)
                self.assertIn("warn", gateway.output)
                self.assertIn("VERIFY_API_KEY", gateway.output)
                self.assertNotIn("sk-dashscope", gateway.output)
            refused = run("serve", "--preset", "custom-proxy", environment={
                "URL": f"http://127.0.0.1:{upstream.port}/v1/", "TARGET_MODEL": "gemma1b", "HOST": "0.0.0.0", "PORT": "0",
                "DASHSCOPE_API_KEY": "sk-dashscope-of-the-test", "HOME": "/nonexistent"}, timeout=10)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("published", refused.stdout + refused.stderr)

    def test_what_is_missing_is_named(self):
        refused = run("serve", "--preset", "custom-proxy", environment={"HOME": "/nonexistent", "PORT": "0"}, timeout=10)
        self.assertNotEqual(refused.returncode, 0)
        for name in ("URL", "TARGET_MODEL"):
            self.assertIn(name, refused.stdout + refused.stderr)


class Hints(unittest.TestCase):
    def test_variables_that_no_preset_uses_name_the_one_that_would(self):
        for variables, preset in (({"VERIFY_API_KEY": "x-of-the-test"}, "custom-proxy"),
                                  ({"TARGET_MODEL": "gemma1b"}, "custom-proxy"),
                                  ({"DASHSCOPE_API_KEY": "sk-x"}, "custom-proxy")):
            with self.subTest(variables), tempfile.TemporaryDirectory() as home:
                environment = {"HOME": home, "PORT": "0", **variables}
                with Process(["serve"], environment) as process:
                    process.wait_for("listening")
                    self.assertIn(preset, process.output)
                    self.assertIn(next(iter(variables)), process.output)
                    self.assertNotIn("x-of-the-test", process.output)
                    process.signal(signal.SIGTERM)
                    process.wait()

    def test_nothing_is_said_where_there_is_nothing_to_say(self):
        with tempfile.TemporaryDirectory() as home, Process(["serve"], {"HOME": home, "PORT": "0"}) as process:
            process.wait_for("listening")
            self.assertIsNone(re.search("-proxy", process.output))


if __name__ == "__main__":
    unittest.main()
