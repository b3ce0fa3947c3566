#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions of one pass of a network on 64-bit Arm, counted in qemu-aarch64, and what a Cortex-A72 would take for them.

    FOVEA_SYSROOT=FOLDER bench/arm64/count.py [--table] [--program FILE] -- efficientnet_lite0 --inference --batch 1

What follows `--` goes to bench_train_step. It runs with one step and with three; half of the difference is one step. One thread.
The estimate is a bound from three rates of that core (Arm, Cortex-A72 Software Optimization Guide): three instructions decoded, one
128-bit multiply-add begun, and three loads or stores begun in two cycles. It waits for nothing: misses of the caches come on top.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

KINDS = ("multiply-add", "other vector", "load, store", "other")
HERE = pathlib.Path(__file__).resolve().parent


def counted(plugin, emulator, command, folder):
    out = pathlib.Path(folder) / "counts"
    run = subprocess.run([*emulator, "-plugin", f"{plugin},out={out}", *command], capture_output=True, text=True)
    if run.returncode != 0 or not out.exists():
        sys.exit(f"{' '.join(map(str, command))}: {run.stderr or run.stdout or run.returncode}")
    rows = (line.rsplit("\t", len(KINDS)) for line in out.read_text().splitlines())
    return {name: [int(count) for count in counts] for name, *counts in rows}


def demangled(names):
    plain = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True, check=True).stdout
    return dict(zip(names, plain.splitlines()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=HERE.parents[1] / "build/arm64/bin/bench_train_step")
    parser.add_argument("--table", action="store_true", help="the functions that execute most")
    parser.add_argument("--clock", type=float, default=1.5, help="GHz")
    parser.add_argument("arguments", nargs="+")
    options = parser.parse_args()
    if "FOVEA_SYSROOT" not in os.environ:
        sys.exit("FOVEA_SYSROOT: expected the folder with the libraries of Debian arm64 (HACKING.md)")
    emulator = ["qemu-aarch64", "-cpu", "cortex-a72", "-L", os.environ["FOVEA_SYSROOT"]]
    with tempfile.TemporaryDirectory() as folder:
        plugin = pathlib.Path(folder) / "count_instructions.so"
        subprocess.run(["g++", "-O2", "-shared", "-fPIC", "-std=c++20", HERE / "count_instructions.cpp", "-o", plugin], check=True)
        one, three = (counted(plugin, emulator, [options.program, *options.arguments, "--threads", "1", "--steps", steps], folder)
                      for steps in ("1", "3"))
    step = {name: [(b - a) / 2 for a, b in zip(one.get(name, [0] * len(KINDS)), three[name])] for name in three}
    total = [sum(counts[i] for counts in step.values()) for i in range(len(KINDS))]
    if options.table:
        most = sorted(step, key=lambda name: -sum(step[name]))[:25]
        names = demangled(most)
        for name in most:
            print(f"{sum(step[name]) / 1e6:10.2f} M  {step[name][0] / 1e6:9.2f} M multiply-adds  {names[name][:110]}")
    for kind, count in zip(KINDS, total):
        print(f"{kind:>14} {count / 1e6:10.2f} million")
    print(f"{'all':>14} {sum(total) / 1e6:10.2f} million")
    cycles = max(sum(total) / 3, total[0], total[2] / 1.5)
    print(f"at least {cycles / options.clock / 1e6:.1f} ms on one Cortex-A72 at {options.clock} GHz")


if __name__ == "__main__":
    main()
