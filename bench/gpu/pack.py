#!/usr/bin/env python3
# Fovea: the programs that prove.py runs, with the libraries they need, in one archive: for a machine with a GPU and no compilers.
# SPDX-License-Identifier: Apache-2.0
"""pack.py build/gpu/bin -o programs.tar.xz; there, in a checkout of Fovea:

    tar -xf programs.tar.xz && bench/gpu/prove.py --programs programs/bin -o proof.jsonl

Build for that GPU alone (-D FOVEA_CUDA_ARCHITECTURES=90-real), or the plug-in is three times as large. What the system's loader and CUDA's
driver and toolkit bring is left out.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

from prove import NEEDED

SYSTEM = re.compile(r"^(ld-linux|libc\.so|libm\.so|libpthread|libdl\.so|librt\.so|libcuda|libcublas|libnvidia)")


def libraries_of(program):
    """Files that it is linked to, by the name by which it asks for them."""
    found = {}
    for line in subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout.splitlines():
        parts = line.split()
        if "=>" in parts and len(parts) >= 4 and parts[2].startswith("/") and not SYSTEM.match(parts[0]):
            found[parts[0]] = pathlib.Path(parts[2])
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("-o", "--output", type=pathlib.Path, default=pathlib.Path("programs.tar.xz"))
    args = parser.parse_args()
    missing = [name for name in NEEDED if not (args.programs / name).exists()]
    if missing:
        sys.exit(f"{args.programs}: there is no {', '.join(missing)}: cmake --build ... --target {' '.join(missing)}")
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        libraries = {}
        for kind in ("bin", "lib"):
            (work / kind).mkdir()
        for name in NEEDED:
            libraries |= libraries_of(args.programs / name)
            shutil.copy(args.programs / name, work / "bin" / name)
        for name, file in libraries.items():
            shutil.copy(file, work / "lib" / name)
        for file in [*(work / "bin").iterdir(), *(work / "lib").iterdir()]:
            subprocess.run(["strip", "--strip-unneeded", file], check=False)
        with tarfile.open(args.output, "w:xz", preset=6) as archive:
            archive.add(work, "programs")
    print(f"{args.output}: {args.output.stat().st_size / 1e6:.1f} MB, {len(NEEDED)} programs, {len(libraries)} libraries")


if __name__ == "__main__":
    main()
