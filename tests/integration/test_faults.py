"""Everything that can go wrong with an upstream: the client always learns of it, and nothing hangs."""

import concurrent.futures
import itertools
import json
import socket
import threading
import time
import unittest

from gateway import EMBEDDED, SLOWNESS, Gateway, StandaloneUpstream, to_upstream
from raw_http import Closed, Connection, chat, request
from upstream import Upstream, answer_well, completion, delta, stream_head, whole

SHORT = {"connect": "1s", "first_byte": "1s", "idle": "1s"}

# Models whose reply is a right one in the end.
GOOD = {"fault-set-cookie", "fault-split-utf8", "fault-close-idle", "fault-no-finish-reason"}
# Right or refused: either is allowed for.
EITHER = {"fault-slow-head", "fault-half-close", "fault-gzip", "fault-long-content-length", "fault-no-content-type",
          "fault-early-response"}
# The whole stream with its [DONE] is there; what the length promised beyond it is not missed.
GOOD_STREAMS = {"fault-short-content-length"}
# Faults of streams only.
GOOD_WHOLE = {"fault-no-done"}
# Passed through as they are, with their status.
REFUSALS = {"fault-429": 429, "fault-401": 401, "fault-500": 500, "fault-500-html": 500, "fault-503": 503,
            "fault-500-echo-key": 500}
# Never end by themselves while there is something right to relay, so the client leaves.
ENDLESS = {"fault-endless-events", "fault-endless-comments"}
TIMED_OUT = {"fault-hang-before-head": 504, "fault-hang-mid-head": 504}


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = StandaloneUpstream()
        cls.gateway = Gateway(to_upstream(cls.upstream.port, timeouts=SHORT))
        names = cls.gateway.ask("GET", "/v1/models").json()["data"]
        cls.models = sorted(model["id"] for model in names if model["id"].startswith("fault-"))

    @classmethod
    def tearDownClass(cls):
        cls.gateway.stop()
        cls.upstream.stop()

    def outcome(self, model, stream):
        """The reply, and what is wrong with it, if anything."""
        began = time.monotonic()
        try:
            reply = self.gateway.chat(chat(model=model, stream=stream), timeout=20 * SLOWNESS)
        except TimeoutError:
            return None, "hangs"
        except Closed:
            return None, "closes without an answer"
        if time.monotonic() - began > 10 * SLOWNESS:
            return reply, "takes too long"
        try:
            return reply, self.complaint(model, stream, reply)
        except ValueError as error:
            return reply, f"not JSON: {error}"

    def complaint(self, model, stream, reply):
        if b"sk-of-the-upstream" in reply.body:
            return "the upstream's key"
        for name in ("set-cookie", "authorization", "x-api-key"):
            if reply.all(name):
                return f"passes {name} on"
        good = self.is_good(stream, reply)
        if model in REFUSALS:
            return None if reply.status == REFUSALS[model] and self.is_envelope(reply) else "another status"
        if model in TIMED_OUT:
            return None if reply.status == TIMED_OUT[model] and self.is_envelope(reply) else "another status"
        if good:
            return None if model in GOOD | EITHER | (GOOD_STREAMS if stream else GOOD_WHOLE) else "seems right"
        if model in GOOD:
            return "is not right"
        if reply.status != 200:
            return None if reply.status in (502, 504) and self.is_envelope(reply) else "no clean error"
        return self.broken_stream_complaint(reply) if stream else "a broken reply with status 200"

    @staticmethod
    def is_good(stream, reply):
        if reply.status != 200 or not reply.complete:
            return False
        if not stream:
            return "choices" in json.loads(reply.body)
        return reply.events()[-1] == "[DONE]" and any(
            choice.get("finish_reason") for chunk in reply.chunks() for choice in chunk["choices"])

    @staticmethod
    def is_envelope(reply):
        return isinstance(reply.error["message"], str) and reply.header("content-type") == "application/json"

    @staticmethod
    def broken_stream_complaint(reply):
        """In-band error, no [DONE], no last chunk."""
        if b"[DONE]" in reply.body:
            return "[DONE] after a failure"
        if reply.complete:
            return "a clean end"
        error = json.loads(reply.events()[-1]).get("error")
        return None if error and error["message"] else "no error event"

    def test_no_fault_hangs_or_passes_for_a_good_end(self):
        self.assertGreater(len(self.models), 50)
        cases = [(model, stream) for model in self.models if model not in ENDLESS for stream in (False, True)]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            outcomes = list(pool.map(lambda case: self.outcome(*case), cases))
        for (model, stream), (reply, complaint) in zip(cases, outcomes):
            with self.subTest(model, stream=stream):
                self.assertIsNone(complaint, reply)
        self.assertEqual(self.gateway.chat(chat(model="echo")).status, 200)
        self.assertIn(self.gateway.ask("GET", "/livez").status, (200,))

    def test_endless_replies_go_on_until_the_client_leaves(self):
        for model in ENDLESS & set(self.models):
            with self.subTest(model), self.gateway.connect() as connection:
                connection.send(request("POST", "/v1/chat/completions", chat(model=model, stream=True)))
                self.assertEqual(connection.read_head().status, 200)
                connection.read_event(b"data:")
        self.assertEqual(self.gateway.chat(chat(model="echo")).status, 200)

    def test_retry_after_of_a_refusal_is_passed_on(self):
        self.assertEqual(self.gateway.chat(chat(model="fault-429")).header("retry-after"), "7")
        self.assertEqual(self.gateway.chat(chat(model="fault-503", stream=True)).header("retry-after"), "1")

    def test_timeouts_are_kept_to_200_ms(self):
        for model in TIMED_OUT:
            began = time.monotonic()
            self.assertEqual(self.gateway.chat(chat(model=model)).status, 504)
            self.assertAlmostEqual(time.monotonic() - began, 1.0, delta=0.2 * SLOWNESS)

    def test_a_silent_stream_is_cut_at_the_idle_timeout(self):
        began = time.monotonic()
        reply = self.gateway.chat(chat(model="fault-hang-mid-stream", stream=True))
        self.assertIsNone(self.broken_stream_complaint(reply))
        self.assertAlmostEqual(time.monotonic() - began, 1.0, delta=0.3 * SLOWNESS)
        self.assertEqual(reply.chunks()[-1]["error"]["code"], "upstream_timeout")

    def test_letters_cut_between_chunks_come_out_whole(self):
        self.assertNotIn("\ufffd", self.gateway.chat(chat(model="fault-split-utf8", stream=True)).content())


class FaultsInside(Faults):
    """The same models inside the gateway's own process."""

    @classmethod
    def setUpClass(cls):
        inside = {"kind": "embedded", "embedded": {"faults": True}, "retry": {"max_retries": 0}, "breaker": "off"}
        cls.gateway = Gateway({"upstreams": {"main": inside}, "default_route": "main/*"}, environment={"TIMEOUT": "1"})
        names = cls.gateway.ask("GET", "/v1/models").json()["data"]
        cls.models = sorted(model["id"] for model in names if model["id"].startswith("fault-"))

    @classmethod
    def tearDownClass(cls):
        cls.gateway.stop()

    def test_they_are_not_reachable_unless_enabled(self):
        with Gateway(EMBEDDED) as gateway:
            self.assertNotIn(b"fault-", gateway.ask("GET", "/v1/models").body)
            for model in ("fault-500", "fault-reset-mid-stream"):
                reply = gateway.chat(chat(model=model))
                self.assertEqual((reply.status, reply.error["code"]), (404, "model_not_found"))


class Races(unittest.TestCase):
    """UP-18: the upstream closes idle connections at the very moment that they are used again."""

    IDLE = 0.3

    def close_idle(self, link, asked):
        answer_well(link, asked)
        link.socket.settimeout(self.IDLE)
        try:
            link.buffer += link.socket.recv(65536)
        except TimeoutError:
            return False
        link.socket.settimeout(None)
        return None

    def test_a_connection_closed_while_idle_is_never_the_clients_problem(self):
        per_client, clients = 250, 8
        failures = []

        def client(port, index):
            with Connection(port) as connection:
                for i in range(per_client):
                    stream = i % 5 == 4
                    connection.send(request("POST", "/v1/chat/completions", chat(stream=stream)))
                    reply = connection.read()
                    good = reply.status == 200 and reply.complete and b"Hello" in reply.body
                    if not good:
                        failures.append(reply)
                    # Every tenth time wait around the moment of the close, more exactly each time.
                    if i % 10 == 9:
                        time.sleep(self.IDLE + ((i * 7 + index * 13) % 41 - 20) / 20000)

        with Upstream(self.close_idle) as upstream, Gateway(to_upstream(upstream.port)) as gateway:
            threads = [threading.Thread(target=client, args=(gateway.port, i)) for i in range(clients)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            metrics = gateway.ask("GET", "/metrics").body.decode()
            self.assertEqual(failures, [])
            self.assertEqual(len(upstream.requests), per_client * clients)
            races = [line for line in metrics.splitlines() if line.startswith("sluice_upstream_reuse_races_total ")]
            self.assertEqual(len(races), 1)

    def test_a_request_on_a_connection_that_is_reset_is_sent_once_more_and_only_once(self):
        counts = itertools.count()

        def answer(link, asked):
            # The second request on a connection finds it gone.
            if getattr(link, "used", False):
                next(counts)
                link.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                return False
            link.used = True
            return answer_well(link, asked)

        with Upstream(answer) as upstream, Gateway(to_upstream(upstream.port), workers=1) as gateway:
            for stream in (False, False, False, True, False, True):
                self.assertEqual(gateway.chat(chat(stream=stream)).status, 200)
            self.assertGreater(next(counts), 0)

    def test_a_request_that_was_answered_in_part_is_not_sent_again(self):
        def answer(link, asked):
            if getattr(link, "used", False):
                link.send(b"HTTP/1.1 200 OK\r\n")
                return False
            link.used = True
            return answer_well(link, asked)

        with Upstream(answer) as upstream, Gateway(to_upstream(upstream.port), workers=1) as gateway:
            self.assertEqual(gateway.chat().status, 200)
            self.assertEqual(gateway.chat().status, 502)
            self.assertEqual(len(upstream.requests), 2)

    def test_a_fresh_connection_that_is_closed_is_not_tried_again(self):
        with Upstream(lambda link, asked: False) as upstream, Gateway(to_upstream(upstream.port)) as gateway:
            reply = gateway.chat()
            self.assertEqual(reply.status, 502)
            self.assertEqual(len(upstream.requests), 1)

    def test_bytes_after_a_reply_never_reach_the_next_client(self):
        def answer(link, asked):
            link.send(whole(completion()) + whole(completion("POISON")))

        with Upstream(answer) as upstream, Gateway(to_upstream(upstream.port), workers=1) as gateway:
            for _ in range(20):
                reply = gateway.chat()
                self.assertNotIn(b"POISON", reply.body)
                self.assertEqual(reply.status, 200)


class ClientGone(unittest.TestCase):
    """The upstream sees its connection closed soon after the client has left."""

    LIMIT = 0.25

    def setUp(self):
        self.seconds = []
        self.seen = threading.Event()
        self.left = threading.Event()

    def hang(self, link, asked):
        if asked.json().get("stream") and not asked.json().get("silent"):
            link.send(stream_head())
            link.event(delta("Hello"))
        self.seen.set()
        self.left.wait(5)
        self.seconds.append(link.seconds_until_closed())
        return False

    def check(self, body, leave):
        with Upstream(self.hang) as upstream, Gateway(to_upstream(upstream.port)) as gateway:
            connection = gateway.connect()
            connection.send(request("POST", "/v1/chat/completions", body))
            if body.get("stream") and not body.get("silent"):
                connection.read_head()
                connection.read_event(b"Hello")
            self.assertTrue(self.seen.wait(5))
            time.sleep(0.05)
            leave(connection)
            self.left.set()
            line = gateway.access_lines()[0]
            deadline = time.monotonic() + 5
            while not self.seconds and time.monotonic() < deadline:
                time.sleep(0.01)
            self.assertTrue(self.seconds)
            self.assertIsNotNone(self.seconds[0], "the upstream's connection stays open")
            self.assertLessEqual(self.seconds[0], self.LIMIT * SLOWNESS)
            self.assertEqual(line["status"], 499)
            self.assertEqual(line["error"], "client_gone")

    def test_closed_in_a_stream(self):
        self.check(chat(stream=True), Connection.close)

    def test_reset_in_a_stream(self):
        self.check(chat(stream=True), Connection.reset)

    def test_closed_while_a_stream_has_not_begun(self):
        self.check(chat(stream=True, silent=True), Connection.close)

    def test_closed_while_a_whole_reply_is_waited_for(self):
        self.check(chat(), Connection.close)

    def test_reset_while_a_whole_reply_is_waited_for(self):
        self.check(chat(), Connection.reset)

    def test_closed_with_another_request_waiting(self):
        def leave(connection):
            connection.send(request("GET", "/livez") * 3)
            time.sleep(0.05)
            connection.close()

        self.check(chat(stream=True), leave)

    def test_a_request_that_waits_behind_another_costs_no_time(self):
        with Upstream(self.hang) as upstream, Gateway(to_upstream(upstream.port)) as gateway:
            for body in (chat(), chat(stream=True)):
                self.seen.clear()
                with gateway.connect() as connection:
                    connection.send(request("POST", "/v1/chat/completions", body))
                    self.assertTrue(self.seen.wait(5))
                    connection.send(request("GET", "/livez"))
                    time.sleep(0.1)
                    used = gateway.cpu_seconds()
                    time.sleep(0.5)
                    self.assertLess(gateway.cpu_seconds() - used, 0.05 * SLOWNESS)
            self.left.set()

    def test_a_client_that_reads_slowly_slows_the_upstream_down(self):
        sent = []

        def pour(link, asked):
            link.send(stream_head())
            link.socket.settimeout(1.5)
            try:
                for _ in range(4000):
                    link.event(delta("x" * 16384))
                    sent.append(16384)
            except TimeoutError:
                pass
            return False

        with Upstream(pour) as upstream, Gateway(to_upstream(upstream.port)) as gateway:
            with gateway.connect(receive_buffer=16384) as connection:
                connection.send(request("POST", "/v1/chat/completions", chat(stream=True)))
                connection.read_head()
                time.sleep(1)
                first = sum(sent)
                time.sleep(0.3)
                self.assertEqual(sum(sent), first, "it goes on reading for a client that does not")
                self.assertLess(first, 16 * 1024 * 1024)
            self.assertEqual(gateway.ask("GET", "/livez").status, 200)


if __name__ == "__main__":
    unittest.main()
