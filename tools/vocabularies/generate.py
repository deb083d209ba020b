#!/usr/bin/env python3
"""Writes src/context/vocabularies/*.bpe and *.classes from public packages.

    python3 -m venv build/vocabularies-venv
    build/vocabularies-venv/bin/pip install -r tools/vocabularies/requirements.txt
    build/vocabularies-venv/bin/python tools/vocabularies/generate.py [--check]

With --check nothing is written; the exit status says whether the files are what they would be.
The layouts are told in src/context/vocabularies/README.md.
"""
import pathlib
import struct
import sys
import unicodedata

import tiktoken
import tokenizers
from tokenizers import pre_tokenizers

import reference

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "src" / "context" / "vocabularies"
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
BLOCK = 128

# The order is that of CharacterClass in src/context/characters.h.
CLASSES = {
    "oniguruma": [r"\p{N}", r"\s", r"[\p{L}\p{M}]", r"[\p{P}\p{S}]"],
    "rust": [r"\p{N}", r"\s", r"\p{M}", r"[\p{Lu}\p{Lt}]", r"\p{Ll}", r"[\p{Lm}\p{Lo}]"],
}
# What a class is called in the file: other 0, number 1, space 2, mark 3, upper 4, lower 5, letter 6, symbol 7.
VALUES = {"oniguruma": [1, 2, None, 7], "rust": [1, 2, 3, 4, 5, 6]}


def merges_of_ranks(ranks: dict[bytes, int]) -> list[tuple[int, int]]:
    """For each token of several bytes, the two that it is merged from: what is left when its own
    bytes are merged by every lower rank."""
    merges = []
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        if len(token) == 1: continue
        parts = merge(token, ranks, rank)
        if len(parts) != 2: raise SystemExit(f"{token!r} is not merged from two tokens: {parts}")
        merges.append((ranks[parts[0]], ranks[parts[1]]))
    return merges


def merge(text: bytes, ranks: dict[bytes, int], below: int) -> list[bytes]:
    parts = [text[i:i + 1] for i in range(len(text))]
    while len(parts) > 1:
        pairs = [ranks.get(a + b, below) for a, b in zip(parts, parts[1:])]
        lowest = min(pairs)
        if lowest >= below: break
        at = pairs.index(lowest)
        parts[at:at + 2] = [parts[at] + parts[at + 1]]
    return parts


def deepseek_merges() -> tuple[dict[bytes, int], list[tuple[int, int]]]:
    """Ranks of the base bytes, and merges by id. The ids begin behind three special tokens."""
    model = reference.deepseek_document()["model"]
    byte_of = {letter: byte for byte, letter in byte_letters().items()}
    vocabulary = model["vocab"]
    tokens = {bytes(byte_of[c] for c in text): id for text, id in vocabulary.items()
              if all(c in byte_of for c in text)}
    merges = []
    for number, pair in enumerate(model["merges"]):
        left, right = pair.split(" ") if isinstance(pair, str) else pair
        if vocabulary[left + right] != 3 + 256 + number:
            raise SystemExit(f"{left + right!r}: ids are not in the order of the merges")
        merges.append((vocabulary[left], vocabulary[right]))
    if merges_of_ranks(tokens) != merges:
        raise SystemExit("deepseek: a token's own bytes are not merged to it")
    return tokens, merges


def byte_letters() -> dict[int, str]:
    """The letters that Hugging Face's byte-level tokenizers write for bytes."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters = {byte: chr(byte) for byte in plain}
    letters.update({byte: chr(256 + n) for n, byte in
                    enumerate(byte for byte in range(256) if byte not in letters)})
    return letters


def pack(ranks: dict[bytes, int], merges: list[tuple[int, int]]) -> bytes:
    first = min(ranks.values())
    base = sorted((rank, token) for token, rank in ranks.items() if len(token) == 1)
    if [rank - first for rank, _ in base] != list(range(256)):
        raise SystemExit("the single bytes are not the first tokens")
    count = 256 + len(merges)
    if sorted(ranks.values()) != list(range(first, first + count)):
        raise SystemExit("the ids have gaps")
    width = (count - 1).bit_length()
    bits, shift = 0, 0
    chunks = []
    for pair in merges:
        for token in pair:
            bits |= (token - first) << shift
            shift += width
        whole = shift // 8
        chunks.append((bits & ((1 << 8 * whole) - 1)).to_bytes(whole, "little"))
        bits >>= 8 * whole
        shift -= 8 * whole
    chunks.append(bits.to_bytes(1, "little") if shift else b"")
    longest = max(len(token) for token in ranks)
    head = struct.pack("<4sIIHH", b"BPE1", count, first, width, longest)
    return head + b"".join(token for _, token in base) + b"".join(chunks) + bytes(8)


def members(engine: str, pattern: str) -> set[int]:
    """The code points that a class has for the regex engine itself, whichever Unicode that knows."""
    if engine == "oniguruma":
        split = pre_tokenizers.Split(tokenizers.Regex(pattern), "removed", invert=True)
        pieces = split.pre_tokenize_str("".join(map(chr, CODE_POINTS)))
        return {ord(c) for piece, _ in pieces for c in piece}
    encoding = tiktoken.Encoding("probe", pat_str=pattern, special_tokens={},
                                 mergeable_ranks={bytes([byte]): byte for byte in range(256)})
    found = encoding.encode_ordinary("".join(map(chr, CODE_POINTS)))
    return set(map(ord, bytes(found).decode()))


def classes(engine: str) -> bytes:
    values = bytearray(0x110000)
    for pattern, value in zip(CLASSES[engine], VALUES[engine]):
        for c in members(engine, pattern):
            if values[c]: raise SystemExit(f"{engine}: U+{c:04X} is in two classes")
            values[c] = value or (3 if c in marks() else 6)
    blocks, index = {}, []
    for start in range(0, len(values), BLOCK):
        index.append(blocks.setdefault(bytes(values[start:start + BLOCK]), len(blocks)))
    if len(blocks) > 256: raise SystemExit(f"{engine}: {len(blocks)} blocks")
    print(f"{engine}: {len(blocks)} blocks; differs from Unicode {unicodedata.unidata_version} at",
          sum(differs(engine, c, values[c]) for c in CODE_POINTS), "code points")
    return bytes(index) + b"".join(blocks)


_marks: set[int] = set()


def marks() -> set[int]:
    if not _marks: _marks.update(members("oniguruma", r"\p{M}"))
    return _marks


def differs(engine: str, c: int, value: int) -> bool:
    category = unicodedata.category(chr(c))
    letter = {"Lu": 4, "Lt": 4, "Ll": 5, "Lm": 6, "Lo": 6}.get(category, 0)
    if engine == "oniguruma": letter = letter and 6
    symbol = 7 if engine == "oniguruma" and category[0] in "PS" else 0
    space = category[0] == "Z" or c in (*range(9, 14), 0x85)
    return value != (2 if space else {"N": 1, "M": 3}.get(category[0], letter or symbol))


def main() -> None:
    files = {"deepseek.bpe": pack(*deepseek_merges())}
    for name in ("o200k", "cl100k"):
        ranks = reference.tiktoken_ranks(name)
        files[f"{name}.bpe"] = pack(ranks, merges_of_ranks(ranks))
    for engine in CLASSES: files[f"{engine}.classes"] = classes(engine)
    stale = 0
    for name, content in files.items():
        path = FOLDER / name
        same = path.exists() and path.read_bytes() == content
        if "--check" in sys.argv: stale += not same
        else: path.write_bytes(content)
        print(f"{name}: {len(content)} bytes{'' if same else ', changed'}")
    sys.exit(stale != 0)


if __name__ == "__main__":
    main()
