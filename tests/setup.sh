#!/usr/bin/env bash
# Installs the clients that tests/clients uses, in the versions pinned there: tests/setup.sh [FOLDER...]
# Without folders all of them. Says and does nothing when they are installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/clients"

# is_current STAMP WHAT: whether the stamp says that WHAT was installed.
is_current() {
    [[ -f $1 && $(<"$1") == "$2" ]]
}

install_node() {
    local wanted
    wanted=$(sha256sum <"$1/package-lock.json")
    if is_current "$1/node_modules/.installed" "$wanted"; then return; fi
    echo "==> npm ci in tests/clients/$1"
    npm ci --prefix "$1" --ignore-scripts --no-audit --no-fund --loglevel=error
    printf '%s' "$wanted" >"$1/node_modules/.installed"
}

install_python() {
    local wanted
    wanted=$(python3 --version && sha256sum <"$1/requirements.txt")
    if is_current "$1/.venv/.installed" "$wanted"; then return; fi
    echo "==> pip install in tests/clients/$1/.venv"
    rm -rf "$1/.venv"
    python3 -m venv "$1/.venv"
    "$1/.venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$1/requirements.txt"
    printf '%s' "$wanted" >"$1/.venv/.installed"
}

if [[ $# -eq 0 ]]; then set -- node python python-0 claude-code; fi
for folder; do
    if [[ -f $folder/package-lock.json ]]; then install_node "$folder"; else install_python "$folder"; fi
done
