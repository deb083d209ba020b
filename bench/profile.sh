#!/bin/sh
# Shows where the gateway's CPU time goes under load: bench/profile.sh [whole|streams] [BUILD]
# With perf, functions by share; where the machine has no perf, callgrind's instructions by function.
# Writes build/bench/profile-<load>.txt.
set -eu
cd "$(dirname "$0")/.."
load=${1:-whole}
build=${2:-build/release}
case $load in whole | streams) ;; *) echo "bench/profile.sh [whole|streams] [BUILD]" >&2; exit 2 ;; esac
mkdir -p build/bench
work=$(mktemp -d "${TMPDIR:-/tmp}/sluice-profile.XXXXXX")
started=
finish() {
    for pid in $started; do kill "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

upstream_port=$(python3 -c 'import sys; sys.path.insert(0, "bench/measure"); import processes; print(processes.free_port())')
port=$(python3 -c 'import sys; sys.path.insert(0, "bench/measure"); import processes; print(processes.free_port())')
cat >"$work/sluice.yaml" <<END
listen: 127.0.0.1:$port
data_dir: $work
keys:
  - {name: bench, secret: sk-bench-0123456789abcdef, group: bench, scopes: [metrics]}
upstreams:
  model: {kind: openai, base_url: "http://127.0.0.1:$upstream_port/v1", api_key: sk-upstream}
routes:
  - {model: bench, to: model/bench}
log: {level: warn, access: false}
END
generate() {
    if [ "$load" = whole ]; then
        taskset -c 1 "$build/bin/bench_rate" --port "$port" --key sk-bench-0123456789abcdef \
            --rate 0 --connections 32 --seconds "$1"
    else
        taskset -c 1 "$build/bin/bench_streams" --port "$port" --key sk-bench-0123456789abcdef \
            --streams 32 --events 64 --seconds "$1"
    fi
}
wait_until_up() {
    tries=0
    until python3 -c "import socket; socket.create_connection(('127.0.0.1', $port), 1)" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || { echo "the gateway did not start" >&2; cat "$work/log" >&2; exit 1; }
        sleep 0.1
    done
}

taskset -c 1 "$build/bin/bench_upstream" --port "$upstream_port" &
started="$started $!"
output=build/bench/profile-$load.txt
if perf record -o "$work/probe" true >"$work/perf.log" 2>&1; then
    taskset -c 0 "$build/bin/sluice" serve --config "$work/sluice.yaml" --workers 1 >"$work/log" 2>&1 &
    sluice=$!
    started="$started $sluice"
    wait_until_up
    generate 1 >"$work/warm-up"
    perf record -q -g -F 999 -o "$work/data" -p "$sluice" -- sleep 5 &
    recorder=$!
    generate 5
    wait "$recorder"
    perf report -i "$work/data" --no-children --percent-limit 0.5 -g none --stdio >"$output"
else
    taskset -c 0 valgrind --tool=callgrind --callgrind-out-file="$work/data" \
        "$build/bin/sluice" serve --config "$work/sluice.yaml" --workers 1 >"$work/log" 2>&1 &
    sluice=$!
    started="$started $sluice"
    wait_until_up
    generate 5
    kill "$sluice"
    wait "$sluice" || true
    callgrind_annotate "$work/data" >"$output"
fi
echo "wrote $output"
