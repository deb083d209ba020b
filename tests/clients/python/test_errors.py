"""What goes wrong reaches the client's code as the exception that its documentation names; a
stream that breaks on its way raises, and never ends in silence."""

import unittest
from concurrent.futures import ThreadPoolExecutor

import openai
from sluice import client_of, content_of, say, start_gateway, start_upstream

CONFIG = """
keys: [{{name: alice, secret: sk-alice}}]
upstreams:
  up:
    base_url: "{base_url}"
    timeouts: {{first_byte: 500ms, idle: 500ms}}
    retry: {{max_retries: 0}}
    breaker: off
routes:
  - {{model: echo, to: up/echo}}
  - {{model: "fault-*", to: up/*}}
"""

BREAKS_MID_STREAM = (
    "fault-reset-mid-stream",
    "fault-close-mid-stream",
    "fault-close-mid-chunk",
    "fault-half-close",
    "fault-error-event",
    "fault-hang-mid-stream",
    "fault-no-done",
    "fault-chunk-size-overflow",
    "fault-bad-json-event",
)


class ErrorsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = start_upstream()
        cls.addClassCleanup(cls.upstream.stop)
        cls.gateway = start_gateway(CONFIG.format(base_url=cls.upstream.base_url))
        cls.addClassCleanup(cls.gateway.stop)
        cls.client = client_of(cls.gateway, api_key="sk-alice")
        cls.addClassCleanup(cls.client.close)

    def ask(self, model, **options):
        request = {"model": model, "messages": say("hi"), **options}
        return self.client.chat.completions.create(**request)

    def refused(self, model, kind, **options):
        """The exception, which must come before any chunk, whole and streamed."""
        for stream in (False, True):
            with self.subTest(model=model, stream=stream), self.assertRaises(kind) as caught:
                self.ask(model, stream=stream, **options)
        return caught.exception

    def test_a_wrong_key_is_an_authentication_error(self):
        with client_of(self.gateway, api_key="sk-mallory") as stranger:
            with self.assertRaises(openai.AuthenticationError) as caught:
                stranger.chat.completions.create(model="echo", messages=say("hi"))
            with self.assertRaises(openai.AuthenticationError):
                stranger.models.list()

        self.assertEqual(caught.exception.code, "invalid_api_key")
        self.assertRegex(caught.exception.request_id, r"^req_[0-9a-f]{32}$")

    def test_a_model_that_no_route_names_is_a_not_found_error(self):
        error = self.refused("gpt-nobody", openai.NotFoundError)

        self.assertEqual((error.code, error.param), ("model_not_found", "model"))

    def test_a_request_that_makes_no_sense_is_a_bad_request_error(self):
        self.refused("echo", openai.BadRequestError, extra_body={"messages": []})

    def test_the_upstreams_refusals_keep_their_status_and_retry_after(self):
        limited = self.refused("fault-429", openai.RateLimitError)
        self.refused("fault-401", openai.AuthenticationError)
        down = self.refused("fault-503", openai.InternalServerError)

        self.assertEqual(limited.response.headers["retry-after"], "7")
        self.assertIn("Rate limit reached", limited.message)
        self.assertEqual(down.status_code, 503)

    def test_an_upstream_that_makes_no_sense_is_status_502_and_a_late_one_504(self):
        statuses = {
            "fault-close-before-head": 502,
            "fault-reset-mid-head": 502,
            "fault-not-http": 502,
            "fault-redirect": 502,
            "fault-empty-200": 502,
            "fault-bad-json": 502,
            "fault-truncated-json": 502,
            "fault-wrong-content-type": 502,
            "fault-hang-before-head": 504,
        }
        for model, status in statuses.items():
            error = self.refused(model, openai.InternalServerError)
            self.assertEqual(error.status_code, status, model)

    def test_a_stream_that_breaks_raises(self):
        def outcome(model):
            try:
                return f"ended in silence after {len(list(self.ask(model, stream=True)))} chunks"
            except Exception as error:  # whatever the library raises is the outcome
                return error

        with ThreadPoolExecutor(len(BREAKS_MID_STREAM)) as pool:
            outcomes = dict(zip(BREAKS_MID_STREAM, pool.map(outcome, BREAKS_MID_STREAM)))
        for model, result in outcomes.items():
            with self.subTest(model=model):
                self.assertIsInstance(result, openai.APIError)

    def test_a_stream_without_a_finish_reason_gets_one(self):
        chunks = list(self.ask("fault-no-finish-reason", stream=True))

        self.assertEqual(chunks[-1].choices[0].finish_reason, "stop")

    def test_letters_that_arrive_a_byte_at_a_time_arrive_whole(self):
        chunks = list(self.ask("fault-split-utf8", stream=True))

        self.assertIn("ä € 😀", content_of(chunks))

    def test_the_gateway_answers_as_before(self):
        self.assertRegex(self.ask("echo").choices[0].message.content, "^You said: hi")


if __name__ == "__main__":
    unittest.main()
