"""Recorded replies of providers, replayed in each direction: by an upstream of their dialect to clients of
that dialect, who get the very bytes, and to clients of the other, who get the same reply by the grammar of
theirs. Streams are cut into chunks of every size from 1 to 64 bytes."""

import collections
import concurrent.futures
import json
import os
import pathlib
import re
import socket
import sys
import threading
import time

from gateway import SLOWNESS, Gateway
from messages import Chunks, GrammarError, Message, headers, to_anthropic, to_chat
from raw_http import chat, request
from upstream import Upstream, stream_head, whole

THREADS = 8
SPLITS = range(1, 65)
SECONDS = 20.0 * SLOWNESS
MINTED = re.compile(rb'"(?:id":"(?:msg|chatcmpl|req|cmpl)[-_][^"]*"|created":\d+|signature":"[^"]*")')
KINDS = {"chat.completion.chunk": "chat", "chat.completion": "chat", "text_completion": "completions"}


class Fixture:
    """A recorded reply: `payload` is the body's bytes, `kind` its dialect."""

    def __init__(self, path):
        self.name = path.name
        self.stream = path.name.endswith(".chunks.txt")
        raw = path.read_bytes()
        self.parts = [line for line in raw.splitlines() if line] if self.stream else [raw]
        self.documents = [json.loads(part) for part in self.parts]
        last = self.documents[-1]
        self.kind = KINDS.get(last.get("object"))
        if last.get("type") in ("message_stop", "message"):
            self.kind = "messages"
        if not self.stream:
            self.payload = raw
        elif self.kind == "messages":
            self.payload = b"".join(b"event: %s\ndata: %s\n\n" % (document["type"].encode(), part)
                                    for part, document in zip(self.parts, self.documents))
        else:
            self.payload = b"".join(b"data: %s\n\n" % part for part in self.parts) + b"data: [DONE]\n\n"

    def send(self, link, split):
        """Answers with chunks of `split` bytes, many of them in one write."""
        if not self.stream:
            link.send(whole(self.payload))
            return
        link.send(stream_head())
        pieces = [self.payload[at:at + split] for at in range(0, len(self.payload), split)]
        link.send(b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces))
        link.last_chunk()


Said = collections.namedtuple("Said", "text thinking calls finish fresh cached output")
FINISH_OF = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls",
             "refusal": "content_filter"}


def without_blank(text):
    """White space alone between thinking and a tool call may be left out."""
    return text if text.strip() else ""


def said_by_chat(fixture):
    """What a reply in chat's dialect says, read as loosely as can be."""
    text, thinking, calls, finish, usage = "", "", {}, None, None
    for document in fixture.documents:
        usage = document.get("usage") or (document.get("x_groq") or {}).get("usage") or usage
        for choice in document["choices"]:
            change = choice.get("delta") or choice.get("message") or {}
            text += change.get("content") or ""
            thinking += change.get("reasoning_content") or change.get("reasoning") or ""
            for place, call in enumerate(change.get("tool_calls") or []):
                name, arguments = calls.get(call.get("index", place), ("", ""))
                calls[call.get("index", place)] = (name or call["function"].get("name"),
                                                   arguments + call["function"].get("arguments", ""))
            finish = choice.get("finish_reason") or finish
    cached = usage.get("prompt_cache_hit_tokens")
    if cached is None:
        cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    calls = [(name, json.loads(arguments or "{}")) for _, (name, arguments) in sorted(calls.items())]
    return Said(text, thinking, calls, finish, usage["prompt_tokens"] - cached, cached, usage["completion_tokens"])


def said_by_message(message):
    return Said(message.text, message.thinking, message.calls, FINISH_OF[message.stop_reason], *message.tokens)


def fold_whole_message(document):
    blocks = document["content"]
    usage = document["usage"]
    return Said("".join(block["text"] for block in blocks if block["type"] == "text"),
                "".join(block["thinking"] for block in blocks if block["type"] == "thinking"),
                [(block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"],
                FINISH_OF[document["stop_reason"]], usage["input_tokens"], usage.get("cache_read_input_tokens") or 0,
                usage["output_tokens"])


def said_by(fixture):
    if fixture.kind == "chat":
        return said_by_chat(fixture)
    if not fixture.stream:
        return fold_whole_message(fixture.documents[0])
    return said_by_message(Message(fixture.payload))


def expected(fixture):
    """The fixture's own words; input that was written to a cache counts for chat clients, as all input."""
    said = said_by(fixture)
    if fixture.kind != "messages":
        return said
    usage = {}
    for document in fixture.documents:
        usage.update(document.get("usage") or (document.get("message") or {}).get("usage") or {})
    return said._replace(fresh=said.fresh + (usage.get("cache_creation_input_tokens") or 0))


def heard_by_messages(body, stream):
    return said_by_message(Message(body)) if stream else fold_whole_message(json.loads(body))


def heard_by_chat(body, stream):
    if not stream:
        said = json.loads(body)["choices"][0]["message"]
        finish, usage = json.loads(body)["choices"][0]["finish_reason"], json.loads(body)["usage"]
        text, thinking = said["content"] or "", said.get("reasoning_content") or ""
        calls = [call["function"] for call in said.get("tool_calls") or []]
    else:
        chunks = Chunks(body, include_usage=True)
        text, thinking, calls, finish, usage = (chunks.text, chunks.reasoning, chunks.calls, chunks.finish_reason,
                                                chunks.usage)
    require_total(usage)
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0)
    return Said(text, thinking, [(call["name"], json.loads(call["arguments"])) for call in calls], finish,
                usage["prompt_tokens"] - cached, cached, usage["completion_tokens"])


def require_total(usage):
    if usage["total_tokens"] != usage["prompt_tokens"] + usage["completion_tokens"]:
        raise GrammarError("the total is not the sum", usage)


PATHS = {"chat": "/v1/chat/completions", "completions": "/v1/completions", "messages": "/v1/messages"}


def body_for(client, fixture, split):
    model = f"{fixture.kind}/{fixture.name}@{split}"
    if client == "messages":
        return {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}],
                "stream": fixture.stream}
    body = chat(model=model, stream=fixture.stream)
    if fixture.stream:
        body["stream_options"] = {"include_usage": True}
    if client == "completions":
        body["prompt"] = "Hello"
        del body["messages"]
    return body


class Line(threading.local):
    """A thread's own connection to the gateway, kept from one request to the next."""

    def __init__(self, port):
        self.port = port
        self.socket = None

    def ask(self, client, body):
        """Status and body of the answer."""
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), SECONDS)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        status, headed, answered = self._exchange(client, body)
        if b"connection: close" in headed:
            self.drop()
        return status, answered

    def drop(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def _exchange(self, client, body):
        fields = headers() if client == "messages" else {}
        self.socket.sendall(request("POST", PATHS[client], body, fields))
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, rest = data.split(b"\r\n\r\n", 1)
        lowered = head.lower()
        pieces = [rest]
        if b"transfer-encoding: chunked" in lowered:
            tail = rest
            while not tail.endswith(b"0\r\n\r\n"):
                pieces.append(self._more())
                tail = tail[-8:] + pieces[-1]
            return int(head[9:12]), lowered, unchunked(b"".join(pieces))
        length = int(re.search(rb"content-length: *(\d+)", lowered)[1])
        while sum(map(len, pieces)) < length:
            pieces.append(self._more())
        return int(head[9:12]), lowered, b"".join(pieces)

    def _more(self):
        data = self.socket.recv(1 << 20)
        if not data:
            raise GrammarError("the connection was cut")
        return data


def unchunked(data):
    pieces, at = [], 0
    while True:
        end = data.index(b"\r\n", at)
        size = int(data[at:end], 16)
        if size == 0:
            return b"".join(pieces)
        pieces.append(data[end + 2:end + 2 + size])
        at = end + 4 + size


class Judge:
    """Compares replies with what the fixture says. A reply that differs from one that was found good in
    nothing but what is minted is good."""

    def __init__(self):
        self.good = {}

    def judge(self, client, fixture, status, body):
        if status != 200:
            return f"status {status}: {body[:300]!r}"
        if client == fixture.kind:
            return None if body == fixture.payload else f"other bytes: {first_difference(body, fixture.payload)}"
        bare = MINTED.sub(b"", body)
        if self.good.get((client, fixture.name)) == bare:
            return None
        try:
            hear = heard_by_messages if client == "messages" else heard_by_chat
            heard, meant = hear(body, fixture.stream), expected(fixture)
        except (GrammarError, LookupError, TypeError, ValueError) as error:
            return f"{type(error).__name__}: {error}"
        for name, got, wanted in zip(Said._fields, heard, meant):
            same = without_blank(got) == without_blank(wanted) if name == "text" else got == wanted
            if not same:
                return f"{name} is {str(got)[:300]!r}, not {str(wanted)[:300]!r}"
        self.good[client, fixture.name] = bare
        return None


def first_difference(got, wanted):
    at = next((at for at, (one, other) in enumerate(zip(got, wanted)) if one != other), min(len(got), len(wanted)))
    return f"at {at} of {len(wanted)} ({len(got)} came): {got[at:at + 120]!r}, not {wanted[at:at + 120]!r}"


def read_fixtures():
    folder = pathlib.Path(os.environ["SLUICE_SHARED"]) / "fixtures"
    found = [Fixture(path) for path in sorted(folder.rglob("*")) if path.name.endswith((".chunks.txt", ".json"))]
    return [fixture for fixture in found if fixture.kind]


def main():
    began = time.monotonic()
    fixtures = {fixture.name: fixture for fixture in read_fixtures()}

    def answer(link, asked):
        name, split = asked.json()["model"].split("/", 1)[1].rsplit("@", 1)
        fixtures[name].send(link, int(split))

    with Upstream(answer) as upstream:
        config = {"upstreams": {"chat": to_chat(upstream.port, preset="openai"),
                                "messages": to_anthropic(upstream.port)},
                  "routes": [{"model": f"{kind}/*", "to": f"{to}/*"} for kind, to in
                             (("chat", "chat"), ("completions", "chat"), ("messages", "messages"))],
                  "log": {"access": False}}
        with Gateway(config) as gateway:
            line, judge = Line(gateway.port), Judge()

            def run(job):
                client, fixture, split = job
                try:
                    return job, judge.judge(client, fixture, *line.ask(client, body_for(client, fixture, split)))
                except (OSError, GrammarError) as error:
                    line.drop()
                    return job, f"{type(error).__name__}: {error}"

            jobs = [(client, fixture, split) for fixture in fixtures.values()
                    for client in ("chat", "messages") + (("completions",) if fixture.kind == "completions" else ())
                    if (client == "completions") == (fixture.kind == "completions")
                    for split in (SPLITS if fixture.stream else (1,))]
            with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
                verdicts = list(pool.map(run, jobs))
    failures = [(job, complaint) for job, complaint in verdicts if complaint]
    told = collections.Counter()
    for (client, fixture, split), complaint in failures:
        told[client, fixture.name] += 1
        if told[client, fixture.name] <= 2:
            print(f"{fixture.name} ({fixture.kind}) to a client of {client}, by {split} bytes: {complaint}")
    print(f"fixtures: {len(verdicts)} replies ({len(fixtures)} fixtures), {len(failures)} failures, "
          f"{time.monotonic() - began:.1f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
