"""The program as a process: commands, start, signals, reload, stop, crash."""

import os
import re
import signal
import tempfile
import threading
import time
import unittest

import raw_http
from gateway import EMBEDDED, SLOWNESS, Gateway, run, to_upstream
from raw_http import chat, request
from upstream import Upstream, answer_well, delta, stream_head


class Commands(unittest.TestCase):
    def test_version(self):
        for arguments in (("version",), ("--version",)):
            done = run(*arguments)
            self.assertEqual(done.returncode, 0)
            self.assertRegex(done.stdout, r"^sluice \d+\.\d+\.\d+\n$")

    def test_help(self):
        done = run("--help")
        self.assertEqual(done.returncode, 0)
        for command in ("serve", "check", "upstream", "version"):
            self.assertIn(command, done.stdout)
        serve = run("serve", "--help").stdout
        for flag in ("--config", "--preset", "--listen", "--host", "--port", "--workers", "--log-level"):
            self.assertIn(flag, serve)

    def test_wrong_arguments_are_exit_code_2(self):
        for arguments in ((), ("nonsense",), ("serve", "--nonsense"), ("serve", "--listen"), ("serve", "--workers", "x"),
                          ("serve", "--listen", "127.0.0.1:99999"), ("serve", "--log-level", "loud"),
                          ("serve", "--config", "/nowhere.yaml"), ("serve", "--preset", "nobody")):
            with self.subTest(arguments):
                done = run(*arguments, timeout=10)
                self.assertEqual(done.returncode, 2, done)
                self.assertTrue(done.stderr)

    def config_file(self, text):
        file = tempfile.NamedTemporaryFile("w", suffix=".yaml", delete=False)
        with file:
            file.write(text)
        self.addCleanup(os.unlink, file.name)
        return file.name

    def test_check_prints_what_is_in_effect_without_secrets(self):
        name = self.config_file("keys: [{name: alice, secret: sk-alice-secret}]\n"
                                "upstreams: {main: {base_url: 'http://127.0.0.1:1/v1', api_key: '${THE_KEY}'}}\n"
                                "default_route: main/*\n")
        done = run("check", "--config", name, environment={"THE_KEY": "sk-provider-secret"})
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("alice", done.stdout)
        self.assertIn("http://127.0.0.1:1/v1", done.stdout)
        self.assertNotIn("secret", (done.stdout + done.stderr).replace("secret:", ""))

    def test_mistakes_name_file_and_line(self):
        for text, line, word in (("listen: 127.0.0.1:8080\nkey: x\n", 2, "keys"), ("\n\nworkers: many\n", 3, "workers"),
                                 ("upstreams:\n  main:\n    base_urll: http://x/v1\n", 3, "base_url"), ("a: [\n", 1, ""),
                                 ("routes: [{model: x, to: nowhere/x}]\n", 1, "nowhere"),
                                 ("keys:\n- {name: a, secret: '${UNSET_VARIABLE}'}\n", 2, "UNSET_VARIABLE")):
            name = self.config_file(text)
            for command in ("check", "serve"):
                with self.subTest(text, command=command):
                    done = run(command, "--config", name, timeout=10)
                    self.assertEqual(done.returncode, 2, done)
                    self.assertIn(word, done.stderr)
                    found = re.search(re.escape(name) + r":(\d+): .+", done.stderr)
                    self.assertIsNotNone(found, done.stderr)
                    if word:
                        self.assertEqual(int(found.group(1)), line, done.stderr)

    def test_the_environment_and_dotenv_suffice(self):
        with tempfile.TemporaryDirectory() as directory:
            with open(os.path.join(directory, ".env"), "w", encoding="utf-8") as file:
                file.write("OPENAI_BASE_URL=http://127.0.0.1:9/from-dotenv\nOPENAI_API_KEY=sk-x\nPORT=1\n")
            done = run("check", environment={"PORT": "4711"}, directory=directory)
            self.assertEqual(done.returncode, 0, done)
            self.assertIn("http://127.0.0.1:9/from-dotenv", done.stdout)
            self.assertIn("4711", done.stdout)


class Start(unittest.TestCase):
    def test_start_to_first_answer_is_quick(self):
        best = 10.0
        for _ in range(5):
            with Gateway(EMBEDDED) as gateway:
                self.assertEqual(gateway.chat().status, 200)
                best = min(best, time.monotonic() - gateway.started_at)
        print(f"\nstart to first answer: {best * 1000:.0f} ms at best (polled every 10 ms)")
        self.assertLess(best, 0.3 * SLOWNESS)

    def test_a_port_that_is_taken_is_refused_with_a_clear_message(self):
        with Gateway(EMBEDDED) as gateway:
            done = run("serve", "--listen", f"127.0.0.1:{gateway.port}", timeout=10)
            self.assertEqual(done.returncode, 1, done)
            text = done.stdout + done.stderr
            self.assertIn(str(gateway.port), text)
            self.assertRegex(text, "in use|taken|already")
            self.assertEqual(gateway.chat().status, 200)

    def test_two_listeners(self):
        with Gateway({**EMBEDDED, "listen": ["127.0.0.1:0", "127.0.0.1:0"]}) as gateway:
            gateway.wait_for(r"(?s)http://127\.0\.0\.1:\d.*http://127\.0\.0\.1:\d")  # one after the other
            ports = [int(port) for port in re.findall(r"http://127\.0\.0\.1:(\d+)", gateway.output)]
            self.assertEqual(len(set(ports)), 2)
            for port in ports:
                self.assertEqual(raw_http.ask_chat(port).status, 200)


class Paced:
    """An upstream whose streams wait for the test before each word."""

    def __init__(self):
        self.go_on = threading.Event()
        self.upstream = Upstream(self.answer)

    def answer(self, link, asked):
        if asked.method == "GET":
            return answer_well(link, asked)
        link.send(stream_head())
        link.event(delta("begin"))
        self.go_on.wait(10)
        link.event(delta("end"))
        link.event(delta(finish="stop"))
        link.event("[DONE]")
        link.last_chunk()
        return None

    def __enter__(self):
        self.upstream.__enter__()
        return self

    def __exit__(self, *info):
        self.go_on.set()
        self.upstream.__exit__(*info)


def begin_stream(gateway, headers=()):
    connection = gateway.connect()
    connection.send(request("POST", "/v1/chat/completions", chat(stream=True), headers))
    reply = connection.read_head()
    assert reply.status == 200, reply
    reply.body = connection.read_event(b"begin")
    return connection, reply


class Stop(unittest.TestCase):
    def test_sigterm_lets_open_streams_end(self):
        with Paced() as paced, Gateway(to_upstream(paced.upstream.port)) as gateway:
            idle = gateway.connect()
            idle.send(request("GET", "/livez"))
            idle.read()
            streams = [begin_stream(gateway) for _ in range(10)]
            gateway.signal(signal.SIGTERM)
            self.assertTrue(idle.ends(1.5), "an idle connection is kept open")
            idle.close()
            time.sleep(0.2)  # each worker closes its own listening socket
            with self.assertRaises(OSError):
                gateway.connect(timeout=1)
            self.assertIsNone(gateway.child.poll())
            paced.go_on.set()
            for connection, reply in streams:
                connection.read_body(reply)
                self.assertTrue(reply.complete)
                self.assertEqual(reply.events()[-1], "[DONE]")
                connection.close()
            self.assertEqual(gateway.wait(3), 0)
            self.assertEqual(len(gateway.access_lines(11)), 11)

    def test_the_drain_time_is_a_limit(self):
        with Paced() as paced, Gateway({**to_upstream(paced.upstream.port), "limits": {"drain_timeout": "500ms"}}) as gateway:
            connection, reply = begin_stream(gateway)
            began = time.monotonic()
            gateway.signal(signal.SIGTERM)
            self.assertEqual(gateway.wait(5), 0)
            self.assertAlmostEqual(time.monotonic() - began, 0.5, delta=0.6 * SLOWNESS)
            connection.read_body(reply)
            self.assertFalse(reply.complete)
            self.assertNotIn(b"[DONE]", reply.body)
            self.assertIn(b"the gateway is stopping", reply.body)
            connection.close()

    def test_a_second_signal_cuts(self):
        config = {"limits": {"drain_timeout": "60s"}}
        with Paced() as paced, Gateway({**to_upstream(paced.upstream.port), **config}) as gateway:
            connection, reply = begin_stream(gateway)
            gateway.signal(signal.SIGTERM)
            time.sleep(0.2)
            self.assertIsNone(gateway.child.poll())
            began = time.monotonic()
            gateway.signal(signal.SIGTERM)
            self.assertEqual(gateway.wait(5), 0)
            self.assertLess(time.monotonic() - began, 1.5 * SLOWNESS)
            connection.read_body(reply)
            self.assertFalse(reply.complete)
            connection.close()

    def test_sigint_is_like_sigterm(self):
        with Gateway(EMBEDDED) as gateway:
            gateway.signal(signal.SIGINT)
            self.assertEqual(gateway.wait(5), 0)

    def test_a_health_check_under_way_is_called_off(self):
        asked, ended = threading.Event(), threading.Event()

        def hang(link, _):
            asked.set()
            if link.seconds_until_closed(20) is not None:
                ended.set()
            return False

        check = {"enabled": True, "interval": "1s", "timeout": "20s"}
        with Upstream(hang) as upstream, Gateway(to_upstream(upstream.port, health_check=check), workers=1) as gateway:
            self.assertTrue(asked.wait(5))
            time.sleep(0.2)
            gateway.signal(signal.SIGTERM)
            self.assertEqual(gateway.wait(2 * SLOWNESS), 0)  # under a sanitizer: and nothing is left behind
            self.assertTrue(ended.wait(2))

    def test_a_whole_reply_under_way_is_finished_and_the_connection_closed(self):
        seen, go_on = threading.Event(), threading.Event()

        def answer(link, asked):
            seen.set()
            go_on.wait(5)
            link.send(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 14\r\n\r\n{"choices":[]}')

        with Upstream(answer) as upstream, Gateway(to_upstream(upstream.port)) as gateway, gateway.connect() as connection:
            connection.send(request("POST", "/v1/chat/completions", chat()))
            self.assertTrue(seen.wait(5))
            gateway.signal(signal.SIGTERM)
            time.sleep(0.2)
            go_on.set()
            reply = connection.read()
            self.assertEqual(reply.status, 200)
            self.assertEqual(reply.header("connection"), "close")
            self.assertTrue(connection.ends(2))
            self.assertEqual(gateway.wait(3), 0)


class Reload(unittest.TestCase):
    KEYS = {"old": [{"name": "old", "secret": "sk-old"}], "new": [{"name": "new", "secret": "sk-new"}]}

    def test_streams_go_on_and_keys_change_at_once(self):
        with Paced() as paced:
            config = to_upstream(paced.upstream.port)
            with Gateway({**config, "keys": self.KEYS["old"]}) as gateway, gateway.connect() as kept:
                old, new = {"x-api-key": "sk-old"}, {"x-api-key": "sk-new"}
                kept.send(request("GET", "/v1/models/x", headers=old))
                self.assertNotEqual(kept.read().status, 401)
                streams = [begin_stream(gateway, old) for _ in range(10)]
                began = time.monotonic()
                gateway.reload({"keys": self.KEYS["new"]})
                while gateway.ask("GET", "/v1/models/x", headers=old).status != 401:
                    self.assertLess(time.monotonic() - began, 1.0 * SLOWNESS)
                time.sleep(0.05)
                kept.send(request("GET", "/v1/models/x", headers=old))
                self.assertEqual(kept.read().status, 401)
                self.assertNotEqual(gateway.ask("GET", "/v1/models/x", headers=new).status, 401)
                paced.go_on.set()
                for connection, reply in streams:
                    connection.read_body(reply)
                    self.assertTrue(reply.complete)
                    self.assertEqual(reply.events()[-1], "[DONE]")
                    connection.close()

    def test_connections_that_wait_for_a_request_outlive_the_limits_they_began_with(self):
        head = request("GET", "/livez")
        with Gateway(EMBEDDED) as gateway:
            connections = [gateway.connect() for _ in range(16)]
            for i, connection in enumerate(connections):
                connection.send(head[: i * 2 % len(head)])
            time.sleep(0.1)
            for limit in ("20s", "21s"):
                gateway.reload({"limits": {"head_timeout": limit, "idle_timeout": limit}})
                time.sleep(0.1)
            for i, connection in enumerate(connections):
                connection.send(head[i * 2 % len(head):] + head)
                self.assertEqual([connection.read().status, connection.read().status], [200, 200])
                connection.close()

    def test_an_invalid_configuration_leaves_the_old_one(self):
        with Gateway({**EMBEDDED, "keys": self.KEYS["old"]}) as gateway:
            gateway.write_config({"keys": "nonsense"})
            gateway.signal(signal.SIGHUP)
            gateway.wait_for("the old one stays", 5)
            time.sleep(0.1)
            self.assertEqual(gateway.chat(headers={"x-api-key": "sk-old"}).status, 200)
            gateway.reload({"keys": self.KEYS["new"]})
            time.sleep(0.1)
            self.assertEqual(gateway.chat(headers={"x-api-key": "sk-new"}).status, 200)

    def test_an_open_address_never_loses_its_keys(self):
        listen = ["127.0.0.1:0", "0.0.0.0:0"]
        with Gateway({**EMBEDDED, "listen": listen, "keys": self.KEYS["old"]}) as gateway:
            gateway.wait_for(r"http://0\.0\.0\.0:\d+", 5)
            gateway.write_config({"listen": "127.0.0.1:0", "keys": []})
            gateway.signal(signal.SIGHUP)
            gateway.wait_for("would serve anyone", 5)
            gateway.wait_for("the old one stays", 5)
            time.sleep(0.1)
            self.assertEqual(gateway.ask("GET", "/v1/models").status, 401)
            self.assertEqual(gateway.chat(headers={"x-api-key": "sk-old"}).status, 200)

    def test_an_admin_listener_on_loopback_may_do_without_a_key(self):
        with Gateway({**EMBEDDED, "admin": {"listen": "127.0.0.1:0"}, "keys": self.KEYS["old"]}) as gateway:
            self.assertEqual(raw_http.ask(gateway.admin_port, "GET", "/metrics").status, 200)
            self.assertEqual(gateway.ask("GET", "/metrics").status, 401)

    def test_a_reload_ends_the_writing_of_prompts(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "prompts")
            with Gateway({**EMBEDDED, "log": {"prompts_file": path}}) as gateway:
                gateway.chat()
                gateway.reload({"log": {"prompts_file": "off"}})
                time.sleep(0.2)
                gateway.chat()
            with open(path, encoding="utf-8") as file:
                self.assertEqual(len(file.readlines()), 1)

    def test_an_invalid_configuration_is_reported_in_the_log(self):
        with Gateway({**EMBEDDED, "keys": self.KEYS["old"]}) as gateway:
            gateway.write_config({"keys": "nonsense"})
            gateway.signal(signal.SIGHUP)
            gateway.wait_for("the old one stays", 5)
            lines = gateway.lines()
            self.assertIn("sluice.yaml:", str(lines))

    def test_upstreams_and_routes_change(self):
        with Upstream() as first, Upstream() as second, Gateway(to_upstream(first.port)) as gateway:
            gateway.chat()
            gateway.reload(to_upstream(second.port))
            time.sleep(0.1)
            for _ in range(6):
                self.assertEqual(gateway.chat().status, 200)
            self.assertEqual((len(first.requests), len(second.requests)), (1, 6))

    def test_many_reloads_lose_no_request(self):
        with Gateway(EMBEDDED) as gateway:
            failures, stop = [], threading.Event()

            def ask():
                while not stop.is_set():
                    reply = gateway.chat(chat(stream=True))
                    if reply.status != 200 or reply.events()[-1] != "[DONE]":
                        failures.append(reply)

            threads = [threading.Thread(target=ask) for _ in range(4)]
            for thread in threads:
                thread.start()
            for _ in range(10):
                gateway.reload({})
                time.sleep(0.02)
            stop.set()
            for thread in threads:
                thread.join()
            self.assertEqual(failures, [])


class Crash(unittest.TestCase):
    def test_a_crash_writes_a_backtrace_and_dies_of_its_signal(self):
        for number in (signal.SIGSEGV, signal.SIGABRT):
            gateway = Gateway(EMBEDDED)
            try:
                gateway.signal(number)
                self.assertEqual(gateway.wait(20), -number)
                self.assertRegex(gateway.output, r"(?i)backtrace|#0|0x[0-9a-f]{6,}")
                self.assertIn(f"{int(number)}", gateway.output)
            finally:
                gateway.kill()


if __name__ == "__main__":
    unittest.main()
