#!/usr/bin/env bash
# The shared corpora against the real program: tests/corpora.sh
# SLUICE_BINARY is the program, SLUICE_SHARED the folder that holds corpora/. The last line is in the
# form of ctest's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/corpora"

: "${SLUICE_BINARY:?is the program to test}"
: "${SLUICE_SHARED:?is the folder that holds corpora/}"
export PYTHONPATH="$PWD/../integration"

failed=0 total=0
for driver in *.py; do
    total=$((total + 1))
    if ! python3 -B "$driver"; then
        failed=$((failed + 1))
        echo "$driver: FAILED"
    fi
done
echo "$((100 * (total - failed) / total))% tests passed, $failed tests failed out of $total"
[[ $failed -eq 0 ]]
