#!/usr/bin/env bash
# Builds sluice where needed and starts it: ./start.sh [--build-only] [ARGUMENTS OF sluice serve]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source tools/setup.sh

# The address that `serve` will listen on, as far as flags and environment tell.
listen_address() {
    local host=${HOST:-127.0.0.1} port=${PORT:-8080} listen=""
    while [[ $# -gt 0 ]]; do
        case $1 in
            --listen) listen=${2:-} ;;
            --listen=*) listen=${1#*=} ;;
            --host) host=${2:-} ;;
            --host=*) host=${1#*=} ;;
            --port) port=${2:-} ;;
            --port=*) port=${1#*=} ;;
        esac
        shift
    done
    listen=${listen:-$host:$port}
    listen=${listen/#0.0.0.0:/127.0.0.1:}
    echo "${listen/#\[::\]:/[::1]:}"
}

print_banner() {
    local url key=""
    url="http://$(listen_address "$@")"
    if [[ -n ${ALLOWED_API_KEYS:-} ]]; then key=" -H 'authorization: Bearer ONE_OF_YOUR_KEYS'"; fi
    cat <<BANNER

  sluice serves at  $url  (or where the configuration's \`listen\` says; Ctrl-C stops it)

  Try the model inside it, which answers as long as no provider is configured:
    curl $url/v1/chat/completions -H 'content-type: application/json'$key -d '{"model":"embedded/echo","messages":[{"role":"user","content":"Hello"}]}'

  A real provider, by the environment or a file .env:
    DEEPSEEK_API_KEY=sk-... ./start.sh
    OPENAI_BASE_URL=https://api.openai.com/v1 OPENAI_API_KEY=sk-... ./start.sh
  or several, with keys and routes, by a file (config/sluice.example.yaml explains each line):
    ./start.sh --config sluice.yaml

BANNER
}

build_only=false
arguments=()
for argument in "$@"; do
    if [[ $argument == --build-only ]]; then build_only=true; else arguments+=("$argument"); fi
done

install_missing build
configure release -DSLUICE_TESTS=OFF
cmake --build build/release --target sluice
if $build_only; then exit 0; fi

print_banner "${arguments[@]}"
exec build/release/bin/sluice serve "${arguments[@]}"
