"""docs/benchmarks.md from what was measured, with the goals and where they are missed."""

import platform
import re
from datetime import datetime, timezone
from pathlib import Path

KIB = 1024
ORDER = ("direct", "nginx", "sluice", "haproxy", "express", "translated")


def number(value):
    if value is None:
        return "-"
    size = abs(value)
    return f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def spread(value):
    return f"{number(value['median'])} ({number(value['min'])} - {number(value['max'])})"


def ratio(value):
    if value is None:
        return "-"
    return f"{value['median']:.2f} ({value['min']:.2f} - {value['max']:.2f})"


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"


def in_order(by_target):
    return [name for name in ORDER if name in by_target]


def machine():
    model = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    cores = Path("/proc/cpuinfo").read_text().count("processor\t")
    load = Path("/proc/loadavg").read_text().split()[0]
    return (f"{model[1] if model else platform.machine()}, {cores} cores, Linux "
            f"{platform.release()}; load average at the start {load}")


class Goals:
    """What issues 2 and 4 and the design ask for, and what was reached."""

    def __init__(self):
        self.rows = []

    def check(self, what, goal, measured, unit):
        if measured is None:
            self.rows.append((what, f"<= {number(goal)} {unit}", "not measured", "-"))
        else:
            verdict = "reached" if measured <= goal else "**missed**"
            self.rows.append((what, f"<= {number(goal)} {unit}", f"{number(measured)} {unit}", verdict))


def cpu_rows(results):
    rows = []
    for name, result in results.items():
        for target in in_order(result["cpu_us"]):
            speed = result["per_second"][target]
            at_ceiling = not result["paced"] and speed > 0.9 * result["direct_per_second"]
            near = " (near the ceiling)" if at_ceiling else ""
            rows.append((name, target, spread(result["cpu_us"][target]),
                         ratio(result["ratio"][target]), number(speed) + near,
                         number(result["direct_per_second"]), result["errors"][target]))
    return rows


def cpu_section(results, unit, base="nginx"):
    header = ["case", "target", f"CPU us per {unit}", f"ratio to {base}", f"{unit}s/s",
              "direct", "errors"]
    return table(header, cpu_rows(results))


def latency_section(result):
    rows = [[name, *(spread(result[p][name]) for p in ("p50_us", "p99_us"))]
            for name in in_order(result["p50_us"])]
    return table(["target", "p50 us", "p99 us"], rows)


def memory_section(result):
    rows = []
    for name in in_order(result["targets"]):
        found = result["targets"][name]
        mib = lambda value: number(value / KIB / KIB)
        rows.append((name, mib(found["start"]), mib(found["warm"]),
                     number(found["idle"]["each"] / KIB), mib(found["idle"]["after"]),
                     number(found["streams"]["each"] / KIB), mib(found["streams"]["after"]),
                     found["idle"]["errors"] + found["streams"]["errors"]))
    return table(["target", "RSS at start, MiB", "after a warm-up, MiB",
                  "each idle connection, KiB", "after they are gone, MiB",
                  "each open stream, KiB", "after they are gone, MiB", "errors"], rows)


def translate_memory_section(result):
    rows = [(name, number(result["lanes"][name]["each"] / KIB),
             number(result["lanes"][name]["after"] / KIB / KIB), result["lanes"][name]["errors"])
            for name in in_order(result["lanes"])]
    return table(["lane", "each open stream, KiB", "after they are gone, MiB", "errors"], rows)


def many_streams_section(result):
    rows = []
    for name in in_order(result["targets"]):
        found = result["targets"][name]
        measured = [spread(found[key]) if found[key] else "-" for key in
                    ("delay_p50", "delay_p99", "delay_max", "cpu_us", "core_share", "waited_ms")]
        rows.append((name, f"{found['complete']:,}", f"{found['content_events']:,}", *measured,
                     found["errors"]))
    return table(["target", "complete streams", "events", "delay p50 ms", "p99 ms", "max ms",
                  "CPU us per event", "cores used", "waited for its core, ms", "errors"], rows)


def system_calls_section(result):
    rows = []
    for name in in_order(result):
        calls = sorted(result[name].items(), key=lambda item: -item[1])
        rows.append((name, f"{sum(result[name].values()):.1f}",
                     ", ".join(f"{call} {count:.2f}" for call, count in calls)))
    return table(["target", "all", "calls for a request"], rows)


def goals_of(results):
    goals = Goals()

    def at(*path):
        value = results
        for key in path:
            if not isinstance(value, dict) or key not in value:
                return None
            value = value[key]
        return value

    for name in results.get("whole", {}):
        goals.check(f"CPU per request, {name}", 1.3,
                    at("whole", name, "ratio", "sluice", "median"), "x nginx")
    for name in results.get("streams", {}):
        goals.check(f"CPU per relayed event, {name}", 1.3,
                    at("streams", name, "ratio", "sluice", "median"), "x nginx")
    for name in results.get("translate", {}):
        goals.check(f"CPU per event, translated, against forwarded, {name}", 2.5,
                    at("translate", name, "ratio", "translated", "median"), "x express")
    for percentile, goal in (("p50_us", 150), ("p99_us", 1000)):
        goals.check(f"added latency at 1,000 requests/s, {percentile[:3]}", goal,
                    at("latency", percentile, "sluice", "median"), "us")
    start = at("memory", "targets", "sluice", "start")
    goals.check("idle process", 15, start and start / KIB / KIB, "MiB")
    for kind, what, goal in (("idle", "idle connection", 8), ("streams", "open stream", 32)):
        each = at("memory", "targets", "sluice", kind, "each")
        goals.check(what, goal, None if each is None else each / KIB, "KiB")
    each = at("translate_memory", "lanes", "translated", "each")
    goals.check("open translated stream", 48, None if each is None else each / KIB, "KiB")
    late = at("many_streams", "targets", "sluice", "delay_max", "max")
    count = at("many_streams", "streams") or 5000
    broken = at("many_streams", "targets", "sluice", "errors")
    if broken is not None:
        goals.check(f"{count:,} streams at 5 events/s, broken streams", 0, broken, "of all runs")
    goals.check(f"{count:,} streams at 5 events/s on one core, latest event of all runs", 100,
                late, "ms")
    goals.check("start to first answered request", 50, at("start", "sluice", "median"), "ms")
    return goals.rows


SECTIONS = (
    ("whole", "Whole replies",
     "32 connections, 1 KB reply; a 1.2 KB request unless the case says otherwise. sluice checks a "
     "key, counts metrics and validates the body; nginx and HAProxy forward only.",
     lambda found: cpu_section(found, "request")),
    ("streams", "Streams", "Events of about 230 bytes, each sent by itself; nginx with "
     "`proxy_buffering off`. Role, finish, usage and `[DONE]` count as events. "
     "In the fast cases a proxy that falls behind reads several events at once and so spends less on "
     "each; in the paced case every event is a wake-up of its own.",
     lambda found: cpu_section(found, "event")),
    ("translate", "Translated streams", "One sluice, the same events of an OpenAI upstream: `express` "
     "forwards them to an OpenAI client, `translated` writes them for an Anthropic one. Events with "
     "content count, in both lanes; the cost of the requests is in them. What is said above on fast and "
     "paced cases holds here too.",
     lambda found: cpu_section(found, "event", "express")),
    ("translate_memory", "Memory of translated streams", "RSS, a new sluice for each lane, after a warm-up; "
     "no memory of connections that went before can be used again.",
     translate_memory_section),
    ("latency", "Latency at 1,000 requests/s",
     "Counted from when a request was due. The row `direct` is the latency itself, the others are "
     "what a proxy adds to it in the same round.", latency_section),
    ("memory", "Memory", "RSS of all processes of a target (nginx has two).", memory_section),
    ("many_streams", "Many streams at once", "5 events/s on every stream. The delay is from the "
     "upstream's send to the client's receive, which share a core. A proxy that waited for its core "
     "shared it with work outside this run, and its greatest delay is then the machine's.",
     many_streams_section),
    ("start", "Start to first answered request, ms", "",
     lambda found: table(["target", "ms"], [(n, spread(found[n])) for n in in_order(found)])),
    ("system_calls", "System calls for a whole request",
     "Counted by `strace -c` at 500 requests/s, where every request is a wake-up of its own.",
     system_calls_section),
)


def write(path, results, failures, command, rounds, versions, seconds):
    text = ["# Benchmarks\n",
            "Written by `bench/run.sh`; not edited by hand. How it is measured: bench/README.md.\n",
            f"* Date: {datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC\n* Machine: {results['machine']}\n"
            f"* Command: `{command}` ({rounds} rounds, {seconds:.0f} s)\n* Programs: {versions}\n",
            "Figures are the median of the rounds, with the least and the greatest in brackets; a ratio is "
            "that of the two programs in the same round.\n",
            "## Goals\n", table(["what", "goal", "measured", "verdict"], goals_of(results))]
    if failures:
        text.append("Cases that failed: " + "; ".join(
            f"{name} ({why})" for name, why in failures.items()) + "\n")
    for key, title, note, section in SECTIONS:
        if results.get(key):
            text += [f"## {title}\n"] + ([note + "\n"] if note else []) + [section(results[key])]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(text))
