#!/usr/bin/env bash
# Installs the client libraries that tests/clients uses, in the versions pinned there. Says and does
# nothing when they are installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/clients"

# is_current STAMP WHAT: whether the stamp says that WHAT was installed.
is_current() {
    [[ -f $1 && $(<"$1") == "$2" ]]
}

wanted=$(sha256sum <node/package-lock.json)
if ! is_current node/node_modules/.installed "$wanted"; then
    echo "==> npm ci in tests/clients/node"
    npm ci --prefix node --ignore-scripts --no-audit --no-fund --loglevel=error
    printf '%s' "$wanted" >node/node_modules/.installed
fi

wanted=$(python3 --version && sha256sum <python/requirements.txt)
if ! is_current python/.venv/.installed "$wanted"; then
    echo "==> pip install in tests/clients/python/.venv"
    rm -rf python/.venv
    python3 -m venv python/.venv
    python/.venv/bin/python -m pip install --quiet --disable-pip-version-check \
        -r python/requirements.txt
    printf '%s' "$wanted" >python/.venv/.installed
fi
