#!/bin/sh
# Counts the instructions that reading JSON takes, by callgrind: bench/json.sh [BUILD]
# What a load on the machine does to times it cannot do to these. Each figure is the difference of
# a longer and a shorter run, so that starting up is not counted.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build/release}
ninja -C "$build" bench_json >/dev/null
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$build/bin/bench_json" "$@" 2>&1 |
        sed -n 's/.*Collected : //p'
}
measure() {
    name=$1 operation=$2 bytes=$3 few=$4 many=$5
    least=$(count "$operation" "$few" "$bytes")
    most=$(count "$operation" "$many" "$bytes")
    printf '%-34s %12d instructions\n' "$name" $(((most - least) / (many - few)))
}
measure "head of a request of 1.2 KB" head 900 200 1200
measure "whole reply of 1 KB" reply 500 200 1200
measure "streamed chunk with a word" delta 0 200 1200
measure "streamed chunk with usage" usage 0 200 1200
measure "head of a request of 1 MiB" head 1048000 2 6
