"""Processes of a benchmark run: started on a core, measured through /proc, ended by their own id."""

import atexit
import json
import os
import random
import socket
import subprocess
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PROXY_CORE, LOAD_CORE = 0, 1

_running: list["Process"] = []


class Process:
    """A program of this run. Its descendants are counted with it (nginx works in a child)."""

    def __init__(self, command, core, log):
        self.log = open(log, "ab")
        self.popen = subprocess.Popen(
            pinned(core) + [str(word) for word in command],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        _running.append(self)

    def pids(self):
        found, todo = [], [self.popen.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            try:
                todo += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
            except FileNotFoundError:
                pass
        return found

    def cpu_seconds(self):
        """User and system time so far, in steps of a clock tick."""
        ticks = 0
        for pid in self.pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / TICKS

    def waited_seconds(self):
        """How long it was ready to run and had no core: what other work on the machine cost it."""
        return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[1])
                   for pid in self.pids()) / 1e9

    def rss_bytes(self):
        kilobytes = 0
        for pid in self.pids():
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    kilobytes += int(line.split()[1])
        return kilobytes * 1024

    def stop(self):
        if self not in _running:
            return
        _running.remove(self)
        self.popen.terminate()
        try:
            self.popen.wait(3)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait(3)
        self.log.close()


@atexit.register
def stop_all():
    for process in list(reversed(_running)):
        process.stop()


def pinned(core):
    return ["taskset", "-c", str(core)] if core < os.cpu_count() else []


def free_port():
    """A port below the range from which clients get theirs."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait_for_port(port, process, seconds=5.0):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.popen.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise RuntimeError(f"{process.popen.args}: does not answer on port {port}; see {process.log.name}")


def arguments(options):
    words = []
    for name, value in options.items():
        words += ["--" + name.replace("_", "-"), str(value)]
    return words


def run_load(program, timeout=60, **options):
    """Runs a load generator to its end; its report."""
    done = subprocess.run(pinned(LOAD_CORE) + [program] + arguments(options),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=timeout, check=True)
    return json.loads(done.stdout)


class HeldLoad:
    """A load generator that holds what it opened until `release`."""

    def __init__(self, program, **options):
        self.popen = subprocess.Popen(
            pinned(LOAD_CORE) + [program] + arguments(options),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.popen.stdout.readline()
        if not line:
            raise RuntimeError(f"{program} ended early")
        self.opened = json.loads(line)

    def release(self):
        rest, _ = self.popen.communicate("\n", timeout=20)
        return json.loads(rest.splitlines()[-1])
