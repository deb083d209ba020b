"""The corpus of HTTP requests through the gateway, in front of an upstream that records.

Each case has a connection of its own. Those that are about a body are sent a second time with their
target replaced by that of a chat completion, since the answer to an unknown path hides what the
gateway thinks of the body."""

import base64
import concurrent.futures
import json
import os
import re
import sys
import time

from gateway import Gateway, to_upstream
from raw_http import Connection
from upstream import Upstream

CLOSE_SECONDS = 4.0
WAIT_SECONDS = 0.3
THREADS = 48

FRAMING = re.compile(rb"^(content-length|transfer-encoding)[ \t]*:", re.MULTILINE | re.IGNORECASE)
REQUEST_LINE = re.compile(rb"\A[!#$%&'*+\-.^_`|~0-9A-Za-z]+ /[^ \r\n]* (HTTP/1\.[01]\r\n)")
# What a gateway that has understood the request never says to it.
REFUSALS = {400, 408, 411, 413, 415, 417, 501, 505}


def statuses(data):
    return [int(status) for status in re.findall(rb"^HTTP/1\.1 (\d{3}) ", data, re.MULTILINE)]


def collect(port, raw, seconds):
    """What came within that time, and whether the connection was closed."""
    with Connection(port) as connection:
        try:
            connection.send(raw)
        except OSError:
            pass
        closed = connection.read_to_end(seconds) is not None
        return connection.buffer, closed


def judge_reject(port, raw):
    data, closed = collect(port, raw, CLOSE_SECONDS)
    seen = statuses(data)
    if seen and seen[-1] < 400:
        return f"is answered with {seen}"
    return None if closed else f"the connection stays open after {seen}"


def judge_accept(port, raw):
    with Connection(port, timeout=5) as connection:
        connection.send(raw)
        try:
            while not statuses(connection.buffer):
                if not connection._fill():
                    return "is closed without an answer"
        except TimeoutError:
            return "is not answered"
        status = statuses(connection.buffer)[0]
        too_large = status in (414, 431) and len(raw) > 8192
        return f"is refused with {status}" if status in REFUSALS or (status in (414, 431) and not too_large) else None


def judge_wait(port, raw):
    data, closed = collect(port, raw, WAIT_SECONDS)
    early = b"\r\n\r\n" in raw and statuses(data) and statuses(data)[-1] in (401, 404, 405)
    if early:
        return None  # what the head asks for is refused whatever the body
    if data or closed:
        return f"is answered with {statuses(data)}, closed: {closed}"
    return None


def judge_either(port, raw):
    data, _ = collect(port, raw, WAIT_SECONDS)
    return "is answered with a failure of ours" if 500 in statuses(data) else None


JUDGES = {"reject": judge_reject, "accept": judge_accept, "wait": judge_wait, "either": judge_either}


def cases():
    path = os.path.join(os.environ["SLUICE_SHARED"], "corpora", "http-requests.json")
    with open(path, encoding="utf-8") as file:
        corpus = json.load(file)["cases"]
    for case in corpus:
        raw, posture = base64.b64decode(case["raw_b64"]), case["posture_gateway"]
        yield case["name"], posture, raw
        head = raw.partition(b"\r\n\r\n")[0]
        chat = REQUEST_LINE.sub(rb"POST /v1/chat/completions \1", raw)
        about_a_body = FRAMING.search(head) and not [reason for reason in case["reasons"] if "reqline" in reason]
        if posture in ("reject", "wait") and about_a_body and chat != raw:
            yield case["name"] + " (as a chat completion)", posture, chat


def main():
    began = time.monotonic()
    with Upstream() as upstream, Gateway(to_upstream(upstream.port)) as gateway:

        def judge(case):
            name, posture, raw = case
            try:
                return name, posture, raw, JUDGES[posture](gateway.port, raw)
            except (OSError, AssertionError, ValueError) as error:
                return name, posture, raw, f"{type(error).__name__}: {error}"

        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            verdicts = list(pool.map(judge, cases()))
        alive = gateway.ask("GET", "/livez").status == 200
    failures = [verdict for verdict in verdicts if verdict[3]]
    for name, posture, raw, complaint in failures:
        print(f"{name}: should be {posture}, {complaint}\n    {raw[:300]!r}")
    for request in upstream.requests:
        print(f"reached the upstream: {request.raw!r}")
    print(f"http-requests.json: {len(verdicts)} requests, {len(failures)} failures, "
          f"{time.monotonic() - began:.1f} s")
    return 1 if failures or upstream.requests or not alive else 0


if __name__ == "__main__":
    sys.exit(main())
