#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills a training again and again, resumes it, and compares the result with an uninterrupted run's, byte for byte.

  tools/prove_resume.py build/release/bin/fovea DATA --kills 100 -- --scope full --size 64 --epochs 4

Options behind `--` go to `fovea train`. Each kill (SIGKILL; every fourth SIGTERM) comes at a random moment of the time that the
uninterrupted run took; a run is resumed until it ends, with every second resumption killed as well. Exit status 1 if any model
or metrics log differs.
"""
import argparse
import hashlib
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def result_of(model):
    return digest(model), digest(model.with_suffix(".run") / "metrics.jsonl")


class Training:
    """One `fovea train` command, to be run to its end or to a signal."""

    def __init__(self, program, data, model, interval, options):
        self.command = [program, "train", data, "-o", str(model), "--quiet", "--checkpoint-every", str(interval), *options]
        self.model = model

    def run(self, resume=False, signal_after=None, number=signal.SIGKILL):
        """True when it came to its end."""
        process = subprocess.Popen(self.command + (["--resume"] if resume else []), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        try:
            _, errors = process.communicate(timeout=signal_after)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
            process.communicate()
            return False
        if process.returncode != 0:
            sys.exit(f"{' '.join(self.command)}: exit status {process.returncode}\n{errors}")
        return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("data")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--interval", type=float, default=0.05, help="seconds between checkpoints")
    words = sys.argv[1:]
    split = words.index("--") if "--" in words else len(words)
    arguments = parser.parse_args(words[:split])
    options = words[split + 1:]
    draw = random.Random(arguments.seed)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="prove-resume-"))
    whole = Training(arguments.program, arguments.data, folder / "whole.safetensors", arguments.interval, options)
    begin = time.monotonic()
    whole.run()
    seconds = time.monotonic() - begin
    expected = result_of(whole.model)
    print(f"uninterrupted: {seconds:.1f} s, model {expected[0][:16]}, metrics {expected[1][:16]}")
    kills = runs = 0
    while kills < arguments.kills:
        model = folder / "killed.safetensors"
        shutil.rmtree(model.with_suffix(".run"), ignore_errors=True)
        model.unlink(missing_ok=True)
        training = Training(arguments.program, arguments.data, model, arguments.interval, options)
        attempt, here, ended = 0, 0, False
        while not ended:
            kill = kills + here < arguments.kills and attempt % 4 != 3
            number = signal.SIGTERM if draw.randrange(4) == 0 else signal.SIGKILL
            ended = training.run(attempt > 0, draw.uniform(0.02, seconds) if kill else None, number)
            here += 0 if ended else 1
            attempt += 1
            # A run that was asked to stop politely has ended, but is not finished: its checkpoint says so.
            ended = ended and not (model.with_suffix(".run") / "checkpoint").exists()
        kills, runs = kills + here, runs + 1
        if result_of(model) != expected:
            sys.exit(f"run {runs}, after {here} kills: model or metrics differ; see {folder}")
    shutil.rmtree(folder)
    print(f"{kills} kills in {runs} runs, each resumed to its end: every model and metrics log equal to the uninterrupted one's")


if __name__ == "__main__":
    main()
