"""What clients set to "Ollama" ask before anything else is answered from the routes, wherever their
base URL points."""

import unittest

from gateway import EMBEDDED, Gateway
from scripted import Scripted, routed, upstream_at


class OllamaPaths(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = Scripted()
        cls.gateway = Gateway({
            "upstreams": {"main": upstream_at(cls.upstream.port)},
            "routes": [{"model": "llama-small", "to": "main/llama"}, {"model": "coder:7b", "to": "main/coder"},
                       {"model": "glob-*", "to": "main/*"}],
            "pass_through": {"upstream": "main", "prefix": "/api/v1"},
        })

    @classmethod
    def tearDownClass(cls):
        cls.gateway.stop()
        cls.upstream.close()

    def test_the_probe_of_the_root(self):
        self.assertEqual(self.gateway.ask("HEAD", "/").status, 200)
        self.assertEqual(self.gateway.ask("GET", "/").status, 200)

    def check_everywhere(self, method, path, body, check):
        for prefix in ("", "/v1", "/api/v1"):
            with self.subTest(prefix + path):
                sent = len(self.upstream.requests)
                reply = self.gateway.ask(method, prefix + path, body)
                self.assertEqual(reply.status, 200, reply)
                self.assertTrue(reply.header("content-type").startswith("application/json"))
                check(reply.json())
                # Asked of us and of nobody else, but for the list of models.
                self.assertNotIn(path, [asked.target for asked in self.upstream.requests[sent:]])

    def test_tags(self):
        def check(found):
            names = {model["name"] for model in found["models"]}
            self.assertLessEqual({"llama-small", "coder:7b"}, {name.removesuffix(":latest") for name in names})
            for model in found["models"]:
                self.assertEqual(model["model"], model["name"])
                self.assertIsInstance(model["size"], int)
                self.assertRegex(model["digest"], "^[0-9a-f]{64}$")
                self.assertRegex(model["modified_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
                self.assertIsInstance(model["details"]["families"], list)
                self.assertIsInstance(model["details"]["family"], str)

        self.check_everywhere("GET", "/api/tags", None, check)

    def test_version(self):
        self.check_everywhere("GET", "/api/version", None,
                              lambda found: self.assertRegex(found["version"], r"^\d+\.\d+\.\d+"))

    def test_show(self):
        def check(found):
            self.assertIn("completion", found["capabilities"])
            self.assertIn("details", found)
            architecture = found["model_info"]["general.architecture"]
            self.assertIsInstance(architecture, str)

        for name in ("llama-small", "coder:7b", "llama-small:latest"):
            self.check_everywhere("POST", "/api/show", {"model": name}, check)
        self.check_everywhere("POST", "/api/show", {"name": "llama-small"}, check)  # as older clients say it

    def test_show_of_a_model_that_is_not_there(self):
        reply = self.gateway.ask("POST", "/api/show", {"model": "nobody"})
        self.assertEqual(reply.status, 404)
        self.assertIn("error", reply.json())

    def test_ps(self):
        self.check_everywhere("GET", "/api/ps", None, lambda found: self.assertIsInstance(found["models"], list))

    def test_wrong_methods(self):
        for path in ("/api/tags", "/api/version", "/api/ps"):
            self.assertEqual(self.gateway.ask("POST", path, {}).status, 405)
        self.assertEqual(self.gateway.ask("GET", "/api/show").status, 405)


class Keys(unittest.TestCase):
    def test_a_key_is_needed_where_keys_are(self):  # AK-5
        config = {**EMBEDDED, "keys": [{"name": "alice", "secret": "sk-alice-of-the-test"}]}
        with Gateway(config) as gateway:
            for method, path in (("GET", "/api/tags"), ("GET", "/v1/api/tags"), ("POST", "/api/show"), ("GET", "/api/ps"),
                                 ("GET", "/api/version")):
                body = {"model": "embedded/echo"} if method == "POST" else None
                self.assertEqual(gateway.ask(method, path, body).status, 401, path)
                headers = {"Authorization": "Bearer sk-alice-of-the-test"}
                self.assertEqual(gateway.ask(method, path, body, headers).status, 200, path)
            self.assertEqual(gateway.ask("HEAD", "/").status, 200)

    def test_only_models_that_the_key_may_use_are_shown(self):
        with Scripted() as upstream:
            config = routed({"main": upstream_at(upstream.port)})
            config["routes"] = [{"model": name, "to": "main/*"} for name in ("one", "two")]
            config["keys"] = [{"name": "alice", "secret": "sk-alice-of-the-test", "models": ["one"]}]
            with Gateway(config) as gateway:
                headers = {"Authorization": "Bearer sk-alice-of-the-test"}
                names = {model["name"].removesuffix(":latest")
                         for model in gateway.ask("GET", "/api/tags", headers=headers).json()["models"]}
                self.assertEqual(names, {"one"})
                self.assertEqual(gateway.ask("POST", "/api/show", {"model": "two"}, headers).status, 404)


if __name__ == "__main__":
    unittest.main()
