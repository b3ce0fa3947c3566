#!/usr/bin/env python3
# Fovea: what `plan` says against what `train` then takes.
# SPDX-License-Identifier: Apache-2.0
"""For each network, precision and kind of BatchNorm: a plan, then the training that it was for, one right after the other, with a cache
of their own. Prints planned over taken, on the clock and in processor time; on a machine that others use too, only the second tells of
the plan.

    plan_accuracy.py build/release/bin/fovea DATA --arch efficientnet_lite0=WEIGHTS --scope head --scope full --epochs 2
        --precision fp32 --precision bf16 --bn frozen --bn live --size 224
"""
import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile


def run(command, environment):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    if result.returncode not in (0, 1):
        sys.exit(f"{' '.join(command)}: {result.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return [json.loads(line) for line in result.stdout.splitlines()], processor


def peak_memory(command, environment):
    """The command, with its peak resident bytes on the last line of standard error."""
    wrapper = ("import resource, subprocess, sys\n"
               "status = subprocess.run(sys.argv[1:]).returncode\n"
               "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024, file=sys.stderr)\n"
               "sys.exit(status)")
    result = subprocess.run([sys.executable, "-c", wrapper, *command], env=environment, capture_output=True, text=True)
    if result.returncode not in (0, 1):
        sys.exit(f"{' '.join(command)}: {result.stderr}")
    return [json.loads(line) for line in result.stdout.splitlines()], int(result.stderr.splitlines()[-1])


def measure(args, arch, weights, scope, precision, bn, environment, folder):
    options = ["--scope", scope, "--fit", args.fit, "--precision", precision, "--bn", bn]
    if args.size:
        options += ["--size", str(args.size)]
    if scope != "head" and args.epochs:
        options += ["--epochs", str(args.epochs)]
    plan, plan_processor = run([args.program, "plan", args.data, "--arch", arch, "--json", *options], environment)
    network = plan[0]
    command = [args.program, "train", args.data, "-o", os.path.join(folder, "model"), "--arch", arch, "--json", "--seed", "1", *options]
    if weights:
        command += ["--weights", weights]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    events, peak = peak_memory(command, environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    done = events[-1]
    first = next(event for event in events if event["event"] == "first_model")
    fits = [event["chosen"] for event in events if event["event"] == "choice" and event["what"] == "fit"]
    whole = network["whole"]
    refit = network["refit"] if fits and fits[0] != "crop" else {"seconds": 0, "processor_seconds": 0}
    planned = whole["seconds"] + refit["seconds"]
    planned_processor = whole["processor_seconds"] + refit["processor_seconds"]
    memory = network["memory_bytes"]
    print(f"| {arch} | {scope} | {precision} | {bn} | {network['first_model']['seconds']:.0f} of {first['seconds']:.0f} s | "
          f"{planned:.0f} of {done['seconds']:.0f} s | {planned / done['seconds']:.2f} | "
          f"{planned_processor:.0f} of {processor:.0f} s | {planned_processor / processor:.2f} | "
          f"{memory / 2**20:.0f} of {peak / 2**20:.0f} MB | {memory / peak:.2f} | {plan[-1]['seconds']:.0f} s |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="fovea")
    parser.add_argument("data")
    parser.add_argument("--arch", action="append", required=True, help="NAME, or NAME=WEIGHTS")
    parser.add_argument("--scope", action="append", required=True, choices=("auto", "head", "full"))
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--fit", default="auto")
    parser.add_argument("--size", type=int)
    parser.add_argument("--precision", action="append", choices=("auto", "fp32", "bf16"))
    parser.add_argument("--bn", action="append", choices=("auto", "frozen", "live"))
    args = parser.parse_args()
    print("| network | scope | precision | BatchNorm | first model, planned of taken | whole run | ratio | processor time | ratio | memory | "
          "ratio | plan took |\n|---|---|---|---|---|---|---|---|---|---|---|---|")
    ways = itertools.product(args.arch, args.scope, args.bn or ["auto"], args.precision or ["auto"])
    for entry, scope, bn, precision in ways:
        arch, _, weights = entry.partition("=")
        with tempfile.TemporaryDirectory() as folder:
            environment = dict(os.environ, OMP_WAIT_POLICY="passive", XDG_CACHE_HOME=os.path.join(folder, "cache"))
            measure(args, arch, weights, scope, precision, bn, environment, folder)


if __name__ == "__main__":
    main()
