"""Upstreams that fail as a test says, answer by answer, and note when they were asked."""

import contextlib
import itertools
import socket
import time

from gateway import Gateway
from upstream import Upstream, answer_well, delta, stream_head, whole

QUICK = {"max_retries": 2, "base_delay": "10ms", "max_delay": "50ms", "rate_limit_wait": "100ms"}
ONCE = {"max_retries": 0}
NEVER_OPEN = {"enabled": False}


class Scripted(Upstream):
    """The first request gets the first answer, and so on; the last answer is for all that follow.
    An answer is a status or what Upstream calls `answer`."""

    def __init__(self, *script):
        self.script = list(script) or [answer_well]
        self._turns = itertools.count()
        super().__init__(self._next)

    def _next(self, link, asked):
        index = next(self._turns)
        step = self.script[min(index, len(self.script) - 1)]
        if isinstance(step, int):
            step = refuse(step)
        return step(link, asked)

    @property
    def gaps(self):
        """Seconds between one request and the next."""
        times = sorted(asked.at for asked in self.requests)
        return [later - earlier for earlier, later in zip(times, times[1:])]


# Answers.


def refuse(status, fields=(), body=None):
    if body is None:
        body = {"error": {"message": f"refused with {status}", "type": "test", "param": None, "code": f"c{status}"}}

    def answer(link, _):
        link.send(whole(body, f"{status} Refused", fields))

    return answer


def say(content, fields=()):
    """A right answer with this content, streamed or whole."""

    def answer(link, asked):
        if not asked.json().get("stream"):
            link.send(whole({"id": "c", "object": "chat.completion", "created": 1, "model": asked.json()["model"],
                             "choices": [{"index": 0, "message": {"role": "assistant", "content": content},
                                          "finish_reason": "stop"}],
                             "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}, fields=fields))
            return
        link.send(stream_head(fields))
        link.event(delta(content))
        link.event(delta(finish="stop"))
        link.event("[DONE]")
        link.last_chunk()

    return answer


def close(link, _):
    return False


def reset(link, _):
    link.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    return False


def close_in_the_head(link, _):
    link.send(b"HTTP/1.1 200 OK\r\ncontent-ty")
    return False


def close_before_content(link, asked):
    """The head, in a stream also a comment, but not a word of the answer."""
    if asked.json().get("stream"):
        link.send(stream_head())
        link.chunk(b": wait\n\n")
    else:
        link.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{")
    return False


def hang(link, _):
    link.seconds_until_closed(60)
    return False


def after(seconds, answer=answer_well):
    def late(link, asked):
        time.sleep(seconds)
        return answer(link, asked)

    return late


# Configurations.


def upstream_at(port, **more):
    return {"base_url": f"http://127.0.0.1:{port}/v1", "api_key": "sk-of-the-upstream", "retry": QUICK,
            "breaker": NEVER_OPEN, **more}


def routed(upstreams, to=None, route=None, **top):
    """Every model goes to `upstreams` (name: Upstream, port, or a map) in their order, or to `to`."""
    known = {}
    for name, upstream in upstreams.items():
        port = upstream if isinstance(upstream, int) else getattr(upstream, "port", None)
        known[name] = upstream if port is None else upstream_at(port)
    every = {"model": "*", "to": to or [f"{name}/*" for name in upstreams], **(route or {})}
    return {"upstreams": known, "routes": [every], **top}


@contextlib.contextmanager
def gateway_before(*scripts, to=None, route=None, workers=2, top=None, **more):
    """Upstreams `main`, `other`, `third` with these scripts, and a gateway before them; `more` is
    for each upstream's configuration. Yields the gateway and the upstreams."""
    names = ("main", "other", "third", "fourth")
    with contextlib.ExitStack() as stack:
        upstreams = [stack.enter_context(Scripted(*script)) for script in scripts]
        config = routed({name: upstream_at(one.port, **more) for name, one in zip(names, upstreams)}, to, route,
                        **(top or {}))
        gateway = stack.enter_context(Gateway(config, workers=workers))
        yield gateway, *upstreams


def tried(reply):
    """The attempts that the reply's header tells of."""
    text = reply.header("x-sluice-attempts")
    return [] if text is None else text.split(", ")
