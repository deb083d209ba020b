#!/usr/bin/env bash
# Builds and runs all tests, or those whose name matches: ./test.sh [NAME]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source tools/setup.sh

install_missing build test
configure dev
cmake --build build/dev
if [[ -x tests/setup.sh ]]; then tests/setup.sh; fi

selection=()
if [[ $# -gt 0 ]]; then selection=(-R "$1"); fi
exec ctest --test-dir build/dev --output-on-failure --no-label-summary --no-tests=error -j "$(nproc)" "${selection[@]}"
