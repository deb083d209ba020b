"""The corpus of HTTP responses as replies to chat completions: what an upstream sent, raw.

Each case is played four ways: to a whole request and to a streamed one, with the connection closed
after the bytes and left open. No case is a chat completion, so none may come out as one: each ends
in a clear error, or in a stream that is cut. Where the strict parser refuses, the status is 502 or
the stream is cut, nothing of the head is passed on, and the connection is never used again."""

import base64
import concurrent.futures
import json
import os
import re
import sys
import time

from gateway import SLOWNESS, Gateway, to_upstream
from raw_http import Closed, chat
from upstream import Upstream, answer_well

THREADS = 24
# The gateway's own limits are a second each; an answer to what never ends comes after one of them.
LIMITS = {"connect": "1s", "first_byte": "1s", "idle": "1s", "total": "3s"}
ANSWER_SECONDS = 8.0 * SLOWNESS
PATIENT_SECONDS = 15.0  # how long the upstream keeps an open connection

NAME = re.compile(r"case (\d+) (closed|open)")
OWN_FIELDS = {"content-type", "content-length", "transfer-encoding", "connection", "date", "cache-control",
              "retry-after", "x-request-id"}


def cases():
    path = os.path.join(os.environ["SLUICE_SHARED"], "corpora", "http-responses.json")
    with open(path, encoding="utf-8") as file:
        return json.load(file)["cases"]


class Replier:
    """Answers with the bytes of the case that the request names, and watches the connection."""

    def __init__(self, corpus):
        self.raws = [base64.b64decode(case["raw_b64"]) for case in corpus]
        self.must_fail = [case["type"] == "response" and case["source_expect"].startswith("error")
                          for case in corpus]
        self.reused = []

    def __call__(self, link, asked):
        text = asked.json()["messages"][0]["content"]
        if broken := getattr(link, "broken", None):
            self.reused.append(f"{broken}, then {text}")
        found = NAME.fullmatch(text)
        if not found:
            return answer_well(link, asked)
        index = int(found[1])
        if self.must_fail[index]:
            link.broken = text
        link.send(self.raws[index])
        if found[2] == "open":
            link.socket.settimeout(PATIENT_SECONDS)
            return None
        return False


def foreign_fields(reply):
    return [name for name, _ in reply.fields
            if name.lower() not in OWN_FIELDS and not name.lower().startswith("x-sluice-")]


def is_envelope(reply):
    return isinstance(reply.json().get("error", {}).get("message"), str)


def judge_stream(reply):
    """A stream of status 200 ends in an error event and without an orderly end."""
    if reply.complete or b"[DONE]" in reply.body:
        return "passes for a good stream"
    events = reply.events()
    return None if events and "error" in json.loads(events[-1]) else "is cut without an error event"


def judge(reply, stream, must_fail):
    if must_fail and foreign_fields(reply):
        return f"passes on {foreign_fields(reply)}"
    if reply.status == 200:
        return judge_stream(reply) if stream else "passes for a completion"
    if must_fail and reply.status != 502:
        return f"is answered with {reply.status}"
    if reply.status < 400 or not reply.complete:
        return f"is answered with {reply.status}, complete: {reply.complete}"
    return None if is_envelope(reply) else "gets no error in our form"


def main():
    began = time.monotonic()
    corpus = cases()
    replier = Replier(corpus)
    config = to_upstream(0, timeouts=LIMITS)
    with Upstream(replier) as upstream:
        config["upstreams"]["main"]["base_url"] = f"http://127.0.0.1:{upstream.port}/v1"
        with Gateway(config) as gateway:

            def run(job):
                index, end, stream = job
                body = chat(content=f"case {index} {end}", stream=stream)
                try:
                    reply = gateway.chat(body, timeout=ANSWER_SECONDS)
                    complaint = judge(reply, stream, replier.must_fail[index])
                    after = gateway.chat(chat(content="well?"), timeout=ANSWER_SECONDS)
                    if not complaint and (after.status != 200 or b"Hello there" not in after.body):
                        complaint = f"spoils the request after it: {after}"
                    return job, reply, complaint
                except TimeoutError:
                    return job, None, "hangs"
                except (Closed, OSError, AssertionError, ValueError) as error:
                    return job, None, f"{type(error).__name__}: {error}"

            jobs = [(index, end, stream) for index in range(len(corpus)) for end in ("closed", "open")
                    for stream in (False, True)]
            with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
                verdicts = list(pool.map(run, jobs))
    failures = [verdict for verdict in verdicts if verdict[2]]
    for (index, end, stream), reply, complaint in failures:
        print(f"{corpus[index]['name']} ({end}, stream: {stream}, {corpus[index]['source_expect']}): {complaint}\n"
              f"    {replier.raws[index][:300]!r}\n    {reply}")
    for reused in replier.reused:
        print(f"a connection is used again after {reused}")
    refused = sum(replier.must_fail)
    print(f"http-responses.json: {len(verdicts)} replies ({len(corpus)} cases, {refused} to be refused), "
          f"{len(failures)} failures, {time.monotonic() - began:.1f} s")
    return 1 if failures or replier.reused else 0


if __name__ == "__main__":
    sys.exit(main())
