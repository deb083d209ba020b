"""A client of HTTP/1.1 that sends exactly the bytes it is given and hides nothing of what comes back."""

import json
import socket
import time

TIMEOUT = 10.0


class Closed(Exception):
    """The other side ended the connection before a whole head."""


class Reply:
    """One answer. `complete` tells whether its body ended as its framing promised."""

    def __init__(self, status, fields, interim):
        self.status = status
        self.fields = fields
        self.interim = interim
        self.body = b""
        self.complete = False

    def __repr__(self):
        return f"<{self.status} {self.fields} {self.body[:300]!r} complete={self.complete}>"

    def all(self, name):
        return [value for known, value in self.fields if known.lower() == name]

    def header(self, name):
        values = self.all(name)
        return values[0] if values else None

    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.json()["error"]

    def events(self):
        """The data of each server-sent event, as text."""
        found = []
        for event in self.body.decode().split("\n\n"):
            lines = [line[5:].removeprefix(" ") for line in event.split("\n") if line.startswith("data:")]
            if lines:
                found.append("\n".join(lines))
        return found

    def chunks(self):
        """The events as JSON, without [DONE]."""
        return [json.loads(data) for data in self.events() if data != "[DONE]"]

    def content(self):
        text = ""
        for chunk in self.chunks():
            for choice in chunk.get("choices", []):
                text += choice["delta"].get("content") or ""
        return text


class Connection:
    def __init__(self, port, host="127.0.0.1", timeout=TIMEOUT, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect((host, port))
        except OSError:
            self.socket.close()
            raise
        self.buffer = b""
        self.at_end = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def _fill(self):
        """False at the end of the stream."""
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            data = b""
        if not data:
            self.at_end = True
            return False
        self.buffer += data
        return True

    def _take(self, count):
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def _line(self):
        while b"\r\n" not in self.buffer:
            if not self._fill():
                raise Closed(self.buffer)
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def read_head(self):
        interim = []
        while True:
            status_line = self._line().decode("latin-1")
            version, status = status_line.split(" ")[:2]
            assert version == "HTTP/1.1", status_line
            fields = []
            while line := self._line().decode("latin-1"):
                name, value = line.split(":", 1)
                fields.append((name, value.strip()))
            if int(status) >= 200:
                return Reply(int(status), fields, interim)
            interim.append(int(status))

    def read_chunk(self):
        """The next chunk; b"" for the last; None where the stream ends without one."""
        try:
            size = int(self._line(), 16)
            while len(self.buffer) < size + 2:
                if not self._fill():
                    return None
            chunk = self._take(size)
            assert self._take(2) == b"\r\n"
            return chunk
        except Closed:
            return None

    def read_body(self, reply):
        if reply.header("transfer-encoding") == "chunked":
            while chunk := self.read_chunk():
                reply.body += chunk
            reply.complete = chunk is not None
            return reply
        length = reply.header("content-length")
        if length is not None:
            while len(self.buffer) < int(length) and self._fill():
                pass
            reply.body = self._take(int(length))
            reply.complete = len(reply.body) == int(length)
            return reply
        while self._fill():
            pass
        reply.body, self.buffer = self.buffer, b""
        reply.complete = True
        return reply

    def read(self, method="GET"):
        """A whole answer."""
        reply = self.read_head()
        if method == "HEAD" or reply.status in (204, 304):
            reply.complete = True
            return reply
        return self.read_body(reply)

    def read_event(self, contains):
        """Reads chunks until one holds `contains`; what was read."""
        seen = b""
        while contains not in seen:
            chunk = self.read_chunk()
            assert chunk, (chunk, seen)
            seen += chunk
        return seen

    def is_silent(self, seconds):
        """Whether nothing comes, not even an end, for so long."""
        if self.buffer or self.at_end:
            return False
        self.socket.settimeout(seconds)
        try:
            return not self._fill() and False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(TIMEOUT)

    def ends(self, seconds=TIMEOUT):
        """Whether the other side closes within that time and sends nothing before."""
        self.socket.settimeout(seconds)
        try:
            return not self._fill()
        except TimeoutError:
            return False
        finally:
            self.socket.settimeout(TIMEOUT)

    def read_to_end(self, seconds=TIMEOUT):
        """Everything until the close; None where there is none in that time."""
        deadline = time.monotonic() + seconds
        while not self.at_end:
            self.socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                self._fill()
            except TimeoutError:
                return None
        return self.buffer


def request(method, path, body=None, headers=(), host="gateway.test"):
    """The bytes of a request. A dictionary becomes JSON."""
    if isinstance(body, (dict, list)):
        body = json.dumps(body).encode()
    fields = dict(headers) if not isinstance(headers, list) else None
    pairs = list(fields.items()) if fields is not None else list(headers)
    names = {name.lower() for name, _ in pairs}
    if "host" not in names:
        pairs.insert(0, ("Host", host))
    if body is not None:
        if "content-type" not in names:
            pairs.append(("Content-Type", "application/json"))
        if "content-length" not in names and "transfer-encoding" not in names:
            pairs.append(("Content-Length", str(len(body))))
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in pairs)
    return head.encode("latin-1") + b"\r\n" + (body or b"")


def ask(port, method, path, body=None, headers=(), timeout=TIMEOUT):
    """One request on a connection of its own."""
    with Connection(port, timeout=timeout) as connection:
        connection.send(request(method, path, body, headers))
        return connection.read(method)


def chat(model="echo", content="Hello", stream=False, **more):
    body = {"model": model, "messages": [{"role": "user", "content": content}]}
    if stream:
        body["stream"] = True
    body.update(more)
    return body


def ask_chat(port, body=None, headers=(), timeout=TIMEOUT):
    return ask(port, "POST", "/v1/chat/completions", body if body is not None else chat(), headers, timeout)
