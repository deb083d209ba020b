#!/usr/bin/env bash
# Runs clang-tidy, two files at a time, on what changed: tools/tidy.sh [--all | --most N]
# Changed means: not committed, or committed since the branch left origin/main; on main itself, by the
# last commit. Newest changes come first, so that --most N (default 40) leaves out the oldest.
# Needs build/dev configured.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

base() {
    local fork
    fork=$(git merge-base HEAD origin/main 2>/dev/null || true)
    if [[ -n $fork && $fork != "$(git rev-parse HEAD)" ]]; then
        echo "$fork"
    else
        git rev-parse --verify --quiet HEAD~1 || true
    fi
}

# A header is checked through the source beside it.
changed_sources() {
    local since range=HEAD
    since=$(base)
    if [[ -n $since ]]; then range="$since..HEAD"; fi
    { git diff --name-only HEAD; git log --name-only --format= "$range"; } |
        sed -n 's/\.h$/.cc/; /^src\/.*\.cc$/p' | awk '!seen[$0]++'
}

existing() {
    local path
    while read -r path; do
        if [[ -f $path ]]; then echo "$path"; fi
    done
}

most=40
case ${1:-} in
    --all) files=$(git ls-files 'src/*.cc') ;;
    --most) most=$2 files=$(changed_sources | existing) ;;
    *) files=$(changed_sources | existing) ;;
esac
count=$(grep -c . <<<"$files" || true)
if [[ ${1:-} != --all && $count -gt $most ]]; then
    echo "$count sources changed; checking the $most changed last"
    files=$(head -n "$most" <<<"$files")
fi
if [[ -z $files ]]; then
    echo "no source changed"
    exit 0
fi

[[ -f build/dev/compile_commands.json ]] || cmake --preset dev >/dev/null
tests=$(grep '_test\.cc$' <<<"$files" || true)
sources=$(grep -v '_test\.cc$' <<<"$files" || true)
status=0
tidy() { xargs -r -P 2 -n 1 clang-tidy-19 -p build/dev --quiet "$@" 2> >(grep -v ' warnings generated' >&2); }
tidy <<<"$sources" || status=1
tidy --config-file=.clang-tidy-tests <<<"$tests" || status=1
exit "$status"
