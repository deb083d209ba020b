"""The official client asks for vectors and for text completions; the embedded model answers."""

import base64
import struct
import unittest

from sluice import client_of, start_gateway

MODEL = "embedded/echo"


class EmbeddingsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = start_gateway()
        cls.addClassCleanup(cls.gateway.stop)
        cls.client = client_of(cls.gateway)
        cls.addClassCleanup(cls.client.close)

    def embed(self, **request):
        return self.client.embeddings.create(**{"model": MODEL, **request})

    def test_both_formats_hold_the_same_vectors(self):
        texts = ["Grüße", "世界", "😀"]

        numbers = self.embed(input=texts, encoding_format="float")
        coded = self.embed(input=texts, encoding_format="base64")

        self.assertEqual([item.index for item in numbers.data], [0, 1, 2])
        for one, other in zip(numbers.data, coded.data):
            packed = base64.b64decode(other.embedding)
            decoded = struct.unpack(f"<{len(packed) // 4}f", packed)
            self.assertEqual([struct.unpack("<f", struct.pack("<f", value))[0] for value in one.embedding], list(decoded))
        self.assertGreater(numbers.usage.prompt_tokens, 0)

    def test_as_the_client_asks_by_itself_it_gets_numbers(self):
        reply = self.embed(input="Hello", dimensions=8)

        self.assertEqual(len(reply.data[0].embedding), 8)
        self.assertIsInstance(reply.data[0].embedding[0], float)

    def test_a_text_completion_is_the_same_whole_and_streamed(self):
        whole = self.client.completions.create(model=MODEL, prompt="Hello")
        chunks = list(self.client.completions.create(model=MODEL, prompt="Hello", stream=True))

        self.assertEqual("".join(chunk.choices[0].text for chunk in chunks if chunk.choices), whole.choices[0].text)
        self.assertEqual(chunks[-1].choices[0].finish_reason, whole.choices[0].finish_reason)


if __name__ == "__main__":
    unittest.main()
