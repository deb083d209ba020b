"""Anthropic's Messages and OpenAI's chunks: streams read and checked by their grammars, folded into what
they say, and upstreams of either dialect that answer as a test says."""

import itertools
import json
import unittest

from gateway import Gateway
from raw_http import ask, request
from scripted import Scripted
from upstream import stream_head, whole

VERSION = "2023-06-01"
PATH = "/v1/messages"


class GrammarError(AssertionError):
    """A stream that a strict client would not understand."""


def require(holds, *why):
    if not holds:
        raise GrammarError(*why)


# What clients send.


def message(content="Hello", model="claude-test", **more):
    return {"model": model, "max_tokens": 1000, "messages": [{"role": "user", "content": content}], **more}


def tool(name="get_weather", **properties):
    schema = {"type": "object", "properties": properties or {"city": {"type": "string"}}}
    return {"name": name, "description": f"Does {name}.", "input_schema": schema}


def headers(**more):
    return {"anthropic-version": VERSION, **{name.replace("_", "-"): value for name, value in more.items()}}


def ask_messages(gateway, body=None, fields=None, path=PATH, timeout=10.0):
    fields = headers() if fields is None else fields
    return ask(gateway.port, "POST", path, message() if body is None else body, fields, timeout)


def open_stream(gateway, connection, body=None, fields=None):
    """Sends a streamed request and reads the head of what comes."""
    connection.send(request("POST", PATH, body or message(stream=True), headers() if fields is None else fields))
    return connection.read_head()


# Streams read.


def frames(body):
    """(event, data) of each frame; a comment is (None, its text). Nothing but whole frames may be there."""
    text = body.decode()
    require(text == "" or text.endswith("\n\n"), "ends within a frame", text[-200:])
    found = []
    for frame in text.split("\n\n")[:-1]:
        lines = [line for line in frame.split("\n") if not line.startswith(":")]
        if not lines:
            found.append((None, frame))
            continue
        event = [line[7:] for line in lines if line.startswith("event: ")]
        data = [line[6:] for line in lines if line.startswith("data: ")]
        require(len(event) + len(data) == len(lines) and len(event) <= 1 and data, "no frame", frame)
        found.append((event[0] if event else None, "\n".join(data)))
    return found


def events(body):
    """The events of a Messages stream, each with its type on its `event:` line."""
    found = []
    for event, data in frames(body):
        if event is None:
            require(data.startswith(":"), "a frame without an event", data)
            continue
        read = json.loads(data)
        require(read.get("type") == event, "the line and the type differ", event, data)
        found.append(read)
    return found


DELTAS = {
    "text": {"text_delta": "text", "citations_delta": None},
    "thinking": {"thinking_delta": "thinking", "signature_delta": "signature"},
    "tool_use": {"input_json_delta": "partial_json"},
    "server_tool_use": {"input_json_delta": "partial_json"},
}
USAGE_START = ("input_tokens", "output_tokens")


class Message:
    """A stream folded: `blocks` with `input` parsed (and its text as `arguments`), usage as it stood last.
    Raises GrammarError where the stream is not one of anthropic-openai-mapping.md 8.1. `complete`: whether it
    must be whole; otherwise any beginning of a stream will do."""

    def __init__(self, body, complete=True):
        self.blocks = []
        self.start = None
        self.usage = {}
        self.stop_reason = self.stop_sequence = None
        self.pings = 0
        self.error = None
        self.stopped = False
        self._open = None
        self._finished = False
        for event in events(body) if isinstance(body, bytes) else body:
            require(not self.stopped and not self.error, "goes on after its end", event)
            take = getattr(self, "_" + event["type"], None)
            require(take, "an unknown event", event)
            take(event)
        if complete:
            require(self.stopped and self.error is None, "is not whole", self.error)

    def _message_start(self, event):
        require(self.start is None, "starts twice")
        self.start = event["message"]
        require(self.start["type"] == "message" and self.start["role"] == "assistant", event)
        require(self.start["content"] == [] and self.start["stop_reason"] is None, event)
        require("stop_sequence" in self.start and isinstance(self.start["model"], str), event)
        require(isinstance(self.start["id"], str) and self.start["id"], event)
        for name in USAGE_START:
            require(isinstance(self.start["usage"].get(name), int), "no usage at the start", event)
        self.usage.update(self.start["usage"])

    def _ping(self, _):
        require(self.start is not None, "a ping before the start")
        self.pings += 1

    def _error(self, event):
        require(isinstance(event["error"]["type"], str) and isinstance(event["error"]["message"], str), event)
        self.error = event["error"]

    def _content_block_start(self, event):
        require(self.start is not None and not self._finished, "a block out of place", event)
        require(self._open is None, "blocks overlap", event)
        require(event["index"] == len(self.blocks), "an index is left out", event)
        self._open = dict(event["content_block"])
        kind = self._open["type"]
        if kind == "text":
            require(self._open["text"] == "", event)
        elif kind == "thinking":
            require(self._open["thinking"] == "" and self._open.get("signature", "") == "", event)
        elif kind in ("tool_use", "server_tool_use"):
            require(self._open["input"] == {} and self._open["id"] and self._open["name"], event)
            self._open["arguments"] = ""
        self.blocks.append(self._open)

    def _content_block_delta(self, event):
        require(self._open is not None and event["index"] == len(self.blocks) - 1, "no such block", event)
        delta = event["delta"]
        known = DELTAS.get(self._open["type"], {})
        require(delta["type"] in known, "a delta of another kind of block", self._open["type"], event)
        name = known[delta["type"]]
        if name is None:
            self._open.setdefault("citations", []).append(delta["citation"])
            return
        require(not (self._open["type"] == "thinking" and self._open["signature"]), "goes on after its signature", event)
        field = "arguments" if name == "partial_json" else name
        self._open[field] = (self._open.get(field) or "") + delta[name]

    def _content_block_stop(self, event):
        require(self._open is not None and event["index"] == len(self.blocks) - 1, "no such block", event)
        if "arguments" in self._open:
            text = self._open["arguments"]
            try:
                self._open["input"] = json.loads(text) if text else {}
            except ValueError:
                self._open["input"] = None  # models do write such; the test knows whether this one may
        self._open = None

    def _message_delta(self, event):
        require(self.start is not None and self._open is None, "the end comes within a block", event)
        self._finished = True
        self.stop_reason = event["delta"].get("stop_reason") or self.stop_reason
        self.stop_sequence = event["delta"].get("stop_sequence")
        require(isinstance(event["usage"]["output_tokens"], int), event)
        self.usage.update(event["usage"])

    def _message_stop(self, event):
        require(self._finished and self._open is None, "stops before its end", event)
        require(self.stop_reason, "stops without a reason")
        self.stopped = True

    # What it says.

    @property
    def kinds(self):
        return [block["type"] for block in self.blocks]

    @property
    def text(self):
        return "".join(block["text"] for block in self.blocks if block["type"] == "text")

    @property
    def thinking(self):
        return "".join(block["thinking"] for block in self.blocks if block["type"] == "thinking")

    @property
    def calls(self):
        return [(block["name"], block["input"]) for block in self.blocks if block["type"] == "tool_use"]

    @property
    def tokens(self):
        """Input that was not cached, input that was, output."""
        return tuple(self.usage.get(name) or 0
                     for name in ("input_tokens", "cache_read_input_tokens", "output_tokens"))


class Chunks:
    """A chat stream that the gateway wrote, folded; by anthropic-openai-mapping.md 8.2 and 8.4. One whose
    bytes are an upstream's may look otherwise."""

    def __init__(self, body, include_usage=False, complete=True):
        self.text = self.reasoning = ""
        self.calls = []
        self.finish_reason = self.usage = self.identity = self.error = None
        self.done = False
        for event, data in frames(body):
            if event is None and data.startswith(":"):
                continue
            require(event is None and not self.done and not self.error, "goes on after its end", data)
            if data == "[DONE]":
                self.done = True
            else:
                self._take(json.loads(data))
        if complete:
            require(self.done and self.error is None and self.finish_reason, "is not whole", body[-300:])
            require((self.usage is not None) == include_usage, "usage", self.usage)

    def _take(self, chunk):
        if "error" in chunk:
            self.error = chunk["error"]
            require(isinstance(self.error["message"], str) and {"type", "param", "code"} <= set(self.error), chunk)
            return
        require(chunk["object"] == "chat.completion.chunk", chunk)
        identity = (chunk["id"], chunk["created"], chunk["model"])
        if first := self.identity is None:
            self.identity = identity
        require(identity == self.identity and all(identity), "another reply's chunk", chunk)
        require(self.usage is None, "a chunk after the usage", chunk)
        if not chunk["choices"]:
            require(self.finish_reason, "usage before the end", chunk)
            self.usage = chunk["usage"]
            return
        require(chunk.get("usage") is None, "usage beside a choice", chunk)
        (choice,) = chunk["choices"]
        require(choice["index"] == 0 and self.finish_reason is None, chunk)
        require((choice["delta"].get("role") == "assistant") == first, "the role comes first and once", chunk)
        self._delta(choice["delta"])
        self.finish_reason = choice["finish_reason"]

    def _delta(self, delta):
        self.text += delta.get("content") or ""
        self.reasoning += delta.get("reasoning_content") or ""
        for call in delta.get("tool_calls") or []:
            if call["index"] == len(self.calls):
                require(call["id"] and call["type"] == "function" and call["function"]["name"], call)
                self.calls.append({"id": call["id"], "name": call["function"]["name"], "arguments": ""})
            else:
                require(call["index"] < len(self.calls) and "id" not in call, call)
            self.calls[call["index"]]["arguments"] += call["function"].get("arguments") or ""


# Upstreams' streams written.


def anthropic_events(*blocks, stop_reason="end_turn", usage=None, model="claude-real", start_usage=None):
    """The events of a Messages stream with these blocks: text, ("thinking", text, signature),
    ("tool", id, name, *pieces of its arguments)."""
    begin = {"id": "msg_up_1", "type": "message", "role": "assistant", "model": model, "content": [],
             "stop_reason": None, "stop_sequence": None,
             "usage": start_usage or {"input_tokens": 11, "cache_creation_input_tokens": 0,
                                      "cache_read_input_tokens": 4, "output_tokens": 1}}
    out = [{"type": "message_start", "message": begin}, {"type": "ping"}]
    for index, block in enumerate(blocks):
        if isinstance(block, str):
            content, deltas = {"type": "text", "text": ""}, [{"type": "text_delta", "text": part} for part in
                                                             (block[:3], block[3:]) if part]
        elif block[0] == "thinking":
            content = {"type": "thinking", "thinking": "", "signature": ""}
            deltas = [{"type": "thinking_delta", "thinking": block[1]},
                      {"type": "signature_delta", "signature": block[2]}]
        else:
            content = {"type": "tool_use", "id": block[1], "name": block[2], "input": {}}
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", *block[3:])]
        out.append({"type": "content_block_start", "index": index, "content_block": content})
        out += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        out.append({"type": "content_block_stop", "index": index})
    out.append({"type": "message_delta", "delta": {"stop_reason": stop_reason, "stop_sequence": None},
                "usage": usage or {"output_tokens": 7}})
    out.append({"type": "message_stop"})
    return out


def anthropic_bytes(written):
    return b"".join(b"event: %s\ndata: %s\n\n" % (event["type"].encode(), json.dumps(event).encode())
                    for event in written)


def whole_message(written):
    """The same reply, whole."""
    folded = Message(written)
    content = [{name: value for name, value in block.items() if name != "arguments"} for block in folded.blocks]
    return {**folded.start, "content": content, "stop_reason": folded.stop_reason,
            "stop_sequence": folded.stop_sequence, "usage": folded.usage}


def say_messages(*blocks, fields=(), **more):
    """An Anthropic upstream's answer, streamed or whole."""
    written = anthropic_events(*blocks, **more)

    def answer(link, asked):
        if asked.json().get("stream"):
            link.send(stream_head(fields))
            link.chunk(anthropic_bytes(written))
            link.last_chunk()
        else:
            link.send(whole(whole_message(written), fields=fields))

    return answer


def refuse_messages(status, kind, words, fields=()):
    def answer(link, _):
        link.send(whole({"type": "error", "error": {"type": kind, "message": words}, "request_id": "req_up"},
                        f"{status} Refused", fields))

    return answer


DEEPSEEK_USAGE = {"prompt_tokens": 100, "completion_tokens": 9, "total_tokens": 109,
                  "prompt_tokens_details": {"cached_tokens": 64}, "prompt_cache_hit_tokens": 64,
                  "prompt_cache_miss_tokens": 36, "completion_tokens_details": {"reasoning_tokens": 3}}


def piece(finish=None, usage=None, **change):
    """A chunk as DeepSeek has it."""
    return {"id": "chatcmpl-up", "object": "chat.completion.chunk", "created": 1700000000, "model": "deepseek-real",
            "choices": [{"index": 0, "delta": change, "logprobs": None, "finish_reason": finish}], "usage": usage}


def call_piece(index, arguments=None, id=None, name=None, **more):
    """One fragment of a tool call; what is None is left out."""
    call = {"index": index} if index is not None else {}
    if id is not None:
        call |= {"id": id, "type": "function"}
    function = {} if name is None else {"name": name}
    if arguments is not None:
        function["arguments"] = arguments
    return piece(tool_calls=[{**call, "function": function}], **more)


def stream_pieces(*pieces, end="[DONE]", fields=()):
    """A chat upstream's stream of these chunks; `end`: None for none, and "cut" for a reset."""

    def answer(link, asked):
        link.send(stream_head(fields))
        for each in pieces:
            link.event(each)
        if end == "cut":
            return False
        if end:
            link.event(end)
        link.last_chunk()
        return None

    return answer


def whole_chat(content="Hello there", reasoning=None, calls=(), finish=None, usage=None):
    """A whole reply as DeepSeek has it; `calls`: (id, name, arguments)."""
    said = {"role": "assistant", "content": content}
    if reasoning is not None:
        said["reasoning_content"] = reasoning
    if calls:
        said["tool_calls"] = [{"index": index, "id": id, "type": "function",
                               "function": {"name": name, "arguments": arguments}}
                              for index, (id, name, arguments) in enumerate(calls)]
    return {"id": "chatcmpl-up", "object": "chat.completion", "created": 1700000000, "model": "deepseek-real",
            "choices": [{"index": 0, "message": said, "logprobs": None,
                         "finish_reason": finish or ("tool_calls" if calls else "stop")}],
            "usage": usage or DEEPSEEK_USAGE}


def say_chat(content="Hello there", reasoning=None, calls=(), **more):
    """A chat upstream's answer, streamed or whole."""
    reply = whole_chat(content, reasoning, calls, **more)
    pieces = [piece(role="assistant", content=None if reasoning else "")]
    pieces += [piece(content=None, reasoning_content=reasoning[at:at + 4]) for at in range(0, len(reasoning or ""), 4)]
    pieces += [piece(content=part) for part in ((content or "")[:3], (content or "")[3:]) if part]
    for index, (id, name, arguments) in enumerate(calls):
        pieces.append(call_piece(index, "", id, name))
        pieces += [call_piece(index, arguments[at:at + 5]) for at in range(0, len(arguments), 5)]
    pieces.append(piece(finish=reply["choices"][0]["finish_reason"], usage=reply["usage"], content=""))
    streamed = stream_pieces(*pieces)

    def answer(link, asked):
        if asked.json().get("stream"):
            return streamed(link, asked)
        link.send(whole(reply))
        return None

    return answer


# Configurations.


def to_chat(port, **more):
    """An OpenAI-compatible upstream with DeepSeek's manners."""
    return {"preset": "deepseek", "base_url": f"http://127.0.0.1:{port}/v1", "api_key": "sk-of-the-upstream",
            "retry": {"max_retries": 0}, "breaker": "off", **more}


def to_anthropic(port, **more):
    return {"kind": "anthropic", "base_url": f"http://127.0.0.1:{port}", "api_key": "sk-of-the-upstream",
            "retry": {"max_retries": 0}, "breaker": "off", **more}


def routed_to(upstream, **more):
    return {"upstreams": {"main": upstream}, "default_route": "main/*", **more}


class Provider(Scripted):
    """An upstream that plays one script after another."""

    def begin(self, *script):
        self.script = list(script)
        self._turns = itertools.count()
        self.requests = []


class Behind(unittest.TestCase):
    """Tests of one class share a gateway for each configuration."""

    @classmethod
    def before(cls, *script, upstream=to_chat, **more):
        """A gateway before a provider that plays this; `more` is for the upstream's configuration."""
        kept = cls.__dict__.get("_kept")
        if kept is None:
            kept = cls._kept = {}
        key = (upstream.__name__, json.dumps(more, sort_keys=True))
        if key not in kept:
            provider = cls.enterClassContext(Provider())
            kept[key] = (cls.enterClassContext(Gateway(routed_to(upstream(provider.port, **more)))), provider)
        gateway, provider = kept[key]
        provider.begin(*script)
        return gateway, provider

    @classmethod
    def tearDownClass(cls):
        cls._kept = {}
