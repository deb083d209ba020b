#!/usr/bin/env bash
# What start.sh, test.sh and .ci/run share: install what is missing, and configure with a compiler
# that can be trusted. Sourced, never run; the caller stands in the project's folder.

source tools/packages.sh

die() {
    printf 'sluice: %s\n' "$*" >&2
    exit 1
}

# Prints the needs of the named groups that are not met, one a line. Asks dpkg once for all of them.
missing_needs() {
    local group need installed alternatives command
    local -a needs=() unmet=() names=()
    for group in "$@"; do
        local -n packages="PACKAGES_$group"
        needs+=("${packages[@]}")
    done
    for need in "${needs[@]}"; do
        command=${need#* }
        if [[ $need == *' '* ]] && command -v "$command" >/dev/null; then continue; fi
        IFS='|' read -ra alternatives <<<"${need%% *}"
        unmet+=("${need%% *}")
        names+=("${alternatives[@]}")
    done
    [[ ${#unmet[@]} -gt 0 ]] || return 0

    command -v dpkg-query >/dev/null ||
        die "this system has no dpkg; install these by hand and build with cmake: ${unmet[*]}"
    installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "${names[@]}" 2>/dev/null |
        sed -n 's/^ii  *//p' || true)
    for need in "${unmet[@]}"; do
        grep -qxF "${need//|/$'\n'}" <<<"$installed" || printf '%s\n' "$need"
    done
}

# The first of a|b|c that apt can install.
available_package() {
    local -a alternatives
    local name
    IFS='|' read -ra alternatives <<<"$1"
    for name in "${alternatives[@]}"; do
        if grep -q 'Candidate: [^(]' <<<"$(LC_ALL=C apt-cache policy "$name")"; then
            printf '%s\n' "$name"
            return
        fi
    done
    die "apt knows none of: ${alternatives[*]}. sluice builds on Debian 12 or newer and Ubuntu 24.04" \
        "(with its 'universe' component)."
}

# install_missing GROUP...: says what it does; when nothing is missing it says and calls nothing.
install_missing() {
    local missing need package
    local -a packages=() as_root=()
    missing=$(missing_needs "$@")
    [[ -n $missing ]] || return 0

    if [[ $EUID -ne 0 ]]; then
        command -v sudo >/dev/null || die "these packages are missing, and installing them needs root" \
            "or sudo, neither of which is here: ${missing//$'\n'/ }"
        as_root=(sudo)
    fi
    echo "==> Missing: $(cut -d'|' -f1 <<<"$missing" | paste -sd ' ')"
    echo "==> ${as_root[*]:+sudo }apt-get update"
    "${as_root[@]}" apt-get update -qq || die "apt-get update failed (see above)"
    while read -r need; do
        package=$(available_package "$need") || exit 1
        packages+=("$package")
    done <<<"$missing"
    echo "==> ${as_root[*]:+sudo }apt-get install ${packages[*]}"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null ||
        die "apt-get install failed (see above)"
}

# Compilers on this machine in the order of trust: clang 19, which the project is developed with, then
# newer clang, older clang, and g++ from the newest down.
compilers() {
    local name
    for name in clang++-19 clang++-{20..30} clang++-{18..16} clang++ g++-{30..12} g++; do
        if command -v "$name" >/dev/null; then echo "$name"; fi
    done
}

# Whether build/PRESET was configured here with a compiler that is still installed.
is_configured() {
    local cache="build/$1/CMakeCache.txt" compiler
    [[ -f $cache && -f build/$1/build.ninja ]] || return 1
    grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" "$cache" || return 1
    compiler=$(sed -n 's/^CMAKE_CXX_COMPILER:[^=]*=//p' "$cache")
    [[ -n $compiler ]] && command -v "$compiler" >/dev/null
}

# configure PRESET [CMAKE ARGUMENT...]: with the first compiler that passes the coroutine canary.
configure() {
    local preset=$1 compiler log
    shift
    if is_configured "$preset"; then return; fi
    mkdir -p "build/$preset"
    log="build/$preset/configure.log"
    for compiler in $(compilers); do
        echo "==> Configuring build/$preset with $compiler"
        if cmake --fresh --preset "$preset" -DCMAKE_CXX_COMPILER="$compiler" "$@" >"$log" 2>&1; then
            return
        fi
        if grep -q 'Coroutine canary: every form is compiled correctly' "$log"; then
            cat "$log" >&2
            die "configuring failed (see above)"
        fi
        echo "==> $compiler is refused:"
        sed -n '/^CMake Error/,/^Call Stack\|^-- Configuring/p' "$log" |
            grep -v '^Call Stack\|^-- \|^$\| ok$' | head -n 12 | sed 's/^/    /'
    done
    die "no compiler here builds sluice correctly; install clang-19"
}
