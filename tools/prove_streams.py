#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cameras on the network that fail in every way, on this machine alone: `fovea watch` and `fovea scale` with HTTP (a JPEG a request, and
Motion JPEG without end) and RTSP (GStreamer's server, where python3-gi and gir1.2-gst-rtsp-server-1.0 are installed).

    tools/prove_streams.py MODEL PHOTO [--seconds 60] [--program build/release/bin/fovea]

HTTP: of twelve requests one is answered with half a photo and silence, one with a reset connection, one with a web page, one with an error, one
with half a photo and an end, one by nothing at all, one a byte at a time. The streams stall, break off and come again; the RTSP server stands still,
is killed and started again. Checked: every second is a row or counted in a gap, with the reason; `scale` says when there is no picture and when there
is one again; both end by SIGTERM; descriptors stay. Exit status 1 if a check fails.
"""
import argparse
import collections
import http.server
import json
import os
import pathlib
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time

failures = []


def check(holds, what):
    print(("ok      " if holds else "FAILED  ") + what, flush=True)
    if not holds:
        failures.append(what)


class Camera(http.server.BaseHTTPRequestHandler):
    """/now.jpg: a photo, or a fault in turn. /live: Motion JPEG, 10 pictures a second, with the faults that `Camera.live` names."""
    photo = b""
    requests = 0
    served = collections.Counter()
    live = "well"
    protocol_version = "HTTP/1.1"
    FAULTS = {2: "stall", 4: "reset", 5: "page", 7: "error", 8: "half", 9: "nothing", 10: "drip"}

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.close_connection = True
        try:
            self.one() if self.path == "/now.jpg" else self.many()
        except OSError:
            pass

    def head(self, kind, length=None, status=200):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.send_header("Connection", "close")
        self.end_headers()

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def one(self):
        fault = self.FAULTS.get(Camera.requests % 12, "well")
        Camera.requests += 1
        Camera.served[fault] += 1
        photo = Camera.photo
        if fault == "nothing":
            time.sleep(8)
        elif fault == "page":
            page = b"<html><body>Please log in</body></html>"
            self.head("text/html", len(page))
            self.wfile.write(page)
        elif fault == "error":
            self.head("text/plain", 5, 503)
            self.wfile.write(b"later")
        else:
            self.head("image/jpeg", len(photo))
            if fault == "well":
                self.wfile.write(photo)
                return
            self.wfile.write(photo[:len(photo) // 2])
            self.wfile.flush()
            if fault == "stall":
                time.sleep(8)
            elif fault == "reset":
                self.reset()
            elif fault == "drip":
                for byte in photo[len(photo) // 2:][:16]:
                    time.sleep(0.5)
                    self.wfile.write(bytes([byte]))

    def many(self):
        self.head("multipart/x-mixed-replace; boundary=frame")
        while True:
            if Camera.live == "stall":
                time.sleep(0.1)
                continue
            if Camera.live == "reset":
                return self.reset()
            if Camera.live == "page":
                self.wfile.write(b"<html>" * 1000)
                return None
            self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(Camera.photo) + Camera.photo + b"\r\n")
            self.wfile.flush()
            time.sleep(0.1)


RTSP = """
import gi, sys
gi.require_version("Gst", "1.0"); gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer, GLib
Gst.init(None)
server = GstRtspServer.RTSPServer(); server.set_address("127.0.0.1"); server.set_service(sys.argv[1])
factory = GstRtspServer.RTSPMediaFactory(); factory.set_shared(True)
factory.set_launch("( multifilesrc location=" + sys.argv[2] + " loop=true caps=image/jpeg,framerate=10/1 ! jpegdec ! videoconvert ! videoscale ! "
                   "video/x-raw,format=I420,width=640,height=480 ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! rtph264pay name=pay0 pt=96 )")
server.get_mount_points().add_factory("/sky", factory); server.attach(None)
print("ready", flush=True)
GLib.MainLoop().run()
"""


class RtspServer:
    def __init__(self, port, photo):
        self.arguments = ["/usr/bin/python3", "-c", RTSP, str(port), str(photo)]
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return self.process.stdout.readline() == "ready\n"

    def send(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class Program:
    """`fovea` at work; its lines are collected as they come."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([str(a) for a in arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.out, self.err = [], []
        for pipe, lines in ((self.process.stdout, self.out), (self.process.stderr, self.err)):
            threading.Thread(target=lambda p=pipe, l=lines: l.extend(p), daemon=True).start()

    def end(self):
        begin = time.monotonic()
        self.process.terminate()
        try:
            status = self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        return status, time.monotonic() - begin


def watch(options, folder, camera, name, act):
    """A picture a second while `act` makes trouble; then everything must be accounted for."""
    database = folder / f"{name}.db"
    program = Program(options.program, "watch", options.model, camera, "--every", "1s", "--time-limit", "0.9s", "--database", database, "--keep", "none")
    while not database.exists():
        time.sleep(0.1)
    time.sleep(5)
    begin = time.time() - 5
    first = descriptors(program.process.pid)
    act()
    last = descriptors(program.process.pid)
    status, seconds = program.end()
    end = time.time()
    rows = sqlite3.connect(database)
    states = collections.Counter(state for state, in rows.execute("SELECT state FROM slots"))
    gaps = rows.execute("SELECT coalesce(sum(slots), 0) FROM gaps").fetchone()[0]
    faults = collections.Counter(fault.split(": ")[-1][:60] for fault, in rows.execute("SELECT fault FROM slots WHERE state = 2"))
    due = int(end) - int(begin)
    told = sum(states.values()) + gaps
    check(abs(told - due) <= 3, f"{name}: {due} seconds: {states[0]} pictures, {states[2]} faults with their reason, {gaps} in gaps")
    check(states[0] > 0 and states[2] > 0, f"{name}: pictures and faults are both there")
    for fault, count in faults.most_common():
        print(f"          {count:3} {fault}")
    check(status in (0, 1) and seconds < 6, f"{name}: SIGTERM ends it, exit status {status}, after {seconds:.1f} s")
    check(last - first <= 4, f"{name}: descriptors {first}, {last}")
    return states[0]


def scale(options, camera, name, act):
    program = Program(options.program, "scale", options.model, camera, "--no-page")
    act(program)
    states = [json.loads(line)["state"] for line in list(program.out)]
    status, seconds = program.end()
    check(states.count("no picture") >= 1, f"{name}: says that there is no picture: {' '.join(states)}")
    lost = max((i for i, state in enumerate(states) if state == "no picture"), default=len(states))
    check(any(state not in ("no picture",) for state in states[lost:]), f"{name}: and goes on with what it sees afterwards")
    check(status in (0, 1) and seconds < 8, f"{name}: SIGTERM ends it, exit status {status}, after {seconds:.1f} s")
    for line in program.err[:12]:
        print("          " + line.rstrip())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("photo", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--program", type=pathlib.Path, default=pathlib.Path("build/release/bin/fovea"))
    options = parser.parse_args()
    Camera.photo = options.photo.read_bytes()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    with tempfile.TemporaryDirectory(prefix="prove-streams-") as name:
        folder = pathlib.Path(name)
        pictures = watch(options, folder, f"{base}/now.jpg", "HTTP photos", lambda: time.sleep(options.seconds))
        check(pictures <= Camera.served["well"], f"HTTP photos: no more pictures, {pictures}, than whole photos were served, {Camera.served['well']}")
        print(f"          served: {dict(Camera.served)}")

        def trouble(_=None):
            for state in ("well", "stall", "well", "reset", "well", "page", "well"):
                Camera.live = state
                time.sleep(options.seconds / 8 + 3)

        watch(options, folder, f"{base}/live", "Motion JPEG", trouble)
        scale(options, f"{base}/live", "scale, Motion JPEG", trouble)
        Camera.FAULTS = {}
        Camera.requests = 0
        single = Program(options.program, "scale", options.model, f"{base}/now.jpg", "--no-page")
        time.sleep(10)
        status, _ = single.end()
        told = [json.loads(line)["state"] for line in single.out]
        check(status == 0 and "no picture" not in told[1:] and len(told) > 0, f"scale, a JPEG a request: {' '.join(told)}")
        rtsp = RtspServer(free_port(), options.photo.resolve())
        if not rtsp.start():
            print("RTSP: not tried; needs python3-gi and gir1.2-gst-rtsp-server-1.0")
        else:
            def rtsp_trouble(_=None):
                time.sleep(options.seconds / 6 + 6)
                rtsp.send(signal.SIGSTOP)
                time.sleep(12)
                rtsp.send(signal.SIGCONT)
                time.sleep(options.seconds / 6 + 6)
                rtsp.kill()
                time.sleep(8)
                rtsp.start()
                time.sleep(options.seconds / 6 + 12)

            address = f"rtsp://127.0.0.1:{rtsp.arguments[3]}/sky"
            watch(options, folder, address, "RTSP", rtsp_trouble)
            scale(options, address, "scale, RTSP", rtsp_trouble)
            rtsp.kill()
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
