"""The official client against a gateway that nobody configured: the embedded model answers."""

import asyncio
import json
import re
import unittest

import openai
from sluice import client_of, content_of, say, start_gateway

MODEL = "embedded/echo"


def tool(name, parameter):
    properties = {parameter: {"type": "string"}}
    parameters = {"type": "object", "properties": properties, "required": [parameter]}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


TOOLS = [tool("get_weather", "city"), tool("get_time", "zone")]


class ChatTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = start_gateway()
        cls.addClassCleanup(cls.gateway.stop)
        cls.client = client_of(cls.gateway)
        cls.addClassCleanup(cls.client.close)

    def chat(self, **request):
        return self.client.chat.completions.create(**{"model": MODEL, **request})

    def test_a_whole_reply_has_content_a_finish_reason_usage_and_the_request_id(self):
        reply = self.chat(messages=say("Grüße, 世界 😀"))

        self.assertRegex(reply.choices[0].message.content, "^You said: Grüße, 世界 😀\n")
        self.assertEqual(reply.choices[0].finish_reason, "stop")
        self.assertEqual(reply.choices[0].message.role, "assistant")
        usage = reply.usage
        self.assertGreater(usage.completion_tokens, 0)
        self.assertEqual(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)
        self.assertRegex(reply._request_id, r"^req_[0-9a-f]{32}$")

    def test_a_stream_says_what_the_whole_reply_says(self):
        whole = self.chat(messages=say("Grüße, 世界 😀"))
        chunks = list(self.chat(messages=say("Grüße, 世界 😀"), stream=True))

        self.assertEqual(content_of(chunks), whole.choices[0].message.content)
        self.assertEqual(chunks[0].choices[0].delta.role, "assistant")
        self.assertEqual(len({chunk.id for chunk in chunks}), 1)
        finishes = [c.choices[0].finish_reason for c in chunks if c.choices[0].finish_reason]
        self.assertEqual(finishes, ["stop"])

    def test_usage_comes_in_one_last_chunk_when_asked_for(self):
        whole = self.chat(messages=say("count me"))
        options = {"include_usage": True}
        chunks = list(self.chat(messages=say("count me"), stream=True, stream_options=options))

        last = chunks.pop()
        self.assertEqual((last.choices, last.usage), ([], whole.usage))
        self.assertTrue(all(c.usage is None and len(c.choices) == 1 for c in chunks))

    def test_no_chunk_speaks_of_usage_when_nobody_asked(self):
        chunks = list(self.chat(messages=say("hi"), stream=True))

        self.assertTrue(all(c.usage is None and len(c.choices) == 1 for c in chunks))

    def test_the_stream_helper_folds_the_chunks_into_the_whole_reply(self):
        whole = self.chat(messages=say("fold this"))
        with self.client.chat.completions.stream(model=MODEL, messages=say("fold this")) as stream:
            heard = "".join(e.delta for e in stream if e.type == "content.delta")
            folded = stream.get_final_completion()

        self.assertEqual(heard, whole.choices[0].message.content)
        self.assertEqual(folded.choices[0].message.content, heard)
        self.assertEqual(folded.choices[0].finish_reason, "stop")

    def test_reasoning_arrives_as_a_field_of_its_own(self):
        request = {"messages": say("think"), "reasoning_effort": "high"}
        message = self.chat(**request).choices[0].message
        chunks = list(self.chat(**request, stream=True))

        pieces = [getattr(c.choices[0].delta, "reasoning_content", None) or "" for c in chunks]
        self.assertGreater(len(message.reasoning_content), 0)
        self.assertEqual("".join(pieces), message.reasoning_content)
        self.assertEqual(content_of(chunks), message.content)

    def test_tools_are_called_and_their_answer_goes_back(self):
        asked = say("Please call get_weather and get_time.")
        message = self.chat(messages=asked, tools=TOOLS).choices[0].message
        names = [call.function.name for call in message.tool_calls]
        self.assertEqual(names, ["get_weather", "get_time"])
        answers = [
            {"role": "tool", "tool_call_id": call.id, "content": f"answer to {call.id}"}
            for call in message.tool_calls
        ]

        reply = self.chat(messages=[*asked, message, *answers], tools=TOOLS)

        self.assertRegex(reply.choices[0].message.content, f"answer to {message.tool_calls[1].id}")

    def test_the_stream_helper_accepts_tool_calls(self):
        request = {"messages": say("Please call get_weather and get_time."), "tools": TOOLS}
        with self.client.chat.completions.stream(model=MODEL, **request) as stream:
            choice = stream.get_final_completion().choices[0]

        self.assertEqual(choice.finish_reason, "tool_calls")
        calls = choice.message.tool_calls
        self.assertEqual([call.type for call in calls], ["function", "function"])
        arguments = [list(json.loads(call.function.arguments)) for call in calls]
        self.assertEqual(arguments, [["city"], ["zone"]])

    def test_models_are_listed_and_found_by_name(self):
        listed = [model.id for model in self.client.models.list()]

        self.assertLessEqual({"embedded/echo", "embedded/lorem"}, set(listed))
        for name in listed:
            self.assertEqual(self.client.models.retrieve(name).id, name)
        with self.assertRaises(openai.NotFoundError) as caught:
            self.client.models.retrieve("nobody/knows")
        self.assertEqual(caught.exception.code, "model_not_found")

    def test_fifty_streams_at_once_each_get_their_own_answer_whole(self):
        async def ask(client, i):
            request = {"model": MODEL, "messages": say(f"stream number {i}"), "stream": True}
            pace = {"sluice_tokens_per_second": 200}
            stream = await client.chat.completions.create(**request, extra_body=pace)
            return content_of([chunk async for chunk in stream])

        async def ask_all():
            async with client_of(self.gateway, openai.AsyncOpenAI) as client:
                return await asyncio.gather(*(ask(client, i) for i in range(50)))

        for i, answer in enumerate(asyncio.run(ask_all())):
            pattern = rf"You said: stream number {i}\n\nWhat arrived: .*\."
            self.assertTrue(re.fullmatch(pattern, answer), answer)

    def test_leaving_a_stream_frees_the_client_for_the_next_request(self):
        for _ in range(5):
            pace = {"sluice_tokens_per_second": 20}
            request = {"model": "embedded/lorem", "messages": say("go"), "max_tokens": 10_000}
            with self.chat(**request, stream=True, extra_body=pace) as stream:
                self.assertEqual(next(stream).choices[0].delta.role, "assistant")
        self.assertEqual(self.chat(messages=say("hi")).choices[0].finish_reason, "stop")


if __name__ == "__main__":
    unittest.main()
