#!/usr/bin/env bash
# Formats every tracked source, or with --check only says what differs: tools/format.sh [--check]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=(-i)
if [[ ${1:-} == --check ]]; then mode=(--dry-run -Werror); fi
git ls-files -z '*.h' '*.cc' | xargs -0 -r clang-format-19 "${mode[@]}"
