"""Who may do what: client keys, their scopes, the admin listener, and what is refused at start."""

import unittest

import raw_http
from gateway import EMBEDDED, Gateway, Process, run
from raw_http import chat, request

KEYS = [
    {"name": "alice", "secret": "sk-alice", "group": "team"},
    {"name": "monitoring", "secret": "sk-monitoring", "scopes": ["metrics"]},
    {"name": "long", "secret": "k" * 64 + "-one"},
]
PUBLIC = ("/", "/health", "/livez", "/readyz", "/api/hello", "/v1/api/hello")
PROTECTED = (
    [("POST", prefix + path) for prefix in ("", "/v1", "/v1/v1")
     for path in ("/chat/completions", "/completions", "/embeddings", "/api/show", "/messages", "/messages/count_tokens")]
    + [("GET", prefix + path) for prefix in ("", "/v1") for path in ("/api/tags", "/api/version", "/api/ps")]
    + [(method, prefix + path) for prefix in ("", "/v1", "/v1/v1") for path in ("/models", "/models/x", "/models/a/b")
       for method in ("GET", "HEAD")]
    + [("POST", prefix + path) for prefix in ("", "/v1") for path in ("/completions", "/embeddings", "/api/show")]
    + [(method, prefix + path) for prefix in ("", "/v1") for path in ("/api/tags", "/api/ps", "/api/version")
       for method in ("GET", "HEAD")]
    + [("GET", "/metrics"), ("HEAD", "/metrics")]
)


class NoKeys(unittest.TestCase):
    def test_any_credential_or_none_is_accepted(self):
        with Gateway(EMBEDDED) as gateway:
            for headers in ({}, {"Authorization": "Bearer sk-12345"}, {"x-api-key": "whatever"},
                            {"Authorization": "Basic dTpw"}, {"Authorization": ""},
                            {"Authorization": "Bearer a", "x-api-key": "b"}):
                with self.subTest(headers):
                    self.assertEqual(gateway.chat(headers=headers).status, 200)
            self.assertEqual(gateway.ask("GET", "/metrics").status, 200)


class Keys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        config = {**EMBEDDED, "keys": KEYS, "admin": {"listen": "127.0.0.1:0", "key": "sk-admin"}}
        cls.gateway = Gateway(config, environment={"ALLOWED_API_KEYS": "sk-env-one, sk-env-two"})

    @classmethod
    def tearDownClass(cls):
        cls.gateway.stop()

    def chat(self, *headers):
        return self.gateway.chat(headers=list(headers))

    def check_refused(self, reply):
        self.assertEqual(reply.status, 401, reply)
        self.assertEqual(reply.error["code"], "invalid_api_key")
        self.assertEqual(reply.error["type"], "invalid_request_error")
        self.assertIsNone(reply.error["param"])
        self.assertEqual(reply.header("www-authenticate"), "Bearer")

    def test_right_keys_in_either_header(self):
        for secret in ("sk-alice", "sk-monitoring", "sk-env-one", "sk-env-two"):
            for header in (("Authorization", "Bearer " + secret), ("authorization", "bearer " + secret),
                           ("Authorization", "BEARER   " + secret), ("x-api-key", secret), ("X-API-Key", secret)):
                with self.subTest(header):
                    self.assertEqual(self.chat(header).status, 200)

    def test_the_same_key_in_both_headers(self):
        self.assertEqual(self.chat(("Authorization", "Bearer sk-alice"), ("x-api-key", "sk-alice")).status, 200)

    def test_wrong_and_missing_keys(self):
        for secret in ("sk-wrong", "sk-alic", "sk-alicee", "SK-ALICE", "sk-alice,sk-alice", "k" * 64, "k" * 64 + "-two",
                       "sk-admin", "x" * 8000, "\xff\xfe"):
            for header in (("Authorization", "Bearer " + secret), ("x-api-key", secret)):
                with self.subTest(header):
                    reply = self.chat(header)
                    self.check_refused(reply)
                    self.assertNotIn(secret.encode(), reply.body)
        for header in (("X-Other", "1"), ("Authorization", ""), ("Authorization", "Bearer"),
                       ("Authorization", "Bearer "), ("Authorization", "sk-alice"), ("Authorization", "Basic sk-alice"),
                       ("Authorization", "Bearersk-alice"), ("x-api-key", ""), ("Proxy-Authorization", "Bearer sk-alice"),
                       ("Cookie", "key=sk-alice")):
            with self.subTest(header):
                self.check_refused(self.chat(header))

    def test_keys_are_not_read_from_the_query(self):
        self.check_refused(self.gateway.ask("GET", "/v1/models?key=sk-alice&api_key=sk-alice"))

    def test_conflicting_credentials(self):
        right, wrong = ("Authorization", "Bearer sk-alice"), ("Authorization", "Bearer sk-wrong")
        for pair in ((right, ("x-api-key", "sk-wrong")), (wrong, ("x-api-key", "sk-alice")),
                     (right, ("x-api-key", "sk-monitoring")), (right, ("x-api-key", ""))):
            with self.subTest(pair):
                self.check_refused(self.chat(*pair))

    def test_duplicate_credentials(self):
        for header in (("Authorization", "Bearer sk-alice"), ("x-api-key", "sk-alice")):
            with self.subTest(header):
                self.check_refused(self.chat(header, header))

    def test_every_endpoint_but_the_public_ones_wants_a_key(self):
        # What the index links to must all be covered here.
        links = self.gateway.ask("GET", "/").json()["links"].values()
        self.assertLessEqual(set(links), {path for _, path in PROTECTED} | set(PUBLIC))
        for method, path in PROTECTED:
            with self.subTest(f"{method} {path}"):
                reply = self.gateway.ask(method, path, chat() if method == "POST" else None)
                self.assertEqual(reply.status, 401)
        for path in PUBLIC:
            with self.subTest(path):
                self.assertEqual(self.gateway.ask("GET", path).status, 200)

    def test_a_wrong_key_does_not_shut_the_public_pages(self):
        self.assertEqual(self.gateway.ask("GET", "/livez", headers={"Authorization": "Bearer wrong"}).status, 200)

    def test_metrics_want_a_scope(self):
        for secret, status in (("sk-alice", 403), ("sk-monitoring", 200), ("sk-env-one", 200), ("sk-wrong", 401)):
            with self.subTest(secret):
                reply = self.gateway.ask("GET", "/metrics", headers={"x-api-key": secret})
                self.assertEqual(reply.status, status)

    def test_the_admin_listener_has_a_key_of_its_own(self):
        port = self.gateway.admin_port
        for secret, status in (("sk-admin", 200), ("sk-alice", 401), ("sk-monitoring", 401), ("", 401)):
            with self.subTest(secret):
                reply = raw_http.ask(port, "GET", "/metrics", headers={"Authorization": "Bearer " + secret})
                self.assertEqual(reply.status, status)
        self.assertEqual(raw_http.ask(port, "GET", "/metrics").status, 401)
        self.assertEqual(raw_http.ask(port, "GET", "/livez").status, 200)

    def test_the_admin_listener_does_not_serve_models(self):
        reply = raw_http.ask_chat(self.gateway.admin_port, headers={"Authorization": "Bearer sk-admin"})
        self.assertEqual(reply.status, 404)

    def test_the_key_is_checked_before_the_body_is_looked_at(self):
        for body in (b"not json", b""):
            self.check_refused(self.gateway.chat(body))
        with self.gateway.connect() as connection:
            connection.send(request("POST", "/v1/chat/completions", headers={"Content-Length": "1000"}))
            self.check_refused(connection.read())

    def test_the_log_names_the_key(self):
        reply = self.chat(("x-api-key", "sk-alice"))
        name = reply.header("x-request-id")
        line = self.gateway.access_lines(where=lambda line: line["request_id"] == name)[0]
        self.assertEqual(line["key"], "alice")


class Start(unittest.TestCase):
    def test_an_address_that_others_can_reach_is_refused_without_keys(self):
        for address in ("0.0.0.0:0", "[::]:0"):
            with self.subTest(address):
                refused = run("serve", "--listen", address)
                self.assertEqual(refused.returncode, 2, refused)
                self.assertIn("keys", refused.stderr)
                self.assertIn("--insecure-no-auth", refused.stderr)

    def test_insecure_no_auth_overrides_with_a_warning(self):
        with Process(["serve", "--listen", "0.0.0.0:0", "--insecure-no-auth"]) as gateway:
            port = int(gateway.wait_for(r"http://0\.0\.0\.0:(\d+)").group(1))
            self.assertEqual(raw_http.ask_chat(port).status, 200)
            warnings = [line for line in gateway.lines() if line["level"] == "warn"]
            self.assertIn("--insecure-no-auth", str(warnings))

    def test_keys_open_every_address(self):
        checked = run("check", environment={"HOST": "0.0.0.0", "ALLOWED_API_KEYS": "sk-one"})
        self.assertEqual(checked.returncode, 0, checked)
        self.assertNotIn("sk-one", checked.stdout + checked.stderr)

    def test_empty_secrets_are_refused(self):
        with self.assertRaises(AssertionError) as refused:
            Gateway({**EMBEDDED, "keys": [{"name": "a", "secret": ""}]})
        self.assertIn("ended with 2", str(refused.exception))


if __name__ == "__main__":
    unittest.main()
