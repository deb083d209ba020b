"""What a client may send, how much, and how slowly."""

import json
import resource
import threading
import time
import unittest

from gateway import EMBEDDED, SLOWNESS, Gateway, to_upstream
from raw_http import Closed, Connection, chat, request
from upstream import Upstream

KIBIBYTE = 1024
BODY_LIMIT = 256 * KIBIBYTE


class Sizes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = Upstream()
        limits = {"body_bytes": BODY_LIMIT}
        cls.gateway = Gateway({**to_upstream(cls.upstream.port), "limits": limits, "keys": [{"name": "a", "secret": "sk-a"}]})
        cls.key = {"Authorization": "Bearer sk-a"}

    @classmethod
    def tearDownClass(cls):
        cls.gateway.stop()
        cls.upstream.close()

    def check_refused(self, reply, status, code=None):
        self.assertEqual(reply.status, status, reply)
        self.assertEqual(reply.error["type"], "invalid_request_error")
        if code:
            self.assertEqual(reply.error["code"], code)
        self.assertTrue(reply.header("x-request-id"))

    def padded(self, size):
        body = json.dumps(chat(padding="")).encode()
        return body.replace(b'"padding": ""', b'"padding": "' + b"x" * (size - len(body)) + b'"')

    def test_a_body_of_just_the_limit_goes_through_and_one_more_does_not(self):
        self.assertEqual(self.gateway.chat(self.padded(BODY_LIMIT), self.key).status, 200)
        self.check_refused(self.gateway.chat(self.padded(BODY_LIMIT + 1), self.key), 413, "payload_too_large")

    def test_a_length_beyond_the_limit_is_refused_before_the_body_is_sent(self):
        with self.gateway.connect() as connection:
            connection.send(request("POST", "/v1/chat/completions", headers={**self.key, "Content-Length": "100000000"}))
            self.check_refused(connection.read(), 413)
            self.assertTrue(connection.ends(5))

    def test_a_chunked_body_is_refused_at_the_limit(self):
        for size in (BODY_LIMIT + 1, 2 ** 31, 2 ** 62):
            with self.subTest(size), self.gateway.connect() as connection:
                head = request("POST", "/v1/chat/completions", headers={**self.key, "Transfer-Encoding": "chunked"})
                connection.send(head + b"%x\r\n" % size)
                self.check_refused(connection.read(), 413)
                self.assertTrue(connection.ends(5))
        with self.gateway.connect() as connection:
            connection.send(request("POST", "/v1/chat/completions", headers={**self.key, "Transfer-Encoding": "chunked"}))
            sent = 0
            try:
                for _ in range(100_000):
                    connection.send(b"400\r\n" + b" " * 1024 + b"\r\n")
                    sent += 1024
            except (ConnectionResetError, BrokenPipeError):
                pass
            self.assertLess(sent, 16 * 1024 * KIBIBYTE)

    def test_a_large_head_is_431_and_a_long_target_414(self):
        for name, status in (({"X-Big": "v" * 40 * KIBIBYTE}, 431), ({f"X-F{i}": "v" for i in range(101)}, 431)):
            with self.subTest(len(name)):
                self.check_refused(self.gateway.ask("GET", "/livez", headers=name), status)
        self.check_refused(self.gateway.ask("GET", "/" + "x" * 9 * KIBIBYTE), 414)
        self.assertEqual(self.gateway.ask("GET", "/livez?" + "x" * 7 * KIBIBYTE).status, 200)
        self.assertEqual(self.gateway.ask("GET", "/livez", headers={f"X-F{i}": "v" for i in range(90)}).status, 200)

    def test_a_head_without_end_is_refused_early(self):
        for data in (b"G" * 100_000, b"GET /" + b"x" * 1_000_000, b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"v" * 1_000_000,
                     b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 100_000):
            with self.subTest(data[:30]), self.gateway.connect() as connection:
                try:
                    connection.send(data)
                except OSError:
                    pass
                try:
                    self.assertIn(connection.read().status, (400, 414, 431, 501))
                except (Closed, OSError):
                    pass

    def test_expect_is_answered_only_when_the_request_is_wanted(self):
        expect = {"Expect": "100-continue"}
        with self.gateway.connect() as connection:
            head, _, body = request("POST", "/v1/chat/completions", chat(), {**self.key, **expect}).partition(b"\r\n\r\n")
            connection.send(head + b"\r\n\r\n")
            time.sleep(0.05)
            connection.send(body)
            reply = connection.read()
            self.assertEqual((reply.status, reply.interim), (200, [100]))
        for headers, status in ((expect, 401), ({**self.key, **expect, "Content-Length": str(BODY_LIMIT + 1)}, 413),
                                ({**self.key, **expect, "Content-Encoding": "gzip", "Content-Length": "10"}, 415)):
            with self.subTest(status), self.gateway.connect() as connection:
                connection.send(request("POST", "/v1/chat/completions", headers={"Content-Length": "100", **headers}))
                reply = connection.read()
                self.assertEqual((reply.status, reply.interim), (status, []))
        with self.gateway.connect() as connection:
            connection.send(request("POST", "/nothing", headers={**self.key, **expect, "Content-Length": "100"}))
            reply = connection.read()
            self.assertEqual((reply.status, reply.interim), (404, []))
        reply = self.gateway.chat(headers={**self.key, "Expect": "the-unexpected"})
        self.assertEqual(reply.status, 417)

    def test_a_coded_body_is_415(self):
        for coding in ("gzip", "br", "deflate", "zstd", "x-unknown", "identity, gzip"):
            self.check_refused(self.gateway.chat(headers={**self.key, "Content-Encoding": coding}), 415)
        self.assertEqual(self.gateway.chat(headers={**self.key, "Content-Encoding": "identity"}).status, 200)

    def test_a_body_that_is_not_a_request_is_400_with_the_parameter(self):
        message = '"messages":[{"role":"user","content":"x"}]'
        cases = [
            (b"", None), (b"not json", None), (b"[]", None), (b"null", None), (b'"text"', None), (b"{", None),
            (b'{"model":"m",' + message.encode() + b"} x", None), (b'{"model":"m",' + message.encode() + b",}", None),
            (b'{"model":"m",' + message.encode() + b',"x":01}', None), (b'{"model":"m",' + message.encode() + b',"x":NaN}', None),
            (b'{"model":"m",' + message.encode() + b',"x":"\xff"}', None),
            (b'{"model":"m",' + message.encode() + b',"x":"\xed\xa0\x80"}', None),
            (b'{"model":"m",' + message.encode() + b',"x":"\x01"}', None),
            (b'\xef\xbb\xbf{"model":"m",' + message.encode() + b"}", None),
            (b'{"model":"m",' + message.encode() + b',"x":' + b"[" * 65 + b"]" * 65 + b"}", None),
            (b'{"model":"m",' + message.encode() + b',"x":' + b"[" * 200_000, None),
            (b"{" + message.encode() + b"}", "model"), (b'{"model":1,' + message.encode() + b"}", "model"),
            (b'{"model":"",' + message.encode() + b"}", "model"), (b'{"model":null,' + message.encode() + b"}", "model"),
            (b'{"model":"m"}', "messages"), (b'{"model":"m","messages":"x"}', "messages"),
            (b'{"model":"a","model":"b",' + message.encode() + b"}", "model"),
            (b'{"model":"a","mod\\u0065l":"b",' + message.encode() + b"}", "model"),
            (b'{"model":"m","stream":true,"stream":false,' + message.encode() + b"}", "stream"),
            (b'{"model":"m","messages":[],' + message.encode() + b"}", "messages"),
            (b'{"model":"m","stream":"yes",' + message.encode() + b"}", "stream"),
            (b'{"model":"m","stream_options":[],"stream":true,' + message.encode() + b"}", "stream_options"),
        ]
        before = len(self.upstream.requests)
        for body, param in cases:
            with self.subTest(body[:80]):
                reply = self.gateway.chat(body, self.key)
                self.check_refused(reply, 400)
                if param:
                    self.assertEqual(reply.error["param"], param)
        self.assertEqual(len(self.upstream.requests), before)

    def test_what_is_legal_json_goes_through(self):
        message = b'"messages":[{"role":"user","content":"x"}]'
        for extra in (b'"x":' + b"[" * 60 + b"]" * 60, b'"x":' + b"9" * 20_000, b'"x":1e400,"y":-0.0', b'"x":"\\ud800"',
                      b'"x":1,"x":2', b'"":"","\\u0000":"\\u0000"', b'"tools":null,"max_tokens":null,"stream":null'):
            with self.subTest(extra[:60]):
                reply = self.gateway.chat(b'{"model":"m",' + message + b"," + extra + b"}", self.key)
                self.assertEqual(reply.status, 200, reply)

    def test_a_connection_lives_on_after_a_refusal_whose_body_was_read(self):
        with self.gateway.connect() as connection:
            connection.send(request("POST", "/v1/chat/completions", b"{}", self.key))
            self.assertEqual(connection.read().status, 400)
            connection.send(request("POST", "/v1/chat/completions", chat(), self.key))
            self.assertEqual(connection.read().status, 200)

    def test_a_body_that_was_not_read_is_never_taken_for_a_request(self):
        smuggled = request("GET", "/livez?smuggled")
        for headers in ({}, {**self.key, "Content-Encoding": "gzip"}):
            with self.subTest(headers), self.gateway.connect() as connection:
                fields = {"Content-Length": str(len(smuggled)), **headers}
                connection.send(request("POST", "/v1/chat/completions", headers=fields) + smuggled)
                first = connection.read()
                self.assertIn(first.status, (401, 415))
                # Drained or closed.
                try:
                    connection.send(request("GET", "/nothing-at-all"))
                    self.assertEqual(connection.read().status, 404)
                except (Closed, OSError):
                    pass


class Pace(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        limits = {"head_timeout": "600ms", "idle_timeout": "900ms", "body_min_rate": "1KiB"}
        cls.gateway = Gateway({**EMBEDDED, "limits": limits})

    @classmethod
    def tearDownClass(cls):
        cls.gateway.stop()

    def test_a_head_must_be_complete_in_time_however_its_bytes_trickle(self):
        with self.gateway.connect() as connection:
            began = time.monotonic()
            reply = None
            try:
                for byte in request("GET", "/livez", headers={"X-Slow": "x" * 200}):
                    connection.send(bytes([byte]))
                    time.sleep(0.05)
                    if connection.buffer or time.monotonic() - began > 3:
                        break
            except OSError:
                pass
            elapsed = time.monotonic() - began
            self.assertLess(elapsed, 3.5)
            connection.close()
        with self.gateway.connect() as connection:
            began = time.monotonic()
            connection.send(b"GET / HTTP/1.1\r\nHost: x\r\nX-Half: ")
            reply = connection.read()
            self.assertEqual(reply.status, 408)
            self.assertTrue(connection.ends(2))
            self.assertAlmostEqual(time.monotonic() - began, 0.6, delta=0.4 * SLOWNESS)

    def test_an_idle_connection_is_closed_silently(self):
        for used in (False, True):
            with self.subTest(used=used), self.gateway.connect() as connection:
                if used:
                    connection.send(request("GET", "/livez"))
                    connection.read()
                began = time.monotonic()
                self.assertTrue(connection.ends(3))
                self.assertEqual(connection.buffer, b"")
                self.assertAlmostEqual(time.monotonic() - began, 0.9, delta=0.4 * SLOWNESS)

    def test_one_byte_at_a_time_is_legal(self):
        with Gateway(EMBEDDED) as gateway, gateway.connect() as connection:
            for byte in request("POST", "/v1/chat/completions", chat(stream=True)):
                connection.send(bytes([byte]))
                time.sleep(0.002)
            reply = connection.read()
            self.assertEqual((reply.status, reply.events()[-1]), (200, "[DONE]"))

    def test_a_body_that_stops_is_408(self):
        with self.gateway.connect(timeout=20) as connection:
            began = time.monotonic()
            connection.send(request("POST", "/v1/chat/completions", headers={"Content-Length": "100000"}) + b"{")
            reply = connection.read()
            self.assertEqual(reply.status, 408)
            self.assertLess(time.monotonic() - began, 12)
            self.assertTrue(connection.ends(5))

    def test_no_least_rate_is_a_possible_configuration(self):
        with Gateway({**EMBEDDED, "limits": {"body_min_rate": 0}}) as gateway, gateway.connect() as connection:
            head, _, body = request("POST", "/v1/chat/completions", chat()).partition(b"\r\n\r\n")
            connection.send(head + b"\r\n\r\n")
            for byte in body:
                connection.send(bytes([byte]))
                time.sleep(0.001)
            self.assertEqual(connection.read().status, 200)

    def test_pipelined_requests_are_answered_in_order(self):
        with self.gateway.connect() as connection:
            connection.send(request("GET", "/livez") + request("GET", "/nothing") + request("POST", "/v1/chat/completions", chat())
                            + request("GET", "/readyz", headers={"Connection": "close"}))
            self.assertEqual([connection.read().status for _ in range(4)], [200, 404, 200, 200])
            self.assertTrue(connection.ends(2))


class Descriptors(unittest.TestCase):
    """OV-4: with no file descriptor left the gateway waits in peace and comes back at once."""

    # UBSan looks at an object's type by way of a pipe, which cannot be had then.
    @unittest.skipIf(SLOWNESS > 1, "the sanitizers need descriptors themselves")
    def test_running_out_of_descriptors(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))

        with Gateway(EMBEDDED, before=limit) as gateway:
            flood = []
            for _ in range(400):
                try:
                    flood.append(Connection(gateway.port, timeout=1))
                except OSError:
                    break
            self.assertGreater(len(flood), 250)
            time.sleep(0.3)
            began, used = time.monotonic(), gateway.cpu_seconds()
            time.sleep(1)
            share = (gateway.cpu_seconds() - used) / (time.monotonic() - began)
            self.assertLess(share, 0.05 * SLOWNESS)
            self.assertIsNone(gateway.child.poll())
            self.assertGreater(sum(map(self.works, flood)), 100, "those that were taken still work")
            for connection in flood:
                connection.close()
            freed = time.monotonic()
            self.assertEqual(gateway.ask("GET", "/livez").status, 200)
            self.assertLess(time.monotonic() - freed, 1.0 * SLOWNESS)
            complaints = [line for line in gateway.lines_so_far() if line["message"] != "request"]
            self.assertLess(len(complaints), 20, "the log is flooded")

    @staticmethod
    def works(connection):
        try:
            connection.send(request("GET", "/livez"))
            return not connection.is_silent(0.005 * SLOWNESS) and connection.read().status == 200
        except (Closed, OSError):
            return False


class Load(unittest.TestCase):
    def test_many_streams_at_once_all_end_well(self):
        with Gateway(EMBEDDED) as gateway:
            failures = []

            def client(index):
                for i in range(10):
                    reply = gateway.chat(chat(model="embedded/lorem", content=str(index), stream=i % 2 == 0, max_tokens=50))
                    good = reply.complete and (i % 2 == 1 or reply.events()[-1] == "[DONE]")
                    if reply.status != 200 or not good:
                        failures.append(reply)

            threads = [threading.Thread(target=client, args=(i,)) for i in range(32)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(failures, [])


if __name__ == "__main__":
    unittest.main()
