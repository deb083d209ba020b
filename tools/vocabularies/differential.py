#!/usr/bin/env python3
"""Compares bench_tokenizer with the reference tokenizers on random texts; run by hand.

    differential.py BENCH_TOKENIZER [SECONDS] [SEED]      (in the environment of requirements.txt)

Texts are put together from fragments of many kinds, from mutations of the files of this repository,
and from single code points of every block. Prints the figures, and the first text that differs.
"""
import pathlib
import random
import struct
import subprocess
import sys
import time

import reference

ROOT = pathlib.Path(__file__).resolve().parents[2]
FRAGMENTS = [
    " ", "  ", "   ", "\t", "\n", "\r\n", "\r", "\n\n\n", " \n", "\n ", "\u00a0", "\u3000", "\u2028",
    "\u0085", "\x0b", "\x1c", "\x00", "\ufeff", "\u200b", "\u200d", "\ufe0f", "\u0301", "\u0300\u0301",
    "'", "'s", "'S", "'\u017f", "'re", "'LL", "'lx", "\u2019s", "'ve", "'d", "'T", "''",
    "a", "Z", "the", " the", "Hello", "HELLO", "helloWorld", "HTTPServer", "snake_case", "x1y2", "\u01c5",
    "0", "12", "1234567", "\u0663", "\u00b2", "\u00bd", "\u216b", "\u3007", "3.14", "0xFF", "1,000",
    "\u4f60\u597d", "\u4e16\u754c", "\u6f22\u5b57", "\u3042", "\u30ab\u30bf", "\u30fb", "\u309b", "\u3099", "\u3040",
    "\uff01", "\u3002", "\uac00", "\u1112\u1161\u11ab", "\ud55c\uad6d\uc5b4", "\u0915\u094d\u0937", "\u0e01\u0e33",
    "\u05d0\u05b0", "\u0627\u0644\u0633\u0644\u0627\u0645", "\u041f\u0440\u0438\u0432\u0435\u0442", "\u0391\u03b8\u03ae\u03bd\u03b1",
    "\u00e9", "e\u0301", "\u00df", "\u0130", "\u02b0", "\u00aa", "\u1e9e", "\u0149",
    "\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea", "\U0001f44d\U0001f3fd",
    "\u2764\ufe0f", "\U00020000", "\U0001d400", "\U000e0061", "\ue000", "\U0010ffff", "\uffff", "\u0378",
    "!", "!!!", "...", "/", "//", "/*", "*/", "->", "::", "();\n", "{}", "[]", "<|endoftext|>",
    "<\uff5cUser\uff5c>", "<think>", "=", "==", "#", "```", "$", "+", "~", "^", "|", "`", "\u20ac", "\u00d7",
    "https://a.b/c?d=e&f", "name@example.com", "    return ", "if (x) {\n\t", "\\n", "\\u00e9",
]


def random_text(rng: random.Random, files: list[str]) -> str:
    kind = rng.random()
    if kind < 0.45:
        pool = rng.sample(FRAGMENTS, rng.randint(2, 12))
        return "".join(rng.choice(pool) for _ in range(rng.randint(1, 60)))
    if kind < 0.75:
        text = rng.choice(files)
        begin = rng.randrange(len(text))
        cut = list(text[begin:begin + rng.randint(1, 3000)])
        for _ in range(rng.randint(0, 20)):
            cut[rng.randrange(len(cut))] = rng.choice(FRAGMENTS)
        return "".join(cut)
    if kind < 0.85:
        block = rng.randrange(0x110) << 12 if rng.random() < 0.3 else rng.randrange(0x20) << 12
        codes = (block + rng.randrange(0x1000) for _ in range(rng.randint(1, 80)))
        return "".join(chr(c) if not 0xD800 <= c < 0xE000 else " " for c in codes)
    if kind < 0.98:
        alphabet = rng.choice(["ab", "aA", "abcdefgh", "etaoin shrdlu", "\u4e00\u4e01\u4e8c", "\u3042\u30a2",
                               "\u0430\u0431", " ", " \n", "=-", "acgt", "a\u0301"])
        return "".join(rng.choice(alphabet) for _ in range(rng.randint(1, 600)))
    unit = rng.choice(FRAGMENTS) * rng.randint(1, 3)
    return unit * rng.randint(1, 6000)


class Ours:
    def __init__(self, program: str, vocabulary: str):
        self.process = subprocess.Popen([program, "ids", vocabulary], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def encode(self, text: bytes) -> list[int]:
        self.process.stdin.write(struct.pack("<I", len(text)) + text)
        self.process.stdin.flush()
        count, = struct.unpack("<I", self.process.stdout.read(4))
        return list(struct.unpack(f"<{count}I", self.process.stdout.read(4 * count)))


def main() -> None:
    program = sys.argv[1]
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 60
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    names = subprocess.run(["git", "ls-files", "*.cc", "*.h", "*.md", "*.py", "*.sh", "*.yaml", "*.mjs"],
                           cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    files = [text for name in names if (ROOT / name).exists()
             and (text := (ROOT / name).read_text(errors="replace"))]
    references = reference.encoders()
    ours = {name: Ours(program, name) for name in references}
    texts = size = broken = 0
    tokens = dict.fromkeys(references, 0)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        data = random_text(rng, files).encode()
        if rng.random() < 0.1:
            damaged = bytearray(data)
            for _ in range(rng.randint(1, 5)):
                damaged[rng.randrange(len(damaged))] = rng.choice((0x80, 0xC3, 0xE4, 0xED, 0xF0, 0xFF))
            data = bytes(damaged)
            broken += 1
        text = data.decode(errors="replace")
        for name, encode in references.items():
            expected, found = encode(text), ours[name].encode(data)
            if expected != found:
                print(f"{name}: {data!r}\nexpected {expected}\nfound    {found}")
                sys.exit(1)
            tokens[name] += len(found)
        texts, size = texts + 1, size + len(data)
    print(f"{texts} texts, {broken} of them broken UTF-8, {size} bytes: all ids are the references'")
    print(tokens)


if __name__ == "__main__":
    main()
