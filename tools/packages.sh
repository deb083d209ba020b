#!/usr/bin/env bash
# Every package that sluice is built, tested and checked with: the one list that start.sh, test.sh
# and .ci/run read. Names are Debian 12's; an alternative after `|` is for Ubuntu 24.04, Debian 13 or
# later. A need is met by any of its packages, or by the command after them, however it came there.
# shellcheck disable=SC2034  # read by tools/setup.sh

PACKAGES_build=(
    'cmake cmake'
    'ninja-build ninja'
    'clang-19|clang-20|clang-21 clang++-19'
    'libboost1.81-dev|libboost1.83-dev|libboost1.88-dev|libboost-dev'
    'libssl-dev'
    'libsimdjson-dev'
    'libyaml-cpp-dev'
    'libspdlog-dev'
    'libfmt-dev'
    'prometheus-cpp-dev'
    'libcli11-dev'
    'libsqlite3-dev'
    'ca-certificates'
    'curl curl'
)
PACKAGES_test=(
    'libgtest-dev'
    'libgmock-dev'
    'python3 python3'
    'python3-venv'
    'nodejs node'
    'npm npm'
)
PACKAGES_ci=(
    'git git'
    'ccache ccache'
    'lld-19|lld-20|lld-21|lld ld.lld-19'
    'libclang-rt-19-dev|libclang-rt-20-dev|libclang-rt-21-dev'
    'llvm-19|llvm-20|llvm-21 llvm-symbolizer-19'
    'clang-format-19 clang-format-19'
    'clang-tidy-19 clang-tidy-19'
    'g++-12 g++-12'
    'shellcheck shellcheck'
)
