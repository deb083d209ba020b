"""Reasoning that a client does not give back is given back for it, also after a restart."""

import json
import signal
import tempfile
import time
import unittest

from gateway import Gateway
from messages import ask_messages, message, routed_to, say_chat, to_chat, tool
from raw_http import chat
from scripted import Scripted

TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}]
FIRST = {"role": "user", "content": "How is the weather?"}
CALL = ("call_00_a", "get_weather", '{"city": "Oslo"}')
THOUGHT = "The user wants the weather: é 😀."


class Store(unittest.TestCase):
    """An agent by OpenAI's dialect that knows nothing of reasoning_content."""

    def setUp(self):
        self.upstream = self.enterContext(Scripted(say_chat("", THOUGHT, [CALL])))
        self.folder = self.enterContext(tempfile.TemporaryDirectory(prefix="sluice-test-"))

    def start(self, **more):
        config = routed_to(to_chat(self.upstream.port), data_dir=self.folder, **more)
        config["default_route"] = "main/deepseek-flash"
        return Gateway(config)

    def turn(self, gateway, messages, fields=(), stream=False, **more):
        body = chat(model="deepseek-flash", stream=stream, tools=TOOLS, thinking={"type": "enabled"}, **more) | {"messages": messages}
        reply = gateway.chat(body, dict(fields))
        self.assertEqual(reply.status, 200, reply)
        return self.upstream.requests[-1].json()["messages"]

    @staticmethod
    def called(*calls):
        return {"role": "assistant", "content": "", "tool_calls": [
            {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}} for id, name, arguments in calls]}

    def second(self, answer="rain"):
        return [FIRST, self.called(CALL), {"role": "tool", "tool_call_id": CALL[0], "content": answer}]

    def test_it_comes_back_within_a_conversation(self):
        for stream in (False, True):
            with self.subTest(stream=stream), self.start() as gateway:
                self.turn(gateway, [FIRST], stream=stream)
                said = self.turn(gateway, self.second(), stream=stream)
                self.assertEqual(said[1]["reasoning_content"], THOUGHT)

    def test_a_restart_does_not_lose_it(self):
        with self.start() as gateway:
            self.turn(gateway, [FIRST], stream=True)
        with self.start() as gateway:
            self.assertEqual(self.turn(gateway, self.second())[1]["reasoning_content"], THOUGHT)

    def test_many_turns_over_many_restarts(self):
        messages = [FIRST]
        for number in range(4):
            call = (f"call_{number}", "get_weather", "{}")
            self.upstream.script = [say_chat("", f"thought {number}", [call])]
            with self.start() as gateway:
                said = self.turn(gateway, messages)
            thoughts = [each["reasoning_content"] for each in said if each["role"] == "assistant"]
            self.assertEqual(thoughts, [f"thought {earlier}" for earlier in range(number)])
            messages = [*messages, self.called(call), {"role": "tool", "tool_call_id": call[0], "content": "ok"}]

    def test_a_turn_without_calls_is_known_by_its_words(self):
        self.upstream.script = [say_chat("It rains.", THOUGHT)]
        with self.start() as gateway:
            self.turn(gateway, [FIRST])
            said = self.turn(gateway, [FIRST, {"role": "assistant", "content": "It rains."}, {"role": "user", "content": "ok"}])
            self.assertEqual(said[1]["reasoning_content"], THOUGHT)

    def test_what_is_not_known_is_empty_but_there(self):
        with self.start() as gateway:
            said = self.turn(gateway, [FIRST, {"role": "assistant", "content": "Never said."}, {"role": "user", "content": "ok"}])
            self.assertEqual(said[1]["reasoning_content"], "")

    def test_what_the_client_gives_counts(self):
        with self.start() as gateway:
            self.turn(gateway, [FIRST])
            messages = self.second()
            messages[1]["reasoning_content"] = "my own"
            self.assertEqual(self.turn(gateway, messages)[1]["reasoning_content"], "my own")

    def test_other_keys_do_not_see_it(self):
        keys = [{"name": "alice", "secret": "sk-alice"}, {"name": "bob", "secret": "sk-bob"}]
        with self.start(keys=keys) as gateway:
            alice, bob = ({"authorization": f"Bearer {key['secret']}"} for key in keys)
            self.turn(gateway, [FIRST], alice)
            self.assertEqual(self.turn(gateway, self.second(), bob)[1]["reasoning_content"], "")
            self.assertEqual(self.turn(gateway, self.second(), alice)[1]["reasoning_content"], THOUGHT)

    def test_the_same_id_in_another_conversation(self):
        """Some upstreams count their ids from the start in every reply."""
        with self.start() as gateway:
            self.turn(gateway, [FIRST])
            other = {"role": "user", "content": "Something else."}
            self.upstream.script = [say_chat("", "another thought", [CALL])]
            self.turn(gateway, [other])
            self.assertEqual(self.turn(gateway, self.second())[1]["reasoning_content"], THOUGHT)
            self.assertEqual(self.turn(gateway, [other, *self.second()[1:]])[1]["reasoning_content"], "another thought")

    def test_an_anthropic_client_that_drops_thinking(self):
        with self.start() as gateway:
            asks = {"tools": [tool()], "thinking": {"type": "adaptive"}}
            ask_messages(gateway, message("How?", **asks))
            turns = [{"role": "user", "content": "How?"},
                     {"role": "assistant", "content": [{"type": "tool_use", "id": CALL[0], "name": CALL[1], "input": {"city": "Oslo"}}]},
                     {"role": "user", "content": [{"type": "tool_result", "tool_use_id": CALL[0], "content": "rain"}]}]
            reply = ask_messages(gateway, message(**asks) | {"messages": turns})
            self.assertEqual(reply.status, 200, reply)
            said = self.upstream.requests[-1].json()["messages"]
            self.assertEqual(said[1]["reasoning_content"], THOUGHT)

    def test_a_kill_loses_nothing_that_was_written(self):
        gateway = self.start()
        try:
            self.turn(gateway, [FIRST])
            self.turn(gateway, [{"role": "user", "content": "later"}])
            time.sleep(1.5)  # the writer's own pace; a kill may lose what is younger
            gateway.signal(signal.SIGKILL)
            gateway.wait()
        finally:
            gateway.kill()
        with self.start() as gateway:
            self.assertEqual(self.turn(gateway, self.second())[1]["reasoning_content"], THOUGHT)

    def test_it_can_be_turned_off(self):
        with self.start(reasoning_store="off") as gateway:
            self.turn(gateway, [FIRST])
            self.assertEqual(self.turn(gateway, self.second())[1]["reasoning_content"], "")

    def test_prompts_are_not_in_the_log(self):
        with self.start() as gateway:
            self.turn(gateway, [FIRST])
            self.turn(gateway, self.second())
            self.assertNotIn("wants the weather", gateway.output)

    def test_the_prefix_is_the_same_with_and_without_the_store(self):
        """Who returns the reasoning and who does not are asked for alike."""
        with self.start() as gateway:
            self.turn(gateway, [FIRST])
            without = self.turn(gateway, self.second())
            messages = self.second()
            messages[1]["reasoning_content"] = THOUGHT
            given = self.turn(gateway, messages)
        self.assertEqual(json.dumps(given, sort_keys=True), json.dumps(without, sort_keys=True))


if __name__ == "__main__":
    unittest.main()
