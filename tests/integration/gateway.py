"""The real program as a child process: the gateway, and the stand-alone upstream."""

import json
import os
import re
import signal
import subprocess
import tempfile
import time

import raw_http

BINARY = os.environ.get("SLUICE_BINARY", "")
START_TIMEOUT = 30.0
STOP_TIMEOUT = 30.0

REPORTS = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:", "terminate called", "Assertion")


def is_instrumented():
    """Whether a sanitizer slows the program down."""
    with open(BINARY, "rb") as program:
        data = program.read()
    return b"__asan_init" in data or b"__tsan_init" in data


SLOWNESS = 4 if BINARY and is_instrumented() else 1


def clean_environment(more=None):
    """Nothing of the caller's own configuration gets in."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG") or "SAN_" in name}
    kept.update(more or {})
    return kept


class Process:
    """A running `sluice`. Its output goes to a file of a directory of its own."""

    def __init__(self, arguments, environment=None, directory=None, before=None, stdout=None):
        self._own_directory = None
        if directory is None:
            self._own_directory = tempfile.TemporaryDirectory(prefix="sluice-test-")
            directory = self._own_directory.name
        self.directory = directory
        self._output = os.path.join(directory, "output")
        with open(self._output, "wb") as output:
            self.child = subprocess.Popen(
                [BINARY, *arguments],
                cwd=directory,
                env=clean_environment(environment),
                stdin=subprocess.DEVNULL,
                stdout=output if stdout is None else stdout,
                stderr=subprocess.STDOUT if stdout is None else stdout,
                preexec_fn=before,
            )
        self.started_at = time.monotonic()
        self.last_output = ""  # all of it, once stopped

    @property
    def output(self):
        with open(self._output, "rb") as output:
            return output.read().decode("utf-8", "replace")

    def lines(self):
        """The log's records. Every line must be one JSON object."""
        return [json.loads(line) for line in self.output.splitlines()]

    def wait_for(self, pattern, seconds=START_TIMEOUT):
        deadline = time.monotonic() + seconds
        while True:
            found = re.search(pattern, self.output)
            if found:
                return found
            ended = self.child.poll()
            if ended is not None:
                found = re.search(pattern, self.output)
                if found:
                    return found
                raise AssertionError(f"ended with {ended} before {pattern!r}:\n{self.output}")
            if time.monotonic() > deadline:
                raise AssertionError(f"no {pattern!r} in:\n{self.output}")
            time.sleep(0.01)

    def signal(self, number):
        self.child.send_signal(number)

    def wait(self, seconds=STOP_TIMEOUT):
        return self.child.wait(seconds)

    def cpu_seconds(self):
        """What it has used so far."""
        with open(f"/proc/{self.child.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def check_output(self):
        output = self.last_output = self.output
        for report in REPORTS:
            assert report not in output, output

    def kill(self):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        if self._own_directory:
            self._own_directory.cleanup()
            self._own_directory = None

    def stop(self):
        """Ends it in good order; complains of everything else."""
        try:
            if self.child.poll() is None:
                self.signal(signal.SIGTERM)
            code = self.wait()
            self.check_output()
            assert code == 0, f"exit code {code}:\n{self.output[-4000:]}"
        finally:
            self.kill()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        else:
            self.kill()


class Gateway(Process):
    """`sluice serve` on a free port of 127.0.0.1, with a configuration given as a dictionary."""

    def __init__(self, config=None, arguments=(), environment=None, before=None, workers=2):
        self._temporary = tempfile.TemporaryDirectory(prefix="sluice-test-")
        self.config_file = os.path.join(self._temporary.name, "sluice.yaml")
        self.config = {
            "listen": "127.0.0.1:0",
            "workers": workers,
            "limits": {"drain_timeout": "3s"},
            "data_dir": self._temporary.name,
        }
        self.write_config(config or {})
        super().__init__(
            ["serve", "--config", self.config_file, *arguments],
            environment=environment,
            directory=self._temporary.name,
            before=before,
        )
        try:
            self.port = int(self.wait_for(r'"?listening"?.*?http://127\.0\.0\.1:(\d+)').group(1))
        except BaseException:
            self.kill()
            raise
        self.ready_after = time.monotonic() - self.started_at

    def write_config(self, config):
        """JSON is YAML."""
        for name, value in config.items():
            if name == "limits":
                value = {**self.config["limits"], **value}
            self.config[name] = value
        with open(self.config_file, "w", encoding="utf-8") as file:
            json.dump(self.config, file, indent=1)

    @property
    def admin_port(self):
        """Told after the port for clients."""
        self.wait_for(r"(?s)listening.*?127\.0\.0\.1:\d+.*?listening.*?127\.0\.0\.1:\d+")
        ports = re.findall(r"http://127\.0\.0\.1:(\d+)", "\n".join(self._listening()))
        return int(ports[1])

    def _listening(self):
        return [line for line in self.output.splitlines() if "listening" in line]

    def reload(self, config):
        seen = self.output.count("configuration reloaded")
        self.write_config(config)
        self.signal(signal.SIGHUP)
        deadline = time.monotonic() + 10
        while self.output.count("configuration reloaded") == seen:
            assert time.monotonic() < deadline, self.output
            time.sleep(0.005)

    def kill(self):
        super().kill()
        self._temporary.cleanup()

    def access_lines(self, count=1, seconds=5, where=lambda line: True):
        """The access records that fit, once there are `count` of them: they come in blocks."""
        deadline = time.monotonic() + seconds
        while True:
            found = [line for line in self.lines_so_far() if line.get("msg", line.get("message")) == "request"]
            found = [line for line in found if where(line)]
            if len(found) >= count:
                return found
            assert time.monotonic() < deadline, (found, self.output[-3000:])
            time.sleep(0.02)

    def lines_so_far(self):
        """The whole lines; the last one may still be on its way."""
        output = self.output
        return [json.loads(line) for line in output[: output.rfind("\n") + 1].splitlines()]

    # What tests ask most.

    def ask(self, method, path, body=None, headers=(), timeout=raw_http.TIMEOUT):
        return raw_http.ask(self.port, method, path, body, headers, timeout)

    def chat(self, body=None, headers=(), timeout=raw_http.TIMEOUT):
        return raw_http.ask_chat(self.port, body, headers, timeout)

    def connect(self, **options):
        return raw_http.Connection(self.port, **options)


def to_upstream(port, path="/v1", api_key="sk-of-the-upstream", **more):
    """The configuration of a gateway whose every model goes to the server on `port`. Each request is
    one attempt, whatever came of those before."""
    upstream = {"base_url": f"http://127.0.0.1:{port}{path}", "retry": {"max_retries": 0}, "breaker": "off"}
    if api_key:
        upstream["api_key"] = api_key
    upstream.update(more)
    return {"upstreams": {"main": upstream}, "default_route": "main/*"}


EMBEDDED = {
    "upstreams": {"embedded": {"kind": "embedded"}},
    "routes": [{"model": "embedded/lorem", "to": "embedded/lorem"}, {"model": "embedded/echo", "to": "embedded/echo"}],
    "default_route": "embedded/*",
}


class StandaloneUpstream(Process):
    """`sluice upstream`, which writes each request it gets to a journal."""

    def __init__(self, arguments=()):
        self._temporary = tempfile.TemporaryDirectory(prefix="sluice-test-")
        self.journal_file = os.path.join(self._temporary.name, "journal")
        super().__init__(
            ["upstream", "--port", "0", "--journal", self.journal_file, *arguments], directory=self._temporary.name
        )
        try:
            self.port = int(self.wait_for(r"http://127\.0\.0\.1:(\d+)").group(1))
        except BaseException:
            self.kill()
            raise

    def journal(self):
        with open(self.journal_file, encoding="utf-8") as journal:
            return [json.loads(line) for line in journal]

    def kill(self):
        super().kill()
        self._temporary.cleanup()


def run(*arguments, environment=None, directory=None, timeout=30):
    """Runs `sluice` to its end."""
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as temporary:
        return subprocess.run(
            [BINARY, *arguments],
            cwd=directory or temporary,
            env=clean_environment(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
