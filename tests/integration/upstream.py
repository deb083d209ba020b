"""An upstream in Python whose every byte and socket the test decides and sees."""

import json
import socket
import sys
import threading
import time

sys.set_int_max_str_digits(0)  # numbers of any length are legal JSON

USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


class Request:
    def __init__(self, line, fields, body, raw):
        self.method, self.target, self.version = line.split(" ")
        self.fields = fields
        self.body = body
        self.raw = raw
        self.at = time.monotonic()

    def all(self, name):
        return [value for known, value in self.fields if known.lower() == name]

    def json(self):
        return json.loads(self.body)


class Link:
    """One connection that the gateway opened."""

    def __init__(self, connection):
        self.socket = connection
        self.buffer = b""

    def send(self, data):
        self.socket.sendall(data)

    def event(self, data):
        """One event as one chunk."""
        if not isinstance(data, (str, bytes)):
            data = json.dumps(data)
        if isinstance(data, str):
            data = data.encode()
        self.chunk(b"data: " + data + b"\n\n")

    def chunk(self, data):
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def last_chunk(self):
        self.send(b"0\r\n\r\n")

    def read_request(self):
        """None at the end of the connection."""
        while b"\r\n\r\n" not in self.buffer:
            if not self._fill():
                return None
        head, rest = self.buffer.split(b"\r\n\r\n", 1)
        line, *lines = head.decode("latin-1").split("\r\n")
        fields = [tuple(part.strip() for part in text.split(":", 1)) for text in lines]
        length = sum(int(value) for name, value in fields if name.lower() == "content-length")
        self.buffer = rest
        while len(self.buffer) < length:
            if not self._fill():
                return None
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return Request(line, fields, body, head)

    def _fill(self):
        try:
            data = self.socket.recv(65536)
        except OSError:
            return False
        self.buffer += data
        return bool(data)

    def seconds_until_closed(self, limit=5.0):
        """How long the gateway keeps the connection; None where it is longer than `limit`."""
        began = time.monotonic()
        self.socket.settimeout(limit)
        try:
            while self.socket.recv(65536):
                pass
        except TimeoutError:
            return None
        except OSError:
            pass
        return time.monotonic() - began


def whole(body, status="200 OK", fields=(), content_type="application/json"):
    if isinstance(body, dict):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    lines = [f"HTTP/1.1 {status}", f"content-type: {content_type}", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in fields]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def stream_head(fields=()):
    lines = ["HTTP/1.1 200 OK", "content-type: text/event-stream", "transfer-encoding: chunked"]
    lines += [f"{name}: {value}" for name, value in fields]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def completion(content="Hello there", model="real-model", **more):
    message = {"role": "assistant", "content": content}
    reply = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": USAGE,
    }
    reply.update(more)
    return reply


def delta(content=None, finish=None, model="real-model", **more):
    change = {} if content is None else {"content": content}
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": model,
        "choices": [{"index": 0, "delta": change, "finish_reason": finish}],
    }
    chunk.update(more)
    return chunk


def usage_chunk():
    chunk = delta(usage=USAGE)
    chunk["choices"] = []
    return chunk


def answer_well(link, request):
    """What a healthy provider does, streamed and not."""
    if request.method == "GET":
        models = [{"id": name, "object": "model", "created": 1, "owned_by": "lab"} for name in ("model-a", "model-b")]
        link.send(whole({"object": "list", "data": models}))
        return
    if not request.json().get("stream"):
        link.send(whole(completion()))
        return
    link.send(stream_head())
    for text in ("Hello", " ", "there"):
        link.event(delta(text))
    link.event(delta(finish="stop"))
    if (request.json().get("stream_options") or {}).get("include_usage"):
        link.event(usage_chunk())
    link.event("[DONE]")
    link.last_chunk()


class Upstream:
    """Calls `answer(link, request)` for each request, on a thread for each connection. An answer of
    False ends the connection."""

    def __init__(self, answer=answer_well):
        self.answer = answer
        self.requests = []
        self.connections = 0
        self.failures = []
        self._links = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.connections += 1
                self._links.add(connection)
            threading.Thread(target=self._serve, args=(Link(connection),), daemon=True).start()

    def _serve(self, link):
        try:
            while (request := link.read_request()) is not None:
                with self._lock:
                    self.requests.append(request)
                if self.answer(link, request) is False:
                    break
        except OSError:
            pass
        except Exception as failure:  # a broken test, which must not pass for a broken upstream
            self.failures.append(failure)
        finally:
            with self._lock:
                self._links.discard(link.socket)
            link.socket.close()

    def wait_for_requests(self, count, seconds=5):
        deadline = time.monotonic() + seconds
        while len(self.requests) < count:
            assert time.monotonic() < deadline, f"{len(self.requests)} of {count} requests"
            time.sleep(0.002)
        return self.requests

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        with self._lock:
            links = list(self._links)
        for connection in links:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.close()
        if kind is None:
            assert not self.failures, self.failures


def unused_port():
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
