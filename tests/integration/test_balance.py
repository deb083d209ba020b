"""Who of several equals is asked: in turn, by load, by speed, or always the same one."""

import collections
import concurrent.futures
import threading
import time
import unittest

from raw_http import chat
from scripted import NEVER_OPEN, after, gateway_before, say, tried
from upstream import answer_well


def target(name, weight=1, variant=None):
    found = {"to": f"{name}/*", "weight": weight}
    if variant:
        found["variant"] = variant
    return found


def balanced(kind, *scripts, weights=None, variants=None, **more):
    names = ("main", "other", "third")[:len(scripts)]
    weights = weights or [1] * len(names)
    variants = variants or [None] * len(names)
    to = [target(*each) for each in zip(names, weights, variants)]
    return gateway_before(*scripts, to=to, route={"balance": kind}, **more)


class RoundRobin(unittest.TestCase):
    def test_equals_take_turns(self):
        with balanced("round_robin", [], [], []) as (gateway, *upstreams):
            for _ in range(30):
                self.assertEqual(gateway.chat().status, 200)
            self.assertEqual([len(upstream.requests) for upstream in upstreams], [10, 10, 10])

    def test_each_gets_its_weight(self):
        with balanced("round_robin", [], [], [], weights=[5, 3, 2]) as (gateway, *upstreams):
            for _ in range(100):
                self.assertEqual(gateway.chat().status, 200)
            counts = [len(upstream.requests) for upstream in upstreams]
            self.assertEqual(sum(counts), 100)
            for count, share in zip(counts, (50, 30, 20)):
                self.assertAlmostEqual(count, share, delta=10)

    def test_who_has_no_weight_is_asked_when_the_others_fail(self):
        with balanced("round_robin", [503], [], weights=[1, 0]) as (gateway, first, second):
            for _ in range(5):
                reply = gateway.chat()
                self.assertEqual(tried(reply), ["main:503", "other:200"])
            self.assertEqual(len(second.requests), 5)
        with balanced("round_robin", [], [], weights=[1, 0]) as (gateway, first, second):
            for _ in range(5):
                gateway.chat()
            self.assertEqual(len(second.requests), 0)

    def test_tiers_come_one_after_the_other(self):
        groups = [["main/*", "other/*"], ["third/*"]]
        with gateway_before([503], [503], [], to=groups, route={"balance": "round_robin"}) as (gateway, *upstreams):
            firsts = collections.Counter()
            for _ in range(8):
                reply = gateway.chat()
                self.assertEqual(reply.status, 200)
                words = tried(reply)
                self.assertEqual(words[-1], "third:200")
                self.assertEqual(len(words), 3)
                firsts[words[0]] += 1
            self.assertEqual(dict(firsts), {"main:503": 4, "other:503": 4})


class LeastOutstanding(unittest.TestCase):
    def test_who_is_busy_is_spared(self):
        release = threading.Event()

        def stuck(link, asked):
            release.wait(20)
            return answer_well(link, asked)

        with balanced("least_outstanding", [stuck], []) as (gateway, slow, quick):
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                waiting = []
                try:
                    # One at a time, until the slow one has a request, which it does not give back.
                    while not slow.requests:
                        waiting.append(pool.submit(gateway.chat, timeout=30))
                        while not slow.requests and not waiting[-1].done():
                            time.sleep(0.005)
                    before = len(quick.requests)
                    for _ in range(20):
                        self.assertEqual(gateway.chat().status, 200)
                    self.assertEqual(len(quick.requests) - before, 20)
                    self.assertEqual(len(slow.requests), 1)
                finally:
                    release.set()
                self.assertEqual({reply.result().status for reply in waiting}, {200})

    def test_weights_count(self):
        gate = threading.Semaphore(0)

        def hold(link, asked):
            gate.acquire(timeout=20)
            return answer_well(link, asked)

        with balanced("least_outstanding", [hold], [hold], weights=[3, 1]) as (gateway, heavy, light):
            with concurrent.futures.ThreadPoolExecutor(12) as pool:
                waiting = []
                for i in range(12):
                    waiting.append(pool.submit(gateway.chat, timeout=30))
                    deadline = time.monotonic() + 10
                    while len(heavy.requests) + len(light.requests) <= i and time.monotonic() < deadline:
                        time.sleep(0.005)
                self.assertAlmostEqual(len(heavy.requests), 9, delta=1)
                gate.release(20)
                self.assertEqual({reply.result().status for reply in waiting}, {200})


class PeakEwma(unittest.TestCase):
    def test_the_slow_one_is_avoided(self):
        with balanced("peak_ewma", [after(0.3)], [], []) as (gateway, slow, *quick):
            for _ in range(60):
                self.assertEqual(gateway.chat().status, 200)
            self.assertLess(len(slow.requests), 10)
            self.assertGreater(min(len(upstream.requests) for upstream in quick), 5)

    def test_one_that_becomes_slow_loses_its_share(self):
        with balanced("peak_ewma", [], [], []) as (gateway, *upstreams):
            for _ in range(20):
                gateway.chat()
            favourite = max(upstreams, key=lambda upstream: len(upstream.requests))
            favourite.script = [after(0.4)]
            before = len(favourite.requests)
            for _ in range(30):
                gateway.chat()
            self.assertLess(len(favourite.requests) - before, 8)


class Split(unittest.TestCase):
    """A/B tests: stable by session, else by key."""

    def variants_of(self, gateway, sessions, **more):
        found = {}
        for session in sessions:
            reply = gateway.chat(chat(**more), {"x-session-id": session})
            self.assertEqual(reply.status, 200)
            found[session] = reply.header("x-sluice-variant")
        return found

    def test_a_session_keeps_its_variant(self):
        sessions = [f"session-{i}" for i in range(40)]
        with balanced("split", [say("A")], [say("B")], variants=["a", "b"]) as (gateway, *_):
            first = self.variants_of(gateway, sessions)
            self.assertEqual(set(first.values()), {"a", "b"})
            self.assertEqual(self.variants_of(gateway, sessions), first)
            self.assertEqual(self.variants_of(gateway, sessions[:10], stream=True),
                             {name: first[name] for name in sessions[:10]})
        # Also in another process, with the variants in the log.
        with balanced("split", [say("A")], [say("B")], variants=["a", "b"]) as (gateway, *_):
            self.assertEqual(self.variants_of(gateway, sessions), first)
            lines = gateway.access_lines(40)
            self.assertEqual(collections.Counter(line["variant"] for line in lines),
                             collections.Counter(first.values()))

    def test_the_variant_tells_who_answered(self):
        with balanced("split", [say("A")], [say("B")], variants=["a", "b"]) as (gateway, *_):
            for i in range(20):
                reply = gateway.chat(headers={"x-session-id": f"s{i}"})
                self.assertEqual(reply.json()["choices"][0]["message"]["content"].lower(),
                                 reply.header("x-sluice-variant"))

    def test_shares_are_the_weights(self):
        with balanced("split", [], [], weights=[9, 1], variants=["old", "new"]) as (gateway, *_):
            found = collections.Counter(self.variants_of(gateway, [f"user-{i}" for i in range(300)]).values())
            self.assertGreater(found["new"], 8)  # expected: 30
            self.assertLess(found["new"], 70)

    def test_a_variant_without_a_name_is_its_target(self):
        with balanced("split", [], []) as (gateway, *_):
            names = set(self.variants_of(gateway, [f"s{i}" for i in range(20)]).values())
            self.assertEqual(names, {"main/*", "other/*"})

    def test_without_a_session_the_key_decides(self):
        keys = [{"name": f"user-{i}", "secret": f"sk-user-{i}-of-the-test"} for i in range(24)]
        with balanced("split", [], [], variants=["a", "b"], top={"keys": keys}) as (gateway, *_):
            found = {}
            for _ in range(3):
                for key in keys:
                    reply = gateway.chat(headers={"Authorization": f"Bearer {key['secret']}"})
                    self.assertEqual(reply.status, 200)
                    found.setdefault(key["name"], set()).add(reply.header("x-sluice-variant"))
            self.assertEqual({len(names) for names in found.values()}, {1})
            self.assertEqual(set.union(*found.values()), {"a", "b"})

    def test_a_variant_that_fails_is_replaced_and_says_so(self):
        with balanced("split", [503], [say("B")], variants=["a", "b"]) as (gateway, *_):
            for i in range(10):
                reply = gateway.chat(headers={"x-session-id": f"s{i}"})
                self.assertEqual((reply.status, reply.header("x-sluice-variant")), (200, "b"))

    def test_routes_that_do_not_split_have_no_variant(self):
        with gateway_before([], []) as (gateway, *_):
            self.assertIsNone(gateway.chat().header("x-sluice-variant"))


class Health(unittest.TestCase):
    def test_who_has_an_open_breaker_is_asked_last(self):
        breaker = {**NEVER_OPEN, "enabled": True, "consecutive_failures": 2, "open_for": "60s"}
        with balanced("round_robin", [503], [], breaker=breaker) as (gateway, broken, sound):
            for _ in range(20):
                self.assertEqual(gateway.chat().status, 200)
            self.assertLessEqual(len(broken.requests), 3)


if __name__ == "__main__":
    unittest.main()
