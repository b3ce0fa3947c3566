# SPDX-License-Identifier: Apache-2.0
"""USB weighing devices (HID, made by the kernel's uhid) and a serial scale at the machine's second line."""
import http.client
import json
import pathlib
import struct
import threading
import time

from common import MODEL, Program, check, say, shell, wait_for

# A scale of the usage page 0x8D: report 3 of status, unit, exponent and weight ("HID Point of Sale Usage Tables" 1.02, 4.3).
DESCRIPTOR = bytes([
    0x05, 0x8D, 0x09, 0x20, 0xA1, 0x01, 0x85, 0x03, 0x09, 0x21, 0xA1, 0x02,
    0x09, 0x70, 0x15, 0x00, 0x26, 0xFF, 0x00, 0x75, 0x08, 0x95, 0x01, 0x81, 0x02,
    0x09, 0x50, 0x75, 0x08, 0x95, 0x01, 0x81, 0x02,
    0x09, 0x41, 0x15, 0x81, 0x25, 0x7F, 0x75, 0x08, 0x95, 0x01, 0x81, 0x02,
    0x09, 0x40, 0x15, 0x00, 0x27, 0xFF, 0xFF, 0x00, 0x00, 0x75, 0x10, 0x95, 0x01, 0x81, 0x02,
    0xC0, 0xC0])
CREATE, DESTROY, INPUT = 11, 1, 12
FAULT, ZERO, MOVING, STABLE, NEGATIVE, OVERLOAD = 1, 2, 3, 4, 5, 6


class HidScale:
    """Says what it weighs five times a second, as such devices do, until it is unplugged."""

    def __init__(self):
        self.report = self.data(ZERO, 0)
        self.stop = threading.Event()
        self.device = None

    @staticmethod
    def data(status, tenths, unit=2):
        return struct.pack("<BBBbH", 3, status, unit, -1, tenths)

    def plug(self):
        self.device = open("/dev/uhid", "r+b", buffering=0)
        head = struct.pack("<I128s64s64sHHIIII", CREATE, b"Weigh", b"", b"", len(DESCRIPTOR), 3, 0x0922, 0x8003, 1, 0)
        self.device.write(head + DESCRIPTOR + bytes(4096 - len(DESCRIPTOR)))
        self.stop.clear()
        threading.Thread(target=self.speak, daemon=True).start()
        found = wait_for(lambda: sorted(pathlib.Path("/dev").glob("hidraw*")), 20)
        return found[0] if found else None

    def speak(self):
        while not self.stop.wait(0.2):
            try:
                self.device.write(struct.pack("<IH", INPUT, len(self.report)) + self.report + bytes(4096 - len(self.report)))
            except (OSError, ValueError):
                return

    def unplug(self):
        self.stop.set()
        self.device.write(struct.pack("<I", DESTROY))
        self.device.close()


class Page:
    """What the page of `fovea scale` is told (server-sent events)."""

    def __init__(self, port):
        self.state = {}
        threading.Thread(target=self.listen, args=(port,), daemon=True).start()

    def listen(self, port):
        for _ in range(300):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                connection.request("GET", "/events")
                answer = connection.getresponse()
                while line := answer.readline():
                    if line.startswith(b"data: "):
                        self.state = json.loads(line[6:])
            except (OSError, ValueError):
                time.sleep(1)

    def weighs(self, grams, stable=True, seconds=30):
        expected = None if grams is None else {"weight_g": grams, "stable": stable}
        wait_for(lambda: bool(self.state) and self.state.get("scale") == expected, seconds)
        return bool(self.state) and self.state.get("scale") == expected

    def told(self):
        return self.state.get("scale")


def photos():
    """Somewhere to look at: a scale wants a camera."""
    folder = pathlib.Path("/tmp/shown")
    folder.mkdir(exist_ok=True)
    (folder / "one.jpg").write_bytes(pathlib.Path("/payload/photos/00.jpg").read_bytes())
    return folder


def usb():
    shell("modprobe -a uhid hid-generic")
    scale = HidScale()
    scale.report = scale.data(STABLE, 5000)
    path = scale.plug()
    if not check(path is not None, f"a USB weighing device: {path}"):
        return
    program = Program("scale", MODEL, photos(), "--loop", "--hold", "1h", "--weight", path, "--port", "8071")
    page = Page(8071)
    check(page.weighs(500, seconds=180), f"USB: half a kilogram at rest: {page.told()}")
    first = program.descriptors()
    for name, report, grams, stable in (("in motion", scale.data(MOVING, 5210), 521, False), ("under zero", scale.data(NEGATIVE, 123), -12.3, True),
                                        ("at zero", scale.data(ZERO, 0), 0, True), ("2.5 oz", scale.data(STABLE, 25, 11), 2.5 * 453.59237 / 16, True)):
        scale.report = report
        reached = wait_for(lambda: page.told() and abs(page.told()["weight_g"] - grams) < 0.01 and page.told()["stable"] == stable, 30)
        check(reached, f"USB: {name}: {page.told()}")
    for name, status in (("overload", OVERLOAD), ("a fault", FAULT)):
        scale.report = scale.data(STABLE, 5000)
        page.weighs(500)
        scale.report = scale.data(status, 65535)
        check(page.weighs(None), f"USB: {name} is no weight: {page.told()}")
    scale.report = scale.data(STABLE, 5000)
    page.weighs(500)
    scale.unplug()
    check(wait_for(lambda: any("scale" in line and "tried again" in line for line in program.err), 30), "USB: unplugged: it is said")
    check(page.weighs(None), f"USB: unplugged: no weight: {page.told()}")
    scale.report = scale.data(STABLE, 7500)
    again = scale.plug()
    check(page.weighs(750, seconds=60) and any("there again" in line for line in program.err), f"USB: plugged in again as {again}: {page.told()}")
    last = program.descriptors()
    status, seconds = program.end()
    check(last - first <= 2, f"USB: descriptors {first}, {last}")
    check(status in (0, 1) and seconds < 20, f"USB: SIGTERM ends it, exit status {status}, after {seconds:.1f} s")
    say(program.err[-6:])
    scale.unplug()


def serial():
    """At the other end of the line the virtual machine's keeper answers (machine.py)."""
    program = Program("scale", MODEL, photos(), "--loop", "--hold", "1h", "--weight", "/dev/ttyS1", "--weight-ask", "W", "--port", "8072")
    page = Page(8072)
    check(page.weighs(500, seconds=180), f"serial: half a kilogram, asked for: {page.told()}")
    check(wait_for(lambda: any("no weight within" in line for line in program.err), 60), "serial: a scale that is switched off: it is said")
    check(page.weighs(None, seconds=10), f"serial: and no weight: {page.told()}")
    check(page.weighs(1250, seconds=60), f"serial: on again, with another weight: {page.told()}")
    status, seconds = program.end()
    check(status in (0, 1) and seconds < 20, f"serial: SIGTERM ends it, exit status {status}, after {seconds:.1f} s")
    say(program.err[-4:])


def run(_):
    usb()
    serial()
