"""Runs the cases and writes the report. Started by bench/run.sh, which builds and raises limits."""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cases
import report
from processes import LOAD_CORE, Process, free_port, stop_all, wait_for_port
from targets import Haproxy, Nginx, Sluice

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 15 * 60


def whole_cases():
    yield "log off", {"body_bytes": 1200, "with_haproxy": True}
    yield "log on", {"body_bytes": 1200, "access_log": True}
    yield "log off, no key", {"body_bytes": 1200, "key": False}
    yield "16 KB request", {"body_bytes": 16 << 10}
    yield "100 KB request", {"body_bytes": 100 << 10}
    yield "1 MB request", {"body_bytes": 1 << 20}


def stream_cases():
    yield "32 streams of 64, fast", {"streams": 32, "events": 64, "with_haproxy": True}
    yield "32 streams of 1,000, fast", {"streams": 32, "events": 1000}
    yield "400 streams of 64, 50 events/s each", {"streams": 400, "events": 64,
                                                 "interval_us": 20000}


def translate_cases():
    yield "32 streams of 64, fast", {"streams": 32, "events": 64}
    yield "32 streams of 1,000, fast", {"streams": 32, "events": 1000}
    yield "400 streams of 64, 50 events/s each", {"streams": 400, "events": 64,
                                                 "interval_us": 20000}


def all_cases():
    """(section, name in the section or None, function)"""
    for name, options in whole_cases():
        yield "whole", name, lambda bench, o=options: cases.whole(bench, **o)
    for name, options in stream_cases():
        yield "streams", name, lambda bench, o=options: cases.streams(bench, **o)
    if Sluice.binary:
        for name, options in translate_cases():
            yield "translate", name, lambda bench, o=options: cases.translate(bench, **o)
        yield "translate_memory", None, cases.translate_memory
    yield "latency", None, cases.added_latency
    yield "memory", None, cases.memory
    yield "many_streams", None, cases.many_streams
    yield "start", None, cases.start_time
    yield "system_calls", None, cases.system_calls


def run_cases(bench, only, results, failures):
    for section, name, function in all_cases():
        title = section + (f": {name}" if name else "")
        if only and only not in title:
            continue
        began = time.monotonic()
        print(title, end=" ... ", file=sys.stderr, flush=True)
        try:
            found = function(bench)
        except (RuntimeError, OSError, ValueError, subprocess.SubprocessError) as error:
            failures[title] = str(error).replace("\n", " ")[:300]
            print(f"FAILED: {failures[title]}", file=sys.stderr)
            continue
        if name:
            results.setdefault(section, {})[name] = found
        else:
            results[section] = found
        print(f"{time.monotonic() - began:.1f} s", file=sys.stderr)


def version_of(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    return (done.stdout + done.stderr).splitlines()[0].strip()


def versions():
    found = []
    if Sluice.binary:
        found.append(version_of([Sluice.binary, "version"]))
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, text=True,
                            capture_output=True, check=False).stdout.strip()
    found.append(f"commit {commit or 'unknown'}")
    if Nginx.available:
        found.append(version_of(["nginx", "-v"]))
    if Haproxy.available:
        found.append(version_of(["haproxy", "-v"]).split(" - ")[0])
    return ", ".join(found)


def give_up(number, _frame):
    print(f"bench: ended by {signal.Signals(number).name}", file=sys.stderr)
    sys.exit(1)


def main():
    flags = argparse.ArgumentParser()
    flags.add_argument("--command", default="bench/measure/main.py")
    flags.add_argument("--build", default="build/release")
    flags.add_argument("--quick", action="store_true")
    flags.add_argument("--rounds", type=int)
    flags.add_argument("--only", default="")
    options = flags.parse_args()

    os.environ["PATH"] += ":/usr/sbin"
    os.chdir(ROOT)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, give_up)
    signal.alarm(LONGEST)

    programs = (ROOT / options.build / "bin").resolve()
    if (programs / "sluice").is_file():
        Sluice.binary = programs / "sluice"
    else:
        print(f"bench: no {programs}/sluice; only the yardsticks are measured", file=sys.stderr)
    rounds = options.rounds or (1 if options.quick else 5)
    results, failures = {"machine": report.machine()}, {}
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as directory:
        port = free_port()
        upstream = Process([programs / "bench_upstream", "--port", port], LOAD_CORE,
                           Path(directory) / "upstream.log")
        wait_for_port(port, upstream)
        bench = cases.Bench(Path(directory), programs, port, rounds,
                            1 if options.quick else 2, options.quick)
        try:
            run_cases(bench, options.only, results, failures)
        finally:
            stop_all()
    partial = options.quick or options.only or Sluice.binary is None
    path = ROOT / ("build/bench/benchmarks.md" if partial else "docs/benchmarks.md")
    report.write(path, results, failures, options.command, rounds, versions(),
                 time.monotonic() - began)
    raw = ROOT / "build/bench/results.json"
    raw.parent.mkdir(parents=True, exist_ok=True)
    raw.write_text(json.dumps(results, indent=1))
    print(f"bench: wrote {path.relative_to(ROOT)} and {raw.relative_to(ROOT)}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
