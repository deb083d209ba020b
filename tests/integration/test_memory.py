"""OV-3: the process keeps within the memory that it may take."""

import threading
import time
import unittest

from gateway import SLOWNESS, Gateway, to_upstream
from raw_http import chat, request
from upstream import Upstream, answer_well

BUDGET = 96 * 1024 * 1024
BODY = "x" * (2 * 1024 * 1024)
MOST = 200  # requests, far more than the budget has room for


@unittest.skipIf(SLOWNESS > 1, "a sanitizer takes more than the budget for itself")
class Budget(unittest.TestCase):
    def resident(self, gateway):
        with open(f"/proc/{gateway.child.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * 4096

    def test_requests_are_refused_before_it_is_passed_and_taken_again_afterwards(self):
        release = threading.Event()

        def answer(link, asked):
            release.wait(60)
            return answer_well(link, asked)

        with Upstream(answer) as upstream:
            config = {**to_upstream(upstream.port), "limits": {"memory_bytes": BUDGET}}
            with Gateway(config) as gateway:
                held, highest, refused = [], 0, None
                try:
                    while refused is None and len(held) < MOST:
                        connection = gateway.connect()
                        held.append(connection)
                        connection.send(request("POST", "/v1/chat/completions", chat(content=BODY)))
                        refused = self.wait_for_either(connection, upstream, len(held))
                        highest = max(highest, self.resident(gateway))
                    self.assertIsNotNone(refused, "the budget was never used up")
                    self.assertEqual((refused.status, refused.header("retry-after")), (503, "1"))
                    self.assertEqual(refused.header("connection"), "close")
                    self.assertGreater(highest, 0.9 * BUDGET)
                    self.assertLess(highest, 1.05 * BUDGET)
                    self.assertEqual(gateway.ask("GET", "/livez").status, 200)
                finally:
                    release.set()
                    for connection in held:
                        connection.close()
                deadline = time.monotonic() + 5
                while gateway.chat().status != 200:
                    self.assertLess(time.monotonic(), deadline, "it does not recover")
                    time.sleep(0.05)

    @staticmethod
    def wait_for_either(connection, upstream, count):
        """The refusal, or None once the upstream has the request."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if len(upstream.requests) >= count:
                return None
            if not connection.is_silent(0.02):
                return connection.read("POST")
        raise AssertionError("neither answered nor asked")
