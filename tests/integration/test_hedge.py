"""A second candidate is asked when the first takes long; whoever answers first is taken."""

import concurrent.futures
import threading
import time
import unittest

from gateway import SLOWNESS
from raw_http import chat, request
from scripted import after, gateway_before, hang, refuse, say
from upstream import answer_well

EAGER = {"hedge": {"after": "150ms", "share": 1}}


class Watched:
    """Answers late; notes how soon after `mark` its connection was closed."""

    def __init__(self):
        self.closed = threading.Event()
        self.closed_at = None

    def __call__(self, link, _):
        if link.seconds_until_closed(20) is not None:
            self.closed_at = time.monotonic()
            self.closed.set()
        return False


class Hedging(unittest.TestCase):
    def test_the_second_answers_for_a_slow_first(self):
        for stream in (False, True):
            slow = Watched()
            with self.subTest(stream=stream), gateway_before([slow], [say("second")], route=EAGER) as (gateway, first, second):
                began = time.monotonic()
                reply = gateway.chat(chat(stream=stream))
                answered = time.monotonic()
                self.assertEqual((reply.status, reply.complete), (200, True))
                self.assertIn(b"second", reply.body)
                self.assertGreaterEqual(answered - began, 0.14)
                # The other one is called off.
                self.assertTrue(slow.closed.wait(5))
                self.assertLess(slow.closed_at - answered, 0.5 * SLOWNESS)
                self.assertEqual((len(first.requests), len(second.requests)), (1, 1))

    def test_the_first_may_still_win(self):
        slow = Watched()
        with gateway_before([after(0.5, say("first"))], [slow], route=EAGER) as (gateway, _, second):
            reply = gateway.chat()
            self.assertIn(b"first", reply.body)
            self.assertEqual(len(second.requests), 1)
            self.assertTrue(slow.closed.wait(5))

    def test_a_quick_first_is_enough(self):
        with gateway_before([say("first")], [say("second")], route=EAGER) as (gateway, _, second):
            for _ in range(10):
                self.assertIn(b"first", gateway.chat().body)
            self.assertEqual(second.requests, [])

    def test_a_failure_of_one_leaves_the_other(self):
        with gateway_before([after(0.4, refuse(500))], [after(0.6, say("second"))], route=EAGER) as (gateway, *_):
            self.assertIn(b"second", gateway.chat().body)
        with gateway_before([after(0.8, say("first"))], [refuse(500)], route=EAGER) as (gateway, *_):
            self.assertIn(b"first", gateway.chat().body)

    def test_both_failures_are_one_answer(self):
        with gateway_before([after(0.4, refuse(400))], [after(0.1, refuse(400))], route=EAGER) as (gateway, *_):
            reply = gateway.chat()
            self.assertEqual(reply.status, 400)
            self.assertTrue(reply.complete)

    def test_a_mistake_of_the_clients_own_is_the_answer_at_once(self):
        """The rival would be refused as well; whether it is or fails otherwise, nobody else is asked."""
        for rival in (after(3, say("second")), after(0.6, refuse(503))):
            with gateway_before([after(0.3, refuse(400))], [rival], [say("third")], route=EAGER) as (gateway, *_, third):
                began = time.monotonic()
                reply = gateway.chat()
                self.assertEqual((reply.status, reply.error["code"]), (400, "c400"))
                self.assertLess(time.monotonic() - began, 2)
                self.assertEqual(third.requests, [])

    def test_a_client_that_leaves_calls_both_off(self):  # SC-6
        one, two = Watched(), Watched()
        with gateway_before([one], [two], route=EAGER) as (gateway, _, second):
            with gateway.connect() as connection:
                connection.send(request("POST", "/v1/chat/completions", chat()))
                second.wait_for_requests(1)
                time.sleep(0.05)
            left = time.monotonic()
            for each in (one, two):
                self.assertTrue(each.closed.wait(5))
                self.assertLess(each.closed_at - left, 0.25 * SLOWNESS + 0.25)

    def test_the_first_answers_while_the_second_waits_for_its_place(self):
        routes = [{"model": "other", "to": "other/*"}, {"model": "*", "to": ["main/*", "other/*"], **EAGER}]
        with gateway_before([after(0.3, say("first"))], [hang], top={"routes": routes},
                            concurrency={"limit": 1, "queue": 8, "queue_time": "20s"}) as (gateway, _, second):
            with gateway.connect() as holder:
                holder.send(request("POST", "/v1/chat/completions", chat(model="other")))
                second.wait_for_requests(1)
                for stream in (False, True) * 3:
                    reply = gateway.chat(chat(stream=stream))
                    self.assertEqual((reply.status, reply.complete), (200, True))
                    self.assertIn(b"first", reply.body)
                self.assertEqual(len(second.requests), 1)
            self.assertEqual(gateway.ask("GET", "/livez").status, 200)

    def test_the_log_tells(self):
        with gateway_before([hang], [say("second")], route=EAGER) as (gateway, *_):
            gateway.chat()
            line = gateway.access_lines()[0]
            self.assertEqual((line["upstream"], line["attempts"]), ("other", 2))
            self.assertIs(line["hedged"], True)

    def test_every_request_is_answered_once(self):
        def either(link, asked):
            time.sleep(0.13 + (hash(asked.raw) % 5) / 100)
            return say(asked.json()["messages"][0]["content"])(link, asked)

        with gateway_before([either], [either], route=EAGER) as (gateway, *_):
            def client(i):
                reply = gateway.chat(chat(content=f"<{i}>", stream=i % 2 == 0))
                return reply.status == 200 and reply.complete and reply.body.count(f"<{i}>".encode()) == 1

            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                self.assertEqual(set(pool.map(client, range(80))), {True})


class Bounds(unittest.TestCase):
    def hedges(self, count, route, body=None):
        with gateway_before([after(0.3)], [answer_well], route=route) as (gateway, _, second):
            for _ in range(count):
                self.assertEqual(gateway.chat(body or chat()).status, 200)
            return len(second.requests)

    def test_it_is_off_unless_asked_for(self):
        self.assertEqual(self.hedges(3, {}), 0)

    def test_only_a_share_is_hedged(self):
        found = self.hedges(20, {"hedge": {"after": "50ms", "share": 0.2}})
        self.assertGreaterEqual(found, 1)
        self.assertLessEqual(found, 5)

    def test_expensive_requests_never_are(self):
        route = {"hedge": {"after": "50ms", "share": 1, "max_tokens": 2000}}
        self.assertEqual(self.hedges(2, route, chat(max_tokens=100)), 2)
        self.assertEqual(self.hedges(2, route, chat(max_tokens=3000)), 0)
        self.assertEqual(self.hedges(2, route, chat(content="word " * 5000)), 0)
        # Twice 2^63 is no small number.
        self.assertEqual(self.hedges(1, route, chat(max_tokens=1 << 63, n=2)), 0)

    def test_without_a_time_it_waits_for_the_usual_one(self):
        """p95 of what was seen; too little seen: no hedge."""
        with gateway_before([after(0.02)] * 30 + [hang], [say("second")],
                            route={"hedge": {"after": "p95", "share": 1}}) as (gateway, _, second):
            for _ in range(5):
                gateway.chat()
            self.assertEqual(second.requests, [])
            for _ in range(25):
                gateway.chat()
            began = time.monotonic()
            reply = gateway.chat(timeout=30)
            self.assertIn(b"second", reply.body)
            self.assertLess(time.monotonic() - began, 2 * SLOWNESS)


if __name__ == "__main__":
    unittest.main()
