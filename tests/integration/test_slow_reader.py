"""A client that reads slowly gets its own stream, whole and in order, when even a comment has no
room any more. Sockets take so little only in a network namespace of the test's own."""

import ctypes
import fcntl
import re
import socket
import struct
import threading
import time
import unittest

from raw_http import chat, request
from scripted import gateway_before
from upstream import completion, delta, stream_head, whole

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP_LOOPBACK = 0x49


def enter_small_network():
    """For the calling thread, and what it starts: a network where a socket keeps 8 KiB at most."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14s", b"lo", IFF_UP_LOOPBACK, b""))
    with open("/proc/sys/net/ipv4/tcp_wmem", "w", encoding="ascii") as sizes:
        sizes.write("4096 4096 8192")


def in_small_network(test):
    """Runs `test` on a thread of its own, so that the namespace ends with it."""

    def run(self):
        outcome = []

        def body():
            try:
                enter_small_network()
            except OSError as refused:
                outcome.append(unittest.SkipTest(f"no network namespace: {refused}"))
                return
            try:
                test(self)
            except BaseException as failure:  # handed on to the runner's thread
                outcome.append(failure)

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        if outcome:
            raise outcome[0]

    return run


def comments(gateway):
    text = gateway.ask("GET", "/metrics").body.decode()
    return int(re.search(r"sluice_keepalive_comments_total (\d+)", text).group(1))


class SlowReader(unittest.TestCase):
    @in_small_network
    def test_what_comes_behind_a_comment_that_waits_is_its_own(self):
        full, said, go_on = threading.Event(), threading.Event(), threading.Event()

        def slow(link, _):
            link.send(stream_head())
            link.event(delta("first "))
            full.wait(60)
            link.event(delta("behind the comment "))
            said.set()
            go_on.wait(60)
            link.event(delta("last", finish="stop"))
            link.event("[DONE]")
            link.last_chunk()

        def other(link, _):
            link.send(whole(completion("word " * 5000), fields=[("x-whose", "of-another-client")]))

        routes = [{"model": "other", "to": "other/*"}, {"model": "*", "to": "main/*"}]
        with gateway_before([slow], [other], workers=1,
                            top={"routes": routes, "limits": {"keepalive_after": "1ms"}}) as (gateway, *_):
            with gateway.connect(receive_buffer=4096) as connection:
                connection.send(request("POST", "/v1/chat/completions", chat(stream=True)))
                self.wait_until_stuck(gateway)
                full.set()
                self.assertTrue(said.wait(5))
                time.sleep(0.3)  # for the gateway to read it
                for _ in range(5):
                    self.assertEqual(gateway.chat(chat(model="other")).status, 200)
                go_on.set()
                reply = connection.read()
            self.assertNotIn(b"of-another-client", reply.body)
            self.assertTrue(reply.complete)
            self.assertEqual(reply.content(), "first behind the comment last")

    def wait_until_stuck(self, gateway):
        """Until no comment goes out any more."""
        deadline, seen = time.monotonic() + 60, 0
        while (now := comments(gateway)) != seen or now < 10:
            self.assertLess(time.monotonic(), deadline, f"{now} comments were taken")
            seen = now
            time.sleep(0.5)


if __name__ == "__main__":
    unittest.main()
