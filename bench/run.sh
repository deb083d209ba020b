#!/bin/bash
# Measures the gateway against nginx, HAProxy and no proxy at all, and writes docs/benchmarks.md.
#   bench/run.sh                 everything, five rounds, under 15 minutes
#   bench/run.sh --quick         a smoke run of under two minutes; writes build/bench/benchmarks.md
#   bench/run.sh --rounds N      more rounds, where the machine is noisy
#   bench/run.sh --build DIR     the build folder (default build/release), built when needed
#   bench/run.sh --only WORD     the cases whose name has this word; writes build/bench/benchmarks.md
set -eu
cd "$(dirname "$0")/.."
command="bench/run.sh${*:+ $*}"
build=build/release
previous=
for argument in "$@"; do
    if [ "$previous" = --build ]; then build=$argument; fi
    previous=$argument
done

# 5,000 streams are 10,000 sockets in a proxy.
ulimit -n "$(ulimit -Hn)"
if [ "$(ulimit -n)" -lt 12000 ]; then
    echo "bench/run.sh: at most $(ulimit -n) open files here; the 5,000 streams need 12,000" >&2
fi

cmake --preset release -B "$build" -DSLUICE_BENCH=ON >"${TMPDIR:-/tmp}/sluice-bench-cmake.$$" || {
    cat "${TMPDIR:-/tmp}/sluice-bench-cmake.$$" >&2
    exit 1
}
rm -f "${TMPDIR:-/tmp}/sluice-bench-cmake.$$"
ninja -C "$build" bench
if [ -f src/app/CMakeLists.txt ]; then ninja -C "$build" sluice; fi
exec python3 bench/measure/main.py --command "$command" --build "$build" "$@"
