"""SC-3: a client that stops reading for more than 30 seconds is cut off, and its upstream with it.
The time is not configurable, so that this test takes it."""

import threading
import time
import unittest

from gateway import SLOWNESS
from raw_http import chat, request
from scripted import gateway_before
from test_upstream_faults import KIBIBYTE, resident
from upstream import delta, stream_head

STREAMS = 20
LIMIT = 30.0


class StalledReader(unittest.TestCase):
    def test_it_is_cut_and_cost_little_until_then(self):
        closed = []
        full = threading.Barrier(STREAMS + 1)

        def pour(link, asked):
            link.send(stream_head())
            began = time.monotonic()
            link.socket.settimeout(2)
            try:
                while True:
                    link.event(delta("x" * 16384))
            except TimeoutError:
                full.wait(30)
            # Reading tells when the gateway gives up: it sends nothing else.
            link.socket.settimeout(60)
            link.seconds_until_closed(60)
            closed.append(time.monotonic() - began)
            return False

        with gateway_before([pour], timeouts={"idle": "300s"}) as (gateway, upstream):
            connections = [gateway.connect(receive_buffer=8192) for _ in range(STREAMS)]
            before = resident(gateway)
            for connection in connections:
                connection.send(request("POST", "/v1/chat/completions", chat(stream=True)))
            full.wait(60)
            # All are stuck: the upstreams were not read any further.
            if SLOWNESS == 1:
                self.assertLess((resident(gateway) - before) / STREAMS, 256 * KIBIBYTE)
            deadline = time.monotonic() + LIMIT + 15
            while len(closed) < STREAMS and time.monotonic() < deadline:
                time.sleep(0.1)
            self.assertEqual(len(closed), STREAMS, "streams whose client does not read stay open")
            self.assertGreater(min(closed), LIMIT - 1)
            self.assertLess(max(closed), LIMIT + 10 * SLOWNESS)
            lines = gateway.access_lines(STREAMS)
            self.assertTrue(all(line["error"] for line in lines), lines[0])
            for connection in connections:
                connection.close()


if __name__ == "__main__":
    unittest.main()
