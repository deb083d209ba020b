#!/bin/sh
# How fast tokens are counted, on one thread: bench/tokenizer.sh [BUILD] [FILE...]
# Without files: this repository's code, its documentation, and texts that are hard to count.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build/release}
if [ $# -gt 0 ]; then shift; fi
ninja -C "$build" bench_tokenizer >/dev/null
program="$PWD/$build/bin/bench_tokenizer"
if [ $# -eq 0 ]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    git ls-files -z '*.cc' '*.h' '*.py' '*.mjs' | xargs -0 cat >"$folder/code"
    git ls-files -z '*.md' | xargs -0 cat >"$folder/prose"
    python3 - "$folder" <<'PYTHON'
import pathlib, random, sys
folder, size = pathlib.Path(sys.argv[1]), 1 << 20
choose = random.Random(1).choices
hanzi = [chr(c) for c in range(0x4E00, 0x9FA6)]
zipf = [1 / (rank + 20) for rank in range(len(hanzi))]
texts = {
    "chinese": "".join("".join(choose(hanzi, zipf, k=9)) + "，" for _ in range(size // 30)),
    "one_letter": "a" * size,
    "one_word": "".join(choose("etaoinshrdlucmfwypvbgkjqxz", k=size)),
    "spaces": " " * size,
    "symbols": "".join(choose("!#$%&*+-=<>@^_~|", k=size)),
}
for name, text in texts.items(): (folder / name).write_text(text)
(folder / "noise").write_bytes(random.Random(1).randbytes(size))
PYTHON
    cd "$folder"
    set -- *
fi
for vocabulary in deepseek o200k cl100k; do
    printf '%s: ' "$vocabulary"
    "$program" first "$vocabulary"
    "$program" rate "$vocabulary" "$@"
done
