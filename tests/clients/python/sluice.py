"""Runs the real binary for a test: a gateway, or `sluice upstream`, on ports that the system picks.

What a test started is ended by its id, and ends with the test should the test itself be killed.
"""

import json
import os
import re
import selectors
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

START_SECONDS = 10
STOP_SECONDS = 10
KEPT = ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "ASAN_SYMBOLIZER_PATH")

BINARY = os.environ["SLUICE_BINARY"]


class Process:
    """One started process and its folder, which holds its files and is removed with it."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="sluice-clients-"))
        self.output = ""

    def file(self, name, content):
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        return str(path)

    def start(self, *arguments):
        # No variable that would configure the gateway behind the test's back. setpriv: the kernel
        # ends the process when this one dies, however that happens.
        environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.child = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", BINARY, *arguments],
            cwd=self.folder,
            env={**environment, "HOME": str(self.folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.origin = self._await_origin()
        self.base_url = self.origin + "/v1"
        self.drain = threading.Thread(target=self._read_on)
        self.drain.start()
        return self

    def _await_origin(self):
        deadline = time.monotonic() + START_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(self.child.stdout, selectors.EVENT_READ)
            while time.monotonic() < deadline:
                if not selector.select(deadline - time.monotonic()):
                    break
                got = os.read(self.child.stdout.fileno(), 65536)
                self.output += got.decode(errors="replace")
                found = re.search(r"listening.*?(http://127\.0\.0\.1:\d+).*\n", self.output)
                if found:
                    return found[1]
                if not got:
                    break
        self.child.kill()
        self.child.wait()
        self.child.stdout.close()
        shutil.rmtree(self.folder)
        raise AssertionError(f"sluice did not start:\n{self.output}")

    def _read_on(self):
        for line in self.child.stdout:
            self.output += line.decode(errors="replace")

    def stop(self):
        """Fails the test when the process does not end by itself and in order."""
        self.child.terminate()
        try:
            code = self.child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.child.kill()
            code = self.child.wait()
        self.drain.join()
        self.child.stdout.close()
        shutil.rmtree(self.folder)
        if code != 0:
            raise AssertionError(f"sluice ended with {code}:\n{self.output}")


def start_gateway(yaml=""):
    """A gateway with that configuration; without one, as it comes: the embedded model."""
    gateway = Process()
    base = "listen: 127.0.0.1:0\nworkers: 2\n"
    if "limits:" not in yaml:
        base += "limits: {drain_timeout: 1s}\n"
    return gateway.start("serve", "--config", gateway.file("sluice.yaml", base + yaml))


def start_upstream(rules=()):
    """A stand-alone upstream; with `rules` (docs/embedded.md) it gives those answers first."""
    upstream = Process()
    script = upstream.file("script.json", json.dumps({"rules": list(rules)}))
    return upstream.start("upstream", "--port", "0", "--script", script)


def client_of(gateway, kind=None, **options):
    """As its users write it, but it asks once: a test wants the first answer. OpenAI's unless `kind`
    is another of its clients."""
    if kind is None:
        import openai  # which ../python-0 does not have

        kind = openai.OpenAI
    settings = {"api_key": "sk-12345", "base_url": gateway.base_url, "max_retries": 0}
    return kind(**{**settings, **options})


def say(content):
    return [{"role": "user", "content": content}]


def content_of(chunks):
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
