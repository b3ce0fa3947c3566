# SPDX-License-Identifier: Apache-2.0
"""V4L2 cameras: the kernel's virtual one (vivid), unplugged, failing, busy, and things that are no camera."""
import json
import pathlib
import sqlite3
import subprocess
import time

from common import MODEL, Program, check, fovea, say, shell, wait_for, write

DRIVER = "/sys/bus/platform/drivers/vivid"
CAMERA = "/dev/video0"


def plug(in_it):
    """The camera's driver lets it go, or takes it again: what a pulled cable looks like from above."""
    write(f"{DRIVER}/{'bind' if in_it else 'unbind'}", "vivid.0")
    return wait_for(lambda: pathlib.Path(CAMERA).exists() == in_it, 20)


def once(camera, name, holds):
    """One picture now; `holds(status, text)` of what is said."""
    status, out, err = fovea("watch", MODEL, camera, "--once", "--database", f"/tmp/{name.replace(' ', '-')}.db", "--keep", "none", "--time-limit", "40s")
    told = out + err
    lines = [line for line in told.splitlines() if not line.startswith("device:")]
    check(holds(status, told), f"watch --once, {name}: exit status {status}: {' '.join(lines)[:160]}")


def no_cameras():
    once("/dev/video7", "no such device", lambda status, told: status in (1, 2) and "/dev/video7" in told and "No such file" in told)
    once("/dev/null", "a device that is no camera", lambda status, told: status in (1, 2) and "/dev/null" in told and "no camera" in told)
    output = next((p for p in sorted(pathlib.Path("/dev").glob("video*")) if "output" in (pathlib.Path("/sys/class/video4linux") / p.name / "name").read_text().lower()
                   or "vid-out" in (pathlib.Path("/sys/class/video4linux") / p.name / "name").read_text()), None)
    if output:
        once(output, "a device that shows pictures and gives none", lambda status, told: status in (1, 2) and str(output) in told)


def busy():
    holder = subprocess.Popen(["v4l2-ctl", "-d", CAMERA, "--stream-mmap", "--stream-count=0", "--stream-to=/dev/null"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(5)
    once(CAMERA, "a camera that another program holds", lambda status, told: status in (1, 2) and "another program" in told)
    holder.kill()
    holder.wait()
    once(CAMERA, "and when that has ended", lambda status, told: status == 0)


def rows(database, state):
    try:
        return sqlite3.connect(database).execute("SELECT count(*) FROM slots WHERE state = ?", (state,)).fetchone()[0]
    except sqlite3.OperationalError:
        return 0  # not made yet


def watch_it():
    """A picture every four seconds while the camera goes and comes and fails."""
    database = pathlib.Path("/tmp/camera.db")
    program = Program("watch", MODEL, CAMERA, "--every", "4s", "--time-limit", "3500ms", "--database", database, "--keep", "none")
    count = lambda state: rows(database, state)
    check(wait_for(lambda: count(0) >= 2, 120), "watch: takes pictures of a V4L2 camera")
    begin, first = time.time(), program.descriptors()
    check(plug(False), "watch: the camera is unplugged")
    before = count(2)
    check(wait_for(lambda: count(2) >= before + 2, 60), f"watch: that is {count(2) - before} faults with their reason")
    check(plug(True), "watch: the camera is plugged in again")
    seen = count(0)
    check(wait_for(lambda: count(0) >= seen + 2, 60), "watch: and pictures come again")
    shell(f"v4l2-ctl -d {CAMERA} -c percentage_of_dropped_buffers=100")
    before = count(2)
    check(wait_for(lambda: count(2) >= before + 1, 60), "watch: a camera that drops every picture is a fault")
    shell(f"v4l2-ctl -d {CAMERA} -c percentage_of_dropped_buffers=0")
    seen = count(0)
    check(wait_for(lambda: count(0) >= seen + 2, 60), "watch: and pictures come again")
    last = program.descriptors()
    status, seconds = program.end()
    faults = [fault for fault, in sqlite3.connect(database).execute("SELECT DISTINCT fault FROM slots WHERE state = 2")]
    states = dict(sqlite3.connect(database).execute("SELECT state, count(*) FROM slots GROUP BY state"))
    gaps = sqlite3.connect(database).execute("SELECT coalesce(sum(slots), 0) FROM gaps").fetchone()[0]
    told = sqlite3.connect(database).execute("SELECT count(*) FROM slots WHERE time >= ?", (begin,)).fetchone()[0] + gaps
    due = int(time.time() - seconds - begin) // 4
    check(abs(told - due) <= 3, f"watch: {due} times, {states.get(0, 0)} pictures, {states.get(2, 0)} faults, {gaps} in gaps")
    say(faults)
    check(last - first <= 4, f"watch: descriptors {first}, {last}")
    check(status in (0, 1) and seconds < 20, f"watch: SIGTERM ends it, exit status {status}, after {seconds:.1f} s")


def scale_it():
    program = Program("scale", MODEL, CAMERA, "--no-page")
    states = lambda: [json.loads(line)["state"] for line in list(program.out)]
    check(wait_for(states, 120), f"scale: sees a V4L2 camera: {' '.join(states())}")
    told = lambda word: sum(word in line for line in list(program.err))
    seen = len(states())
    plug(False)
    check(wait_for(lambda: "no picture" in states()[seen:], 60), f"scale: a camera unplugged: {' '.join(states()[seen:])}")
    plug(True)
    check(wait_for(lambda: told("there again") == 1, 60), "scale: and it is there again")
    shell(f"v4l2-ctl -d {CAMERA} -c inject_fatal_streaming_error=1")
    # It may be there again before "no picture" is said, which takes two seconds without one.
    check(wait_for(lambda: told("it is tried again") == 2, 60), "scale: a camera that fails while it streams is tried again")
    check(wait_for(lambda: told("there again") == 2, 60), "scale: and it is there again")
    status, seconds = program.end()
    check(status in (0, 1) and seconds < 20, f"scale: SIGTERM ends it, exit status {status}, after {seconds:.1f} s")
    say(program.err[-6:])


def run(_):
    shell("modprobe vivid n_devs=1 node_types=0x101 num_inputs=1 input_types=0x0")
    if not check(wait_for(lambda: pathlib.Path(CAMERA).exists(), 30), "the kernel has a camera"):
        return
    once(CAMERA, "a camera", lambda status, told: status == 0)
    no_cameras()
    busy()
    watch_it()
    scale_it()
    shell("modprobe -r vivid")
    shell("modprobe vivid n_devs=1 node_types=0x1 multiplanar=2")
    wait_for(lambda: pathlib.Path(CAMERA).exists(), 30)
    once(CAMERA, "one with a way of giving pictures that is not known", lambda status, told: status in (1, 2) and CAMERA in told)
