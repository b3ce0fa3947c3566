# SPDX-License-Identifier: Apache-2.0
"""What every group of checks uses: the program at work, and what is said about it."""
import os
import subprocess
import threading
import time

PROGRAM = "/payload/bin/fovea"
MODEL = "/payload/model.safetensors"
ENVIRONMENT = dict(os.environ, LD_LIBRARY_PATH="/payload/lib", FOVEA_TUNE="off", OMP_WAIT_POLICY="passive")
failures = []


def check(holds, what):
    print(("ok      " if holds else "FAILED  ") + what, flush=True)
    if not holds:
        failures.append(what)
    return holds


def say(lines):
    for line in lines:
        print("          " + line.rstrip()[:200], flush=True)


def shell(command):
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        say([f"{command}: {done.stderr.strip() or done.returncode}"])
    return done.returncode == 0


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def wait_for(what, seconds):
    """What `what()` gives as soon as it is something, or at last."""
    deadline = time.monotonic() + seconds
    while True:
        found = what()
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


class Program:
    """`fovea` at work; its lines are collected as they come."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
        self.out, self.err = [], []
        for pipe, lines in ((self.process.stdout, self.out), (self.process.stderr, self.err)):
            threading.Thread(target=lambda p=pipe, l=lines: l.extend(p), daemon=True).start()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def end(self):
        """Exit status after SIGTERM, and the seconds that it took."""
        begin = time.monotonic()
        self.process.terminate()
        try:
            status = self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        return status, time.monotonic() - begin


def fovea(*arguments, seconds=240):
    """Exit status (None: it had to be killed), standard output, standard error."""
    try:
        done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, env=ENVIRONMENT, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as late:
        return None, "", (late.stderr or b"").decode(errors="replace")
    return done.returncode, done.stdout, done.stderr
