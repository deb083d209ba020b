"""A client that waits for a stream hears that someone is there, and what that means for failures:
nothing sent yet, only the head and comments sent, content sent."""

import concurrent.futures
import json
import time
import unittest

from gateway import SLOWNESS
from raw_http import chat, request
from scripted import QUICK, after, close, gateway_before, hang, refuse, say, tried
from upstream import answer_well, delta, stream_head

COMMENT = b": keep-alive\n\n"
SOON = {"limits": {"keepalive_after": "200ms"}}


def later(seconds, failure):
    def answer(link, asked):
        time.sleep(seconds)
        return (refuse(failure) if isinstance(failure, int) else failure)(link, asked)

    return answer


class NothingSent(unittest.TestCase):
    def test_failures_are_statuses(self):
        for failure, status in ((503, 503), (400, 400), (close, 502)):
            with self.subTest(failure), gateway_before([failure], top=SOON) as (gateway, _):
                reply = gateway.chat(chat(stream=True))
                self.assertEqual(reply.status, status)
                self.assertTrue(reply.complete)
                self.assertEqual(reply.header("content-type"), "application/json")

    def test_a_quick_reply_has_no_comments(self):
        with gateway_before([answer_well], top=SOON) as (gateway, _):
            self.assertNotIn(b":", gateway.chat(chat(stream=True)).body.replace(b"data:", b"").split(b"\n\n")[0][:1])

    def test_a_whole_reply_is_waited_for_in_silence(self):
        with gateway_before([later(0.9, 500), later(0.9, answer_well)], top=SOON) as (gateway, _):
            reply = gateway.chat()
            self.assertEqual((reply.status, tried(reply)), (200, ["main:500", "main:200"]))
            self.assertNotIn(b"keep-alive", reply.body)


class CommentsSent(unittest.TestCase):
    def test_a_late_stream_begins_with_comments(self):
        with gateway_before([later(1.1, answer_well)], top=SOON) as (gateway, _), gateway.connect() as connection:
            began = time.monotonic()
            connection.send(request("POST", "/v1/chat/completions", chat(stream=True)))
            reply = connection.read_head()
            self.assertLess(time.monotonic() - began, 1.0)
            self.assertEqual(reply.status, 200)
            self.assertTrue(reply.header("content-type").startswith("text/event-stream"))
            connection.read_body(reply)
            self.assertGreaterEqual(reply.body.count(COMMENT), 2)
            self.assertTrue(reply.body.startswith(COMMENT))
            self.assertTrue(reply.complete)
            self.assertEqual(reply.content(), "Hello there")
            self.assertEqual(reply.events()[-1], "[DONE]")

    def test_retry_goes_on(self):
        with gateway_before([later(0.5, 503), later(0.5, close), answer_well], top=SOON) as (gateway, upstream):
            reply = gateway.chat(chat(stream=True))
            self.assertEqual((reply.status, reply.complete, reply.content()), (200, True, "Hello there"))
            self.assertIn(COMMENT, reply.body)
            self.assertEqual(len(upstream.requests), 3)

    def test_fallback_goes_on(self):
        with gateway_before([later(0.5, 503)], [later(0.5, say("second"))], top=SOON) as (gateway, *_):
            reply = gateway.chat(chat(stream=True))
            self.assertEqual((reply.status, reply.complete, reply.content()), (200, True, "second"))
            line = gateway.access_lines()[0]
            self.assertEqual((line["attempts"], line["upstream"]), (2, "other"))

    def test_waits_of_a_retry_are_heard_of(self):
        script = [refuse(429, [("retry-after", "1")]), answer_well]
        with gateway_before(script, retry={**QUICK, "max_wait": "10s"}, top=SOON) as (gateway, _):
            reply = gateway.chat(chat(stream=True))
            self.assertGreaterEqual(reply.body.count(COMMENT), 2)
            self.assertEqual(reply.content(), "Hello there")

    def check_in_band(self, reply, code=None):
        self.assertEqual(reply.status, 200)
        self.assertFalse(reply.complete, "an orderly end after a failure")
        self.assertIn(COMMENT, reply.body)
        self.assertNotIn(b"[DONE]", reply.body)
        error = json.loads(reply.events()[-1])["error"]
        self.assertTrue(error["message"])
        if code:
            self.assertEqual(error["code"], code)
        return error

    def test_a_final_failure_is_in_band_and_the_end_unclean(self):
        for failure in (503, 400, close):
            with self.subTest(failure), gateway_before([later(0.6, failure)], retry={**QUICK, "max_retries": 0},
                                                       top=SOON) as (gateway, _):
                self.check_in_band(gateway.chat(chat(stream=True)))
                self.assertTrue(gateway.access_lines()[0]["error"])

    def test_an_error_on_several_lines_is_one_event(self):
        body = json.dumps({"error": {"message": "no", "type": "t", "param": None, "code": "several_lines"}}, indent=2)
        for newline in ("\n", "\r\n"):
            with self.subTest(newline), gateway_before([later(0.6, refuse(400, body=body.replace("\n", newline)))],
                                                       top=SOON) as (gateway, _):
                reply = gateway.chat(chat(stream=True))
                self.check_in_band(reply, "several_lines")
                rest = reply.body.replace(COMMENT, b"")
                self.assertEqual((rest.count(b"\n"), rest.count(b"\r")), (2, 0), rest)

    def test_a_first_byte_that_never_comes(self):  # UP-2
        with gateway_before([hang], timeouts={"first_byte": "700ms"}, top=SOON) as (gateway, _):
            self.check_in_band(gateway.chat(chat(stream=True)), "upstream_timeout")

    def test_a_place_in_the_line_is_waited_for_with_comments(self):
        with gateway_before([later(1.2, answer_well)], concurrency={"limit": 1, "queue": 4, "queue_time": "20s"},
                            top=SOON) as (gateway, _):
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                replies = [pool.submit(gateway.chat, chat(stream=True), timeout=30) for _ in range(2)]
                for reply in replies:
                    self.assertEqual(reply.result().content(), "Hello there")
                    self.assertIn(COMMENT, reply.result().body)

    def test_a_client_that_leaves_ends_it(self):  # SC-6
        with gateway_before([hang], top=SOON) as (gateway, upstream):
            with gateway.connect() as connection:
                connection.send(request("POST", "/v1/chat/completions", chat(stream=True)))
                connection.read_head()
                connection.read_event(COMMENT)
            self.assertEqual(gateway.access_lines(seconds=3)[0]["status"], 499)
            self.assertEqual(len(upstream.requests), 1)


class ContentSent(unittest.TestCase):
    def test_a_silent_upstream_is_bridged(self):
        def pauses(link, asked):
            link.send(stream_head())
            link.event(delta("Hello"))
            time.sleep(0.9)
            link.event(delta(" there"))
            link.event(delta(finish="stop"))
            link.event("[DONE]")
            link.last_chunk()

        with gateway_before([pauses], top=SOON) as (gateway, _):
            reply = gateway.chat(chat(stream=True))
            self.assertTrue(reply.complete)
            self.assertEqual(reply.content(), "Hello there")
            self.assertGreaterEqual(reply.body.count(COMMENT), 2)

    def test_comments_never_come_within_an_event(self):
        def pauses(link, asked):
            link.send(stream_head())
            event = b"data: " + json.dumps(delta("Hello there")).encode() + b"\n\n"
            for piece in (event[:40], event[40:-1], event[-1:] + b"data: " + json.dumps(delta(finish="stop")).encode(),
                          b"\n\ndata: [DO", b"NE]\n\n"):
                link.chunk(piece)
                time.sleep(0.5)
            link.last_chunk()

        with gateway_before([pauses], top=SOON) as (gateway, _):
            reply = gateway.chat(chat(stream=True))
            self.assertTrue(reply.complete, reply)
            self.assertEqual(reply.content(), "Hello there")
            self.assertEqual(len(reply.events()), 3)

    def test_failures_are_in_band_and_nothing_is_repeated(self):
        def breaks(link, asked):
            link.send(stream_head())
            link.event(delta("Hello"))
            time.sleep(0.5)
            return False

        with gateway_before([breaks, answer_well], [answer_well], top=SOON) as (gateway, first, second):
            reply = gateway.chat(chat(stream=True))
            self.assertFalse(reply.complete)
            self.assertIn("error", json.loads(reply.events()[-1]))
            self.assertEqual((len(first.requests), len(second.requests)), (1, 0))

    def test_our_comments_do_not_keep_a_silent_upstream_alive(self):  # UP-4
        def falls_silent(link, asked):
            link.send(stream_head())
            link.event(delta("Hello"))
            return hang(link, asked)

        with gateway_before([falls_silent], timeouts={"idle": "1s"}, top=SOON) as (gateway, _):
            began = time.monotonic()
            reply = gateway.chat(chat(stream=True))
            self.assertAlmostEqual(time.monotonic() - began, 1.0, delta=0.4 * SLOWNESS)
            self.assertIn(COMMENT, reply.body)
            self.assertEqual(json.loads(reply.events()[-1])["error"]["code"], "upstream_timeout")
            self.assertFalse(reply.complete)

    def test_whether_the_upstreams_comments_count_is_the_operators(self):  # UP-4
        def comments(link, asked):
            link.send(stream_head())
            link.event(delta("Hello"))
            for _ in range(8):
                link.chunk(b": still here\n\n")
                time.sleep(0.25)
            link.event(delta(finish="stop"))
            link.event("[DONE]")
            link.last_chunk()

        for data_only, good in ((False, True), (True, False)):
            limits = {"idle": "1s", "idle_counts_data_only": data_only}
            with self.subTest(data_only), gateway_before([comments], timeouts=limits, top=SOON) as (gateway, _):
                reply = gateway.chat(chat(stream=True))
                self.assertEqual(reply.complete, good, reply)
                if not good:
                    self.assertEqual(json.loads(reply.events()[-1])["error"]["code"], "upstream_timeout")

    def test_a_stream_that_flows_has_no_comments(self):
        def flows(link, asked):
            link.send(stream_head())
            for _ in range(20):
                link.event(delta("x"))
                time.sleep(0.05)
            link.event(delta(finish="stop"))
            link.event("[DONE]")
            link.last_chunk()

        with gateway_before([flows], top={"limits": {"keepalive_after": "800ms"}}) as (gateway, _):
            reply = gateway.chat(chat(stream=True))
            self.assertEqual(reply.content(), "x" * 20)
            self.assertNotIn(COMMENT, reply.body)


class Settings(unittest.TestCase):
    def test_it_can_be_switched_off(self):
        with gateway_before([after(1)], top={"limits": {"keepalive_after": "off"}}) as (gateway, _):
            reply = gateway.chat(chat(stream=True))
            self.assertNotIn(b"keep-alive", reply.body)
            self.assertEqual(reply.content(), "Hello there")


if __name__ == "__main__":
    unittest.main()
