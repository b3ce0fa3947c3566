#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything that is checked without running the program: layers, format, clang-tidy. Called by ./dev lint.
# clang-tidy reads the files that differ from main (committed or not), or with --all every file: those of a layer in batches, which takes
# a third of the time. Vector kernels are read once, not for every instruction set. CLANG_TIDY names another program: from LLVM 21 on it
# does not walk through the headers of the system, and takes an eighth of the time.
set -uo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
[[ $# -eq 0 || ( $# -eq 1 && $1 == --all ) ]] || { echo "usage: ./dev lint [--all]" >&2; exit 2; }
status=0

echo "== layers"
python3 tools/check_layers.py || status=1

mapfile -t sources < <(git ls-files -co --exclude-standard -- '*.h' '*.cpp')
echo "== format (./dev format mends it)"
clang-format --dry-run --Werror "${sources[@]}" && echo "${#sources[@]} files" || status=1

echo "== clang-tidy"
# Build folders of their own, for the compile commands alone: nothing is built in them.
commands=build/tidy batches=OFF checks=()
[[ ${1:-} != --all ]] || commands=build/tidy-all batches=ON checks=(--checks=-bugprone-suspicious-include)
mkdir -p build/log
cmake -S . -B "$commands" -G Ninja -D CMAKE_EXPORT_COMPILE_COMMANDS=ON -D FOVEA_UNITY=$batches >build/log/tidy.log 2>&1 ||
  { cat build/log/tidy.log; exit 1; }
if [[ ${1:-} == --all ]]; then
  mapfile -t changed < <(python3 -c 'import json, sys; print(*sorted({c["file"] for c in json.load(sys.stdin) if c["file"].endswith((".cpp", ".cxx"))}), sep="\n")' <"$commands/compile_commands.json")
else
  base=$(git merge-base main HEAD 2>/dev/null || git rev-parse HEAD)
  mapfile -t changed < <({ git diff --name-only --diff-filter=d "$base" -- '*.cpp'; git ls-files -o --exclude-standard -- '*.cpp'; } | sort -u)
fi
if ((${#changed[@]})); then
  printf '%s\0' "${changed[@]}" | xargs -0 -n 1 -P "$(nproc)" "${CLANG_TIDY:-clang-tidy-16}" -p "$commands" --quiet "${checks[@]}" \
    --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-deprecated-declarations --extra-arg=-DHWY_COMPILE_ONLY_STATIC "--extra-arg=-idirafter$(g++ -print-file-name=include)" \
    2> >(grep -v 'warnings generated' >&2) || status=1
fi
echo "${#changed[@]} files"
exit "$status"
