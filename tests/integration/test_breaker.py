"""An upstream that fails is left alone for a while, and tried again by a few requests."""

import concurrent.futures
import threading
import time
import unittest

from gateway import SLOWNESS
from raw_http import chat, request
from scripted import ONCE, close, gateway_before, hang, refuse
from upstream import answer_well

QUICK_BREAKER = {"consecutive_failures": 3, "open_for": "60s"}


def state_of(gateway, name="main"):
    return gateway.ask("GET", "/health").json()["upstreams"][name]["breaker"]


class Opening(unittest.TestCase):
    def check_open(self, gateway, upstream, seconds=60):
        """Refused at once, with the time to come back, and nothing is sent."""
        sent = len(upstream.requests)
        for stream in (False, True):
            began = time.monotonic()
            reply = gateway.chat(chat(stream=stream))
            self.assertLess(time.monotonic() - began, 0.5 * SLOWNESS)
            self.assertEqual(reply.status, 503, reply)
            self.assertIn("main", reply.error["message"])
            self.assertGreaterEqual(int(reply.header("retry-after")), 1)
            self.assertLessEqual(int(reply.header("retry-after")), seconds)
        self.assertEqual(len(upstream.requests), sent)
        self.assertEqual(state_of(gateway), "open")

    def test_failures_in_a_row_open_it(self):
        for failure, more in ((503, {}), (500, {}), (close, {}), (hang, {"timeouts": {"first_byte": "200ms"}})):
            with self.subTest(failure), gateway_before([failure], retry=ONCE, breaker=QUICK_BREAKER, **more) as (
                    gateway, upstream):
                for _ in range(3):
                    self.assertGreaterEqual(gateway.chat().status, 500)
                self.check_open(gateway, upstream)
                self.assertEqual(len(upstream.requests), 3)

    def test_the_rate_of_failures_opens_it(self):
        count = [0]

        def every_other(link, asked):
            count[0] += 1
            return (refuse(500) if count[0] % 2 else answer_well)(link, asked)

        breaker = {"consecutive_failures": 1000, "error_rate": 0.4, "min_requests": 10, "open_for": "60s"}
        with gateway_before([every_other], retry=ONCE, breaker=breaker) as (gateway, upstream):
            statuses = [gateway.chat().status for _ in range(30)]
            self.assertEqual(state_of(gateway), "open")
            self.assertLess(len(upstream.requests), 16)
            self.assertGreaterEqual(len(upstream.requests), 10)
            self.assertIn(200, statuses)
            self.check_open(gateway, upstream)

    def test_what_the_client_or_its_key_did_does_not(self):
        for status in (400, 401, 402, 403, 404, 422, 429):
            with self.subTest(status), gateway_before([status], retry=ONCE, breaker=QUICK_BREAKER) as (gateway, upstream):
                for _ in range(8):
                    self.assertEqual(gateway.chat().status, status)
                self.assertNotEqual(state_of(gateway), "open")
                self.assertEqual(len(upstream.requests), 8)

    def test_clients_that_leave_do_not(self):
        with gateway_before([hang], retry=ONCE, breaker=QUICK_BREAKER) as (gateway, upstream):
            for i in range(6):
                with gateway.connect() as connection:
                    connection.send(request("POST", "/v1/chat/completions", chat()))
                    upstream.wait_for_requests(i + 1)
            gateway.access_lines(6)
            self.assertNotEqual(state_of(gateway), "open")

    def test_it_can_be_switched_off(self):
        with gateway_before([503], retry=ONCE, breaker="off") as (gateway, upstream):
            for _ in range(30):
                gateway.chat()
            self.assertEqual(len(upstream.requests), 30)

    def test_an_open_one_is_passed_over_for_the_next_candidate(self):
        with gateway_before([503], [answer_well], retry=ONCE, breaker=QUICK_BREAKER) as (gateway, first, second):
            for _ in range(10):
                self.assertEqual(gateway.chat().status, 200)
            self.assertEqual((len(first.requests), len(second.requests)), (3, 10))

    def test_the_change_is_logged_and_counted_once(self):
        with gateway_before([503], retry=ONCE, breaker=QUICK_BREAKER) as (gateway, _):
            for _ in range(8):
                gateway.chat()
            gateway.access_lines(8)
            told = [line for line in gateway.lines_so_far() if "breaker" in line["message"]]
            self.assertEqual(len(told), 1, told)
            self.assertIn("main", str(told))
            changes = 'sluice_upstream_breaker_changes_total{state="open",upstream="main"} 1'
            metrics = gateway.ask("GET", "/metrics").body.decode()
            self.assertIn(changes, metrics)
            self.assertIn('sluice_upstream_breaker_state{upstream="main"} 2', metrics)

    def test_it_outlives_a_reload(self):
        with gateway_before([503], retry=ONCE, breaker=QUICK_BREAKER) as (gateway, upstream):
            for _ in range(3):
                gateway.chat()
            gateway.reload({"limits": {"idle_timeout": "59s"}})
            self.check_open(gateway, upstream)


class Closing(unittest.TestCase):
    BREAKER = {"consecutive_failures": 3, "open_for": "700ms"}

    def test_a_probe_that_goes_well_closes_it(self):
        with gateway_before([503, 503, 503, answer_well], retry=ONCE, breaker=self.BREAKER) as (gateway, upstream):
            for _ in range(4):
                self.assertEqual(gateway.chat().status, 503)
            self.assertEqual(len(upstream.requests), 3)
            deadline = time.monotonic() + 5 * SLOWNESS
            while gateway.chat().status != 200:
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.05)
            self.assertGreaterEqual(upstream.gaps[2], 0.6)
            self.assertNotEqual(state_of(gateway), "open")
            for _ in range(5):
                self.assertEqual(gateway.chat().status, 200)

    def test_a_probe_that_fails_opens_it_again(self):
        with gateway_before([503], retry=ONCE, breaker=self.BREAKER) as (gateway, upstream):
            deadline = time.monotonic() + 3.2
            while time.monotonic() < deadline:
                gateway.chat()
                time.sleep(0.02)
            # Three, then one in each 0.7 s.
            self.assertGreaterEqual(len(upstream.requests), 5)
            self.assertLessEqual(len(upstream.requests), 8)

    def test_only_as_many_probe_at_once_as_configured(self):
        for probes in (1, 3):
            release = threading.Event()

            def held(link, asked):
                release.wait(20)
                return answer_well(link, asked)

            with self.subTest(probes), gateway_before([503, 503, 503, held], retry=ONCE,
                                                      breaker={**self.BREAKER, "probes": probes}) as (gateway, upstream):
                for _ in range(3):
                    gateway.chat()
                time.sleep(0.9)
                with concurrent.futures.ThreadPoolExecutor(12) as pool:
                    replies = [pool.submit(gateway.chat, timeout=30) for _ in range(12)]
                    done, _ = concurrent.futures.wait(replies, timeout=1.5)
                    release.set()
                    statuses = sorted(reply.result().status for reply in replies)
                self.assertEqual(len(upstream.requests) - 3, probes)
                self.assertEqual(statuses, [200] * probes + [503] * (12 - probes))
                self.assertEqual(len(done), 12 - probes)

    def test_who_finds_a_probe_under_way_is_told_when_to_come_back(self):
        with gateway_before([503, 503, 503, hang], retry=ONCE, breaker={**self.BREAKER, "probes": 1}) as (
                gateway, upstream), gateway.connect() as connection:
            for _ in range(3):
                gateway.chat()
            time.sleep(0.9)
            connection.send(request("POST", "/v1/chat/completions", chat()))
            upstream.wait_for_requests(4)
            reply = gateway.chat()
            self.assertEqual(reply.status, 503)
            self.assertGreaterEqual(int(reply.header("retry-after")), 1)


class ActiveChecks(unittest.TestCase):
    def test_a_dead_upstream_is_known_before_anyone_asks(self):
        def answer(link, asked):
            return refuse(503)(link, asked) if asked.method == "GET" else answer_well(link, asked)

        check = {"enabled": True, "interval": "200ms", "timeout": "1s"}
        with gateway_before([answer], health_check=check, breaker=QUICK_BREAKER) as (gateway, upstream):
            deadline = time.monotonic() + 10 * SLOWNESS
            while state_of(gateway) != "open":
                self.assertLess(time.monotonic(), deadline, gateway.ask("GET", "/health").body)
                time.sleep(0.05)
            self.assertTrue(all(asked.target == "/v1/models" for asked in upstream.requests))

    def test_checks_that_go_well_do_not_make_up_for_requests_that_fail(self):
        def answer(link, asked):
            return answer_well(link, asked) if asked.method == "GET" else refuse(503)(link, asked)

        check = {"enabled": True, "interval": "200ms", "timeout": "1s"}
        with gateway_before([answer], retry=ONCE, health_check=check, breaker=QUICK_BREAKER) as (gateway, upstream):
            for _ in range(3):
                upstream.wait_for_requests(len(upstream.requests) + 2)  # checks between
                self.assertEqual(gateway.chat().status, 503)
            self.assertEqual(state_of(gateway), "open")


if __name__ == "__main__":
    unittest.main()
