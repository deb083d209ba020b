"""Streams of chat upstreams as a Messages client gets them: order and indices of blocks, tool calls in every
form that providers send, pings, and what happens to a stream that breaks (anthropic-openai-mapping.md 8.3)."""

import time
import unittest

from gateway import SLOWNESS, Gateway
from messages import (DEEPSEEK_USAGE, Behind, Message, anthropic_bytes, anthropic_events, ask_messages, call_piece, events, frames, headers, message, open_stream,
                      piece, refuse_messages, routed_to, say_chat, say_messages, stream_pieces, to_anthropic, to_chat,
                      tool)
from raw_http import Connection
from scripted import QUICK, Scripted, close, close_before_content, hang
from upstream import stream_head

FINISH_CALLS = piece(finish="tool_calls", usage=DEEPSEEK_USAGE, content="")
FINISH = piece(finish="stop", usage=DEEPSEEK_USAGE, content="")
ROLE = piece(role="assistant", content="")
TOOLS = [tool("get_weather"), tool("get_time", zone={"type": "string"})]


class Streams(unittest.TestCase):
    """Each test's pieces are the next answer of one upstream."""

    @classmethod
    def setUpClass(cls):
        cls.upstream = cls.enterClassContext(Scripted(say_chat()))
        cls.gateway = cls.enterClassContext(Gateway(routed_to(to_chat(cls.upstream.port))))

    def hear(self, *pieces, end="[DONE]", **more):
        self.upstream.script = [stream_pieces(*pieces, end=end)]
        reply = ask_messages(self.gateway, message(stream=True, tools=TOOLS, **more))
        self.assertEqual(reply.status, 200, reply)
        self.assertTrue(reply.complete, reply)
        return Message(reply.body)


class Blocks(Streams):
    def test_the_example_of_the_facts(self):
        reasoned = [piece(content=None, reasoning_content=part) for part in "AB"]
        self.upstream.script = [stream_pieces(ROLE, *reasoned, piece(content="Hi"),
                                              call_piece(0, '{"x":', "call_1", "get_weather"), call_piece(0, "1}"),
                                              FINISH_CALLS)]
        reply = ask_messages(self.gateway, message(stream=True, tools=TOOLS, thinking={"type": "adaptive"}))
        told = [event for event in events(reply.body) if event["type"] != "ping"]
        short = []
        for event in told:
            inner = event.get("delta") or event.get("content_block") or {}
            short.append((event["type"].removeprefix("content_block_"), event.get("index"), inner.get("type")))
        self.assertEqual(short, [
            ("message_start", None, None),
            ("start", 0, "thinking"), ("delta", 0, "thinking_delta"), ("delta", 0, "thinking_delta"),
            ("delta", 0, "signature_delta"), ("stop", 0, None),
            ("start", 1, "text"), ("delta", 1, "text_delta"), ("stop", 1, None),
            ("start", 2, "tool_use"), ("delta", 2, "input_json_delta"), ("delta", 2, "input_json_delta"),
            ("stop", 2, None), ("message_delta", None, None), ("message_stop", None, None)])
        said = Message(reply.body)
        self.assertEqual((said.thinking, said.text, said.calls), ("AB", "Hi", [("get_weather", {"x": 1})]))
        self.assertTrue(said.blocks[0]["signature"])
        self.assertEqual(said.blocks[2]["id"], "call_1")
        self.assertEqual((said.stop_reason, said.tokens), ("tool_use", (36, 64, 9)))
        self.assertEqual(said.usage["cache_creation_input_tokens"], 0)

    def test_reasoning_by_its_other_name(self):
        said = self.hear(ROLE, piece(reasoning="A"), piece(reasoning="B"), piece(content="C"), FINISH)
        self.assertEqual((said.kinds, said.thinking, said.text), (["thinking", "text"], "AB", "C"))

    def test_reasoning_that_begins_again_is_a_block_of_its_own(self):
        said = self.hear(piece(reasoning_content="A"), piece(content="B"), piece(reasoning_content="C"),
                         piece(content="D"), FINISH)
        self.assertEqual(said.kinds, ["thinking", "text", "thinking", "text"])
        self.assertTrue(all(block["signature"] for block in said.blocks if block["type"] == "thinking"))

    def test_empty_pieces_open_no_block(self):
        said = self.hear(ROLE, piece(content=""), piece(content=None, reasoning_content=""),
                         piece(tool_calls=None, content=None), call_piece(0, "{}", "call_1", "get_weather"), FINISH_CALLS)
        self.assertEqual(said.kinds, ["tool_use"])

    def test_white_space_between_reasoning_and_a_call_is_no_text(self):
        said = self.hear(piece(reasoning_content="A"), piece(content="\n\n"), call_piece(0, "{}", "c", "get_weather"),
                         FINISH_CALLS)
        self.assertEqual(said.kinds, ["thinking", "tool_use"])
        said = self.hear(piece(reasoning_content="A"), piece(content="\n\n"), piece(content="B"), FINISH)
        self.assertEqual((said.kinds, said.text.strip()), (["thinking", "text"], "B"))

    def test_an_empty_answer(self):
        said = self.hear(ROLE, FINISH)
        self.assertIn(said.kinds, ([], ["text"]))
        self.assertEqual((said.text, said.stop_reason), ("", "end_turn"))

    def test_content_in_parts(self):
        self.assertEqual(self.hear(piece(content=[{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]),
                                   FINISH).text, "AB")

    def test_letters_of_many_bytes_and_surrogate_pairs(self):
        words = "Grüße, 世界 😀 \\u0000 \"x\" \n"
        said = self.hear(*[piece(content=letter) for letter in words], FINISH)
        self.assertEqual(said.text, words)
        half = '{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":null}]}'
        said = self.hear(half % "\\ud83d", half % "\\ude00", FINISH)
        self.assertEqual(said.text, "😀")

    def test_a_second_choice_is_passed_over(self):
        other = piece(content="not this")
        other["choices"][0]["index"] = 1
        self.assertEqual(self.hear(piece(content="this"), other, FINISH).text, "this")


class Calls(Streams):
    def test_in_parallel_one_after_another(self):
        said = self.hear(ROLE, call_piece(0, "", "call_a", "get_weather"), call_piece(0, '{"city":'),
                         call_piece(0, '"Oslo"}'), call_piece(1, "", "call_b", "get_time"), call_piece(1, '{"zone":"x"}'),
                         FINISH_CALLS)
        self.assertEqual(said.calls, [("get_weather", {"city": "Oslo"}), ("get_time", {"zone": "x"})])
        self.assertEqual([block["id"] for block in said.blocks], ["call_a", "call_b"])

    def test_fragments_that_interleave(self):
        said = self.hear(call_piece(0, '{"ci', "call_a", "get_weather"), call_piece(1, '{"zo', "call_b", "get_time"),
                         call_piece(0, 'ty":"Os'), call_piece(1, 'ne":"x'), call_piece(0, 'lo"}'), call_piece(1, '"}'),
                         FINISH_CALLS)
        self.assertEqual(said.calls, [("get_weather", {"city": "Oslo"}), ("get_time", {"zone": "x"})])

    def test_fragments_of_two_calls_in_one_chunk(self):
        two = piece(tool_calls=[{"index": 1, "id": "call_b", "type": "function",
                                 "function": {"name": "get_time", "arguments": "{}"}},
                                {"index": 0, "id": "call_a", "type": "function",
                                 "function": {"name": "get_weather", "arguments": '{"city":"Oslo"}'}}])
        self.assertCountEqual(self.hear(two, FINISH_CALLS).calls, [("get_weather", {"city": "Oslo"}), ("get_time", {})])

    def test_whole_in_one_delta(self):
        said = self.hear(call_piece(0, '{"city":"Oslo"}', "call_a", "get_weather"), FINISH_CALLS)
        self.assertEqual(said.calls, [("get_weather", {"city": "Oslo"})])

    def test_without_arguments(self):
        for arguments in (None, ""):
            said = self.hear(call_piece(0, arguments, "call_a", "get_time"), FINISH_CALLS)
            self.assertEqual(said.calls, [("get_time", {})])

    def test_a_name_and_an_id_that_are_sent_again(self):
        said = self.hear(*[call_piece(0, part, "call_a", "get_weather") for part in ('{"city"', ':"Os', 'lo"}')],
                         FINISH_CALLS)
        self.assertEqual([(block["id"], block["name"], block["input"]) for block in said.blocks],
                         [("call_a", "get_weather", {"city": "Oslo"})])

    def test_without_ids(self):
        said = self.hear(call_piece(0, "{}", None, "get_weather"), call_piece(1, "{}", None, "get_time"), FINISH_CALLS)
        ids = [block["id"] for block in said.blocks]
        self.assertTrue(all(ids) and len(set(ids)) == 2, ids)

    def test_without_indices(self):
        said = self.hear(call_piece(None, '{"city":', "call_a", "get_weather"), call_piece(None, '"Oslo"}'),
                         call_piece(None, '{"zone":', "call_b", "get_time"), call_piece(None, '"x"}', "call_b"),
                         FINISH_CALLS)
        self.assertEqual(said.calls, [("get_weather", {"city": "Oslo"}), ("get_time", {"zone": "x"})])

    def test_text_after_a_call(self):
        said = self.hear(call_piece(0, "{}", "call_a", "get_weather"), piece(content="Wait."), FINISH_CALLS)
        self.assertEqual((said.kinds, said.stop_reason), (["tool_use", "text"], "tool_use"))

    def test_arguments_that_are_no_json_pass_as_they_are(self):
        broken = '{"city": "Oslo" "zone"'
        said = self.hear(call_piece(0, broken, "call_a", "get_weather"), FINISH_CALLS)
        self.assertEqual(said.blocks[0]["arguments"], broken)


class Ends(Streams):
    def test_reasons(self):
        reasons = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal", "tool_calls": "end_turn",
                   "function_call": "end_turn"}
        for reason, stop_reason in reasons.items():
            self.assertEqual(self.hear(piece(content="A"), piece(finish=reason)).stop_reason, stop_reason, reason)

    def test_stop_after_calls_is_tool_use(self):
        self.assertEqual(self.hear(call_piece(0, "{}", "c", "get_time"), FINISH).stop_reason, "tool_use")

    def test_a_reason_that_is_missing(self):
        for late in (piece(content=""), piece(finish="", content="")):
            self.assertEqual(self.hear(piece(content="A"), late).stop_reason, "end_turn")
        self.assertEqual(self.hear(call_piece(0, "{}", "c", "get_time")).stop_reason, "tool_use")

    def test_a_reason_without_done(self):
        self.assertEqual(self.hear(piece(content="A"), FINISH, end=None).text, "A")

    def test_usage_wherever_it_stands(self):
        alone = piece(usage=DEEPSEEK_USAGE)
        alone["choices"] = []
        groq = {**piece(finish="stop"), "x_groq": {"usage": DEEPSEEK_USAGE}}
        first = {**piece(role="assistant", content=""), "usage": {**DEEPSEEK_USAGE, "completion_tokens": 1}}
        for ending in ((FINISH,), (piece(finish="stop"), alone), (groq,), (first, FINISH)):
            self.assertEqual(self.hear(piece(content="A"), *ending).tokens, (36, 64, 9))

    def test_no_usage_at_all(self):
        said = self.hear(piece(content="A"), piece(finish="stop"))
        self.assertIsInstance(said.usage["output_tokens"], int)

    def test_reasoning_tokens(self):
        details = self.hear(piece(content="A"), FINISH).usage.get("output_tokens_details") or {}
        self.assertIn(details.get("thinking_tokens"), (3, None))


class Silence(unittest.TestCase):
    def pings(self, *, pause_first, upstream, answer_rest):
        def slow(link, asked):
            link.send(stream_head())
            if not pause_first:
                answer_rest(link, 0)
            time.sleep(0.9)
            answer_rest(link, 0 if pause_first else 1)
            if pause_first:
                answer_rest(link, 1)
            link.last_chunk()

        with Scripted(slow) as provider:
            config = routed_to(upstream(provider.port), limits={"keepalive_after": "200ms"})
            with Gateway(config) as gateway, Connection(gateway.port) as connection:
                reply = open_stream(gateway, connection)
                return connection.read_body(reply).body

    @staticmethod
    def chat_rest(link, step):
        for each in ([piece(content="A")], [piece(content="B"), FINISH, "[DONE]"])[step]:
            link.event(each)

    def test_pings_after_the_beginning(self):
        said = Message(body := self.pings(pause_first=False, upstream=to_chat, answer_rest=self.chat_rest))
        self.assertGreaterEqual(said.pings, 2)
        self.assertEqual((said.text, said.kinds), ("AB", ["text"]))
        self.assertNotIn(b"\n: ", body.replace(b"\n\n: ", b"\n: ")[body.index(b"message_start"):])

    def test_comments_or_pings_before_the_beginning_are_no_harm(self):
        body = self.pings(pause_first=True, upstream=to_chat, answer_rest=self.chat_rest)
        self.assertEqual(Message(body).text, "AB")
        before = [frame for frame in frames(body)][0]
        self.assertTrue(before[0] is None or before[0] == "message_start", before)

    def test_an_upstreams_comments_become_signs_of_life(self):
        def answer(link, _):
            link.send(stream_head())
            link.chunk(b": keep-alive\n\n")
            link.event(piece(content="A"))
            link.chunk(b": keep-alive\n\n\n\n")
            link.event(FINISH)
            link.event("[DONE]")
            link.last_chunk()

        with Scripted(answer) as provider, Gateway(routed_to(to_chat(provider.port))) as gateway:
            self.assertEqual(Message(ask_messages(gateway, message(stream=True)).body).text, "A")

    def test_pings_on_the_express_lane(self):
        def rest(link, step):
            written = b"".join(self.parts[step])
            link.chunk(written)

        told = anthropic_events("AB")
        cut = next(at for at, event in enumerate(told) if event["type"] == "content_block_delta") + 1
        self.parts = [[anthropic_bytes(told[:cut])], [anthropic_bytes(told[cut:])]]
        said = Message(self.pings(pause_first=False, upstream=to_anthropic, answer_rest=rest))
        self.assertGreaterEqual(said.pings, 3)
        self.assertEqual(said.text, "AB")


def cut_after(*pieces):
    """A stream that is reset after these."""
    return stream_pieces(*pieces, end="cut")


def error_after(*pieces, body=None):
    return stream_pieces(*pieces, end=None) if body is None else stream_pieces(*pieces, body, end=None)


IN_BAND = {"error": {"message": "the model fell over", "type": "server_error", "code": None}}


class Broken(Behind):
    """Claude Code goes by how a stream dies: before any content there must be a status, later a cut."""

    def outcome(self, *script, stream=True, upstream=to_chat, **more):
        gateway, provider = self.before(*script, upstream=upstream, **more)
        return ask_messages(gateway, message(stream=stream)), len(provider.requests)

    def assert_cut(self, reply, text):
        """Content came, and then a connection that ended without a last chunk, and no error event."""
        self.assertEqual(reply.status, 200, reply)
        self.assertFalse(reply.complete, reply)
        said = Message(reply.body, complete=False)
        self.assertEqual((said.text, said.error, said.stopped), (text, None, False))

    def test_before_content_it_is_tried_again(self):
        for failure in (close, close_before_content, cut_after(ROLE),
                        stream_pieces(ROLE, piece(finish="insufficient_system_resource")), 503, 500):
            with self.subTest(failure):
                reply, asked = self.outcome(failure, say_chat(), retry={**QUICK, "max_retries": 1})
                self.assertEqual((reply.status, asked), (200, 2), reply)
                self.assertEqual(Message(reply.body).text, "Hello there")

    def test_before_content_and_with_nothing_left_it_is_a_status(self):
        for failure, statuses in ((close, (502, 529)), (close_before_content, (502, 529)), (cut_after(ROLE), (502, 529)),
                                  (error_after(ROLE, body=IN_BAND), (500, 502, 529)),
                                  (stream_pieces(ROLE, piece(finish="insufficient_system_resource")), (529,)),
                                  (stream_pieces(end=None), (502, 529)), (503, (529,))):
            with self.subTest(failure):
                reply, _ = self.outcome(failure)
                self.assertIn(reply.status, statuses, reply)
                self.assertTrue(reply.complete)
                self.assertEqual(reply.json()["type"], "error")

    def test_after_content_it_is_a_cut(self):
        for failure in (cut_after(ROLE, piece(content="Half")), error_after(ROLE, piece(content="Half")),
                        error_after(ROLE, piece(content="Half"), body=IN_BAND),
                        stream_pieces(piece(content="Half"), "{no json", end=None),
                        stream_pieces(piece(content="Half"), piece(finish="insufficient_system_resource"))):
            with self.subTest(failure):
                reply, asked = self.outcome(failure, say_chat(), retry={**QUICK, "max_retries": 1})
                self.assert_cut(reply, "Half")
                self.assertEqual(asked, 1)
                self.assertNotIn(b"event: error", reply.body)

    def test_within_a_call_it_is_a_cut(self):
        reply, _ = self.outcome(cut_after(call_piece(0, '{"city', "c", "get_weather")))
        self.assertFalse(reply.complete)
        Message(reply.body, complete=False)
        self.assertNotIn(b"message_stop", reply.body)

    def test_an_upstream_that_falls_silent(self):
        def silent(link, _):
            link.send(stream_head())
            link.event(piece(content="Half"))
            link.seconds_until_closed(20)
            return False

        reply, _ = self.outcome(silent, timeouts={"idle": "300ms"})
        self.assert_cut(reply, "Half")

    def test_an_upstream_that_never_answers_is_a_status(self):
        reply, _ = self.outcome(hang, timeouts={"first_byte": "300ms"})
        self.assertIn(reply.status, (504, 529), reply)
        self.assertEqual(reply.json()["type"], "error")

    def test_a_whole_reply_that_breaks_is_a_status(self):
        for failure in (close, close_before_content, 503):
            reply, _ = self.outcome(failure, stream=False)
            self.assertIn(reply.status, (502, 529), reply)
            self.assertEqual(reply.json()["type"], "error")

    def test_a_fallback_of_the_other_dialect(self):
        with Scripted(refuse_messages(529, "overloaded_error", "Overloaded")) as first, Scripted(say_chat()) as second:
            config = {"upstreams": {"one": to_anthropic(first.port), "two": to_chat(second.port)},
                      "routes": [{"model": "*", "to": ["one/*", "two/deepseek-flash"]}]}
            with Gateway(config) as gateway:
                for stream in (True, False):
                    reply = ask_messages(gateway, message(stream=stream))
                    self.assertEqual(reply.status, 200, reply)
                    text = Message(reply.body).text if stream else reply.json()["content"][0]["text"]
                    self.assertEqual(text, "Hello there")
                self.assertEqual((len(first.requests), len(second.requests)), (2, 2))
                self.assertEqual(first.requests[0].target, "/v1/messages")

    def test_an_anthropic_upstream_that_dies(self):
        def dying(link, _):
            told = anthropic_events("Half and half")
            cut = max(at for at, event in enumerate(told) if event["type"] == "content_block_delta")
            link.send(stream_head())
            link.chunk(anthropic_bytes(told[:cut]))
            return False

        reply, _ = self.outcome(dying, say_messages("x"), upstream=to_anthropic)
        self.assert_cut(reply, "Hal")


class Leaving(unittest.TestCase):
    def test_a_client_that_leaves_closes_the_upstream(self):
        gone = []

        def endless(link, _):
            link.send(stream_head())
            link.event(piece(content="on"))
            gone.append(link.seconds_until_closed(5))
            return False

        with Scripted(endless) as provider, Gateway(routed_to(to_chat(provider.port))) as gateway:
            with Connection(gateway.port) as connection:
                open_stream(gateway, connection, fields=headers())
                connection.read_event(b"text_delta")
                began = time.monotonic()
            while not gone:
                self.assertLess(time.monotonic() - began, 5)
                time.sleep(0.005)
            self.assertLess(time.monotonic() - began, 0.25 * SLOWNESS)


if __name__ == "__main__":
    unittest.main()
