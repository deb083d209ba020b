"""POST /v1/completions where the upstream has chat only."""

import unittest

from gateway import Gateway
from messages import piece, routed_to, say_chat, say_messages, stream_pieces, to_anthropic, to_chat
from scripted import Scripted, refuse

PATH = "/v1/completions"


class OnChat(unittest.TestCase):
    def start(self, *script, upstream=to_chat, **more):
        self.upstream = self.enterContext(Scripted(*script))
        if upstream is to_chat:
            more = {"preset": "vllm", "paths": {"completions": "none"}, **more}
        return self.enterContext(Gateway(routed_to(upstream(self.upstream.port, **more))))

    def ask(self, gateway, prompt="Once", **more):
        return gateway.ask("POST", PATH, {"model": "writer", "prompt": prompt, **more})

    def text_of(self, reply):
        return "".join(choice["text"] for chunk in reply.chunks() for choice in chunk["choices"])

    def test_whole(self):
        gateway = self.start(say_chat("upon a time"))
        reply = self.ask(gateway, max_tokens=7, temperature=0.5, stop=["."])
        self.assertEqual(reply.status, 200, reply)
        said = reply.json()
        self.assertEqual((said["object"], said["choices"][0]["text"], said["choices"][0]["finish_reason"]),
                         ("text_completion", "upon a time", "stop"))
        self.assertEqual((said["usage"]["prompt_tokens"], said["usage"]["completion_tokens"]), (100, 9))
        asked = self.upstream.requests[0]
        self.assertEqual(asked.target, "/v1/chat/completions")
        body = asked.json()
        self.assertEqual((body["max_tokens"], body["temperature"], body["stop"]), (7, 0.5, ["."]))
        self.assertEqual([(each["role"], each["content"]) for each in body["messages"]], [("user", "Once")])
        self.assertNotIn("prompt", body)

    def test_streamed(self):
        gateway = self.start(say_chat("upon a time"))
        reply = self.ask(gateway, stream=True, stream_options={"include_usage": True})
        self.assertEqual((self.text_of(reply), reply.events()[-1], reply.complete), ("upon a time", "[DONE]", True))
        chunks = reply.chunks()
        self.assertEqual({chunk["object"] for chunk in chunks}, {"text_completion"})
        self.assertEqual(chunks[-1]["usage"]["completion_tokens"], 9)
        reasons = [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"] if choice["finish_reason"]]
        self.assertEqual(reasons, ["stop"])
        self.assertNotIn(b'"usage":{', self.ask(gateway, stream=True).body)

    def test_reasoning_is_no_text(self):
        gateway = self.start(stream_pieces(piece(reasoning_content="hm"), piece(content="well"), piece(finish="length")))
        reply = self.ask(gateway, stream=True)
        self.assertEqual(self.text_of(reply), "well")

    def test_an_anthropic_upstream(self):
        gateway = self.start(say_messages("upon a time"), upstream=to_anthropic)
        self.assertEqual(self.ask(gateway).json()["choices"][0]["text"], "upon a time")
        self.assertEqual(self.text_of(self.ask(gateway, stream=True)), "upon a time")
        self.assertEqual(self.upstream.requests[0].target, "/v1/messages")

    def test_what_chat_cannot_do_is_refused(self):
        gateway = self.start(say_chat())
        for more in ({"prompt": ["a", "b"]}, {"prompt": [1, 2, 3]}, {"suffix": "end"}, {"n": 2}):
            with self.subTest(more):
                reply = self.ask(gateway, **more)
                self.assertEqual((reply.status, "message" in reply.error), (400, True), reply)

    def test_a_list_of_one_prompt(self):
        gateway = self.start(say_chat("yes"))
        self.assertEqual(self.ask(gateway, prompt=["Once"]).json()["choices"][0]["text"], "yes")

    def test_failures(self):
        gateway = self.start(refuse(429, [("retry-after", "5")]))
        reply = self.ask(gateway)
        self.assertEqual((reply.status, reply.header("retry-after")), (429, "5"))


if __name__ == "__main__":
    unittest.main()
