"""What is changed about requests on their way to an upstream, and about replies on their way back."""

import json
import unittest

from gateway import Gateway
from raw_http import chat
from scripted import Scripted, after, gateway_before, hang, refuse, routed, say, upstream_at
from upstream import USAGE, answer_well, completion, delta, stream_head, usage_chunk, whole


class Requests(unittest.TestCase):
    def sent(self, transforms, body, **more):
        """What reached the upstream, and the reply."""
        with gateway_before([answer_well], transforms=transforms, **more) as (gateway, upstream):
            reply = gateway.chat(body)
            self.assertEqual(reply.status, 200, reply)
            return upstream.requests[0].json(), reply

    def test_nothing_is_changed_unless_said(self):
        body = chat(model="m", logprobs=True, top_logprobs=2, user="u", odd={"a": [1, 2.50]})
        asked, reply = self.sent({}, json.dumps(body).encode())
        self.assertEqual(asked, body)
        self.assertIsNone(reply.header("x-sluice-dropped"))

    def test_drop(self):
        for stream in (False, True):
            asked, reply = self.sent({"drop": ["logit_bias", "user", "never_given"]},
                                     chat(logit_bias={"1": 2}, user="u", seed=3, stream=stream))
            self.assertEqual((asked.get("logit_bias"), asked.get("user"), asked["seed"]), (None, None, 3))
            self.assertNotIn("logit_bias", asked)
            self.assertEqual(sorted(reply.header("x-sluice-dropped").split(", ")), ["logit_bias", "user"])

    def test_drop_of_a_field_of_each_message(self):
        body = chat()
        body["messages"] = [{"role": "system", "content": "s", "name": "one"}, {"role": "user", "content": "u", "name": "two"},
                            {"role": "user", "content": "name"}]
        asked, reply = self.sent({"drop": ["messages[].name"]}, body)
        self.assertEqual(asked["messages"], [{"role": "system", "content": "s"}, {"role": "user", "content": "u"},
                                             {"role": "user", "content": "name"}])
        self.assertEqual(reply.header("x-sluice-dropped"), "messages[].name")

    def test_rename(self):
        rename = {"rename": {"max_completion_tokens": "max_tokens"}}
        asked, reply = self.sent(rename, chat(max_completion_tokens=17))
        self.assertEqual(asked["max_tokens"], 17)
        self.assertNotIn("max_completion_tokens", asked)
        self.assertIsNone(reply.header("x-sluice-dropped"))
        back, _ = self.sent({"rename": {"max_tokens": "max_completion_tokens"}}, chat(max_tokens=17))
        self.assertEqual(back["max_completion_tokens"], 17)
        self.assertNotIn("max_tokens", back)

    def test_of_two_fields_for_one_name_the_right_one_stays(self):
        asked, reply = self.sent({"rename": {"max_completion_tokens": "max_tokens"}},
                                 chat(max_completion_tokens=17, max_tokens=5))
        self.assertEqual(asked["max_tokens"], 5)
        self.assertNotIn("max_completion_tokens", asked)
        self.assertEqual(reply.header("x-sluice-dropped"), "max_completion_tokens")

    def test_roles(self):
        body = chat()
        body["messages"] = [{"role": "developer", "content": "developer"}, {"content": "u", "role": "user"}]
        asked, _ = self.sent({"roles": {"developer": "system"}}, body)
        self.assertEqual(asked["messages"], [{"role": "system", "content": "developer"}, {"content": "u", "role": "user"}])

    def test_bodies_with_many_changes_arrive_whole(self):
        with gateway_before([answer_well], transforms={"roles": {"developer": "system"}},
                            timeouts={"first_byte": "3s"}) as (gateway, upstream):
            for count in (30, 31, 32, 33, 40, 62, 63, 64, 65, 200):
                with self.subTest(count):
                    messages = [{"role": "developer", "content": f"number {i}"} for i in range(count)]
                    self.assertEqual(gateway.chat(chat(messages=messages)).status, 200)
                    self.assertEqual(upstream.requests[-1].json()["messages"],
                                     [{**message, "role": "system"} for message in messages])

    def test_default_force_and_clamp(self):
        transforms = {"default": {"temperature": 0.3, "stop": ["x"]}, "force": {"safe": {"a": True}, "seed": 1},
                      "clamp": {"top_p": [0.1, 0.9], "n": [None, 1], "k": [5, None]}}
        asked, _ = self.sent(transforms, chat(seed=9, top_p=2, n=3, k=1))
        self.assertEqual((asked["temperature"], asked["stop"], asked["safe"], asked["seed"]), (0.3, ["x"], {"a": True}, 1))
        self.assertEqual((asked["top_p"], asked["n"], asked["k"]), (0.9, 1, 5))
        self.assertIsInstance(asked["n"], int)
        asked, _ = self.sent(transforms, chat(temperature=1.5, top_p=0.5, k="many"))
        self.assertEqual((asked["temperature"], asked["top_p"], asked["k"]), (1.5, 0.5, "many"))
        self.assertNotIn("n", asked)

    def test_reject(self):
        with gateway_before([answer_well], transforms={"reject": ["logprobs"]}) as (gateway, upstream):
            reply = gateway.chat(chat(logprobs=True))
            self.assertEqual((reply.status, reply.error["param"]), (400, "logprobs"))
            self.assertEqual(upstream.requests, [])
            self.assertEqual(gateway.chat(chat(logprobs=None)).status, 200)

    def test_what_is_not_named_stays_byte_for_byte(self):
        body = (b'{ "model":"m","messages":[{"role":"user","content":"caf\\u00e9"}],"big":123456789012345678901234567890 ,'
                b'"user":"u","x":1.50}')
        with gateway_before([answer_well], transforms={"drop": ["user"]}) as (gateway, upstream):
            self.assertEqual(gateway.chat(body).status, 200)
            sent = upstream.requests[0].body
            for piece in (b'"content":"caf\\u00e9"', b'123456789012345678901234567890', b'"x":1.50'):
                self.assertIn(piece, sent)
            self.assertNotIn(b'"user":"u"', sent)

    def test_each_candidate_has_its_own(self):
        with Scripted(503) as first, Scripted() as second:
            config = {"upstreams": {"main": upstream_at(first.port, transforms={"drop": ["seed"]}),
                                    "other": upstream_at(second.port, transforms={"rename": {"seed": "random_seed"}})},
                      "default_route": ["main/*", "other/*"]}
            with Gateway(config) as gateway:
                reply = gateway.chat(chat(seed=4))
                self.assertEqual(reply.status, 200)
                self.assertNotIn("seed", first.requests[0].json())
                self.assertEqual(second.requests[0].json()["random_seed"], 4)
                # Nothing was dropped for the one that answered.
                self.assertIsNone(reply.header("x-sluice-dropped"))

    def test_what_was_dropped_for_a_rival_is_not_told_of_the_winner(self):
        with Scripted(after(0.6, say("first"))) as first, Scripted(hang) as second:
            upstreams = {"main": upstream_at(first.port),
                         "other": upstream_at(second.port, transforms={"drop": ["logprobs"]})}
            with Gateway(routed(upstreams, route={"hedge": {"after": "100ms", "share": 1}})) as gateway:
                reply = gateway.chat(chat(logprobs=True))
                self.assertIn(b"first", reply.body)
                self.assertEqual(len(second.requests), 1)
                self.assertIs(first.requests[0].json()["logprobs"], True)
                self.assertIsNone(reply.header("x-sluice-dropped"))

    def test_dropped_fields_are_logged_and_counted(self):
        with gateway_before([answer_well], transforms={"drop": ["user"]}) as (gateway, _):
            gateway.chat(chat(user="u"))
            self.assertEqual(gateway.access_lines()[0]["dropped"], "user")
            self.assertIn('sluice_dropped_fields_total{field="user"', gateway.ask("GET", "/metrics").body.decode())


class RetiredNames(unittest.TestCase):
    def test_deepseeks_old_names_live_on(self):
        with Scripted() as upstream:
            config = {"upstreams": {"deepseek": {"preset": "deepseek", "base_url": f"http://127.0.0.1:{upstream.port}",
                                                 "api_key": "sk-of-the-upstream"}}, "default_route": "deepseek/*"}
            with Gateway(config) as gateway:
                for name, thinking in (("deepseek-chat", "disabled"), ("deepseek-reasoner", "enabled")):
                    for stream in (False, True):
                        self.assertEqual(gateway.chat(chat(model=name, stream=stream)).status, 200)
                        asked = upstream.requests[-1].json()
                        self.assertEqual((asked["model"], asked["thinking"]), ("deepseek-flash", {"type": thinking}))
                gateway.chat(chat(model="deepseek-flash"))
                asked = upstream.requests[-1].json()
                self.assertEqual(asked["model"], "deepseek-flash")
                self.assertNotIn("thinking", asked)
                gateway.chat(chat(model="deepseek-v4-pro", max_completion_tokens=9))
                asked = upstream.requests[-1].json()
                self.assertEqual((asked["model"], asked.get("max_tokens")), ("deepseek-v4-pro", 9))

    def test_an_alias_is_data(self):
        aliases = {"models": {"old": {"model": "new", "default": {"temperature": 0}, "force": {"mode": "x"}}}}
        with gateway_before([answer_well], transforms=aliases) as (gateway, upstream):
            gateway.chat(chat(model="old", temperature=1))
            asked = upstream.requests[0].json()
            self.assertEqual((asked["model"], asked["temperature"], asked["mode"]), ("new", 1, "x"))


class Replies(unittest.TestCase):
    BODY = completion(cost=0.25, provider="lab")
    BODY["choices"][0]["message"]["reasoning"] = "because"
    BODY["usage"] = {**USAGE, "cost": 0.5}

    def reply(self, rules, stream=False, fields=(), **more):
        def answer(link, asked):
            if not asked.json().get("stream"):
                link.send(whole(self.BODY, fields=fields))
                return
            link.send(stream_head(fields))
            chunk = delta("Hello", cost=0.25, provider="lab")
            chunk["choices"][0]["delta"]["reasoning"] = "because"
            link.event(chunk)
            link.event(delta(finish="stop"))
            usage = usage_chunk()
            usage["usage"] = {**USAGE, "cost": 0.5}
            link.event(usage)
            link.event("[DONE]")
            link.last_chunk()

        with gateway_before([answer], route={"reply": rules}) as (gateway, _):
            reply = gateway.chat(chat(model="asked-for", stream=stream, **more))
            self.assertEqual((reply.status, reply.complete), (200, True), reply)
            return reply

    def test_nothing_is_changed_unless_said(self):
        self.assertEqual(self.reply({}).body, json.dumps(self.BODY).encode())

    def test_the_model_as_requested(self):
        self.assertEqual(self.reply({"model": "as_requested"}).json()["model"], "asked-for")
        self.assertEqual(self.reply({"model": "as_answered"}).json()["model"], "real-model")
        streamed = self.reply({"model": "as_requested"}, stream=True)
        self.assertEqual({chunk["model"] for chunk in streamed.chunks()}, {"asked-for"})
        self.assertEqual(streamed.events()[-1], "[DONE]")
        self.assertEqual(streamed.content(), "Hello")

    def test_fields_are_dropped_renamed_and_set(self):
        rules = {"drop": ["cost", "usage.cost"], "rename": {"choices[].message.reasoning": "reasoning_content"},
                 "set": {"provider": "ours", "extra": {"a": [1]}}}
        body = self.reply(rules).json()
        self.assertNotIn("cost", body)
        self.assertEqual(body["usage"], USAGE)
        self.assertEqual(body["choices"][0]["message"]["reasoning_content"], "because")
        self.assertNotIn("reasoning", body["choices"][0]["message"])
        self.assertEqual((body["provider"], body["extra"]), ("ours", {"a": [1]}))
        streamed = self.reply(rules, stream=True, stream_options={"include_usage": True})
        first, *_, last = streamed.chunks()
        self.assertEqual(first["choices"][0]["delta"], {"content": "Hello", "reasoning_content": "because"})
        self.assertEqual((first["provider"], first.get("cost")), ("ours", None))
        self.assertEqual(last["usage"], USAGE)

    def test_usage_is_read_before_it_is_changed(self):
        def answer(link, asked):
            link.send(whole(self.BODY))

        with gateway_before([answer], route={"reply": {"drop": ["usage"]}}) as (gateway, _):
            self.assertNotIn("usage", gateway.chat().json())
            self.assertEqual(gateway.access_lines()[0]["output_tokens"], USAGE["completion_tokens"])

    def test_headers_are_dropped_and_set(self):
        rules = {"drop_headers": ["openai-processing-ms"], "set_headers": {"x-served-by": "us"}}
        fields = [("openai-processing-ms", "12"), ("x-ratelimit-remaining-requests", "9")]
        for stream in (False, True):
            reply = self.reply(rules, stream, fields)
            self.assertIsNone(reply.header("openai-processing-ms"))
            self.assertEqual(reply.all("x-served-by"), ["us"])
            self.assertEqual(reply.header("x-ratelimit-remaining-requests"), "9")

    def test_events_cut_anywhere_are_changed_all_the_same(self):
        def answer(link, asked):
            link.send(stream_head())
            data = b"".join(b"data: " + json.dumps(delta(text)).encode() + b"\n\n" for text in ("caf\u00e9", " ", "\U0001f600"))
            data += b"data: " + json.dumps(delta(finish="stop")).encode() + b"\n\ndata: [DONE]\n\n"
            for i in range(0, len(data), 7):
                link.chunk(data[i:i + 7])
            link.last_chunk()

        with gateway_before([answer], route={"reply": {"model": "as_requested"}}) as (gateway, _):
            reply = gateway.chat(chat(model="asked-for", stream=True))
            self.assertEqual(reply.content(), "caf\u00e9 \U0001f600")
            self.assertEqual({chunk["model"] for chunk in reply.chunks()}, {"asked-for"})

    def test_refusals_are_not_rewritten(self):
        with gateway_before([refuse(400)], route={"reply": {"set": {"error": "gone"}}}) as (gateway, _):
            self.assertEqual(gateway.chat().error["code"], "c400")


class Presets(unittest.TestCase):
    """What each preset promises today; docs/upstreams.md has the table."""

    FIELDS = {"prompt_cache_key": "k", "logprobs": True, "top_logprobs": 2, "max_completion_tokens": 5}

    def asked(self, preset, **fields):
        with Scripted(say("x")) as upstream:
            config = {"upstreams": {"main": {"preset": preset, "base_url": f"http://127.0.0.1:{upstream.port}/v1",
                                             "api_key": "sk-of-the-upstream"}}, "default_route": "main/*"}
            with Gateway(config) as gateway:
                reply = gateway.chat(chat(**fields))
                self.assertEqual(reply.status, 200, reply)
                return upstream.requests[0].json(), reply

    def test_each_of_them_answers_a_plain_request(self):
        for preset in ("deepseek", "venice", "openai", "openrouter", "groq", "together", "mistral", "dashscope", "vllm",
                       "llama.cpp", "ollama", "lmstudio"):
            with self.subTest(preset):
                asked, _ = self.asked(preset, temperature=0.5)
                self.assertEqual((asked["model"], asked["temperature"]), ("echo", 0.5))

    def test_venice_takes_what_the_old_proxy_dropped(self):
        asked, reply = self.asked("venice", prompt_cache_key="k", logprobs=True, top_logprobs=2)
        self.assertEqual((asked["prompt_cache_key"], asked["logprobs"], asked["top_logprobs"]), ("k", True, 2))
        self.assertIsNone(reply.header("x-sluice-dropped"))

    def test_groq_is_spared_what_it_refuses(self):
        asked, reply = self.asked("groq", logprobs=True, logit_bias={"1": 1}, top_logprobs=2)
        for field in ("logprobs", "logit_bias", "top_logprobs"):
            self.assertNotIn(field, asked)
            self.assertIn(field, reply.header("x-sluice-dropped"))


if __name__ == "__main__":
    unittest.main()
