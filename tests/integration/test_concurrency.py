"""OV-2: a limit on what is under way at an upstream, and a bounded line of those who wait for it."""

import concurrent.futures
import threading
import time
import unittest

from gateway import SLOWNESS
from raw_http import chat, request
from scripted import ONCE, after, gateway_before, say
from upstream import answer_well, delta, stream_head


class Gate:
    """An upstream's answer that waits until it is let through, or for a `pause`, and counts who is
    inside."""

    def __init__(self, pause=None):
        self.pause = pause
        self.open = threading.Semaphore(0)
        self.lock = threading.Lock()
        self.inside = self.most = 0
        self.order = []

    def __call__(self, link, asked):
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.order.append(asked.json()["messages"][0]["content"])
        if self.pause is not None:
            time.sleep(self.pause)
        else:
            self.open.acquire(timeout=30)
        with self.lock:
            self.inside -= 1
        return answer_well(link, asked)


class Fixed(unittest.TestCase):
    def ask_all(self, pool, gateway, count):
        return [pool.submit(gateway.chat, chat(content=f"r{i}"), timeout=30) for i in range(count)]

    def test_no_more_than_the_limit_are_under_way(self):
        gate = Gate(pause=0.02)
        with gateway_before([gate], concurrency={"limit": 3, "queue": 100, "queue_time": "30s"}) as (
                gateway, upstream):
            with concurrent.futures.ThreadPoolExecutor(24) as pool:
                replies = self.ask_all(pool, gateway, 60)
                self.assertEqual({reply.result().status for reply in replies}, {200})
            self.assertEqual(len(upstream.requests), 60)
            self.assertEqual(gate.most, 3)

    def test_those_who_wait_are_served_in_their_order(self):
        gate = Gate()
        with gateway_before([gate], concurrency={"limit": 1, "queue": 20, "queue_time": "30s"}, workers=1) as (
                gateway, upstream):
            with concurrent.futures.ThreadPoolExecutor(10) as pool:
                replies = []
                for i in range(10):
                    replies.append(pool.submit(gateway.chat, chat(content=f"r{i}"), timeout=30))
                    time.sleep(0.05 * SLOWNESS)
                gate.open.release(10)
                self.assertEqual({reply.result().status for reply in replies}, {200})
            self.assertEqual(gate.order, [f"r{i}" for i in range(10)])

    def check_refused(self, reply):
        self.assertIn(reply.status, (429, 503), reply)
        self.assertTrue(reply.error["message"])
        self.assertGreaterEqual(int(reply.header("retry-after")), 1)

    def test_who_finds_the_line_full_is_refused_at_once(self):
        gate = Gate()
        with gateway_before([gate], concurrency={"limit": 2, "queue": 3, "queue_time": "30s"}) as (gateway, upstream):
            with concurrent.futures.ThreadPoolExecutor(5) as pool:
                replies = self.ask_all(pool, gateway, 5)
                upstream.wait_for_requests(2)
                time.sleep(0.3 * SLOWNESS)
                for stream in (False, True):
                    began = time.monotonic()
                    self.check_refused(gateway.chat(chat(stream=stream)))
                    self.assertLess(time.monotonic() - began, 0.5 * SLOWNESS)
                gate.open.release(10)
                self.assertEqual({reply.result().status for reply in replies}, {200})
            self.assertEqual(len(upstream.requests), 5)

    def test_who_waits_too_long_is_refused_and_never_sent(self):
        gate = Gate()
        with gateway_before([gate], concurrency={"limit": 1, "queue": 8, "queue_time": "300ms"}) as (gateway, upstream):
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                first = pool.submit(gateway.chat, chat(content="first"), timeout=30)
                upstream.wait_for_requests(1)
                began = time.monotonic()
                late = [pool.submit(gateway.chat, chat(content="late"), timeout=30) for _ in range(3)]
                for reply in late:
                    self.check_refused(reply.result())
                seconds = time.monotonic() - began
                self.assertGreaterEqual(seconds, 0.29)
                self.assertLess(seconds, 2 * SLOWNESS)
                gate.open.release(10)
                self.assertEqual(first.result().status, 200)
            self.assertEqual(gateway.chat(chat(content="after")).status, 200)
            time.sleep(0.2)
            self.assertEqual(gate.order, ["first", "after"])

    def test_who_says_how_long_it_waits_is_refused_then(self):
        gate = Gate()
        with gateway_before([gate], concurrency={"limit": 1, "queue": 8, "queue_time": "8s"}) as (gateway, upstream):
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                first = pool.submit(gateway.chat, chat(content="first"), timeout=30)
                upstream.wait_for_requests(1)
                began = time.monotonic()
                self.check_refused(gateway.chat(headers={"x-stainless-timeout": "1"}))
                self.assertLess(time.monotonic() - began, 1 + 1.0 * SLOWNESS)
                gate.open.release(10)
                self.assertEqual(first.result().status, 200)
            self.assertEqual(gate.order, ["first"])

    def test_who_leaves_the_line_is_never_sent(self):
        gate = Gate()
        with gateway_before([gate], concurrency={"limit": 1, "queue": 8, "queue_time": "20s"}) as (gateway, upstream):
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                first = pool.submit(gateway.chat, chat(content="first"), timeout=30)
                upstream.wait_for_requests(1)
                with gateway.connect() as connection:
                    connection.send(request("POST", "/v1/chat/completions", chat(content="gone")))
                    time.sleep(0.2)
                self.assertEqual(gateway.access_lines()[0]["status"], 499)
                gate.open.release(10)
                self.assertEqual(first.result().status, 200)
            self.assertEqual(gateway.chat(chat(content="after")).status, 200)
            self.assertEqual(gate.order, ["first", "after"])

    def test_places_are_given_back_however_a_request_ends(self):
        def by_content(link, asked):
            kind = asked.json()["messages"][0]["content"]
            if kind == "close":
                return False
            if kind == "break":
                link.send(stream_head())
                link.event(delta("x"))
                return False
            if kind == "leave":
                link.send(stream_head())
                link.event(delta("x"))
                link.seconds_until_closed(20)
                return False
            return answer_well(link, asked)

        with gateway_before([by_content], retry=ONCE, concurrency={"limit": 1, "queue": 4, "queue_time": "5s"}) as (
                gateway, _):
            for kind in ("close", "break", "leave") * 4:
                with gateway.connect() as connection:
                    connection.send(request("POST", "/v1/chat/completions", chat(content=kind, stream=kind != "close")))
                    connection.read_head()
                    if kind == "break":
                        connection.read_to_end()
                self.assertEqual(gateway.chat(chat(content="fine"), timeout=10).status, 200)

    def test_a_place_is_held_until_the_end_of_a_stream(self):
        release = threading.Event()

        def slow_stream(link, asked):
            if asked.json()["messages"][0]["content"] == "second":
                return say("second")(link, asked)
            link.send(stream_head())
            link.event(delta("Hello"))
            release.wait(20)
            link.event(delta(finish="stop"))
            link.event("[DONE]")
            link.last_chunk()

        with gateway_before([slow_stream], concurrency={"limit": 1, "queue": 4, "queue_time": "20s"}) as (
                gateway, upstream), gateway.connect() as connection:
            connection.send(request("POST", "/v1/chat/completions", chat(content="first", stream=True)))
            connection.read_head()
            connection.read_event(b"Hello")
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                second = pool.submit(gateway.chat, chat(content="second"), timeout=30)
                time.sleep(0.3)
                self.assertEqual(len(upstream.requests), 1)
                release.set()
                self.assertEqual(second.result().status, 200)

    def test_a_full_upstream_is_passed_over_for_the_next_candidate(self):
        gate = Gate()
        with gateway_before([gate], [say("other")], concurrency={"limit": 1, "queue": 0}) as (gateway, first, second):
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                waiting = pool.submit(gateway.chat, timeout=30)
                first.wait_for_requests(1)
                reply = gateway.chat()
                self.assertEqual(reply.status, 200)
                self.assertIn(b"other", reply.body)
                gate.open.release(5)
                self.assertEqual(waiting.result().status, 200)

    def test_other_upstreams_are_not_held_up(self):  # UP-19, for a limit
        gate = Gate()
        routes = {"routes": [{"model": "slow", "to": "main/*"}, {"model": "*", "to": "other/*"}]}
        with gateway_before([gate], [say("other")], concurrency={"limit": 1, "queue": 4, "queue_time": "20s"},
                            top=routes) as (gateway, first, _):
            with concurrent.futures.ThreadPoolExecutor(3) as pool:
                waiting = [pool.submit(gateway.chat, chat(model="slow"), timeout=30) for _ in range(3)]
                first.wait_for_requests(1)
                for _ in range(20):
                    self.assertEqual(gateway.chat(chat(model="quick")).status, 200)
                gate.open.release(5)
                self.assertEqual({reply.result().status for reply in waiting}, {200})


class Adaptive(unittest.TestCase):
    def test_an_upstream_that_slows_down_under_load_gets_less_of_it(self):
        lock = threading.Lock()
        inside = [0]
        seen = []  # when, and how many were inside

        def answer(link, asked):
            with lock:
                inside[0] += 1
                now = inside[0]
                seen.append((time.monotonic(), now))
            # Four at a time are free, each more costs.
            time.sleep(0.02 if now <= 4 else 0.02 + 0.02 * (now - 4))
            with lock:
                inside[0] -= 1
            return answer_well(link, asked)

        def load(gateway, clients, seconds):
            stop = time.monotonic() + seconds

            def client(_):
                statuses = set()
                while time.monotonic() < stop:
                    statuses.add(gateway.chat(timeout=60).status)
                return statuses

            with concurrent.futures.ThreadPoolExecutor(clients) as pool:
                return set().union(*pool.map(client, range(clients)))

        def most_between(begin, end):
            return max(count for moment, count in seen if begin <= moment < end)

        settings = {"limit": "adaptive", "start": 30, "max_limit": 60, "queue": 200, "queue_time": "30s"}
        with gateway_before([answer], concurrency=settings) as (gateway, _):
            self.assertEqual(load(gateway, 3, 3), {200})  # what is usual
            began = time.monotonic()
            self.assertEqual(load(gateway, 40, 7), {200})
            first, last = most_between(began, began + 1.5), most_between(began + 5.5, began + 7)
            self.assertGreater(first, 25)
            self.assertLess(last, 0.8 * first)


class Overload(unittest.TestCase):
    """OV-1 in short: four times what the upstream is allowed, for a few seconds."""

    def test_goodput_stays_and_refusals_are_quick(self):
        work = 0.05

        def run(gateway, clients, seconds):
            stop = time.monotonic() + seconds
            served, refused = [], []

            def client(_):
                while (began := time.monotonic()) < stop:
                    reply = gateway.chat(timeout=30)
                    took = time.monotonic() - began
                    if reply.status == 200:
                        served.append(took)
                        continue
                    refused.append((reply.status, reply.header("retry-after"), took))
                    time.sleep(0.03)  # a client that is refused does not come back at once

            with concurrent.futures.ThreadPoolExecutor(clients) as pool:
                list(pool.map(client, range(clients)))
            return served, refused

        settings = {"limit": 8, "queue": 8, "queue_time": "2s"}
        with gateway_before([after(work)], concurrency=settings) as (gateway, _):
            peak, _ = run(gateway, 8, 3)
            served, refused = run(gateway, 32, 3)
            self.assertGreaterEqual(len(served), 0.8 * len(peak))  # the clients share our cores
            self.assertGreater(len(refused), 0)
            for status, retry_after, _ in refused:
                self.assertIn(status, (429, 503))
                self.assertGreaterEqual(int(retry_after), 1)
            times = sorted(took for *_, took in refused)
            self.assertLess(times[len(times) * 99 // 100 - 1], 0.5 * SLOWNESS)
            self.assertEqual(gateway.ask("GET", "/livez").status, 200)


if __name__ == "__main__":
    unittest.main()
