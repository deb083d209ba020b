"""Recorded replies as the official client sees them. That their bytes pass unchanged is what
../node/replay.test.mjs looks at."""

import json
import os
import unittest
from pathlib import Path

import openai
from sluice import client_of, say, start_gateway, start_upstream

OWN = Path(__file__).parent.parent / "fixtures"
SHARED = os.environ.get("SLUICE_SHARED")
FOLDERS = [OWN, Path(SHARED) / "fixtures"] if SHARED else [OWN]


def streams():
    """The paths of recorded streams with their chunks."""
    for folder in FOLDERS:
        for path in sorted(folder.rglob("*.chunks.txt")):
            lines = path.read_text(encoding="utf-8").split("\n")
            chunks = [json.loads(line) for line in lines if line]
            if chunks[-1].get("object") == "chat.completion.chunk":
                yield path, chunks


def documents():
    """The paths of whole recorded replies with what they say."""
    for folder in FOLDERS:
        for path in sorted(folder.rglob("*.json")):
            document = json.loads(path.read_bytes())
            if document.get("object") == "chat.completion" or "error" in document:
                yield path, document


def as_sent(model):
    """What the library kept of a reply: the fields that were there, unknown ones too."""
    return model.to_dict(mode="json", exclude_unset=True)


class ReplayTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.streams = list(streams())
        cls.documents = list(documents())
        rules = [
            {"match": {"model": path.name}, "reply": {"chunks_file": str(path), "split": 64}}
            for path, _ in cls.streams
        ]
        for path, document in cls.documents:
            reply = {"body_file": str(path), "status": 400 if "error" in document else 200}
            rules.append({"match": {"model": path.name}, "reply": reply})
        cls.upstream = start_upstream(rules)
        cls.addClassCleanup(cls.upstream.stop)
        cls.gateway = start_gateway(
            f'upstreams: {{up: {{base_url: "{cls.upstream.base_url}"}}}}\ndefault_route: up/*\n'
        )
        cls.addClassCleanup(cls.gateway.stop)
        cls.client = client_of(cls.gateway)
        cls.addClassCleanup(cls.client.close)

    def test_streams_arrive_chunk_for_chunk(self):
        self.assertGreaterEqual(len(self.streams), 4)
        for path, recorded in self.streams:
            with self.subTest(path.name):
                stream = self.client.chat.completions.create(
                    model=path.name,
                    messages=say("hi"),
                    stream=True,
                    stream_options={"include_usage": True},
                )
                self.assertEqual([as_sent(chunk) for chunk in stream], recorded)

    def test_streams_satisfy_the_stream_helper(self):
        for path, recorded in self.streams:
            with self.subTest(path.name):
                request = {"model": path.name, "messages": say("hi")}
                with self.client.chat.completions.stream(**request) as stream:
                    stream.until_done()
                    message = stream.current_completion_snapshot.choices[0].message
                deltas = [c["choices"][0]["delta"] for c in recorded if c["choices"]]
                text = "".join(delta.get("content") or "" for delta in deltas)
                self.assertEqual(message.content or "", text)

    def test_whole_replies_arrive_as_they_were(self):
        self.assertGreaterEqual(len(self.documents), 3)
        for path, document in self.documents:
            with self.subTest(path.name):
                create = self.client.chat.completions.create
                if "error" in document:
                    with self.assertRaises(openai.BadRequestError) as caught:
                        create(model=path.name, messages=say("hi"))
                    self.assertEqual(caught.exception.body, document["error"])
                else:
                    reply = create(model=path.name, messages=say("hi"))
                    self.assertEqual(as_sent(reply), document)


if __name__ == "__main__":
    unittest.main()
