# Fovea: steps of a measurement, each with its own time, whose results are on disk as soon as they are there.
# SPDX-License-Identifier: Apache-2.0
"""A line of JSON for each step, appended and flushed when it ends, so that nothing that was measured is lost whatever comes after."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

TAIL = 4000  # characters of output that are kept of a step


class Skipped(Exception):
    """Why a step does not apply here."""


class Failed(Exception):
    """What went wrong; `found` is what was measured all the same."""

    def __init__(self, reason, found=None):
        super().__init__(reason)
        self.found = found or {}


class Stopped(BaseException):
    """Somebody wants the whole run to end."""


class Output:
    """What a command wrote, how long it took, and how it ended: None, if it was not done in time."""

    def __init__(self, text, seconds, status):
        self.text, self.seconds, self.status = text, seconds, status

    def lines(self):
        """Its lines of JSON."""
        found = []
        for line in self.text.splitlines():
            if line.startswith("{"):
                try:
                    found.append(json.loads(line))
                except ValueError:
                    pass  # cut off
        return found


def stop_group(process):
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
        except ProcessLookupError:
            return
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            continue


def start(command, file, environment=None):
    """In a group of its own, so that nothing of it outlives its time."""
    return subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                            env=environment, start_new_session=True)


def run(command, seconds, environment=None, watch=None):
    """Runs it for so long at most; `watch` is called again and again meanwhile."""
    begin = time.monotonic()
    with tempfile.TemporaryFile() as file:
        process = start(command, file, environment)
        try:
            while process.poll() is None and time.monotonic() - begin < seconds:
                if watch:
                    watch()
                time.sleep(0.02)
            status = process.poll()
        finally:
            if process.poll() is None:
                stop_group(process)
        file.seek(0)
        return Output(file.read().decode(errors="replace"), time.monotonic() - begin, status)


def name_of(command):
    return pathlib.Path(str(command[0])).name


def checked(command, seconds, allow=(0,), **options):
    """The same; Failed unless it ends in time with one of these statuses."""
    output = run(command, seconds, **options)
    if output.status is None:
        raise Failed(f"{name_of(command)} was not done after {seconds:.0f} s", {"output": output.text[-TAIL:]})
    if output.status not in allow:
        raise Failed(f"{name_of(command)} ended with {output.status}: {output.text.strip()[-500:]}", {"output": output.text[-TAIL:]})
    return output


class Record:
    """The steps so far: in a file, a line each."""

    def __init__(self, path, seconds, only=(), resume=False):
        self.path = pathlib.Path(path)
        self.deadline = time.monotonic() + seconds
        self.only = [pattern.lower() for pattern in only]
        self.entries = read(self.path) if resume else []
        self.after = lambda: None  # called when another entry is there
        if not resume:
            self.path.write_text("")

    def left(self):
        return self.deadline - time.monotonic()

    def find(self, name):
        """What a step found; nothing if it did not pass or find anything."""
        found = [entry for entry in self.entries if entry.get("step") == name]
        return found[-1] if found else {}

    def passed(self, name):
        return self.find(name).get("status") == "passed"

    def add(self, entry):
        self.entries.append(entry)
        with self.path.open("a") as file:
            file.write(json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.after()

    def step(self, name, most_seconds, work, made=None):
        """Does `work(seconds)`, which gives what it found, unless it has passed already and `made`, a file for later steps, is there.
        Whatever it does, the next step comes."""
        if self.only and not any(pattern in name.lower() for pattern in self.only):
            return
        if self.passed(name) and (made is None or made.exists()):
            return
        entry = {"step": name}
        begin = time.monotonic()
        print(f"{name} ...", end=" ", flush=True, file=sys.stderr)
        stopped = None
        try:
            if self.left() < 5:
                raise Skipped("no time left")
            entry |= {"status": "passed"} | (work(min(most_seconds, self.left())) or {})
        except Skipped as reason:
            entry |= {"status": "skipped", "reason": str(reason)}
        except Failed as failure:
            entry |= failure.found | {"status": "failed", "reason": str(failure)[:TAIL]}
        except Stopped as reason:
            entry |= {"status": "failed", "reason": f"stopped: {reason}"}
            stopped = reason
        except Exception as failure:  # a fault of this script must not take the other steps with it
            entry |= {"status": "failed", "reason": f"{type(failure).__name__}: {failure}"[:TAIL]}
        entry["seconds"] = round(time.monotonic() - begin, 1)
        self.add(entry)
        print(f"{entry['status']} ({entry['seconds']} s) {entry.get('reason', '')[:160]}", file=sys.stderr)
        if stopped:
            raise stopped


def read(path):
    """Entries of a file, but for a last line that was cut off."""
    if not pathlib.Path(path).exists():
        return []
    entries = []
    for line in pathlib.Path(path).read_text().splitlines():
        try:
            entries.append(json.loads(line))
        except ValueError:
            pass
    return entries


def stop_on_signals():
    """A kill ends the step in hand, records it, and then the run."""
    def stop(number, _frame):
        raise Stopped(signal.Signals(number).name)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
