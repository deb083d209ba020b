#!/usr/bin/env python3
"""Fails when a file includes what its layer may not, or is too long. See docs/architecture.md.

The one source of truth is each `sluice_layer(NAME ... USES ...)` in src/*/CMakeLists.txt. Outside
libraries have one home each. Usage: tools/check_layers.py [ROOT]
"""
import pathlib
import re
import sys

MAX_LINES = 400  # of a source file; tests may be longer

HOMES = {  # how an #include of an outside library begins, and the layer that alone may have it
    "boost/asio": "net",
    "boost/beast": "net",
    "openssl/": "net",
    "simdjson": "json",
    "sqlite3": "store",
    "yaml-cpp/": "config",
    "spdlog/": "observe",
    "fmt/": "observe",
    "prometheus/": "observe",
    "CLI/": "app",
}
KEYWORDS = r"SOURCES|TESTS|USES|LIBRARIES"


def read_layers(src: pathlib.Path) -> dict[str, list[str]]:
    """Layer name to the layers that it says it uses."""
    layers = {}
    for cmake in sorted(src.glob("*/CMakeLists.txt")):
        text = re.sub(r"#.*", "", cmake.read_text())
        for name, body in re.findall(r"\bsluice_layer\(\s*(\w+)([^)]*)\)", text):
            uses = re.search(rf"\bUSES\b(.*?)(?=\b(?:{KEYWORDS})\b|$)", body, re.S)
            layers[name] = uses[1].split() if uses else []
    return layers


def reachable(layer: str, layers: dict[str, list[str]]) -> set[str]:
    seen, todo = {layer}, [layer]
    while todo:
        for used in set(layers.get(todo.pop(), [])) - seen:
            seen.add(used)
            todo.append(used)
    return seen


def check_layers(layers: dict[str, list[str]]) -> list[str]:
    complaints = []
    for layer, uses in layers.items():
        complaints += [f"{layer}/ uses {used}/, which no CMakeLists.txt declares"
                       for used in uses if used not in layers]
        complaints += [f"{layer}/ and {used}/ use each other"
                       for used in uses if layer in reachable(used, layers)]
    return complaints


def check_file(path: pathlib.Path, layer: str, layers: dict[str, list[str]]) -> list[str]:
    complaints = []
    allowed = reachable(layer, layers)
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines, 1):
        include = re.match(r'\s*#\s*include\s*([<"])([^>"]+)', line)
        if not include:
            continue
        what = include[2]
        if include[1] == '"' and "/" in what and what.split("/")[0] not in allowed:
            complaints.append(f"{path}:{number}: {layer}/ may not include {what}")
        home = next((home for prefix, home in HOMES.items() if what.startswith(prefix)), layer)
        if home != layer:
            complaints.append(f"{path}:{number}: <{what}> belongs in {home}/ alone, not in {layer}/")
    if len(lines) > MAX_LINES:
        complaints.append(f"{path}: {len(lines)} lines, more than {MAX_LINES}")
    return complaints


def check(root: pathlib.Path) -> tuple[int, list[str]]:
    """The number of layers, and a complaint for each violation."""
    src = root / "src"
    layers = read_layers(src)
    complaints = check_layers(layers)
    for path in sorted(src.rglob("*.h")) + sorted(src.rglob("*.cc")):
        layer, *rest = path.relative_to(src).parts
        if path.stem.endswith("_test") or not rest:
            continue
        if layer not in layers:
            complaints.append(f"{path}: no CMakeLists.txt declares the layer {layer}/")
            continue
        complaints += check_file(path, layer, layers)
    return len(layers), complaints


if __name__ == "__main__":
    given = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent
    count, found = check(given.resolve())
    print("\n".join(found) or f"{count} layers in order")
    sys.exit(1 if found or count == 0 else 0)
