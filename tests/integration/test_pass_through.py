"""What is no endpoint of the gateway's own is handed on as it is."""

import gzip
import itertools
import random
import re
import shutil
import socket
import tempfile
import threading
import time
import unittest
import zlib

import test_tls
from gateway import SLOWNESS, Gateway, to_upstream
from raw_http import request
from upstream import Upstream, unused_port, whole

MIB = 1024 * 1024
LARGE = (2048 if SLOWNESS == 1 else 256) * MIB
RSS_GROWTH = 8 * MIB if SLOWNESS == 1 else 64 * MIB  # a sanitizer's own book-keeping grows
KEY = "sk-of-the-upstream"
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD")

# Its length is prime, so that no piece that is lost, doubled or moved leaves the sum as it was.
BLOCK = random.Random(7).randbytes(1048573)


def pass_through(port, prefix="/v1", more=None, **upstream):
    config = to_upstream(port, **upstream)
    config["pass_through"] = {"upstream": "main", "prefix": prefix, **(more or {})}
    return config


def blocks(size):
    """The bytes of a large body."""
    for start in range(0, size, len(BLOCK)):
        yield BLOCK[: min(len(BLOCK), size - start)]


def checksum(pieces):
    total = 0
    for piece in pieces:
        total = zlib.crc32(piece, total)
    return total


def peak_memory(process):
    with open(f"/proc/{process.child.pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)) * 1024


def is_closed(connection):
    """Whether the other side has ended it, though bytes may lie before the end."""
    tcp_established = 1
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != tcp_established


class HeadOnly:
    """A request whose body is still on its way."""

    def __init__(self, link):
        while b"\r\n\r\n" not in link.buffer:
            data = link.socket.recv(65536)
            if not data:
                raise ConnectionError("the end before a head")
            link.buffer += data
        head, link.buffer = link.buffer.split(b"\r\n\r\n", 1)
        self.text = head.decode("latin-1").lower()
        self._link = link

    def sized_body(self):
        missing = int(re.search(r"content-length: (\d+)", self.text).group(1))
        while missing:
            piece = self._link.buffer or self._link.socket.recv(MIB)
            self._link.buffer = b""
            if not piece:
                raise ConnectionError("the end before the body's")
            missing -= len(piece)
            yield piece

    def chunked_body(self):
        assert "transfer-encoding: chunked" in self.text, self.text
        with self._link.socket.makefile("rb", MIB) as stream:
            rest = Joined(self._link.buffer, stream)
            while size := int(rest.readline(), 16):
                yield rest.read(size)
                rest.read(2)


class Joined:
    """A few bytes and then a file."""

    def __init__(self, first, file):
        self.first, self.file = first, file

    def readline(self):
        while b"\n" not in self.first:
            more = self.file.readline()
            if not more:
                raise ConnectionError("the end before the body's")
            self.first += more
        line, self.first = self.first.split(b"\n", 1)
        return line

    def read(self, size):
        taken, self.first = self.first[:size], self.first[size:]
        return taken + self.file.read(size - len(taken)) if len(taken) < size else taken


class RawUpstream(Upstream):
    """Leaves everything about a connection to `play(link)`."""

    def __init__(self, play):
        self.play = play
        super().__init__()

    def _serve(self, link):
        try:
            self.play(link)
        except OSError:
            pass
        except Exception as failure:
            self.failures.append(failure)
        finally:
            with self._lock:
                self._links.discard(link.socket)
            link.socket.close()


class AsItIs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.reply = [b""]
        cls.upstream = Upstream(lambda link, request: link.send(cls.reply[0]))
        cls.gateway = Gateway(pass_through(cls.upstream.port, timeouts={"first_byte": "2s", "idle": "2s"}), workers=1)

    @classmethod
    def tearDownClass(cls):
        cls.gateway.stop()
        cls.upstream.close()

    def ask(self, method, path, body=None, headers=(), reply=whole("{}")):
        seen = len(self.upstream.requests)
        self.reply[0] = reply
        answer = self.gateway.ask(method, path, body, headers)
        return answer, self.upstream.requests[seen] if len(self.upstream.requests) > seen else None

    def test_every_method_goes_on_with_its_path_query_and_body(self):
        for method in METHODS:
            for body in (None, b"", b"some \x00 bytes"):
                with self.subTest(method, body=body):
                    reply = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n" + (b"" if method == "HEAD" else b"{}")
                    answer, asked = self.ask(method, "/v1/files/a%20b?limit=2&q=%2F..", body, reply=reply)
                    self.assertEqual(answer.status, 200, answer)
                    self.assertTrue(answer.complete)
                    self.assertEqual(answer.header("content-length"), "2")
                    self.assertEqual((asked.method, asked.target), (method, "/v1/files/a%20b?limit=2&q=%2F.."))
                    self.assertEqual(asked.body, body or b"")

    def test_multipart_bytes_and_their_boundary_are_untouched(self):
        boundary = "----AbCdEf" + "x" * 20
        part = f'--{boundary}\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n--{boundary}--\r\n'.encode()
        for body in (part, part * 3000):  # read whole, and handed on as it comes
            answer, asked = self.ask("POST", "/v1/audio/transcriptions", body,
                                     {"Content-Type": f"multipart/form-data; boundary={boundary}"})
            self.assertEqual(answer.status, 200, answer)
            self.assertEqual(asked.body, body)
            self.assertEqual(asked.all("content-type"), [f"multipart/form-data; boundary={boundary}"])
            self.assertEqual(asked.all("content-length"), [str(len(body))])

    def test_which_header_lines_go_up(self):
        _, asked = self.ask("GET", "/v1/files", headers=[
            ("Authorization", "Bearer sk-of-the-client"), ("x-api-key", "sk-of-the-client"), ("Cookie", "a=evil"),
            ("X-Forwarded-For", "6.6.6.6"), ("Forwarded", "for=6.6.6.6"), ("x-sluice-route", "evil"), ("TE", "trailers"),
            ("Connection", "keep-alive, x-stainless-evil"), ("x-stainless-evil", "evil"), ("X-Request-Id", "evil"),
            ("OpenAI-Organization", "evil"), ("User-Agent", "evil"), ("Via", "1.1 evil"), ("Keep-Alive", "evil"),
            ("Accept", "a/b"), ("Accept-Encoding", "br"), ("Range", "bytes=0-1"), ("If-None-Match", '"e"'),
            ("OpenAI-Beta", "assistants=v2"), ("X-Stainless-Lang", "python"), ("Idempotency-Key", "k"),
        ])
        raw = asked.raw.decode()
        for leaked in ("evil", "sk-of-the-client", "6.6.6.6"):
            self.assertNotIn(leaked, raw)
        self.assertEqual(asked.all("authorization"), [f"Bearer {KEY}"])
        self.assertEqual(asked.all("host"), [f"127.0.0.1:{self.upstream.port}"])
        for name, value in (("accept", "a/b"), ("accept-encoding", "br"), ("range", "bytes=0-1"), ("if-none-match", '"e"'),
                            ("openai-beta", "assistants=v2"), ("x-stainless-lang", "python"), ("idempotency-key", "k")):
            self.assertEqual(asked.all(name), [value])

    def test_which_header_lines_come_down(self):
        answer, _ = self.ask("GET", "/v1/files", reply=whole("data", "206 Partial", [
            ("Set-Cookie", "evil"), ("Connection", "x-listed"), ("Keep-Alive", "evil"), ("Authorization", "evil"),
            ("x-upstream-api-key", "evil"), ("Server", "evil"), ("x-ratelimit-echo", KEY), ("Location", "http://evil"),
            ("Content-Range", "bytes 0-3/9"), ("ETag", '"e"'), ("Content-Disposition", "attachment"), ("Retry-After", "7"),
            ("x-ratelimit-remaining-tokens", "3"), ("x-request-id", "up-1"), ("Cache-Control", "no-store"),
        ], "a/B; x=Y"))
        self.assertEqual((answer.status, answer.body), (206, b"data"))
        self.assertNotIn("evil", str(answer.fields))
        self.assertNotIn(KEY, str(answer.fields))
        for name, value in (("content-range", "bytes 0-3/9"), ("etag", '"e"'), ("content-disposition", "attachment"),
                            ("retry-after", "7"), ("x-ratelimit-remaining-tokens", "3"), ("cache-control", "no-store"),
                            ("content-type", "a/B; x=Y"), ("x-sluice-upstream-request-id", "up-1"),
                            ("content-length", "4")):
            self.assertEqual(answer.all(name), [value])

    def test_content_codings_are_left_alone(self):
        coded = gzip.compress(b"text" * 100)
        answer, asked = self.ask("POST", "/v1/x", coded, {"Content-Encoding": "gzip", "Accept-Encoding": "gzip"},
                                 whole(coded, fields=[("Content-Encoding", "gzip")]))
        self.assertEqual((asked.body, asked.all("content-encoding")), (coded, ["gzip"]))
        self.assertEqual((answer.body, answer.all("content-encoding")), (coded, ["gzip"]))
        self.assertEqual(gzip.decompress(answer.body), b"text" * 100)

    def test_redirects_are_not_followed(self):
        for status in ("301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"):
            seen = len(self.upstream.requests)
            answer, _ = self.ask("GET", "/v1/files/1", reply=whole("", status, [
                ("Location", f"http://127.0.0.1:{self.upstream.port}/elsewhere")]))
            self.assertEqual((answer.status, answer.error["code"]), (502, "upstream_status"))
            self.assertIsNone(answer.header("location"))
            self.assertEqual(len(self.upstream.requests), seen + 1)

    def test_not_modified_is_an_answer(self):
        answer, _ = self.ask("GET", "/v1/files/1", reply=b'HTTP/1.1 304 Not Modified\r\netag: "e"\r\n\r\n')
        self.assertEqual((answer.status, answer.header("etag")), (304, '"e"'))

    def test_a_refusal_goes_on_without_the_key(self):
        text = '{"error":{"message":"no such key: %s"}}' % KEY
        for status in ("401 Unauthorized", "404 Not Found", "500 Oops"):
            answer, _ = self.ask("GET", "/v1/files/1", reply=whole(text, status))
            self.assertEqual(answer.status, int(status[:3]))
            self.assertEqual(answer.body.decode(), text.replace(KEY, "[redacted]"))
            self.assertEqual(answer.header("content-type"), "application/json")

    def test_paths_of_our_own_stay_ours(self):
        answer, asked = self.ask("DELETE", "/v1/chat/completions")
        self.assertEqual((answer.status, asked), (405, None))
        answer, asked = self.ask("GET", "/health")
        self.assertEqual((answer.status, asked), (200, None))
        answer, asked = self.ask("GET", "/elsewhere/files")
        self.assertEqual((answer.status, asked), (404, None))

    def test_no_path_leads_out_of_the_base_path(self):
        for path in ("/v1/../admin", "/v1/a/%2e%2E/../x", "/v1/.", "/v1/..%2fadmin"):
            answer, asked = self.ask("GET", path)
            self.assertEqual((answer.status, asked), (400, None), path)

    def test_a_chunked_reply_and_one_that_ends_with_the_connection(self):
        answer, _ = self.ask("GET", "/v1/x", reply=b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
                                                   b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")
        self.assertEqual((answer.body, answer.complete), (b"abcdefg", True))
        self.assertEqual(answer.header("transfer-encoding"), "chunked")

    def test_what_the_log_tells(self):
        self.ask("PUT", "/v1/logged?x=1", b"12345", reply=whole("123", fields=[("x-request-id", "up-7")]))
        line = self.gateway.access_lines(1, where=lambda line: line["path"] == "/v1/logged")[0]
        self.assertEqual((line["method"], line["status"], line["upstream"], line["attempts"]), ("PUT", 200, "main", 1))
        self.assertEqual(line["upstream_request_id"], "up-7")

    def test_connections_are_kept_on_both_sides(self):
        before = self.upstream.connections
        self.reply[0] = whole("x" * 100)
        with self.gateway.connect() as connection:
            for body in (None, b"small", b"b" * 200_000, None, b"small"):
                connection.send(request("POST", "/v1/x", body))
                self.assertEqual(connection.read().status, 200)
        self.assertLessEqual(self.upstream.connections - before, 2)


class Access(unittest.TestCase):
    def setUp(self):
        self.upstream = Upstream(lambda link, request: link.send(whole("{}")))
        self.addCleanup(self.upstream.close)

    def test_nothing_is_handed_on_unless_configured(self):
        with Gateway(to_upstream(self.upstream.port)) as gateway:
            self.assertEqual(gateway.ask("GET", "/v1/files").status, 404)
        self.assertEqual(self.upstream.requests, [])

    def test_a_key_needs_the_scope(self):
        config = pass_through(self.upstream.port, prefix="/raw")
        config["keys"] = [{"name": "a", "secret": "sk-a"}, {"name": "b", "secret": "sk-b", "scopes": ["pass_through"]}]
        with Gateway(config) as gateway:
            for headers, status in (({}, 401), ({"Authorization": "Bearer sk-x"}, 401),
                                    ({"Authorization": "Bearer sk-a"}, 403), ({"Authorization": "Bearer sk-b"}, 200)):
                self.assertEqual(gateway.ask("GET", "/raw/files", headers=headers).status, status)
        self.assertEqual([asked.target for asked in self.upstream.requests], ["/v1/files"])
        self.assertEqual(self.upstream.requests[0].all("authorization"), [f"Bearer {KEY}"])

    def test_a_key_for_certain_models_gets_no_others(self):
        config = pass_through(self.upstream.port)
        config["keys"] = [{"name": "a", "secret": "sk-a", "scopes": ["pass_through"], "models": ["gpt-*"]}]
        headers = {"Authorization": "Bearer sk-a"}
        with Gateway(config) as gateway:
            for body, status in ((b'{"model":"gpt-5","input":"x"}', 200), (b'{"input":"x"}', 200), (None, 200),
                                 (b'{"model":"o3"}', 404), (b'{"model":"gpt-5","model":"o3"}', 404),
                                 (b'\n {"mod\\u0065l":"o3"}', 404), (b'{"model":7}', 404), (b'{"model":"gpt-5"', 400),
                                 ('{"model":"o3"}'.encode("utf-16"), 400)):
                for kind in ("application/json", "text/plain"):
                    with self.subTest(body, kind=kind):
                        reply = gateway.ask("POST", "/v1/responses", body, {**headers, "Content-Type": kind})
                        self.assertEqual(reply.status, status, reply)
                        if status == 404:
                            self.assertEqual((reply.error["code"], reply.error["param"]), ("model_not_found", "model"))
            reply = gateway.ask("POST", "/v1/x", gzip.compress(b'{"model":"o3"}'), {**headers, "Content-Encoding": "gzip"})
            self.assertEqual(reply.status, 415)
        self.assertEqual(len(self.upstream.requests), 6)

    def test_the_clients_credential_is_forwarded_where_the_upstream_takes_it(self):
        with Gateway(pass_through(self.upstream.port, api_key=None, auth="passthrough")) as gateway:
            for headers in ({"Authorization": "Bearer sk-client"}, {"x-api-key": "sk-client"}):
                self.assertEqual(gateway.ask("GET", "/v1/files", headers=headers).status, 200)
            self.assertEqual(gateway.ask("GET", "/v1/files").status, 200)
        first, second, third = self.upstream.requests
        self.assertEqual((first.all("authorization"), first.all("x-api-key")), (["Bearer sk-client"], []))
        self.assertEqual((second.all("authorization"), second.all("x-api-key")), ([], ["sk-client"]))
        self.assertEqual((third.all("authorization"), third.all("x-api-key")), ([], []))

    def test_the_upstreams_own_key_serves_a_client_of_this_machine_that_shows_none(self):
        with Gateway(pass_through(self.upstream.port, auth="passthrough")) as gateway:
            gateway.ask("GET", "/v1/files")
            gateway.ask("GET", "/v1/files", headers={"Authorization": "Bearer sk-client"})
        self.assertEqual([asked.all("authorization") for asked in self.upstream.requests],
                         [[f"Bearer {KEY}"], ["Bearer sk-client"]])


class Failures(unittest.TestCase):
    def retrying(self, port, more=None, **upstream):
        return pass_through(port, more=more, retry={"max_retries": 2, "base_delay": "10ms"}, **upstream)

    def test_what_was_never_sent_is_sent_again_whatever_it_is(self):
        with Gateway(self.retrying(unused_port())) as gateway:
            for body in (None, b"small", b"b" * 200_000):
                reply = gateway.ask("POST", "/v1/x", body)
                self.assertEqual((reply.status, reply.error["code"]), (502, "upstream_unreachable"))
                self.assertEqual(reply.header("x-sluice-attempts"), "main:connect, main:connect, main:connect")

    def test_what_may_have_been_done_is_not_done_twice(self):
        for method, more, count in (("GET", {}, 3), ("PUT", {}, 3), ("POST", {}, 1), ("PATCH", {}, 1),
                                    ("POST", {"retry": True}, 3)):
            with self.subTest(method, **more), Upstream(lambda link, request: False) as upstream:
                with Gateway(self.retrying(upstream.port, more)) as gateway:
                    self.assertEqual(gateway.ask(method, "/v1/x", b"body").status, 502)
                self.assertEqual(len(upstream.requests), count)

    def test_a_body_that_has_gone_cannot_be_sent_again(self):
        with RawUpstream(lambda link: link.socket.recv(1000)) as upstream, Gateway(self.retrying(upstream.port)) as gateway:
            self.assertEqual(gateway.ask("PUT", "/v1/x", b"b" * 200_000).status, 502)
            self.assertEqual(upstream.connections, 1)

    def test_a_reply_that_breaks_off_ends_uncleanly(self):
        for head in (b"content-length: 10\r\n\r\nabc", b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"):
            def play(link, _, head=head):
                link.send(b"HTTP/1.1 200 OK\r\n" + head)
                return False

            with Upstream(play) as upstream, Gateway(pass_through(upstream.port)) as gateway:
                reply = gateway.ask("GET", "/v1/x")
                self.assertEqual((reply.status, reply.body, reply.complete), (200, b"abc", False))
                line = gateway.access_lines()[0]
                self.assertEqual(line["error"], "upstream_truncated")

    def test_an_upload_that_breaks_off_ends_the_one_to_the_upstream(self):
        ended = []

        def play(link):
            try:
                list(HeadOnly(link).sized_body())
            except ConnectionError:
                ended.append(time.monotonic())
        with RawUpstream(play) as upstream, Gateway(pass_through(upstream.port)) as gateway:
            with gateway.connect() as connection:
                connection.send(request("PUT", "/v1/x", headers={"Content-Length": str(MIB)}) + b"b" * 100_000)
                time.sleep(0.2)
            left = time.monotonic()
            self.assertEqual(gateway.access_lines()[0]["status"], 499)
            deadline = time.monotonic() + 5
            while not ended and time.monotonic() < deadline:
                time.sleep(0.005)
            self.assertLess(ended[0] - left, 0.25 * SLOWNESS)

    def test_a_client_that_leaves_while_the_upstream_takes_nothing_ends_the_upload(self):
        left = threading.Event()
        seconds = []

        def play(link):
            HeadOnly(link)
            left.wait(10)
            began = time.monotonic()
            while not is_closed(link.socket):
                time.sleep(0.005)
            seconds.append(time.monotonic() - began)

        with RawUpstream(play) as upstream, Gateway(pass_through(upstream.port)) as gateway:
            connection = gateway.connect()
            connection.send(request("PUT", "/v1/x", headers={"Content-Length": str(LARGE)}))
            connection.socket.settimeout(0.5)
            with self.assertRaises(TimeoutError):
                while True:
                    connection.send(BLOCK)
            connection.reset()
            left.set()
            line = gateway.access_lines()[0]
            self.assertEqual((line["status"], line["error"]), (499, "client_gone"))
        self.assertLess(seconds[0], 0.25 * SLOWNESS)

    def test_a_slow_upload_does_not_trip_the_upstreams_timeouts(self):
        def play(link):
            self.assertEqual(b"".join(HeadOnly(link).chunked_body()), b"abc" * 3)
            link.send(whole("done"))

        with RawUpstream(play) as upstream:
            timeouts = {"first_byte": "200ms", "idle": "200ms"}
            with Gateway(pass_through(upstream.port, timeouts=timeouts)) as gateway, gateway.connect() as connection:
                connection.send(request("POST", "/v1/x", headers={"Transfer-Encoding": "chunked"}))
                for _ in range(3):
                    connection.send(b"3\r\nabc\r\n")
                    time.sleep(0.4)
                connection.send(b"0\r\n\r\n")
                reply = connection.read()
                self.assertEqual((reply.status, reply.body), (200, b"done"))

    def test_a_client_that_falls_silent_gets_408(self):
        with RawUpstream(lambda link: list(HeadOnly(link).sized_body())) as upstream:
            config = pass_through(upstream.port)
            config["limits"] = {"body_min_rate": "100KiB"}
            with Gateway(config) as gateway, gateway.connect(timeout=20) as connection:
                connection.send(request("PUT", "/v1/x", headers={"Content-Length": str(MIB)}) + b"b" * 10_000)
                reply = connection.read()
                self.assertEqual((reply.status, reply.error["code"]), (408, "request_timeout"))


@unittest.skipUnless(shutil.which("openssl"), "openssl makes the certificates")
class Secure(unittest.TestCase):
    """TLS has words of its own to say between the bytes: tickets, before the upstream has said any."""

    certificate = classmethod(test_tls.Tls.certificate.__func__)

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="sluice-test-")
        cls.addClassCleanup(cls.directory.cleanup)
        cls.files = cls.certificate("good", "DNS:localhost", 2)

    def gateway_to(self, upstream):
        config = pass_through(upstream.port, base_url=f"https://localhost:{upstream.port}/v1", ca_file=self.files[0])
        return Gateway(config, workers=1)

    def test_an_upload_that_is_slow_to_begin(self):
        body = BLOCK * 16
        with test_tls.SecureUpstream(*self.files) as upstream, self.gateway_to(upstream) as gateway:
            upstream.answer = lambda link, _: link.send(whole("done"))
            for _ in range(2):
                with gateway.connect() as connection:
                    connection.send(request("PUT", "/v1/x", headers={"Content-Length": str(len(body))}))
                    time.sleep(0.3)
                    connection.send(body[:100_000])
                    time.sleep(0.1)
                    connection.send(body[100_000:])
                    reply = connection.read()
                    self.assertEqual((reply.status, reply.body), (200, b"done"))
            self.assertEqual(upstream.requests[-1].body, body)


class Large(unittest.TestCase):
    def in_constant_memory(self, gateway, act):
        gateway.ask("GET", "/health")  # whatever is made once is there
        before = peak_memory(gateway)
        began = time.monotonic()
        act()
        seconds = time.monotonic() - began
        grown = peak_memory(gateway) - before
        print(f"{self._testMethodName}: {LARGE // MIB} MiB in {seconds:.1f} s, {grown / MIB:.2f} MiB more")
        self.assertLess(grown, RSS_GROWTH)
        self.assertLess(seconds, 60)

    def upload(self, framed):
        sums = []

        def play(link):
            head = HeadOnly(link)
            body = head.chunked_body() if "chunked" in head.text else head.sized_body()
            sums.append(checksum(body))
            link.send(whole("done"))

        with RawUpstream(play) as upstream, Gateway(pass_through(upstream.port), workers=1) as gateway:
            def act():
                with gateway.connect(timeout=60) as connection:
                    for piece in framed():
                        connection.send(piece)
                    reply = connection.read()
                    self.assertEqual((reply.status, reply.body), (200, b"done"))
            self.in_constant_memory(gateway, act)
        self.assertEqual(sums, [checksum(blocks(LARGE))])

    def test_an_upload_of_known_size_in_constant_memory(self):
        head = request("POST", "/v1/files", headers={"Content-Length": str(LARGE), "Content-Type": "multipart/form-data"})
        self.upload(lambda: itertools.chain([head], blocks(LARGE)))

    def test_an_upload_in_chunks_in_constant_memory(self):
        head = request("POST", "/v1/files", headers={"Transfer-Encoding": "chunked"})
        self.upload(lambda: itertools.chain(
            [head], (b"%x\r\n%s\r\n" % (len(piece), piece) for piece in blocks(LARGE)), [b"0\r\n\r\n"]))

    def test_a_download_in_constant_memory(self):
        def play(link):
            while link.read_request() is not None:
                link.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % LARGE)
                for piece in blocks(LARGE):
                    link.send(piece)

        def received(connection):
            buffer = memoryview(bytearray(MIB))
            yield connection.buffer
            missing = LARGE - len(connection.buffer)
            while missing:
                count = connection.socket.recv_into(buffer)
                self.assertGreater(count, 0)
                yield buffer[:count]
                missing -= count

        with RawUpstream(play) as upstream, Gateway(pass_through(upstream.port), workers=1) as gateway:
            def act():
                with gateway.connect(timeout=60) as connection:
                    connection.send(request("GET", "/v1/files/1/content"))
                    self.assertEqual(connection.read_head().header("content-length"), str(LARGE))
                    self.assertEqual(checksum(received(connection)), checksum(blocks(LARGE)))
            self.in_constant_memory(gateway, act)

    def test_an_answer_before_the_upload_is_over_ends_it(self):
        taken = []

        def play(link):
            HeadOnly(link)
            link.send(whole('{"error":{"message":"too large"}}', "413 Too Large"))
            link.socket.settimeout(5)
            while data := link.socket.recv(MIB):
                taken.append(len(data))

        with RawUpstream(play) as upstream, Gateway(pass_through(upstream.port), workers=1) as gateway:
            with gateway.connect(timeout=20) as connection:
                connection.send(request("POST", "/v1/files", headers={"Content-Length": str(LARGE)}) + BLOCK[:70_000])
                reply = connection.read()
                self.assertEqual((reply.status, reply.error["message"]), (413, "too large"))
                self.assertEqual(reply.header("connection"), "close")
                self.assertTrue(connection.ends(5))
            self.assertLess(sum(taken), 10 * MIB)
