"""HTTP/1.1 as strict as the strictest: what must be refused, taken, or waited for. Own cases, so that the
rules hold without the shared corpus. IN-1 to IN-4."""

import concurrent.futures
import random
import re
import unittest

from gateway import Gateway, to_upstream
from raw_http import Connection, chat, request
from upstream import Upstream

PATH = b"/v1/chat/completions"
BODY = b'{"model":"m","messages":[{"role":"user","content":"x"}]}'
SIZE = str(len(BODY)).encode()
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)


def post(fields=b"", body=BODY, line=b"POST " + PATH + b" HTTP/1.1\r\n", host=b"Host: gw.test\r\n"):
    return line + host + fields + b"\r\n" + body


def sized(fields=b"", **more):
    return post(b"Content-Length: " + SIZE + b"\r\n" + fields, **more)


def chunked(body, fields=b"Transfer-Encoding: chunked\r\n"):
    return post(fields, body)


REJECTED = {
    # Framing.
    "TE and CL": sized(b"Transfer-Encoding: chunked\r\n", body=CHUNKED),
    "CL and TE": post(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", CHUNKED),
    "two lengths that differ": sized(b"Content-Length: 1\r\n"),
    "a list of lengths that differ": post(b"Content-Length: " + SIZE + b", 1\r\n"),
    "signed length": post(b"Content-Length: +" + SIZE + b"\r\n"),
    "negative length": post(b"Content-Length: -1\r\n"),
    "length in hexadecimal": post(b"Content-Length: 0x38\r\n"),
    "length with a space inside": post(b"Content-Length: 5 6\r\n"),
    "length of 20 digits": post(b"Content-Length: 99999999999999999999\r\n"),
    "empty length": post(b"Content-Length: \r\n"),
    "another coding": chunked(CHUNKED, b"Transfer-Encoding: gzip, chunked\r\n"),
    "chunked twice": chunked(CHUNKED, b"Transfer-Encoding: chunked, chunked\r\n"),
    "two coding fields": chunked(CHUNKED, b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
    "chunked not last": chunked(CHUNKED, b"Transfer-Encoding: chunked, identity\r\n"),
    "misspelt coding": chunked(CHUNKED, b"Transfer-Encoding: xchunked\r\n"),
    "coding after a tab and more": chunked(CHUNKED, b"Transfer-Encoding: \x0bchunked\r\n"),
    "coding in HTTP/1.0": post(b"Transfer-Encoding: chunked\r\n", CHUNKED, line=b"POST " + PATH + b" HTTP/1.0\r\n"),
    "folded coding": chunked(CHUNKED, b"Transfer-Encoding:\r\n chunked\r\n"),
    "space before the colon": chunked(CHUNKED, b"Transfer-Encoding : chunked\r\n"),
    # Chunks.
    "chunk size with bare LF": chunked(b"38\n" + BODY + b"\r\n0\r\n\r\n"),
    "chunk data without CRLF": chunked(b"%x\r\n%s" % (len(BODY), BODY) + b"0\r\n\r\n"),
    "chunk data ended by LF": chunked(b"%x\r\n%s\n0\r\n\r\n" % (len(BODY), BODY)),
    "chunk size with 0x": chunked(b"0x%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)),
    "chunk size with sign": chunked(b"+%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)),
    "chunk size negative": chunked(b"-1\r\n\r\n0\r\n\r\n"),
    "chunk size overflow": chunked(b"10000000000000001\r\nx\r\n0\r\n\r\n"),
    "chunk size empty": chunked(b"\r\nx\r\n0\r\n\r\n"),
    "chunk size after a space": chunked(b" %x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)),
    "chunk extension with CR": chunked(b"1;a=\rb\r\n{\r\n0\r\n\r\n"),
    "chunk extension of 64 KiB": chunked(b"1;" + b"a" * 65536 + b"\r\n{\r\n0\r\n\r\n"),
    "trailer without a colon": chunked(b"%x\r\n%s\r\n0\r\nbad\r\n\r\n" % (len(BODY), BODY)),
    # Fields.
    "bare LF after the request line": sized(line=b"POST " + PATH + b" HTTP/1.1\n"),
    "bare LF after a field": sized(b"X-A: b\n"),
    "bare CR in a value": sized(b"X-A: b\rc\r\n"),
    "NUL in a value": sized(b"X-A: b\0c\r\n"),
    "control character in a value": sized(b"X-A: b\x01c\r\n"),
    "folded field": sized(b"X-A: b\r\n c\r\n"),
    "folded first field": sized(host=b" X: y\r\nHost: gw.test\r\n"),
    "name with a space": sized(b"X A: b\r\n"),
    "name with an underscore": sized(b"X_A: b\r\n"),
    "empty name": sized(b": b\r\n"),
    "field without a colon": sized(b"X-A\r\n"),
    "name with a bracket": sized(b"X(A): b\r\n"),
    "name outside ASCII": sized("X-Ä: b\r\n".encode()),
    # Host.
    "no Host": sized(host=b""),
    "two Hosts": sized(host=b"Host: a\r\nHost: a\r\n"),
    "Host with a space": sized(host=b"Host: a b\r\n"),
    "Host with a path": sized(host=b"Host: a/b\r\n"),
    "Host with a user": sized(host=b"Host: u@a\r\n"),
    "Host list": sized(host=b"Host: a, b\r\n"),
    "Host with a bad port": sized(host=b"Host: a:b\r\n"),
    # The request line.
    "HTTP/0.9": b"POST " + PATH + b"\r\n\r\n",
    "HTTP/2.0": sized(line=b"POST " + PATH + b" HTTP/2.0\r\n"),
    "HTTP/1.2": sized(line=b"POST " + PATH + b" HTTP/1.10\r\n"),
    "http in small letters": sized(line=b"POST " + PATH + b" http/1.1\r\n"),
    "two spaces": sized(line=b"POST  " + PATH + b" HTTP/1.1\r\n"),
    "tab for a space": sized(line=b"POST\t" + PATH + b" HTTP/1.1\r\n"),
    "space at the end": sized(line=b"POST " + PATH + b" HTTP/1.1 \r\n"),
    "method with a bracket": sized(line=b"PO(ST " + PATH + b" HTTP/1.1\r\n"),
    "target without a slash": sized(line=b"POST v1/chat/completions HTTP/1.1\r\n"),
    "target with a fragment": sized(line=b"POST " + PATH + b"#x HTTP/1.1\r\n"),
    "target with a raw byte": sized(line=b"POST /v1/chat\x7f HTTP/1.1\r\n"),
    "asterisk for POST": sized(line=b"POST * HTTP/1.1\r\n"),
    "another scheme": sized(line=b"POST ftp://gw.test" + PATH + b" HTTP/1.1\r\n"),
    # Other protocols.
    "CONNECT": b"CONNECT gw.test:443 HTTP/1.1\r\nHost: gw.test:443\r\n\r\n",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "Upgrade to h2c": b"GET /v1/models HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                      b"HTTP2-Settings: AAMAAABk\r\n\r\n",
    "Upgrade to websocket": b"GET /v1/models HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                            b"Sec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64,
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "a broken body for a page without one": b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
}

ACCEPTED = {
    "length": sized(),
    "chunked": chunked(CHUNKED),
    "chunk extension": chunked(b"%x;name=\"a b\";x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)),
    "leading zeros and capitals": chunked(b"000%X\r\n%s\r\n000\r\n\r\n" % (len(BODY), BODY)),
    "trailers": chunked(b"%x\r\n%s\r\n0\r\nX-T: 1\r\n\r\n" % (len(BODY), BODY)),
    "coding in capitals": chunked(CHUNKED, b"TRANSFER-ENCODING: Chunked\r\n"),
    "HTTP/1.0 without Host": sized(line=b"POST " + PATH + b" HTTP/1.0\r\n", host=b""),
    "absolute form": sized(line=b"POST http://gw.test" + PATH + b" HTTP/1.1\r\n"),
    "query": sized(line=b"POST " + PATH + b"?a=b&c=%20 HTTP/1.1\r\n"),
    "Host with port": sized(host=b"Host: gw.test:8080\r\n"),
    "Host of IPv6": sized(host=b"Host: [::1]:8080\r\n"),
    "empty lines first": b"\r\n\r\n" + sized(),
    "tabs and spaces around a value": sized(b"X-A: \t b \t\r\n"),
    "no space after the colon": sized(b"X-A:b\r\n"),
    "empty value": sized(b"X-A:\r\n"),
    "odd but legal name": sized(b"!#$%&'*+-.^`|~1a: b\r\n"),
    "bytes beyond ASCII in a value": sized(b"X-A: \xe4\xff\r\n"),
}

WAITING = {
    "nothing": b"",
    "half a method": b"PO",
    "half a target": b"POST /v1/ch",
    "half a version": b"POST " + PATH + b" HTTP/1.",
    "half a line end": b"POST " + PATH + b" HTTP/1.1\r",
    "half a name": b"POST " + PATH + b" HTTP/1.1\r\nHo",
    "half a value": b"POST " + PATH + b" HTTP/1.1\r\nHost: gw",
    "half an end of the head": sized(body=b"")[:-1],
    "no body": sized(body=b""),
    "half a body": sized(body=BODY[:20]),
    "half a chunk size": chunked(b"3"),
    "half a chunk": chunked(b"38\r\n{"),
    "no last chunk": chunked(b"%x\r\n%s\r\n" % (len(BODY), BODY)),
    "half a last chunk": chunked(CHUNKED[:-2]),
    "half a trailer": chunked(CHUNKED[:-2] + b"X-T"),
    "an empty line": b"\r\n",
}


class Strictness(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = Upstream()
        cls.gateway = Gateway(to_upstream(cls.upstream.port))

    @classmethod
    def tearDownClass(cls):
        cls.gateway.stop()
        cls.upstream.close()

    def send_all(self, cases, seconds):
        """Every case on a connection of its own, all at the same time: name, what came, whether it closed."""

        def send(case):
            with Connection(self.gateway.port) as connection:
                connection.send(case[1])
                closed = connection.read_to_end(seconds) is not None
                return case[0], connection.buffer, closed

        with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
            return list(pool.map(send, cases.items()))

    def test_what_must_be_refused_is_and_the_connection_closed(self):
        before = len(self.upstream.requests)
        # What follows must not be taken for a second request.
        cases = {name: raw + request("GET", "/livez") for name, raw in REJECTED.items()}
        for name, data, closed in self.send_all(cases, 5):
            with self.subTest(name):
                self.assertRegex(data, rb"\AHTTP/1\.1 [45]\d\d ")
                self.assertEqual(len(re.findall(rb"^HTTP/1\.1 ", data, re.MULTILINE)), 1, data)
                self.assertNotIn(b"500", data[:13])
                self.assertIn(b'{"error":{"message":"', data)
                self.assertRegex(data, rb"\r\nx-request-id: req_[0-9a-f]{32}\r\n")
                self.assertIn(b"\r\nconnection: close\r\n", data.lower())
                self.assertTrue(closed, "the connection stays open")
        self.assertEqual(len(self.upstream.requests), before)

    def test_what_is_legal_is_taken(self):
        before = len(self.upstream.requests)
        for name, data, _ in self.send_all(ACCEPTED, 0.5):
            with self.subTest(name):
                self.assertRegex(data, rb"\AHTTP/1\.1 200 ")
        for asked in self.upstream.requests[before:]:
            self.assertEqual(asked.body, BODY)
            self.assertEqual(asked.all("content-length"), [SIZE.decode()])
            self.assertEqual(asked.all("transfer-encoding"), [])
        self.assertEqual(len(self.upstream.requests) - before, len(ACCEPTED))

    def test_what_is_not_complete_is_waited_for(self):
        for name, data, closed in self.send_all(WAITING, 0.4):
            with self.subTest(name):
                self.assertEqual((data, closed), (b"", False))

    def test_a_client_that_closes_half_way_is_let_go(self):
        before = len(self.upstream.requests)
        for raw in WAITING.values():
            with Connection(self.gateway.port) as connection:
                connection.send(raw)
        self.assertEqual(self.gateway.ask("GET", "/livez").status, 200)
        self.assertEqual(len(self.upstream.requests), before)

    def test_damaged_requests_never_do_harm(self):
        generator = random.Random(42)
        seeds = list(REJECTED.values()) + list(ACCEPTED.values()) + list(WAITING.values())

        def damaged():
            raw = bytearray(generator.choice(seeds))
            for _ in range(generator.randint(1, 4)):
                at = generator.randint(0, len(raw))
                raw[at:at + generator.choice((0, 0, 1, 1, 5))] = generator.choice(
                    (b"", b"\0", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b":", b" ", b"\xff", b"0", b"chunked", b"Content-Length: 3\r\n", b"{"))
            return bytes(raw)

        cases = [damaged() for _ in range(1500)]

        def send(raw):
            with Connection(self.gateway.port) as connection:
                try:
                    connection.send(raw)
                    connection.read_to_end(0.05)
                except OSError:
                    pass
                return connection.buffer[:13]

        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            starts = set(pool.map(send, cases))
        self.assertFalse([start for start in starts if start.startswith(b"HTTP/1.1 500")])
        self.assertEqual(self.gateway.ask("GET", "/livez").status, 200)

    def test_every_split_of_a_request_reads_the_same(self):
        raw = chunked(b"%x;a=b\r\n%s\r\n0\r\nX-T: 1\r\n\r\n" % (len(BODY), BODY))

        def split(at):
            with Connection(self.gateway.port) as connection:
                connection.send(raw[:at])
                connection.send(raw[at:])
                return connection.read().status

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            self.assertEqual(set(pool.map(split, range(1, len(raw)))), {200})

    def test_http_10_is_closed_unless_asked_to_be_kept(self):
        for fields, kept in ((b"", False), (b"Connection: keep-alive\r\n", True)):
            with self.subTest(fields), Connection(self.gateway.port) as connection:
                connection.send(b"GET /livez HTTP/1.0\r\n" + fields + b"\r\n")
                self.assertEqual(connection.read().status, 200)
                self.assertEqual(connection.is_silent(0.2), kept)

    def test_a_stream_for_http_10_ends_with_its_connection(self):
        body = BODY[:-1] + b',"stream":true}'
        with Connection(self.gateway.port) as connection:
            connection.send(post(b"Content-Length: %d\r\n" % len(body), body, line=b"POST " + PATH + b" HTTP/1.0\r\n"))
            reply = connection.read()
            self.assertEqual(reply.status, 200)
            self.assertIsNone(reply.header("transfer-encoding"))
            self.assertTrue(connection.at_end)
            self.assertEqual(reply.events()[-1], "[DONE]")

    def test_connection_close_is_obeyed(self):
        with Connection(self.gateway.port) as connection:
            connection.send(request("POST", PATH.decode(), chat(), {"Connection": "close"}))
            reply = connection.read()
            self.assertEqual((reply.status, reply.header("connection")), (200, "close"))
            self.assertTrue(connection.ends(2))


if __name__ == "__main__":
    unittest.main()
