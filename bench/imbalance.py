#!/usr/bin/env python3
# Fovea: what --balance does for classes with few photos.
# SPDX-License-Identifier: Apache-2.0
"""Cuts one class of a data set to a tenth of its training photos, trains with --balance off, on and auto, and prints the recall of
every class, accuracy, balanced accuracy (mean recall) and mean F1 on the untouched validation photos. Each class is cut in turn.

    imbalance.py build/release/bin/fovea DATA                       the last layer, every class in turn
    imbalance.py build/release/bin/fovea DATA --cut shine -- --scope full --epochs 2

DATA holds train/ and val/ with a folder per class; the skewed copies are symbolic links. What follows `--` goes to `fovea train`.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile


def skewed_copy(data, cut, keep, folder):
    """train/ with every `keep`-th photo of class `cut`, by name, and everything else."""
    for split in ("train", "val"):
        for name in sorted(os.listdir(os.path.join(data, split))):
            source, target = os.path.join(data, split, name), os.path.join(folder, split, name)
            if not os.path.isdir(source):
                continue
            os.makedirs(target)
            photos = sorted(os.listdir(source))
            for photo in photos[::keep] if split == "train" and name == cut else photos:
                os.symlink(os.path.abspath(os.path.join(source, photo)), os.path.join(target, photo))


def run(program, *arguments):
    done = subprocess.run([program, *arguments, "--json"], capture_output=True, text=True)
    if done.returncode > 1:
        sys.exit(done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def measure(args, folder, balance):
    model = os.path.join(folder, balance)
    events = run(args.program, "train", folder, "-o", model, "--balance", balance, *args.flags)
    result = run(args.program, "val", model + ".safetensors", os.path.join(folder, "val"))[-1]
    result["seconds"] = events[-1]["seconds"]
    return result


def show(name, balance, result):
    recalls = "  ".join(f"{c['name']} {100 * c['recall']:5.1f}" for c in result["classes"])
    print(f"{name:10} {balance:5} {recalls}  right {100 * result['accuracy']:5.1f}  balanced {100 * result['balanced_accuracy']:5.1f}"
          f"  F1 {100 * result['macro_f1']:5.1f}  {result['seconds']:5.1f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("data")
    parser.add_argument("--cut", help="only this class; '-' for none")
    parser.add_argument("--keep", type=int, default=10, help="every KEEP-th photo of the class stays")
    parser.add_argument("--modes", default="off,on,auto")
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    args = parser.parse_args(sys.argv[1:split])
    args.flags = sys.argv[split + 1:] or ["--scope", "head"]
    cuts = [args.cut] if args.cut else sorted(os.listdir(os.path.join(args.data, "train")))
    table = {}
    for cut in cuts:
        with tempfile.TemporaryDirectory() as folder:
            skewed_copy(args.data, cut, args.keep, folder)
            for balance in args.modes.split(","):
                result = measure(args, folder, balance)
                show(cut, balance, result)
                table.setdefault(balance, []).append(result)
    if len(cuts) > 1:
        for balance, results in table.items():
            means = [100 * statistics.mean(r[key] for r in results) for key in ("accuracy", "balanced_accuracy", "macro_f1")]
            print("mean       {:5} right {:.1f}  balanced {:.1f}  F1 {:.1f}".format(balance, *means))


if __name__ == "__main__":
    main()
