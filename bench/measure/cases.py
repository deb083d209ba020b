"""The measurements. Each returns what it found as plain data; report.py words it."""

import re
import shutil
import signal
import socket
import statistics
import subprocess
import time
from contextlib import contextmanager

from processes import LOAD_CORE, HeldLoad, Process, free_port, run_load, wait_for_port
from targets import KEY, Direct, Haproxy, Lane, Nginx, Sluice


class Bench:
    """The upstream, the generators and how long to measure."""

    def __init__(self, directory, programs, upstream_port, rounds, seconds, quick):
        self.directory, self.programs, self.upstream_port = directory, programs, upstream_port
        self.rounds, self.seconds, self.quick = rounds, seconds, quick

    def start(self, kind, **options):
        return kind(self.directory, self.upstream_port, **options).start()

    def proxies(self, with_haproxy, **options):
        kinds = [kind for kind in (Nginx, Sluice, Haproxy) if kind is Sluice or kind.available]
        if Sluice.binary is None:
            kinds.remove(Sluice)
        if Haproxy in kinds and (self.quick or not with_haproxy):
            kinds.remove(Haproxy)
        return [self.start(kind, **options) for kind in kinds]

    def load(self, program, target, **options):
        report = run_load(self.programs / program, **target.load_options(), **options)
        done = report.get("requests", 0) + report.get("all_events", 0)
        if report["errors"] * 100 > done:
            raise RuntimeError(f"{target.name}: {report['errors']} errors, {done} answers or events")
        return report


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def paired_ratios(values, name, base="nginx"):
    if name not in values or base not in values or name == base:
        return None
    return spread([a / b for a, b in zip(values[name], values[base])])


def cpu_per_unit(bench, targets, program, unit, options, base="nginx"):
    """CPU of each target for a unit of work, the targets in turns, with the direct ceiling first."""
    direct = bench.load(program, bench.start(Direct), seconds=bench.seconds, **options)
    cpu, speed, errors = {}, {}, {}
    for target in targets:
        bench.load(program, target, seconds=1, **options)
    for _ in range(bench.rounds):
        for target in targets:
            before = target.process.cpu_seconds()
            report = bench.load(program, target, seconds=bench.seconds, **options)
            used = target.process.cpu_seconds() - before
            cpu.setdefault(target.name, []).append(used / max(report[unit], 1) * 1e6)
            speed.setdefault(target.name, []).append(report[unit] / report["seconds"])
            errors[target.name] = errors.get(target.name, 0) + report["errors"]
    return {
        "cpu_us": {name: spread(values) for name, values in cpu.items()},
        "ratio": {name: paired_ratios(cpu, name, base) for name in cpu},
        "per_second": {name: statistics.median(values) for name, values in speed.items()},
        "direct_per_second": direct[unit] / direct["seconds"],
        "paced": options.get("interval_us", 0) > 0,
        "errors": errors,
    }


def whole(bench, body_bytes, with_haproxy=False, **settings):
    targets = bench.proxies(with_haproxy, **settings)
    try:
        return cpu_per_unit(bench, targets, "bench_rate", "requests",
                            {"rate": 0, "connections": 32, "body_bytes": body_bytes})
    finally:
        for target in targets:
            target.stop()


def streams(bench, with_haproxy=False, **options):
    targets = bench.proxies(with_haproxy, stream=True)
    try:
        return cpu_per_unit(bench, targets, "bench_streams", "all_events", options)
    finally:
        for target in targets:
            target.stop()


def lanes_of(target):
    return [Lane(target, "express", "openai"), Lane(target, "translated", "anthropic")]


@contextmanager
def sluice_before_upstream(bench, interval_us):
    """With an upstream that keeps this pace by itself: a translated request cannot set it."""
    port = free_port()
    upstream = Process([bench.programs / "bench_upstream", "--port", port,
                        "--interval-us", interval_us],
                       LOAD_CORE, bench.directory / f"upstream-{port}.log")
    target = Sluice(bench.directory, port, stream=True)
    try:
        wait_for_port(port, upstream)
        yield target.start()
    finally:
        target.stop()
        upstream.stop()


def translate(bench, interval_us=0, **options):
    """The same upstream events, forwarded and translated by one process."""
    options["interval_us"] = interval_us
    with sluice_before_upstream(bench, interval_us) as target:
        return cpu_per_unit(bench, lanes_of(target), "bench_streams", "content_events", options,
                            base="express")


def added_latency(bench):
    """At 1,000 requests/s; what a target adds to the direct latency of the same round."""
    targets = [bench.start(Direct), *bench.proxies(True)]
    values = {}
    try:
        for target in targets:
            bench.load("bench_rate", target, seconds=1, rate=1000)
        for _ in range(bench.rounds):
            for target in targets:
                report = bench.load("bench_rate", target, seconds=bench.seconds, rate=1000)
                for name in ("p50_us", "p99_us"):
                    values.setdefault(name, {}).setdefault(target.name, []).append(
                        report["latency"][name])
    finally:
        for target in targets:
            target.stop()
    found = {}
    for name, by_target in values.items():
        found[name] = {"direct": spread(by_target["direct"])}
        for target, samples in by_target.items():
            if target != "direct":
                found[name][target] = spread(
                    [a - b for a, b in zip(samples, by_target["direct"])])
    return found


def memory(bench):
    idle_connections, open_streams = (500, 250) if bench.quick else (2000, 1000)
    found = {"idle_connections": idle_connections, "open_streams": open_streams, "targets": {}}
    for target in bench.proxies(True, stream=True):
        try:
            result = {"start": target.process.rss_bytes()}
            bench.load("bench_rate", target, seconds=1, rate=200)
            result["warm"] = target.process.rss_bytes()
            for name, count, options in (
                    ("idle", idle_connections, {"hold": "idle"}),
                    ("streams", open_streams,
                     {"hold": "streams", "events": 200, "interval_us": 500000})):
                result[name] = memory_of_held(bench, target, count, options)
            found["targets"][target.name] = result
        finally:
            target.stop()
    return found


def memory_of_held(bench, target, count, options):
    before = target.process.rss_bytes()
    held = HeldLoad(bench.programs / "bench_streams", **target.load_options(),
                    streams=count, ramp_ms=1500, **options)
    if held.opened["errors"]:
        held.release()
        raise RuntimeError(f"{target.name}: {held.opened['errors']} of {count} not open")
    time.sleep(1)
    with_them = target.process.rss_bytes()
    held.release()
    time.sleep(1.5)
    return {"each": (with_them - before) / count, "with": with_them,
            "after": target.process.rss_bytes(), "errors": held.opened["errors"]}


def translate_memory(bench):
    """Open streams in each lane, each in a process of its own."""
    count, interval_us = 250 if bench.quick else 1000, 500000
    found = {}
    for number in range(2):
        with sluice_before_upstream(bench, interval_us) as target:
            lane = lanes_of(target)[number]
            # What the first stream of a process brings in is no stream's own.
            bench.load("bench_streams", lane, streams=8, events=2, interval_us=interval_us)
            found[lane.name] = memory_of_held(bench, lane, count, {
                "hold": "streams", "events": 200, "interval_us": interval_us})
    return {"open_streams": count, "lanes": found}


def many_streams(bench):
    """5 events/s on each of 5,000 streams; how late the client sees what the upstream sent."""
    count, events, ramp = (1000, 20, 2000) if bench.quick else (5000, 60, 5000)
    runs = {}
    for _ in range(min(bench.rounds, 3)):
        for target in [bench.start(Direct), *bench.proxies(False, stream=True)]:
            try:
                runs.setdefault(target.name, []).append(
                    watch_streams(bench, target, count, events, ramp))
            finally:
                target.stop()
    return {"streams": count, "targets": {name: summary(found) for name, found in runs.items()}}


def watch_streams(bench, target, count, events, ramp):
    process = target.process
    cpu, waited = (process.cpu_seconds(), process.waited_seconds()) if process else (0, 0)
    report = bench.load("bench_streams", target, streams=count, events=events,
                        interval_us=200000, ramp_ms=ramp, grace=45, timeout=90)
    if process:
        used = process.cpu_seconds() - cpu
        report["cpu_us"] = used / max(report["all_events"], 1) * 1e6
        report["core_share"] = used / report["seconds"]
        report["waited_ms"] = (process.waited_seconds() - waited) * 1000
    return report


def summary(runs):
    found = {f"delay_{name}": spread([run["delay"][f"{name}_us"] / 1000 for run in runs])
             for name in ("p50", "p99", "max")}
    for name in ("cpu_us", "core_share", "waited_ms"):
        found[name] = spread([run[name] for run in runs]) if name in runs[0] else None
    for name in ("complete", "content_events", "errors"):
        found[name] = sum(run[name] for run in runs)
    return found


def first_answer(port, until):
    body = '{"model":"bench","messages":[{"role":"user","content":"x"}]}'
    request = (f"POST /v1/chat/completions HTTP/1.1\r\nHost: b\r\nAuthorization: Bearer {KEY}\r\n"
               f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode()
    while time.monotonic() < until:
        with socket.socket() as client:
            client.settimeout(2)
            if client.connect_ex(("127.0.0.1", port)) == 0:
                client.sendall(request)
                if client.recv(65536).startswith(b"HTTP/1.1 200"):
                    return
        time.sleep(0.0005)
    raise RuntimeError("no answer after the start")


def start_time(bench):
    """From the process being made to the first answer that has been through it, in ms."""
    found = {}
    for kind in (Nginx, Sluice, Haproxy):
        if (kind is Sluice and Sluice.binary is None) or not getattr(kind, "available", True):
            continue
        times = []
        for _ in range(max(bench.rounds, 3)):
            target = kind(bench.directory, bench.upstream_port)
            began = time.monotonic()
            try:
                target.start(wait=False)
                first_answer(target.port, began + 5)
                times.append((time.monotonic() - began) * 1000)
            finally:
                target.stop()
        found[kind.name] = spread(times)
    return found


def system_calls(bench):
    """System calls for one whole request, counted by strace at a rate it can follow."""
    found = {}
    if shutil.which("strace") is None:
        return found
    for target in bench.proxies(True):
        output = bench.directory / f"strace-{target.name}"
        pids = [word for pid in target.process.pids() for word in ("-p", str(pid))]
        try:
            bench.load("bench_rate", target, seconds=1, rate=500, connections=8)
            strace = subprocess.Popen(["strace", "-f", "-c", "-o", output, *pids],
                                      stderr=subprocess.DEVNULL)
            time.sleep(0.5)
            report = bench.load("bench_rate", target, seconds=2, rate=500, connections=8)
            strace.send_signal(signal.SIGINT)
            strace.wait(5)
            calls = {}
            for line in output.read_text().splitlines():
                row = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
                if row and row[2] != "total":
                    calls[row[2]] = int(row[1]) / max(report["requests"], 1)
            found[target.name] = {name: count for name, count in calls.items() if count >= 0.05}
        finally:
            target.stop()
    return found
