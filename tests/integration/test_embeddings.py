"""POST /v1/embeddings: the client gets what it asked for, whatever the upstream returns."""

import base64
import json
import struct
import unittest

from scripted import ONCE, gateway_before, refuse, tried
from upstream import whole

VECTORS = {"a": [0.5, -1.25, 3.0], "b": [1e-3, 2.0, -0.0], "c": [7.0, 8.0, 9.5]}


def pack(vector):
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def unpack(text):
    data = base64.b64decode(text)
    return list(struct.unpack(f"<{len(data) // 4}f", data))


def rounded(vector):
    return list(struct.unpack(f"<{len(vector)}f", struct.pack(f"<{len(vector)}f", *vector)))


def vector_of(text):
    """Three numbers by which a text is known again."""
    if isinstance(text, list):
        return [float(sum(text)), float(len(text)), 0.5]
    return VECTORS.get(text) or [float(len(text)), float(sum(text.encode())), 0.25]


def answer_as(form):
    """A provider that returns `form` whatever is asked, or with None what is asked."""

    def answer(link, asked):
        body = asked.json()
        inputs = body["input"]
        if isinstance(inputs, str) or (inputs and isinstance(inputs[0], int)):
            inputs = [inputs]
        wanted = form or body.get("encoding_format", "float")
        data = [{"object": "embedding", "index": i, "embedding": pack(vector_of(one)) if wanted == "base64" else vector_of(one)}
                for i, one in enumerate(inputs)]
        link.send(whole({"object": "list", "data": data, "model": body["model"],
                         "usage": {"prompt_tokens": 2 * len(inputs), "total_tokens": 2 * len(inputs)}}))

    return answer


def body_of(inputs, **more):
    return {"model": "embedder", "input": inputs, **more}


class Embeddings(unittest.TestCase):
    def ask(self, gateway, inputs, **more):
        reply = gateway.ask("POST", "/v1/embeddings", body_of(inputs, **more))
        self.assertEqual(reply.status, 200, reply)
        return reply.json()

    def test_both_formats_both_ways(self):
        for form in ("float", "base64", None):
            with gateway_before([answer_as(form)]) as (gateway, _):
                for asked in (None, "float", "base64"):
                    with self.subTest(upstream=form, client=asked):
                        more = {"encoding_format": asked} if asked else {}
                        data = self.ask(gateway, ["a", "b"], **more)["data"]
                        self.assertEqual([each["index"] for each in data], [0, 1])
                        for each, name in zip(data, ("a", "b")):
                            if asked == "base64":
                                self.assertIsInstance(each["embedding"], str)
                                self.assertEqual(unpack(each["embedding"]), rounded(VECTORS[name]))
                            else:
                                self.assertEqual(rounded(each["embedding"]), rounded(VECTORS[name]))

    def test_an_upstream_that_knows_numbers_only_is_asked_for_them(self):
        with gateway_before([answer_as(None)], embeddings={"encoding": "float"}) as (gateway, upstream):
            data = self.ask(gateway, "a", encoding_format="base64")["data"]
            self.assertEqual(unpack(data[0]["embedding"]), rounded(VECTORS["a"]))
            self.assertNotEqual(upstream.requests[0].json().get("encoding_format"), "base64")

    def test_a_reply_as_asked_goes_through_byte_for_byte(self):
        body = b'{ "object":"list","data":[{"object":"embedding","index":0,"embedding":[0.10000000149011612, 1e-05]}],' \
               b'"model":"embedder","usage":{"prompt_tokens":1,"total_tokens":1},"x":1.50 }'
        with gateway_before([lambda link, _: link.send(whole(body))]) as (gateway, _):
            self.assertEqual(gateway.ask("POST", "/v1/embeddings", body_of("a")).body, body)

    def test_dimensions_and_unknown_fields_are_passed_on(self):
        with gateway_before([answer_as(None)]) as (gateway, upstream):
            self.ask(gateway, "a", dimensions=3, user="u", odd=[1])
            asked = upstream.requests[0].json()
            self.assertEqual((asked["dimensions"], asked["user"], asked["odd"]), (3, "u", [1]))

    def test_large_batches_are_split_and_joined_in_order(self):
        texts = [f"text {i} {'x' * (i % 7)}" for i in range(25)]
        for asked in ("float", "base64"):
            with gateway_before([answer_as(None)], embeddings={"max_batch": 4}) as (gateway, upstream):
                reply = self.ask(gateway, texts, encoding_format=asked, user="u")
                self.assertEqual([len(request.json()["input"]) for request in upstream.requests], [4] * 6 + [1])
                self.assertEqual({request.json()["user"] for request in upstream.requests}, {"u"})
                self.assertEqual([each["index"] for each in reply["data"]], list(range(25)))
                found = [unpack(each["embedding"]) if asked == "base64" else each["embedding"] for each in reply["data"]]
                self.assertEqual(found, [vector_of(text) for text in texts])
                self.assertEqual(reply["usage"], {"prompt_tokens": 50, "total_tokens": 50})

    def test_a_part_that_fails_fails_the_whole(self):
        def third_fails(link, asked):
            if "text 8" in asked.json()["input"]:
                return refuse(400)(link, asked)
            return answer_as(None)(link, asked)

        with gateway_before([third_fails], retry=ONCE, embeddings={"max_batch": 4}) as (gateway, _):
            reply = gateway.ask("POST", "/v1/embeddings", body_of([f"text {i}" for i in range(12)]))
            self.assertEqual((reply.status, reply.error["code"]), (400, "c400"))
            # Every attempt is told of, in the reply and in the log alike.
            self.assertEqual(tried(reply), ["main:200", "main:200", "main:400"])
            line = gateway.access_lines()[0]
            self.assertEqual((line["attempts"], line["tried"]), (3, "main:200, main:200, main:400"))

    def test_a_part_that_passes_on_retry_is_in_its_place(self):
        count = [0]

        def second_fails_once(link, asked):
            count[0] += 1
            return (refuse(503) if count[0] == 2 else answer_as(None))(link, asked)

        with gateway_before([second_fails_once], embeddings={"max_batch": 2}) as (gateway, _):
            reply = self.ask(gateway, list("abcde"))
            self.assertEqual([each["embedding"] for each in reply["data"]], [vector_of(text) for text in "abcde"])

    def test_token_arrays(self):
        for inputs in ([1, 2, 3], [[1, 2], [3], [4, 5, 6]]):
            with gateway_before([answer_as(None)], embeddings={"max_batch": 2}) as (gateway, upstream):
                reply = self.ask(gateway, inputs)
                lists = [inputs] if isinstance(inputs[0], int) else inputs
                self.assertEqual([each["embedding"] for each in reply["data"]], [vector_of(one) for one in lists])
            with gateway_before([answer_as(None)], embeddings={"token_arrays": "refuse"}) as (gateway, upstream):
                reply = gateway.ask("POST", "/v1/embeddings", body_of(inputs))
                self.assertEqual((reply.status, reply.error["param"]), (400, "input"))
                self.assertEqual(upstream.requests, [])

    def test_mistakes_are_the_clients(self):
        with gateway_before([answer_as(None)]) as (gateway, upstream):
            for body in ({"model": "m"}, {"input": "a"}, body_of(7), body_of({"a": 1}), b"{", [1],
                         body_of("a", encoding_format="hex")):
                reply = gateway.ask("POST", "/v1/embeddings", body)
                self.assertEqual(reply.status, 400, (body, reply))
            self.assertEqual(gateway.ask("GET", "/v1/embeddings").status, 405)
            self.assertEqual(upstream.requests, [])

    def test_retry_fallback_and_usage_are_those_of_chat(self):
        with gateway_before([503], [answer_as("base64")]) as (gateway, *_):
            reply = gateway.ask("POST", "/v1/embeddings", body_of("a"))
            self.assertEqual((reply.status, tried(reply)), (200, ["main:503", "other:200"]))
            self.assertEqual(gateway.access_lines()[0]["input_tokens"], 2)

    def test_a_reply_that_makes_no_sense_moves_on(self):  # UP-13
        one = {"object": "list", "model": "m", "data": [{"object": "embedding", "index": 0, "embedding": [1.0]}]}
        for body in ({"nonsense": True}, one):  # the second lacks an input
            with self.subTest(body), gateway_before([lambda link, _, body=body: link.send(whole(body))],
                                                    [answer_as(None)]) as (gateway, *_):
                reply = gateway.ask("POST", "/v1/embeddings", body_of(["a", "b"]))
                self.assertEqual((reply.status, tried(reply)), (200, ["main:invalid_reply", "other:200"]))
                self.assertEqual([each["embedding"] for each in reply.json()["data"]], [VECTORS["a"], VECTORS["b"]])

    def test_replies_that_make_no_sense_are_502(self):  # UP-13
        good = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": "!!"}], "model": "m"}
        for body in (b"{", b"", b"[]", json.dumps({"data": 3}).encode(), json.dumps(good).encode(),
                     json.dumps({**good, "data": []}).encode()):
            with self.subTest(body), gateway_before([lambda link, _, body=body: link.send(whole(body))]) as (gateway, _):
                reply = gateway.ask("POST", "/v1/embeddings", body_of("a"))
                self.assertEqual((reply.status, reply.error["code"]), (502, "upstream_invalid_response"))


if __name__ == "__main__":
    unittest.main()
