#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many wrong labels `fovea check` finds: links to class folders, a share of them under another class's name.

    bench/label_errors.py build/release/bin/fovea photos/train --share 0.05 --seeds 3

Prints a line per seed: of N flipped labels, how many are among the first N that look wrong, how many in the whole list and how long that
is. What the untouched data would list is told first: real mistakes, and photos that are hard to tell.
"""
import argparse
import json
import pathlib
import random
import subprocess
import tempfile


def link(photos, labels, folder):
    for number, (photo, label) in enumerate(zip(photos, labels)):
        (folder / label).mkdir(exist_ok=True)
        (folder / label / f"{number}{photo.suffix}").symlink_to(photo.resolve())


def run(program, folder, extra):
    command = [program, "check", str(folder), "--json", "--quiet", *extra]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    found = [json.loads(line) for line in lines]
    suspects = [int(pathlib.Path(f["path"]).stem) for f in found if f.get("kind") == "label"]
    return suspects, found[-1]["seconds"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("data", type=pathlib.Path, help="a folder with a folder of photos per class")
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("flags", nargs="*", help="further flags of fovea check, after --")
    args = parser.parse_args()
    photos = sorted(p for p in args.data.glob("*/*") if p.is_file())
    names = [photo.parent.name for photo in photos]
    classes = sorted(set(names))
    with tempfile.TemporaryDirectory() as folder:
        link(photos, names, pathlib.Path(folder))
        clean, seconds = run(args.program, folder, args.flags)
    print(f"untouched: {len(clean)} of {len(photos)} listed; {1000 * seconds / len(photos):.1f} ms a photo")
    for seed in range(args.seeds):
        draw = random.Random(seed)
        flipped = set(draw.sample(range(len(photos)), round(args.share * len(photos))))
        labels = [draw.choice([c for c in classes if c != n]) if i in flipped else n for i, n in enumerate(names)]
        with tempfile.TemporaryDirectory() as folder:
            link(photos, labels, pathlib.Path(folder))
            suspects, seconds = run(args.program, folder, args.flags)
        first = len(flipped.intersection(suspects[: len(flipped)]))
        every = len(flipped.intersection(suspects))
        print(f"seed {seed}: {len(flipped)} flipped; {first} among the first {len(flipped)} "
              f"({100 * first / len(flipped):.1f} % precision and recall there); {every} in the whole list of {len(suspects)}: "
              f"recall {100 * every / len(flipped):.1f} %, precision {100 * every / max(1, len(suspects)):.1f} %; "
              f"{1000 * seconds / len(photos):.1f} ms a photo")


if __name__ == "__main__":
    main()
