"""Which failures go to the next candidate, and how the keys of one provider take turns."""

import json
import time
import unittest

from gateway import SLOWNESS, Gateway
from raw_http import chat
from scripted import (ONCE, QUICK, Scripted, close, close_before_content, gateway_before, hang, refuse, reset, routed,
                      say, tried, upstream_at)
from upstream import answer_well, delta, stream_head, unused_port, whole

TOO_LONG = {"error": {"message": "This model's maximum context length is 8192 tokens. However, your messages resulted "
                                 "in 9000 tokens.", "type": "invalid_request_error", "param": "messages",
                      "code": "context_length_exceeded"}}


def not_json(link, _):
    link.send(whole("<html>", content_type="text/html"))


def empty(link, _):
    link.send(whole(""))


class Table(unittest.TestCase):
    """What docs/reliability.md says of each kind of failure."""

    def check(self, failure, word, **more):
        """The second candidate answers; the first was asked once."""
        for stream in (False, True):
            with self.subTest(word, stream=stream), gateway_before([failure], [say("second")], **more) as (
                    gateway, first, second):
                reply = gateway.chat(chat(stream=stream))
                self.assertEqual((reply.status, reply.complete), (200, True), reply)
                self.assertIn(b"second", reply.body)
                self.assertEqual((len(first.requests), len(second.requests)), (1, 1))
                self.assertEqual(tried(reply), [f"main:{word}", "other:200"])

    def test_overload_and_failures_of_the_upstream_move_on_at_once(self):
        for status in (408, 409, 429, 500, 502, 503, 504, 529):
            self.check(status, str(status))

    def test_a_wish_to_wait_does_not_hold_up_the_next_candidate(self):
        began = time.monotonic()
        self.check(refuse(429, [("retry-after", "30")]), "429")
        self.assertLess(time.monotonic() - began, 15)

    def test_broken_connections_move_on(self):
        for failure in (close, reset, close_before_content):
            self.check(failure, "broken")

    def test_timeouts_move_on(self):  # UP-2
        self.check(hang, "timeout", timeouts={"first_byte": "300ms"})

    def test_refusals_of_the_providers_key_move_on(self):
        for status in (401, 402, 403):
            self.check(status, str(status))

    def test_a_model_that_is_not_there_moves_on(self):
        self.check(404, "404")

    def test_a_context_that_is_too_long_moves_on(self):
        self.check(refuse(400, body=TOO_LONG), "400")

    def test_a_context_that_is_too_long_goes_to_another_model_of_the_same_upstream(self):
        def by_model(link, asked):
            answer = say("long") if asked.json()["model"] == "long" else refuse(400, body=TOO_LONG)
            return answer(link, asked)

        with gateway_before([by_model], to=["main/short", "main/long"]) as (gateway, upstream):
            reply = gateway.chat()
            self.assertEqual(reply.status, 200, reply)
            self.assertEqual([asked.json()["model"] for asked in upstream.requests], ["short", "long"])

    def test_a_reply_that_makes_no_sense_moves_on(self):  # UP-13
        for failure in (not_json, empty):
            self.check(failure, "invalid_reply")

    def test_the_clients_own_mistake_does_not(self):
        for status in (400, 405, 413, 415, 422):
            with self.subTest(status), gateway_before([status], [answer_well]) as (gateway, first, second):
                reply = gateway.chat()
                self.assertEqual((reply.status, reply.error["code"]), (status, f"c{status}"))
                self.assertEqual((len(first.requests), len(second.requests)), (1, 0))

    def test_a_connection_that_is_refused_moves_on(self):
        with Scripted() as other, Gateway(routed({"main": unused_port(), "other": other})) as gateway:
            reply = gateway.chat()
            self.assertEqual(reply.status, 200)
            self.assertEqual(tried(reply), ["main:connect", "other:200"])

    def test_after_content_nobody_else_is_asked(self):
        def break_off(link, asked):
            link.send(stream_head())
            link.event(delta("Hello"))
            return False

        with gateway_before([break_off], [answer_well]) as (gateway, _, second):
            reply = gateway.chat(chat(stream=True))
            self.assertFalse(reply.complete)
            self.assertIn("error", reply.chunks()[-1])
            self.assertEqual(second.requests, [])

    def test_the_table_is_the_operators(self):
        with gateway_before([503], [answer_well], retry=ONCE, top={"failures": {"overloaded": []}}) as (
                gateway, first, second):
            self.assertEqual(gateway.chat().status, 503)
            self.assertEqual((len(first.requests), len(second.requests)), (1, 0))
        with gateway_before([400], [answer_well], top={"failures": {"bad_request": ["fall_back"]}}) as (
                gateway, first, second):
            self.assertEqual(gateway.chat().status, 200)
            self.assertEqual((len(first.requests), len(second.requests)), (1, 1))
        with gateway_before([503, answer_well], [answer_well], top={"failures": {"overloaded": ["retry"]}}) as (
                gateway, first, second):
            self.assertEqual(gateway.chat().status, 200)
            self.assertEqual((len(first.requests), len(second.requests)), (2, 0))


class Order(unittest.TestCase):
    def test_candidates_are_asked_in_their_order_each_once_before_any_twice(self):
        with gateway_before([503, 503, say("first")], [500, 500], [429, 429]) as (gateway, *upstreams):
            reply = gateway.chat()
            self.assertEqual(reply.status, 200, reply)
            words = tried(reply)
            self.assertEqual(words[:3], ["main:503", "other:500", "third:429"])
            self.assertGreater(len(words), 3)

    def test_all_are_asked_as_often_as_allowed_and_then_the_client_is_told(self):
        with gateway_before([503], [500], retry={**QUICK, "max_retries": 2}) as (gateway, first, second):
            reply = gateway.chat()
            self.assertIn(reply.status, (500, 503))
            self.assertTrue(reply.error["message"])
            self.assertEqual((len(first.requests), len(second.requests)), (3, 3))
            self.assertEqual(len(tried(reply)), 6)

    def test_attempts_are_logged_with_the_upstream_that_answered(self):
        with gateway_before([503], [answer_well]) as (gateway, *_):
            gateway.chat()
            line = gateway.access_lines()[0]
            self.assertEqual((line["attempts"], line["upstream"]), (2, "other"))
            self.assertIn("main:503", line["tried"])

    def test_each_candidate_is_asked_for_its_own_model_with_its_own_key(self):
        with Scripted(503) as first, Scripted(answer_well) as second:
            config = routed({"main": upstream_at(first.port, api_key="sk-first"),
                             "other": upstream_at(second.port, api_key="sk-second")}, ["main/model-a", "other/model-b"])
            with Gateway(config) as gateway:
                self.assertEqual(gateway.chat(chat(model="anything")).status, 200)
                for upstream, model, key in ((first, "model-a", "sk-first"), (second, "model-b", "sk-second")):
                    self.assertEqual(upstream.requests[0].json()["model"], model)
                    self.assertEqual(upstream.requests[0].all("authorization"), [f"Bearer {key}"])

    def test_the_most_telling_failure_has_its_retry_after(self):
        with gateway_before([refuse(429, [("retry-after", "50")])], retry={**QUICK, "max_wait": "1s"}) as (gateway, _):
            reply = gateway.chat()
            self.assertEqual(reply.status, 429)
            self.assertIn(int(reply.header("retry-after")), (49, 50))


class KeyRotation(unittest.TestCase):
    """Several keys of one provider count as candidates."""

    KEYS = ["sk-one", "sk-two", "sk-three"]

    def gateway(self, upstream, **more):
        settings = upstream_at(upstream.port, api_keys=self.KEYS, **more)
        del settings["api_key"]
        return Gateway(routed({"main": settings}))

    @staticmethod
    def used(upstream):
        return [asked.all("authorization")[0].removeprefix("Bearer ") for asked in upstream.requests]

    def test_they_take_turns(self):
        with Scripted() as upstream, self.gateway(upstream) as gateway:
            for _ in range(9):
                self.assertEqual(gateway.chat().status, 200)
            self.assertEqual({key: self.used(upstream).count(key) for key in self.KEYS}, dict.fromkeys(self.KEYS, 3))

    def check_cooling(self, failure):
        def answer(link, asked):
            bad = asked.all("authorization") == ["Bearer sk-two"]
            return (failure if bad else say("good"))(link, asked)

        with Scripted(answer) as upstream, self.gateway(upstream) as gateway:
            for _ in range(12):
                reply = gateway.chat()
                self.assertEqual(reply.status, 200, reply)
            used = self.used(upstream)
            self.assertEqual(used.count("sk-two"), 1, used)
            self.assertEqual(used.count("sk-one") + used.count("sk-three"), 12)
            self.assertGreater(min(used.count("sk-one"), used.count("sk-three")), 2)

    def test_a_key_that_is_refused_is_left_alone(self):
        for failure in (refuse(401), refuse(402), refuse(403), refuse(429, [("retry-after", "60")])):
            self.check_cooling(failure)

    def test_a_key_that_was_limited_is_used_again_after_its_time(self):
        served = []

        def answer(link, asked):
            key = asked.all("authorization")[0].removeprefix("Bearer ")
            served.append(key)
            if key == "sk-two" and served.count(key) == 1:
                return refuse(429, [("retry-after", "1")])(link, asked)
            return answer_well(link, asked)

        with Scripted(answer) as upstream, self.gateway(upstream) as gateway:
            deadline = time.monotonic() + 6 * SLOWNESS
            while served.count("sk-two") < 2 and time.monotonic() < deadline:
                self.assertEqual(gateway.chat().status, 200)
                time.sleep(0.05)
            self.assertGreaterEqual(served.count("sk-two"), 2)

    def test_all_keys_refused_is_the_clients_to_know(self):
        body = {"error": {"message": "bad key sk-one sk-two sk-three", "type": "x", "param": None, "code": "k"}}
        with Scripted(refuse(401, body=body)) as upstream, self.gateway(upstream) as gateway:
            reply = gateway.chat()
            self.assertEqual(len(upstream.requests), 3)
            self.assertEqual(set(self.used(upstream)), set(self.KEYS))
            self.assertGreaterEqual(reply.status, 400)
            # AK-6: none of the keys is told the client, whichever was used last.
            for key in self.KEYS:
                self.assertNotIn(key.encode(), reply.body)
                self.assertNotIn(key, json.dumps(reply.fields))

    def test_a_clients_bad_credential_says_nothing_of_our_keys(self):
        def answer(link, asked):
            bad = asked.all("authorization") == ["Bearer bad"]
            return (refuse(401) if bad else say("first"))(link, asked)

        with Scripted(answer) as first, Scripted(say("second")) as second:
            upstreams = {"main": upstream_at(first.port, auth="passthrough"), "other": upstream_at(second.port)}
            equals = [[{"to": "main/*", "weight": 1000}, {"to": "other/*", "weight": 1}]]
            with Gateway(routed(upstreams, to=equals)) as gateway:
                self.assertEqual(tried(gateway.chat(headers={"Authorization": "Bearer bad"}))[:1], ["main:401"])
                for _ in range(3):
                    self.assertIn(b"first", gateway.chat(headers={"Authorization": "Bearer good"}).body)

    def test_a_failure_of_the_upstream_is_not_tried_with_each_key(self):
        with Scripted(503, answer_well) as upstream, self.gateway(upstream) as gateway:
            reply = gateway.chat()
            self.assertEqual(reply.status, 200)
            self.assertEqual(tried(reply), ["main:503", "main:200"])


class PassedCredentials(unittest.TestCase):
    def test_an_upstream_that_repeats_one_is_not_quoted(self):  # AK-6
        def error(asked):
            return {"error": {"message": f"no such key: {asked.all('authorization')[0]}", "type": "t", "code": "c"}}

        def refused(link, asked):
            link.send(whole(error(asked), "401 Unauthorized"))

        def at_once(link, asked):
            link.send(stream_head())
            link.event(error(asked))
            link.last_chunk()

        def after_content(link, asked):
            link.send(stream_head())
            link.event(delta("Hello"))
            link.event(error(asked))
            link.last_chunk()

        secret = "sk-of-the-client-alone"
        for answer, stream in ((refused, False), (refused, True), (at_once, True), (after_content, True)):
            with self.subTest(answer.__name__, stream=stream), gateway_before([answer], auth="passthrough",
                                                                              retry=ONCE) as (gateway, upstream):
                reply = gateway.chat(chat(stream=stream), headers={"Authorization": f"Bearer {secret}"})
                self.assertEqual(upstream.requests[0].all("authorization"), [f"Bearer {secret}"])
                self.assertIn(b"no such key", reply.body)
                self.assertNotIn(secret.encode(), reply.body)
                gateway.access_lines()
                self.assertNotIn(secret, gateway.output)


if __name__ == "__main__":
    unittest.main()
