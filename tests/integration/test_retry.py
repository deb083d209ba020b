"""A failed attempt is repeated at the same upstream: when, how often, and after which wait."""

import email.utils
import re
import threading
import time
import unittest

from gateway import SLOWNESS, Gateway
from raw_http import ask_chat, chat, request
from scripted import (QUICK, Scripted, close, close_before_content, close_in_the_head, gateway_before, hang, refuse,
                      reset, routed, say, tried, upstream_at)
from upstream import answer_well, completion, delta, stream_head, unused_port, whole

PATIENT = {**QUICK, "max_retries": 3, "max_wait": "20s"}
SOON = 1.0 * SLOWNESS  # what is not waited for is answered within this time
AT_RATE_LIMIT = ("x-ratelimit-remaining-requests", "0")


def rfc3339(moment):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def interrupted(link, asked):
    """DeepSeek gives up on what it had begun."""
    if not asked.json().get("stream"):
        body = completion("")
        body["choices"][0]["finish_reason"] = "insufficient_system_resource"
        link.send(whole(body))
        return
    link.send(stream_head())
    link.event(delta(finish="insufficient_system_resource"))
    link.event("[DONE]")
    link.last_chunk()


class WhatIsRepeated(unittest.TestCase):
    def check_recovery(self, failure, word):
        for stream in (False, True):
            with self.subTest(word, stream=stream), gateway_before([failure, answer_well]) as (gateway, upstream):
                reply = gateway.chat(chat(stream=stream))
                self.assertEqual((reply.status, reply.complete), (200, True), reply)
                self.assertIn(b"Hello", reply.body)
                self.assertEqual(len(upstream.requests), 2)
                self.assertEqual(tried(reply), [f"main:{word}", "main:200"])

    def test_statuses_that_pass(self):
        for status in (408, 409, 429, 500, 502, 503, 504, 529):
            self.check_recovery(status, str(status))

    def test_connections_that_break_before_the_answer(self):  # UP-1
        for failure in (close, reset, close_in_the_head, close_before_content):
            self.check_recovery(failure, "broken")

    def test_an_answer_interrupted_for_lack_of_resources(self):
        for stream in (False, True):
            with self.subTest(stream=stream), gateway_before([interrupted, answer_well]) as (gateway, upstream):
                reply = gateway.chat(chat(stream=stream))
                self.assertEqual(reply.status, 200, reply)
                self.assertIn(b"Hello", reply.body)
                self.assertEqual(len(upstream.requests), 2)

    def test_a_connection_that_is_refused(self):
        with Gateway(routed({"main": unused_port()})) as gateway:
            reply = gateway.chat()
            self.assertEqual(reply.status, 502)
            self.assertEqual(tried(reply), ["main:connect"] * 3)

    def test_what_the_client_did_wrong_is_not_repeated(self):
        for status in (400, 401, 402, 403, 404, 405, 413, 415, 422):
            with self.subTest(status), gateway_before([status]) as (gateway, upstream):
                reply = gateway.chat()
                self.assertEqual(reply.status, status)
                self.assertEqual(reply.error["code"], f"c{status}")
                self.assertEqual(len(upstream.requests), 1)

    def test_a_first_byte_that_does_not_come_in_time_is_not_repeated(self):  # UP-2
        with gateway_before([hang], timeouts={"first_byte": "300ms"}) as (gateway, upstream):
            reply = gateway.chat()
            self.assertEqual(reply.status, 504)
            self.assertEqual(len(upstream.requests), 1)

    def test_the_list_of_statuses_is_the_operators(self):
        retry = {**QUICK, "on": [418, 503]}
        for status, count in ((418, 3), (503, 3), (500, 1), (429, 1)):
            with self.subTest(status), gateway_before([status], retry=retry) as (gateway, upstream):
                self.assertEqual(gateway.chat().status, status)
                self.assertEqual(len(upstream.requests), count)

    def test_an_upstream_may_forbid_it(self):
        with gateway_before([refuse(503, [("x-should-retry", "false")])]) as (gateway, upstream):
            self.assertEqual(gateway.chat().status, 503)
            self.assertEqual(len(upstream.requests), 1)

    def test_nothing_is_repeated_after_content(self):  # OV-8, UP-3
        def break_off(link, asked):
            link.send(stream_head())
            link.event(delta("Hello"))
            return False

        with gateway_before([break_off, answer_well]) as (gateway, upstream):
            reply = gateway.chat(chat(stream=True))
            self.assertEqual(reply.status, 200)
            self.assertFalse(reply.complete)
            self.assertIn("error", reply.chunks()[-1])
            self.assertNotIn(b"[DONE]", reply.body)
            self.assertEqual(len(upstream.requests), 1)


class HowOften(unittest.TestCase):
    def test_the_last_refusal_is_the_answer(self):
        script = [503, 503, refuse(500, body={"error": {"message": "the last", "type": "x", "param": None, "code": None}})]
        with gateway_before(script) as (gateway, upstream):
            reply = gateway.chat()
            self.assertEqual((reply.status, reply.error["message"]), (500, "the last"))
            self.assertEqual(tried(reply), ["main:503", "main:503", "main:500"])
            self.assertEqual(len(upstream.requests), 3)

    def test_at_most_max_retries(self):
        for most in (0, 1, 4):
            with self.subTest(most), gateway_before([503], retry={**QUICK, "max_retries": most}) as (gateway, upstream):
                self.assertEqual(gateway.chat().status, 503)
                self.assertEqual(len(upstream.requests), 1 + most)

    def test_each_attempt_sends_the_same(self):
        with gateway_before([503, close_in_the_head, answer_well], retry=PATIENT) as (gateway, upstream):
            reply = gateway.chat(chat(content="again \u00e9", seed=1))
            self.assertEqual(reply.status, 200)
            self.assertEqual(len({asked.body for asked in upstream.requests}), 1)
            names = {asked.all("x-request-id")[0] for asked in upstream.requests}
            self.assertEqual(names, {reply.header("x-request-id")})

    def test_the_log_tells_of_each_attempt(self):
        with gateway_before([503, close_in_the_head, answer_well], retry=PATIENT) as (gateway, _):
            gateway.chat()
            line = gateway.access_lines()[0]
            self.assertEqual((line["attempts"], line["status"]), (3, 200))
            self.assertEqual(re.split(", *", line["tried"])[:2], ["main:503", "main:broken"])

    def test_a_request_that_goes_well_says_nothing_of_attempts(self):
        with gateway_before([answer_well]) as (gateway, _):
            reply = gateway.chat()
            self.assertLessEqual(len(tried(reply)), 1)
            self.assertNotIn("tried", gateway.access_lines()[0])

    def test_retries_are_bounded_by_a_share_of_the_requests(self):  # OV-8
        count, floor = 200, 2
        retry = {"max_retries": 5, "base_delay": "1ms", "max_delay": "2ms", "budget": 0.2, "budget_floor": floor}
        with gateway_before([503], retry=retry) as (gateway, upstream):
            began = time.monotonic()
            for _ in range(count):
                self.assertEqual(gateway.chat().status, 503)
            seconds = time.monotonic() - began
            retries = len(upstream.requests) - count
            # The share of all, or the floor in each second; both where seconds begin and end.
            self.assertLessEqual(retries, 0.2 * count + floor * (seconds + 1))
            self.assertGreaterEqual(retries, floor)

    def test_requests_that_an_open_breaker_turned_away_do_not_allow_for_retries(self):  # OV-8
        retry = {"max_retries": 9, "base_delay": "1ms", "max_delay": "2ms", "budget": 0.2, "budget_floor": 0}
        breaker = {"consecutive_failures": 10, "min_requests": 1000, "open_for": "3s", "probes": 1}
        with gateway_before([500] * 10 + [answer_well, 500], retry=retry, breaker=breaker) as (gateway, upstream):
            while len(upstream.requests) < 10:
                gateway.chat()
            for _ in range(60):
                self.assertEqual(gateway.chat().status, 503)
            self.assertEqual(len(upstream.requests), 10)
            time.sleep(3.1)
            self.assertEqual(gateway.chat().status, 200)
            self.assertEqual(gateway.chat().status, 500)
            # A fifth of twelve requests at most.
            self.assertLessEqual(len(upstream.requests), 12 + 2)

    def test_a_lone_users_retries_always_happen(self):  # OV-8
        with gateway_before([503], retry={**QUICK, "max_retries": 5}) as (gateway, upstream):
            self.assertEqual(gateway.chat().status, 503)
            self.assertEqual(len(upstream.requests), 6)

    def test_a_client_that_leaves_is_not_tried_for_again(self):  # SC-6
        retry = {**PATIENT, "base_delay": "1s", "max_delay": "1s"}
        with gateway_before([refuse(429, [("retry-after", "1")]), answer_well], retry=retry) as (gateway, upstream):
            with gateway.connect() as connection:
                connection.send(request("POST", "/v1/chat/completions", chat()))
                upstream.wait_for_requests(1)
                time.sleep(0.1)
            line = gateway.access_lines(seconds=2)[0]
            self.assertEqual((line["status"], line["error"]), (499, "client_gone"))
            self.assertEqual((line["attempts"], line["tried"]), (1, "main:429"))
            time.sleep(1.2)
            self.assertEqual(len(upstream.requests), 1)

    def test_an_attempt_that_a_client_left_is_told_of(self):
        with gateway_before([hang]) as (gateway, upstream):
            with gateway.connect() as connection:
                connection.send(request("POST", "/v1/chat/completions", chat()))
                upstream.wait_for_requests(1)
            line = gateway.access_lines()[0]
            self.assertEqual((line["status"], line["attempts"], line["tried"]), (499, 1, "main:cancelled"))


class Waits(unittest.TestCase):
    def waited(self, fields, status=429, retry=PATIENT, headers=(), stream=False):
        with gateway_before([refuse(status, fields), answer_well], retry=retry) as (gateway, upstream):
            began = time.monotonic()
            reply = gateway.chat(chat(stream=stream), headers, timeout=30)
            return reply, upstream.gaps[0] if upstream.gaps else None, time.monotonic() - began

    def test_the_upstreams_wish_is_obeyed_in_every_shape(self):
        now = time.time()
        # A date in whole seconds may lie up to a second earlier than meant.
        shapes = {
            "seconds": ([("retry-after", "2")], 2),
            "part of a second": ([("retry-after", "1.5")], 1.5),
            "HTTP date": ([("retry-after", email.utils.formatdate(now + 3, usegmt=True))], None),
            "milliseconds": ([("retry-after-ms", "1200"), ("retry-after", "9")], 1.2),
            "reset as a duration": ([AT_RATE_LIMIT, ("x-ratelimit-reset-requests", "1.2s")], 1.2),
            "reset in milliseconds": ([AT_RATE_LIMIT, ("x-ratelimit-reset-requests", "1200ms")], 1.2),
            "reset as a number of seconds": ([AT_RATE_LIMIT, ("x-ratelimit-reset-requests", "2")], 2),
            "reset as Unix seconds": ([AT_RATE_LIMIT, ("x-ratelimit-reset-requests", str(int(now) + 3))], None),
            "reset as Unix milliseconds": ([AT_RATE_LIMIT, ("x-ratelimit-reset-requests", str(int((now + 3) * 1000)))], None),
            "reset as RFC 3339": ([("anthropic-ratelimit-requests-remaining", "0"),
                                   ("anthropic-ratelimit-requests-reset", rfc3339(now + 3))], None),
        }
        found = {}

        def measure(name, fields, moment):
            reply, gap, _ = self.waited(fields)
            ends = time.time()
            found[name] = (reply, gap, ends - now if moment is None else None)

        threads = [threading.Thread(target=measure, args=(name, fields, wanted))
                   for name, (fields, wanted) in shapes.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for name, (_, wanted) in shapes.items():
            with self.subTest(name):
                reply, gap, until = found[name]
                self.assertEqual(reply.status, 200, reply)
                if wanted is not None:
                    self.assertGreaterEqual(gap, wanted * 0.98)
                    self.assertLess(gap, wanted + 3 * SLOWNESS)
                else:  # a moment
                    self.assertGreaterEqual(until, 1.9)
                    self.assertLess(until, 6 * SLOWNESS)

    def test_the_limits_that_every_reply_tells_of_do_not_hold_up_a_repetition(self):
        """A 500 comes from no limit, as long as something is left of each."""
        for reset in ("1h", "8s"):
            fields = [("x-ratelimit-remaining-requests", "99"), ("x-ratelimit-reset-requests", reset)]
            with self.subTest(reset):
                reply, gap, _ = self.waited(fields, 500)
                self.assertEqual((reply.status, tried(reply)), (200, ["main:500", "main:200"]))
                self.assertLess(gap, SOON)

    def test_a_429_that_names_no_reset_waits_as_configured(self):
        reply, gap, _ = self.waited([], retry={**PATIENT, "rate_limit_wait": "1500ms"})
        self.assertEqual(reply.status, 200)
        self.assertGreaterEqual(gap, 1.4)

    def test_waits_are_at_most_the_doubled_delay_and_jittered(self):
        retry = {"max_retries": 3, "base_delay": "200ms", "max_delay": "400ms", "budget_floor": 1000}
        with gateway_before([503], retry=retry) as (gateway, upstream):
            gaps = {0: [], 1: [], 2: []}

            def client():
                reply = gateway.chat()
                name = reply.header("x-request-id")
                times = [asked.at for asked in upstream.requests if asked.all("x-request-id") == [name]]
                for i, (earlier, later) in enumerate(zip(times, times[1:])):
                    gaps[i].append(later - earlier)

            for _ in range(3):
                threads = [threading.Thread(target=client) for _ in range(4)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            self.assertGreater(min(map(len, gaps.values())), 8)
            slack = 0.25 * SLOWNESS
            for i, longest in ((0, 0.2), (1, 0.4), (2, 0.4)):
                self.assertLess(max(gaps[i]), longest + slack)
            # The chance that full jitter fails these is less than one in ten million.
            everyone = [gap / longest for i, longest in ((0, 0.2), (1, 0.4), (2, 0.4)) for gap in gaps[i]]
            self.assertLess(min(everyone), 0.5)
            self.assertGreater(max(everyone), 0.2)

    def test_a_wait_beyond_the_clients_deadline_is_not_begun(self):
        for status in (429, 503):
            for stream in (False, True):
                with self.subTest(status, stream=stream):
                    reply, gap, seconds = self.waited([("retry-after", "17")], status,
                                                      headers={"x-stainless-timeout": "5"}, stream=stream)
                    self.assertEqual(reply.status, status)
                    self.assertIsNone(gap)
                    self.assertLess(seconds, SOON)
                    self.assertIn(int(reply.header("retry-after")), (16, 17))

    def test_a_wait_beyond_max_wait_is_not_begun(self):
        reply, gap, seconds = self.waited([("retry-after", "40")], retry={**PATIENT, "max_wait": "2s"})
        self.assertEqual(reply.status, 429)
        self.assertIsNone(gap)
        self.assertLess(seconds, SOON)
        self.assertIn(int(reply.header("retry-after")), (39, 40))

    def test_the_truth_is_told_whatever_form_the_upstream_gave_it(self):
        for fields in ([("retry-after-ms", "39500")],
                       [AT_RATE_LIMIT, ("x-ratelimit-reset-requests", "39.5s")],
                       [AT_RATE_LIMIT, ("x-ratelimit-reset-requests", str(int(time.time()) + 40))]):
            with self.subTest(fields):
                reply, _, _ = self.waited(fields, retry={**PATIENT, "max_wait": "2s"})
                self.assertEqual(reply.status, 429)
                self.assertIn(int(reply.header("retry-after")), (37, 38, 39, 40))

    def test_the_clients_deadline_bounds_all_waits_together(self):
        retry = {**QUICK, "max_retries": 50, "max_wait": "60s", "rate_limit_wait": "400ms"}
        with gateway_before([429], retry=retry) as (gateway, upstream):
            began = time.monotonic()
            reply = gateway.chat(headers={"x-stainless-timeout": "2"})
            self.assertEqual(reply.status, 429)
            self.assertLess(time.monotonic() - began, 2 + SOON)
            self.assertGreater(len(upstream.requests), 2)
            self.assertIsNotNone(reply.header("retry-after"))

    def test_the_total_timeout_bounds_all_attempts_together(self):
        with gateway_before([hang], [hang], timeouts={"total": "1s"}) as (gateway, *upstreams):
            began = time.monotonic()
            self.assertEqual(gateway.chat().status, 504)
            self.assertLess(time.monotonic() - began, 1.8)
            self.assertEqual(sum(len(one.requests) for one in upstreams), 1)


class OtherRequests(unittest.TestCase):
    def test_others_go_on_meanwhile(self):
        def answer(link, asked):
            if b"slow" in asked.body:
                return refuse(429, [("retry-after", "1")])(link, asked)
            return say("fast")(link, asked)

        with Scripted(answer) as upstream, Gateway(routed({"main": upstream_at(upstream.port, retry=PATIENT)}), workers=1) as gateway:
            waiting = threading.Thread(target=ask_chat, args=(gateway.port, chat(content="slow")))
            waiting.start()
            upstream.wait_for_requests(1)
            began = time.monotonic()
            for _ in range(20):
                self.assertEqual(gateway.chat(chat(content="quick")).status, 200)
            self.assertLess(time.monotonic() - began, SOON)
            waiting.join()


if __name__ == "__main__":
    unittest.main()
