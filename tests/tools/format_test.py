#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every C++ file is written in the project's format. Skipped (77) without git or the clang-format whose output that is: others differ."""
import pathlib
import re
import shutil
import subprocess
import sys

VERSION = 14
SKIPPED = 77


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def main():
    root = pathlib.Path(sys.argv[1])
    if not shutil.which("clang-format") or not shutil.which("git") or not (root / ".git").exists():
        return SKIPPED
    found = re.search(r"version (\d+)", output_of("clang-format", "--version"))
    if not found or int(found.group(1)) != VERSION:
        return SKIPPED
    files = output_of("git", "-C", root, "ls-files", "-co", "--exclude-standard", "--", "*.h", "*.cpp").split("\n")
    paths = [root / name for name in files if name and (root / name).exists()]
    print(f"{len(paths)} files; ./dev format mends what follows")
    return subprocess.run(["clang-format", "--dry-run", "--Werror", *paths]).returncode


if __name__ == "__main__":
    sys.exit(main())
