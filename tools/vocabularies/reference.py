"""The reference tokenizers, made from pinned public packages; nothing is fetched at run time.

`tokenizers` is Hugging Face's own, `tiktoken` is OpenAI's; the vocabularies come from npm packages
(tools/vocabularies/sources.py).
"""
import base64
import hashlib
import inspect
import json
import re

import tiktoken
import tokenizers
from tiktoken_ext import openai_public

from sources import fetch

NAMES = ("deepseek", "o200k", "cl100k")


def deepseek_document() -> dict:
    return json.loads(fetch("deepseek").read_text())


def tiktoken_ranks(name: str) -> dict[bytes, int]:
    """Token to rank, checked against the checksum that tiktoken itself knows for the vocabulary."""
    ranks = {}
    for line in json.loads(fetch(name).read_text())["bpe_ranks"].splitlines():
        _, first, *tokens = line.split(" ")
        for rank, token in enumerate(tokens, int(first)):
            ranks[base64.b64decode(token)] = rank
    published = b"".join(base64.b64encode(token) + b" %d\n" % rank for token, rank in
                         sorted(ranks.items(), key=lambda item: item[1]))
    source = inspect.getsource(getattr(openai_public, f"{name}_base"))
    expected = re.search(r'expected_hash="([0-9a-f]{64})"', source)[1]
    if hashlib.sha256(published).hexdigest() != expected:
        raise SystemExit(f"{name}: not the vocabulary that tiktoken {tiktoken.__version__} means")
    return ranks


def tiktoken_pattern(name: str) -> str:
    """The pattern that splits text; the function that has it would fetch the ranks, so it is given them."""
    loaded, openai_public.load_tiktoken_bpe = openai_public.load_tiktoken_bpe, lambda *_, **__: {}
    try:
        return getattr(openai_public, f"{name}_base")()["pat_str"]
    finally:
        openai_public.load_tiktoken_bpe = loaded


def encoders() -> dict:
    """Name to a function from text to ids. Special tokens are ordinary text to each."""
    document = deepseek_document()
    document["added_tokens"] = []
    deepseek = tokenizers.Tokenizer.from_str(json.dumps(document))
    result = {"deepseek": lambda text: deepseek.encode(text, add_special_tokens=False).ids}
    for name in ("o200k", "cl100k"):
        encoding = tiktoken.Encoding(name, pat_str=tiktoken_pattern(name),
                                     mergeable_ranks=tiktoken_ranks(name), special_tokens={})
        result[name] = encoding.encode_ordinary
    return result
