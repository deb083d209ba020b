"""What once went wrong between two dialects, and must not again."""

import json
import unittest

from gateway import Gateway
from messages import (PATH, Message, ask_messages, headers, message, refuse_messages, routed_to,
                      say_chat, say_messages, to_anthropic, to_chat, tool)
from raw_http import ask, chat
from scripted import Scripted, hang, refuse, tried
from upstream import whole

KEY = "sk-of-the-upstream"
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}]


def before(test, *upstreams, workers=2, **more):
    """A gateway before (how it is configured, its answers...), each asked when those before it have failed."""
    names = ("main", "other", "third")
    config, providers = {}, []
    for name, (configure, *script) in zip(names, upstreams):
        provider = test.enterContext(Scripted(*script))
        config[name] = configure(provider.port)
        providers.append(provider)
    every = {"model": "*", "to": [f"{name}/*" for name in config], **more.pop("route", {})}
    gateway = test.enterContext(Gateway({"upstreams": config, "routes": [every], **more}, workers=workers))
    return gateway, *providers


def changed(configure, **more):
    return lambda port: configure(port, **more)


class Reasoning(unittest.TestCase):
    """A chat client whose upstream wants reasoning with each answer where there are tools."""

    def sent(self, body, *script, **more):
        gateway, upstream = before(self, (changed(to_chat, **more), *(script or [say_chat()])))
        reply = gateway.chat(body)
        self.assertEqual(reply.status, 200, reply)
        return upstream.requests[-1]

    def test_roles_and_reasoning_in_the_same_messages(self):
        turns = []
        for number in range(70):
            turns += [{"role": "developer", "content": f"d{number}"}, {"role": "user", "content": f"u{number}"}]
            if number % 2:
                turns.append({"role": "assistant", "content": f"a{number}"})
        for text in (json.dumps, lambda body: json.dumps(body, separators=(",", ":"))):
            body = text({**chat(model="m", tools=TOOLS), "messages": turns}).encode()
            asked = self.sent(body, transforms={"roles": {"developer": "system"}}).json()["messages"]
            self.assertEqual([each["content"] for each in asked], [each["content"] for each in turns])
            self.assertEqual([each["role"] for each in asked],
                             ["system" if each["role"] == "developer" else each["role"] for each in turns])
            for each in asked:
                self.assertEqual(each.get("reasoning_content"), "" if each["role"] == "assistant" else None)

    def test_a_field_that_is_filled_in_and_dropped(self):
        for given in ({"reasoning_content": None}, {"reasoning_content": ""}, {}):
            turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y", **given},
                     {"role": "assistant", **given, "content": "z"}, {"role": "user", "content": "w"}]
            asked = self.sent({**chat(model="m", tools=TOOLS), "messages": turns},
                              transforms={"drop": ["messages[].reasoning_content"]}).json()
            self.assertEqual([(each["role"], each["content"]) for each in asked["messages"]],
                             [(each["role"], each["content"]) for each in turns])
            self.assertNotIn("reasoning_content", json.dumps(asked))

    def test_what_cannot_be_read_is_forwarded(self):
        body = json.dumps({**chat(model="m", tools=TOOLS), "messages": [
            {"role": "user", "content": "x"}, {"role": "never_heard_of", "content": "y"},
            {"role": "assistant", "content": "z"}]}, indent=2).encode()
        self.assertEqual(self.sent(body, transforms={}).body, body)

    def test_an_empty_one_is_filled_from_the_store(self):
        call = ("call_1", "get_weather", "{}")
        gateway, upstream = before(self, (to_chat, say_chat("", "It thinks.", [call])))
        first = {**chat(model="m", tools=TOOLS), "messages": [{"role": "user", "content": "x"}]}
        said = gateway.chat(first).json()["choices"][0]["message"]
        for given in ("", None):
            turns = [*first["messages"], {**said, "reasoning_content": given},
                     {"role": "tool", "tool_call_id": "call_1", "content": "rain"}]
            self.assertEqual(gateway.chat({**first, "messages": turns}).status, 200)
            asked = upstream.requests[-1]
            self.assertEqual(asked.json()["messages"][1]["reasoning_content"], "It thinks.")
            self.assertEqual(asked.body.count(b'"reasoning_content"'), 1)

    def test_ids_that_are_given_again_in_each_turn(self):
        for stream in (False, True):
            turns, thoughts = [{"role": "user", "content": "x"}], []
            says = [say_chat(f"Step {number}.", f"thought {number}", [("call_0", "get_weather", "{}")]) for number in range(4)]
            gateway, upstream = before(self, (to_chat, *says), workers=1)
            for number in range(4):
                self.assertEqual(gateway.chat({**chat(model="m", tools=TOOLS, stream=stream), "messages": turns}).status, 200)
                asked = upstream.requests[-1].json()["messages"]
                self.assertEqual([each["reasoning_content"] for each in asked if each["role"] == "assistant"], thoughts)
                thoughts.append(f"thought {number}")
                turns += [{"role": "assistant", "content": f"Step {number}.", "tool_calls": [
                    {"id": "call_0", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}]},
                    {"role": "tool", "tool_call_id": "call_0", "content": "ok"}]


    def test_it_is_kept_before_the_client_hears_the_end(self):
        """A quick client's next turn may be another worker's."""
        call = {"id": "call_0", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
        gateway, upstream = before(self, (to_chat, say_chat("Hi.", "thought", [("call_0", "get_weather", "{}")])))
        found = set()
        for number in range(200):
            turns = [{"role": "user", "content": f"x{number}"}]
            gateway.chat({**chat(model="m", tools=TOOLS, stream=True), "messages": turns})
            turns += [{"role": "assistant", "content": "Hi.", "tool_calls": [call]},
                      {"role": "tool", "tool_call_id": "call_0", "content": "ok"}]
            gateway.chat({**chat(model="m", tools=TOOLS, stream=True), "messages": turns})
            found.add(upstream.requests[-1].json()["messages"][1]["reasoning_content"])
        self.assertEqual(found, {"thought"})


class Signatures(unittest.TestCase):
    """A conversation that another provider's model began, gone on with by Anthropic's."""

    OURS = {"type": "thinking", "thinking": "ours", "signature": "sluice1.0123"}
    THEIRS = {"type": "thinking", "thinking": "theirs", "signature": "EqMB=="}
    CALL = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Oslo", "n": 1.0}}

    def body(self, *thoughts):
        cached = {"cache_control": {"type": "ephemeral"}}
        return {"model": "claude-x", "max_tokens": 77, "stream": False, "temperature": 1,
                "system": [{"type": "text", "text": "Be brief.", **cached}], "tools": [tool()],
                "tool_choice": {"type": "auto"}, "stop_sequences": ["END"], "metadata": {"user_id": "alice"},
                "thinking": {"type": "enabled", "budget_tokens": 1024},
                "messages": [{"role": "user", "content": [{"type": "text", "text": "hi", **cached}]},
                             {"role": "assistant", "content": [*thoughts, {"type": "text", "text": "Well."}, self.CALL]},
                             {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1",
                                                           "content": [{"type": "text", "text": "rain"}]}]}]}

    def sent(self, body, path=PATH, **more):
        gateway, upstream = before(self, (to_anthropic, say_messages("ok")), **more)
        reply = ask_messages(gateway, body, path=path)
        self.assertEqual(reply.status, 200, reply)
        return upstream.requests[-1]

    def test_thinking_that_we_signed_stays_here(self):
        asked = self.sent(self.body(self.OURS, self.THEIRS))
        self.assertNotIn(b"sluice1", asked.body)
        found, meant = asked.json(), self.body(self.THEIRS)
        self.assertEqual(found["messages"][1], meant["messages"][1])
        for name in ("model", "max_tokens", "system", "tools", "tool_choice", "stop_sequences", "metadata", "thinking",
                     "temperature"):
            self.assertEqual(found.get(name), meant[name], name)
        self.assertEqual(found["messages"][0], meant["messages"][0])
        self.assertEqual(found["messages"][2]["content"][0]["tool_use_id"], "toolu_1")
        self.assertIn("rain", json.dumps(found["messages"][2]))

    def test_without_it_bytes_are_forwarded(self):
        body = json.dumps(self.body(self.THEIRS), indent=1).encode()
        self.assertEqual(self.sent(body).body, body)
        renamed = self.sent(body, route={"to": ["main/claude-y"]}).body
        self.assertEqual(renamed, body.replace(b"claude-x", b"claude-y"))

    def test_a_stream_goes_the_same_way(self):
        gateway, upstream = before(self, (to_anthropic, say_messages("ok there")))
        reply = ask_messages(gateway, {**self.body(self.OURS), "stream": True})
        self.assertEqual(Message(reply.body).text, "ok there")
        self.assertIs(upstream.requests[0].json()["stream"], True)
        self.assertNotIn(b"sluice1", upstream.requests[0].body)


class Endpoints(unittest.TestCase):
    def test_tokens_are_not_counted_by_one_who_chats(self):
        for failure in (refuse_messages(529, "overloaded_error", "Over"), refuse_messages(404, "not_found_error", "No")):
            gateway, counting, chatting = before(self, (to_anthropic, failure), (to_chat, say_chat()))
            body = message("The quick brown fox jumps over the lazy dog.")
            del body["max_tokens"]
            reply = ask_messages(gateway, body, path=PATH + "/count_tokens")
            self.assertEqual(reply.status, 200, reply)
            self.assertGreater(reply.json()["input_tokens"], 8)
            self.assertEqual((len(counting.requests), chatting.requests), (1, []))

    def test_embeddings_are_nothing_for_anthropic(self):
        gateway, upstream = before(self, (to_anthropic, say_messages("x")))
        reply = ask(gateway.port, "POST", "/v1/embeddings", {"model": "m", "input": "text"})
        self.assertEqual((reply.status, upstream.requests), (400, []), reply)
        self.assertIn("message", reply.error)

    def test_embeddings_go_to_the_next_who_has_them(self):
        found = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}], "model": "m",
                 "usage": {"prompt_tokens": 1, "total_tokens": 1}}
        gateway, first, second = before(self, (to_anthropic, say_messages("x")),
                                        (to_chat, lambda link, _: link.send(whole(found))))
        reply = ask(gateway.port, "POST", "/v1/embeddings", {"model": "m", "input": "text"})
        self.assertEqual(reply.status, 200, reply)
        self.assertEqual(reply.json()["data"][0]["embedding"], [0.5])
        self.assertEqual((len(first.requests), len(second.requests)), (0, 1))


class Names(unittest.TestCase):
    """What an upstream is told of who asks."""

    @classmethod
    def setUpClass(cls):
        cls.upstream = cls.enterClassContext(Scripted(say_chat()))
        cls.gateway = cls.enterClassContext(Gateway(routed_to(to_chat(cls.upstream.port))))

    def told(self, user):
        reply = ask_messages(self.gateway, message(metadata={"user_id": user}))
        self.assertEqual(reply.status, 200, reply)
        return self.upstream.requests[-1].json()["user_id"]

    @staticmethod
    def device(device="d1", account="", session="s1"):
        return json.dumps({"device_id": device, "account_uuid": account, "session_id": session})

    def test_sessions_of_one_device_are_one(self):
        self.assertEqual(self.told(self.device(session="s1")), self.told(self.device(session="s2")))
        self.assertEqual(self.told(self.device(account="a", session="s1")), self.told(self.device(account="a", session="s2")))

    def test_devices_and_accounts_are_not(self):
        names = [self.told(self.device(*each)) for each in (("my-laptop", ""), ("other", ""), ("my-laptop", "a"), ("my-laptop", "b"), ("other", "a"))]
        self.assertEqual(len(set(names)), len(names))
        for name in names:
            self.assertRegex(name, "^[A-Za-z0-9_-]{1,512}$")
            self.assertNotIn("laptop", name)

    def test_plain_names_stay(self):
        self.assertEqual(self.told("alice"), "alice")

    def test_older_names_lose_their_session(self):
        told = self.told("user_abc_account__session_123")
        self.assertTrue(told.startswith("user_abc_account_"), told)
        self.assertNotIn("123", told)
        self.assertEqual(told, self.told("user_abc_account__session_456"))


class Fallback(unittest.TestCase):
    """From an upstream of one dialect to one of the other, for clients of both."""

    OVER = (to_anthropic, refuse_messages(529, "overloaded_error", "Overloaded"))
    DOWN = (to_chat, refuse(503))
    MESSAGES = (to_anthropic, say_messages("Hello there"))
    CHAT = (to_chat, say_chat("Hello there"))

    def heard(self, gateway, dialect, stream):
        if dialect == "chat":
            reply = gateway.chat(chat(model="m", stream=stream))
        else:
            reply = ask_messages(gateway, message(model="m", stream=stream))
        self.assertEqual(reply.status, 200, reply)
        if dialect == "chat":
            return reply, reply.content() if stream else reply.json()["choices"][0]["message"]["content"]
        return reply, Message(reply.body).text if stream else reply.json()["content"][0]["text"]

    def test_the_next_answers(self):
        for first, second, attempts in ((self.OVER, self.CHAT, ["main:529", "other:200"]),
                                        (self.DOWN, self.MESSAGES, ["main:503", "other:200"])):
            gateway, *asked = before(self, first, second)
            for dialect in ("messages", "chat"):
                for stream in (False, True):
                    with self.subTest(dialect=dialect, stream=stream, attempts=attempts):
                        reply, text = self.heard(gateway, dialect, stream)
                        self.assertEqual(tried(reply), attempts)
                        self.assertIn("Hello there", text)
            self.assertEqual([len(each.requests) for each in asked], [4, 4])
            for each in asked:
                kind = {"/v1/messages"} if each.requests[0].all("x-api-key") else {"/v1/chat/completions"}
                self.assertEqual({request.target for request in each.requests}, kind)

    def test_nobody_answers(self):
        gateway, *_ = before(self, self.DOWN, self.OVER)
        reply = ask_messages(gateway)
        self.assertIn(reply.status, (503, 529))
        self.assertEqual(reply.json()["type"], "error")
        reply = gateway.chat()
        self.assertIn(reply.status, (503, 529))
        self.assertLessEqual({"message", "type", "param", "code"}, set(reply.error))

    def test_the_second_of_two_at_once(self):
        route = {"hedge": {"after": "100ms", "share": 1}}
        for first, second in (((to_anthropic, hang), self.CHAT), ((to_chat, hang), self.MESSAGES)):
            gateway, *asked = before(self, first, second, route=route)
            for dialect in ("messages", "chat"):
                for stream in (False, True):
                    with self.subTest(dialect=dialect, stream=stream):
                        self.assertIn("Hello there", self.heard(gateway, dialect, stream)[1])
            self.assertEqual([len(each.requests) for each in asked], [4, 4])


class Refusals(unittest.TestCase):
    def test_a_key_in_an_error_that_came_as_an_answer(self):
        words = f"Key {KEY} has no credit"
        in_chat = {"error": {"message": words, "type": "billing", "param": None, "code": None}}
        in_messages = {"type": "error", "error": {"type": "billing_error", "message": words}}
        for configure, body in ((to_chat, in_chat), (to_anthropic, in_messages)):
            gateway, _ = before(self, (configure, lambda link, _, body=body: link.send(whole(body))))
            for reply in (ask_messages(gateway), gateway.chat()):
                self.assertGreaterEqual(reply.status, 400, reply)
                self.assertNotIn(KEY.encode(), reply.body)
            self.assertNotIn(KEY, gateway.output)

    def test_changes_are_told_with_a_refusal(self):
        refused = {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": None}}
        gateway, _ = before(self, (to_chat, refuse(400, body=refused)), debug={"changes": True})
        reply = ask_messages(gateway, message(top_k=5, tools=[tool()], thinking={"type": "enabled", "budget_tokens": 1024}))
        self.assertEqual(reply.status, 400, reply)
        self.assertTrue(reply.header("x-sluice-changes"), reply.fields)

    def test_names_in_the_list_of_changes_are_no_header(self):
        long, evil = "n" * 5000, "a\r\nx-evil: 1"
        for name in (long, evil, "é" * 200, "\x00\x7f"):
            gateway, _ = before(self, (to_chat, say_chat()), debug={"changes": True})
            reply = ask_messages(gateway, message(tools=[tool(name), {"type": name, "name": name}]))
            self.assertLess(len(reply.header("x-sluice-changes") or ""), 4096)
            self.assertIsNone(reply.header("x-evil"))


if __name__ == "__main__":
    unittest.main()
