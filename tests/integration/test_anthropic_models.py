"""GET /v1/models as Anthropic's clients have it, when and only when they say who they are."""

import datetime
import unittest

from gateway import Gateway
from messages import headers
from raw_http import ask

NAMES = [f"claude-{letter}" for letter in "abcdefg"]
CONFIG = {
    "upstreams": {"embedded": {"kind": "embedded"}},
    "routes": [{"model": name, "to": "embedded/echo"} for name in NAMES],
    "keys": [{"name": "alice", "secret": "sk-alice"}],
}


class AnthropicModels(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = cls.enterClassContext(Gateway(CONFIG))

    def get(self, path, fields=None):
        return ask(self.gateway.port, "GET", path, headers={"x-api-key": "sk-alice", **(headers() if fields is None else fields)})

    def page(self, query=""):
        reply = self.get("/v1/models" + query)
        self.assertEqual(reply.status, 200, reply)
        return reply.json()

    def ids(self, query=""):
        return [model["id"] for model in self.page(query)["data"]]

    def test_the_shape(self):
        listed = self.page()
        self.assertLessEqual({"data", "has_more", "first_id", "last_id"}, set(listed))
        self.assertLessEqual(set(NAMES), {model["id"] for model in listed["data"]})
        for model in listed["data"]:
            self.assertEqual(model["type"], "model")
            self.assertIsInstance(model["display_name"], str)
            datetime.datetime.fromisoformat(model["created_at"])
        self.assertEqual((listed["has_more"], listed["first_id"], listed["last_id"]),
                         (False, listed["data"][0]["id"], listed["data"][-1]["id"]))

    def test_other_clients_get_openais_shape(self):
        listed = self.get("/v1/models", {}).json()
        self.assertEqual(listed["object"], "list")
        self.assertTrue(all(model["object"] == "model" for model in listed["data"]))

    def test_every_base_url(self):
        for path in ("/v1/models", "/v1/models?limit=1000", "/anthropic/v1/models", "/v1/v1/models"):
            self.assertEqual(self.get(path).json()["data"][0]["type"], "model", path)

    def test_pages_forth(self):
        everything = self.ids("?limit=1000")
        walked, query = [], "?limit=3"
        while True:
            page = self.page(query)
            walked += [model["id"] for model in page["data"]]
            self.assertLessEqual(len(page["data"]), 3)
            if not page["has_more"]:
                break
            query = f"?limit=3&after_id={page['last_id']}"
        self.assertEqual(walked, everything)

    def test_pages_back(self):
        everything = self.ids("?limit=1000")
        page = self.page(f"?limit=2&before_id={everything[4]}")
        self.assertEqual(([model["id"] for model in page["data"]], page["has_more"]), (everything[2:4], True))
        self.assertEqual(self.page(f"?limit=5&before_id={everything[2]}")["has_more"], False)

    def test_nothing_beyond_the_ends(self):
        everything = self.ids("?limit=1000")
        page = self.page(f"?after_id={everything[-1]}")
        self.assertEqual((page["data"], page["has_more"]), ([], False))

    def test_limits_that_make_no_sense(self):
        for limit in ("0", "1001", "-1", "many", ""):
            reply = self.get(f"/v1/models?limit={limit}")
            self.assertEqual((reply.status, reply.json()["error"]["type"]), (400, "invalid_request_error"), limit)

    def test_unknown_parameters_are_passed_over(self):
        self.assertEqual(self.ids("?beta=true&limit=1000"), self.ids("?limit=1000"))

    def test_one_model(self):
        for path in ("/v1/models/claude-c", "/v1/models/claude%2Dc"):
            model = self.get(path).json()
            self.assertEqual((model["type"], model["id"]), ("model", "claude-c"))
        self.assertEqual(self.get("/v1/models/claude-c", {}).json()["object"], "model")

    def test_one_that_is_not_there(self):
        reply = self.get("/v1/models/nobody")
        self.assertEqual((reply.status, reply.json()["type"], reply.json()["error"]["type"]),
                         (404, "error", "not_found_error"))

    def test_without_a_key(self):
        reply = ask(self.gateway.port, "GET", "/v1/models", headers=headers())
        self.assertEqual((reply.status, reply.json()["error"]["type"]), (401, "authentication_error"))


if __name__ == "__main__":
    unittest.main()
