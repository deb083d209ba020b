"""Every path and method, what the gateway says of itself, and CORS."""

import re
import time
import unittest

from gateway import EMBEDDED, Gateway, to_upstream
from raw_http import chat, request
from upstream import Upstream, unused_port, whole

CHAT_PATHS = ("/v1/chat/completions", "/chat/completions", "/v1/v1/chat/completions")
READ_PATHS = ("/", "/health", "/livez", "/readyz", "/metrics", "/v1/models")



class Paths(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway(EMBEDDED)

    @classmethod
    def tearDownClass(cls):
        cls.gateway.stop()

    def check_envelope(self, reply):
        self.assertEqual(reply.header("content-type"), "application/json")
        self.assertEqual(set(reply.json()), {"error"})
        self.assertEqual(set(reply.error), {"message", "type", "param", "code"})
        self.assertTrue(reply.error["message"])
        self.assertTrue(reply.header("x-request-id"))

    def test_chat_answers_with_and_without_version(self):
        for path in CHAT_PATHS:
            with self.subTest(path):
                reply = self.gateway.ask("POST", path, chat(model="embedded/echo"))
                self.assertEqual(reply.status, 200, reply)
                self.assertEqual(reply.json()["object"], "chat.completion")
                self.assertTrue(reply.json()["usage"]["total_tokens"])

    def test_chat_streams_with_and_without_version(self):
        for path in CHAT_PATHS:
            with self.subTest(path):
                reply = self.gateway.ask("POST", path, chat(model="embedded/echo", stream=True))
                self.assertEqual(reply.status, 200, reply)
                self.assertTrue(reply.header("content-type").startswith("text/event-stream"))
                self.assertTrue(reply.complete)
                self.assertEqual(reply.events()[-1], "[DONE]")
                self.assertTrue(reply.content())

    def test_three_versions_are_an_unknown_path(self):
        self.assertEqual(self.gateway.ask("POST", "/v1/v1/v1/chat/completions", chat()).status, 404)

    def test_query_and_absolute_form_do_not_change_the_path(self):
        for target in ("/v1/models?api-version=1", "http://elsewhere.test/v1/models"):
            with self.subTest(target):
                reply = self.gateway.ask("GET", target, headers={"Host": "elsewhere.test"})
                self.assertEqual(reply.status, 200, reply)

    def test_models_are_listed(self):
        for prefix in ("/v1", "", "/v1/v1"):
            with self.subTest(prefix):
                document = self.gateway.ask("GET", prefix + "/models").json()
                self.assertEqual(document["object"], "list")
                ids = [model["id"] for model in document["data"]]
                self.assertEqual(len(ids), len(set(ids)))
                self.assertLessEqual({"embedded/echo", "embedded/lorem"}, set(ids))
                self.assertFalse([name for name in ids if "fault" in name or "*" in name])
                for model in document["data"]:
                    self.assertEqual(model["object"], "model")
                    self.assertIsInstance(model["created"], int)
                    self.assertTrue(model["owned_by"])

    def test_one_model_is_found_with_a_slash_in_its_name(self):
        for prefix in ("/v1", "", "/v1/v1"):
            for name in ("embedded/echo", "embedded%2Fecho"):
                with self.subTest(prefix + name):
                    reply = self.gateway.ask("GET", f"{prefix}/models/{name}")
                    self.assertEqual(reply.status, 200, reply)
                    self.assertEqual(reply.json()["id"], "embedded/echo")

    def test_an_unknown_model_is_404_model_not_found(self):
        reply = self.gateway.ask("GET", "/v1/models/nobody")
        self.assertEqual(reply.status, 404)
        self.check_envelope(reply)
        self.assertEqual(reply.error["code"], "model_not_found")

    def test_unknown_paths_are_404_in_the_envelope(self):
        for path in ("/v1", "/v1/", "/nothing", "/v1/chat", "/v1/chat/completions/", "/v1/livez", "/metrics/x",
                     "//v1/models", "/v1/../metrics", "/%76%31/models", "/V1/models"):
            with self.subTest(path):
                reply = self.gateway.ask("GET", path)
                self.assertEqual(reply.status, 404, reply)
                self.check_envelope(reply)
                self.assertEqual(reply.error["type"], "invalid_request_error")

    def test_wrong_methods_are_405_with_allow(self):
        for path in CHAT_PATHS:
            for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"):
                with self.subTest(f"{method} {path}"):
                    reply = self.gateway.ask(method, path)
                    self.assertEqual(reply.status, 405)
                    self.assertEqual(reply.header("allow"), "POST")
                    if method != "HEAD":
                        self.check_envelope(reply)
        for path in (*READ_PATHS, "/v1/models/x"):
            for method in ("POST", "PUT", "DELETE", "OPTIONS"):
                with self.subTest(f"{method} {path}"):
                    reply = self.gateway.ask(method, path, b"" if method in ("POST", "PUT") else None)
                    self.assertEqual(reply.status, 405)
                    self.assertEqual(reply.header("allow"), "GET, HEAD")
                    self.check_envelope(reply)

    def test_head_is_get_without_a_body(self):
        for path in (*READ_PATHS, "/v1/models/embedded/echo"):
            with self.subTest(path), self.gateway.connect() as connection:
                connection.send(request("GET", path))
                got = connection.read()
                connection.send(request("HEAD", path))
                head = connection.read("HEAD")
                self.assertEqual((head.status, head.header("content-type")), (got.status, got.header("content-type")))
                self.assertIsNotNone(head.header("content-length"))
                connection.send(request("GET", "/livez"))
                self.assertEqual(connection.read().json()["status"], "alive")

    def test_index_tells_name_version_uptime_and_links(self):
        document = self.gateway.ask("GET", "/").json()
        self.assertEqual(document["name"], "sluice")
        self.assertRegex(document["version"], r"^\d+\.\d+\.\d+$")
        self.assertGreaterEqual(document["uptime_seconds"], 0)
        for link in document["links"].values():
            with self.subTest(link):
                self.assertIn(self.gateway.ask("GET", link).status, (200, 405))

    def test_livez_and_readyz(self):
        for path in ("/livez", "/readyz"):
            self.assertEqual(self.gateway.ask("GET", path).status, 200)

    def test_metrics_can_be_parsed_and_count(self):
        def value(name, text):
            return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))

        before = self.gateway.ask("GET", "/metrics")
        self.gateway.chat(chat(model="embedded/echo"))
        name, deadline = "sluice_requests_total", time.monotonic() + 5
        while True:
            after = self.gateway.ask("GET", "/metrics")
            if value(name, after.body.decode()) - value(name, before.body.decode()) >= 2:
                break  # a request is counted when its reply has left
            self.assertLess(time.monotonic(), deadline)
        self.assertTrue(after.header("content-type").startswith("text/plain; version=0.0.4"))
        sample = re.compile(r'^[a-zA-Z_:][\w:]*(\{(\w+="([^"\\\n]|\\["\\n])*",?)*\})? (-?[\d.]+(e[+-]?\d+)?|[+-]Inf|Nan|NaN)$')
        for line in after.body.decode().splitlines():
            if not line.startswith("# HELP ") and not line.startswith("# TYPE "):
                self.assertRegex(line, sample)
        self.assertIn("gen_ai_server_request_duration_seconds", after.body.decode())

    def test_cors_is_off_by_default(self):
        origin = {"Origin": "https://app.example.com"}
        reply = self.gateway.ask("GET", "/v1/models", headers=origin)
        self.assertFalse([name for name, _ in reply.fields if name.lower().startswith("access-control")])
        preflight = {**origin, "Access-Control-Request-Method": "POST"}
        self.assertEqual(self.gateway.ask("OPTIONS", "/v1/chat/completions", headers=preflight).status, 405)


class Connections(unittest.TestCase):
    def test_metrics_show_the_connections_to_an_upstream(self):
        with Upstream() as upstream, Gateway(to_upstream(upstream.port)) as gateway:
            gateway.chat(chat(model="any"))
            deadline, idle = time.monotonic() + 5, []
            while not idle:
                self.assertLess(time.monotonic(), deadline)
                text = gateway.ask("GET", "/metrics").body.decode()
                idle = [line for line in text.splitlines()
                        if line.startswith("sluice_upstream_connections{") and 'state="idle"' in line]
            self.assertTrue(idle[0].endswith(" 1"), idle)


class CrossOrigin(unittest.TestCase):
    ALLOWED = "https://app.example.com"

    @classmethod
    def setUpClass(cls):
        keys = [{"name": "alice", "secret": "sk-alice"}]
        cls.gateway = Gateway({**EMBEDDED, "keys": keys, "cors": {"allow_origins": [cls.ALLOWED]}})

    @classmethod
    def tearDownClass(cls):
        cls.gateway.stop()

    def test_a_preflight_is_answered_without_a_key(self):
        reply = self.gateway.ask("OPTIONS", "/v1/chat/completions", headers={
            "Origin": self.ALLOWED,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,x-stainless-os",
        })
        self.assertEqual(reply.status, 204)
        self.assertEqual(reply.header("access-control-allow-origin"), self.ALLOWED)
        self.assertIn("POST", reply.header("access-control-allow-methods"))
        self.assertIn("x-stainless-os", reply.header("access-control-allow-headers"))

    def test_answers_and_errors_can_be_read_by_an_allowed_origin(self):
        for headers, status in (({"Authorization": "Bearer sk-alice"}, 200), ({}, 401)):
            reply = self.gateway.chat(headers={"Origin": self.ALLOWED, **headers})
            self.assertEqual(reply.status, status)
            self.assertEqual(reply.header("access-control-allow-origin"), self.ALLOWED)
            self.assertIn("origin", reply.header("vary").lower())

    def test_another_origin_is_told_nothing(self):
        for origin in ("https://evil.example", self.ALLOWED + ".evil", "null"):
            with self.subTest(origin):
                reply = self.gateway.chat(headers={"Origin": origin, "Authorization": "Bearer sk-alice"})
                self.assertEqual(reply.status, 200)
                self.assertIsNone(reply.header("access-control-allow-origin"))


class Models(unittest.TestCase):
    def test_a_glob_offers_the_upstreams_own_list_which_is_asked_for_once_a_minute(self):
        with Upstream() as upstream:
            config = to_upstream(upstream.port)
            del config["default_route"]
            config["routes"] = [
                {"model": "mine", "to": "main/model-a"},
                {"model": "model-*", "to": "main/*"},
            ]
            with Gateway(config, workers=1) as gateway:
                for _ in range(5):
                    ids = [model["id"] for model in gateway.ask("GET", "/v1/models").json()["data"]]
                    self.assertEqual(ids, ["mine", "model-a", "model-b"])
                self.assertEqual(gateway.ask("GET", "/v1/models/model-b").json()["id"], "model-b")
                self.assertEqual(gateway.ask("GET", "/v1/models/model-c").status, 404)
            self.assertEqual([asked.target for asked in upstream.requests], ["/v1/models"])
            self.assertEqual(upstream.requests[0].all("authorization"), ["Bearer sk-of-the-upstream"])

    def test_a_clients_credential_is_shown_to_who_gets_it_in_requests_only(self):
        with Upstream() as theirs, Upstream() as ours:
            config = {"upstreams": {"theirs": {"base_url": f"http://127.0.0.1:{theirs.port}/v1", "auth": "passthrough"},
                                    "ours": {"base_url": f"http://127.0.0.1:{ours.port}/v1", "api_key": "sk-ours"}},
                      "routes": [{"model": "model-a", "to": "theirs/*"}, {"model": "*", "to": "ours/*"}]}
            with Gateway(config) as gateway:
                reply = gateway.ask("GET", "/v1/models", headers={"Authorization": "Bearer sk-of-the-client"})
                self.assertEqual(reply.status, 200)
            self.assertEqual(ours.requests[0].all("authorization"), ["Bearer sk-ours"])
            self.assertNotIn(b"sk-of-the-client", b"".join(asked.raw for asked in ours.requests))

    def test_a_list_that_cannot_be_had_does_not_break_the_rest(self):
        config = to_upstream(unused_port())
        config["routes"] = [{"model": "mine", "to": "main/model-a"}]
        with Gateway(config) as gateway:
            ids = [model["id"] for model in gateway.ask("GET", "/v1/models").json()["data"]]
            self.assertEqual(ids, ["mine"])

    def test_a_hostile_list_is_not_passed_on(self):
        def answer(link, _):
            link.send(whole({"data": [{"id": "ok"}, {"id": 5}, "x", {"id": "line\nbreak"}], "object": "list"}))

        with Upstream(answer) as upstream, Gateway(to_upstream(upstream.port)) as gateway:
            reply = gateway.ask("GET", "/v1/models")
            self.assertEqual(reply.status, 200)
            self.assertIn("ok", [model["id"] for model in reply.json()["data"]])

    def test_a_model_that_no_route_names_is_404(self):
        config = {name: value for name, value in EMBEDDED.items() if name != "default_route"}
        with Gateway(config) as gateway:
            reply = gateway.chat(chat(model="nobody"))
            self.assertEqual((reply.status, reply.error["code"], reply.error["param"]),
                             (404, "model_not_found", "model"))
            self.assertIn("nobody", reply.error["message"])


class Health(unittest.TestCase):
    def test_healthy_while_one_upstream_can_be_reached(self):
        with Upstream() as upstream:
            config = to_upstream(upstream.port)
            config["upstreams"]["dead"] = {"base_url": f"http://127.0.0.1:{unused_port()}/v1", "api_key": "sk-dead"}
            with Gateway({**config, "keys": [{"name": "a", "secret": "sk-a"}]}) as gateway:
                reply = gateway.ask("GET", "/health")
                self.assertEqual(reply.status, 200)
                document = reply.json()
                self.assertEqual(document["status"], "healthy")
                self.assertEqual(document["target"], f"http://127.0.0.1:{upstream.port}/v1")
                self.assertEqual(document["upstreams"]["main"]["state"], "up")
                self.assertEqual(document["upstreams"]["dead"]["state"], "down")
                self.assertNotIn(b"sk-", reply.body)

    def test_unhealthy_when_none_can_be_reached(self):
        with Gateway(to_upstream(unused_port())) as gateway:
            reply = gateway.ask("GET", "/health")
            self.assertEqual((reply.status, reply.json()["status"]), (503, "unhealthy"))
            self.assertEqual(gateway.ask("GET", "/livez").status, 200)

    def test_a_chat_that_cannot_reach_the_upstream_is_502(self):
        with Gateway(to_upstream(unused_port())) as gateway:
            reply = gateway.chat()
            self.assertEqual((reply.status, reply.error["code"]), (502, "upstream_unreachable"))
            self.assertEqual(gateway.ask("GET", "/health").status, 503)


if __name__ == "__main__":
    unittest.main()
