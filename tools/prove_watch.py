#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Watches a camera that fails in every way, with the real program and the real clock, a picture a second.

    tools/prove_watch.py MODEL PHOTO [--seconds 120] [--program build/release/bin/fovea]

Checks that every second is a row or counted in a gap (through SIGHUP with a broken and a sound model, kill -9 and SIGTERM), and
prints what a picture costs in processor time and how memory and descriptors went. Exit status 1 if a check fails.
"""
import argparse
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

CAMERA = """n=$(cat {count} 2>/dev/null || echo 0); echo $((n + 1)) > {count}
case $((n % 10)) in
3) exit 1 ;;
5) sleep 60 ;;
7) echo this is no photo ;;
8) head -c 5000 {photo} ;;
*) cat {photo} ;;
esac"""

failures = []


def check(holds, what):
    print(("ok      " if holds else "FAILED  ") + what)
    if not holds:
        failures.append(what)


def cpu_seconds(pid):
    """Of the program itself, and of the commands that it waited for."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    tick = os.sysconf("SC_CLK_TCK")
    return (int(fields[11]) + int(fields[12])) / tick, (int(fields[13]) + int(fields[14])) / tick


def resident_kb(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def slope(points):
    """Least squares, of y per x."""
    n = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("photo", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--program", default="build/release/bin/fovea")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model = folder / "model.safetensors"
        shutil.copy(options.model, model)
        script = folder / "camera.sh"
        script.write_text(CAMERA.format(count=folder / "count", photo=options.photo.resolve()))
        database = folder / "watch.db"
        log = folder / "log"
        command = [options.program, "watch", str(model), f"command:sh {script}", "--every", "1s", "--time-limit", "700ms",
                   "--database", str(database), "--most", "200k", "--mqtt", "127.0.0.1",
                   "--mqtt-port", "9", "--place", "0,0", "--night-below", "-90"]

        def start(*more):
            return subprocess.Popen([*command, *more], stdout=subprocess.DEVNULL, stderr=log.open("a"), env={**os.environ, "OMP_WAIT_POLICY": "passive"})

        run = start()
        time.sleep(30)  # everything has been used once
        before, own = cpu_seconds(run.pid), []
        first_row = sqlite3.connect(database).execute("SELECT count(*) FROM slots").fetchone()[0]
        begin = time.monotonic()
        while time.monotonic() - begin < options.seconds:
            own.append((time.monotonic() - begin, resident_kb(run.pid), descriptors(run.pid)))
            time.sleep(2)
        after = cpu_seconds(run.pid)
        pictures = sqlite3.connect(database).execute("SELECT count(*) FROM slots").fetchone()[0] - first_row
        cost = (after[0] - before[0]) / pictures
        growth = slope([(t, kb) for t, kb, _ in own])
        print(f"        {pictures} pictures; a picture: {cost * 1000:.0f} ms of processor time, and {(after[1] - before[1]) / pictures * 1000:.0f} ms in the camera's command")
        print(f"        resident {own[0][1]} kB at first, {own[-1][1]} kB at last, slope {growth:.2f} kB/s; descriptors {min(n for *_, n in own)} to {max(n for *_, n in own)}")
        check(cost < 0.5, "a picture costs less than 0.5 s of processor time")
        check(own[-1][1] - own[0][1] < 1024, "memory stands still (SQLite's page cache, 0.5 MiB, may fill)")

        sound = model.read_bytes()
        model.write_bytes(sound[: len(sound) // 2])
        run.send_signal(signal.SIGHUP)
        time.sleep(4)
        check("the old model goes on" in log.read_text(), "a broken new model is refused, the old one goes on")
        model.write_bytes(sound)
        run.send_signal(signal.SIGHUP)
        time.sleep(4)
        check("the model was read anew" in log.read_text(), "a sound new model is taken")

        run.kill()
        run.wait()
        time.sleep(5)
        # Not before: the page shows a day, and at a picture a second that day has ever more of them to hold.
        run = start("--report", str(folder / "page.html"))
        time.sleep(8)
        run.terminate()
        status = run.wait(timeout=30)
        check(status == 1, f"SIGTERM ends it with status 1, as some pictures are missing ({status})")
        rows = sqlite3.connect(database)
        span = rows.execute("SELECT max(time) - min(time) + 1 FROM slots").fetchone()[0]
        stored = rows.execute("SELECT count(*), count(DISTINCT time) FROM slots").fetchone()
        gaps = rows.execute("SELECT coalesce(sum(slots), 0) FROM gaps").fetchone()[0]
        killed = rows.execute("SELECT coalesce(sum(slots), 0) FROM gaps WHERE reason LIKE '%did not run%'").fetchone()[0]
        faults = dict(rows.execute("SELECT substr(fault, 1, 40), count(*) FROM slots WHERE state = 2 GROUP BY 1"))
        print(f"        {span} times of the schedule: {stored[0]} rows, {gaps} in gaps ({killed} while it was killed)")
        for text, count in faults.items():
            print(f"        {count:5d}  {text}")
        check(stored[0] == stored[1], "no time is there twice")
        check(stored[0] + gaps == span, "every time is a row or counted in a gap")
        check(killed >= 4, "what passed while it was killed is counted")
        check(len(faults) >= 4, "each kind of fault is told apart")
        check((folder / "page.html").exists(), "the page is there")
        kept = sum(f.stat().st_size for f in folder.glob("watch.photos/**/*.jpg"))
        check(0 < kept <= 200_000, f"kept photos stay below their ceiling ({kept} of 200000 bytes)")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
