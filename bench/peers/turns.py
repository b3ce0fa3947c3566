# Fovea: measurements by turns, for every script that compares programs.
# SPDX-License-Identifier: Apache-2.0
"""Programs take turns, so that all meet the same disturbances; a ratio is of the figures of one turn."""
import json
import os
import statistics
import subprocess
import sys
import time


class Worker:
    """A peer in a process of its own, which is asked for one figure after the other and rests in between."""

    def __init__(self, python, task, peer, settings, environment=None):
        here = os.path.dirname(os.path.abspath(__file__))
        command = [python, "-W", "ignore", os.path.join(here, "worker.py"), task, peer, json.dumps(settings)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        stderr=subprocess.DEVNULL, env={**os.environ, **(environment or {})})
        self.version = self._read()

    def _read(self):
        # Peers print what they like: the worker's lines are marked.
        for line in self.process.stdout:
            if line.startswith("figure "):
                return json.loads(line[7:])
        raise RuntimeError(f"{self.process.args[2:6]} ended: install what it needs, or leave it out with --without")

    def __call__(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self._read()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def serve(version, measure):
    """The other side of Worker."""
    print("figure " + json.dumps(version), flush=True)
    for _ in sys.stdin:
        print("figure " + json.dumps(measure()), flush=True)


def run_process(command, environment=None):
    """Seconds from start to the first line of output that begins with an answer, peak MiB, and that line."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                               env={**os.environ, **(environment or {})})
    line = process.stdout.readline()
    seconds = time.perf_counter() - begin
    process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return {"seconds": seconds, "peak_mib": usage.ru_maxrss / 1024, "processor_seconds": usage.ru_utime + usage.ru_stime, "answer": line.strip()}


def fastest(run, runs):
    """Milliseconds of the fastest run: on a busy machine only that tells of the program."""
    best = float("inf")
    for _ in range(runs):
        begin = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - begin)
    return best * 1e3


def take_turns(jobs, turns):
    """jobs: name -> function that gives a figure or a dict of figures. Each turn asks all of them, in order."""
    figures = {name: [] for name in jobs}
    for turn in range(turns):
        for name, job in jobs.items():
            figures[name].append(job())
            print(f"  turn {turn + 1}: {name} {short(figures[name][-1])}", file=sys.stderr, flush=True)
    return figures


def short(figure):
    if isinstance(figure, dict):
        return " ".join(f"{key}={short(value)}" for key, value in figure.items())
    return f"{figure:.4g}" if isinstance(figure, float) else str(figure)


def spread(values):
    return {"median": statistics.median(values), "smallest": min(values), "largest": max(values)}


def said(values, digits=2):
    s = spread(values)
    return f"{s['median']:.{digits}f} ({s['smallest']:.{digits}f} to {s['largest']:.{digits}f})"


def compare(title, figures, key, unit, more_is_better):
    """Prints each program's `key` (None: the figure itself) and Fovea against the best other of the same turn; returns all of it."""
    values = {name: [one if key is None else one[key] for one in many] for name, many in figures.items()}
    print(f"{title}, {len(values['Fovea'])} turns")
    for name, many in values.items():
        print(f"  {name:<26} {said(many)} {unit}")
    result = {"title": title, "unit": unit, "values": values, "spread": {name: spread(many) for name, many in values.items()}}
    others = [many for name, many in values.items() if name != "Fovea"]
    if others:
        best = [(max if more_is_better else min)(turn) for turn in zip(*others)]
        ratios = [ours / other for ours, other in zip(values["Fovea"], best)]
        result["fovea_to_best"] = {**spread(ratios), "of_each_turn": ratios}
        print(f"  {'Fovea / best of the others':<26} {said(ratios)}", flush=True)
    return result
