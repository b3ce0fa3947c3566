# SPDX-License-Identifier: Apache-2.0
"""Runs the virtual machine; prints what its scripts say; is the serial scale at the other end of its second line."""
import pathlib
import select
import socket
import subprocess
import tempfile
import threading
import time


def serial_scale(path):
    """Answers each "W" with half a kilogram; after 40 of them it is switched off for 9 s, and then weighs 1.25 kg."""
    line = socket.socket(socket.AF_UNIX)
    while True:
        try:
            line.connect(path)
            break
        except OSError:
            time.sleep(0.2)
    asked, off_until, buffer = 0, None, b""
    while True:
        try:
            got = line.recv(4096)
        except OSError:
            return
        if not got:
            return
        buffer += got
        while b"\n" in buffer:
            word, _, buffer = buffer.partition(b"\n")
            if word.strip() != b"W":
                continue
            asked += 1
            if asked > 40 and off_until is None:
                off_until = time.monotonic() + 9
            if off_until is None or time.monotonic() > off_until:
                line.sendall(b"\x02 +0" + (b"0.500" if off_until is None else b"1.250") + b"\r\n")


def command(guest, payload, line):
    return ["qemu-system-x86_64", "-machine", "q35", "-cpu", "max", "-accel", "tcg,thread=multi", "-smp", "2", "-m", "2048", "-nographic", "-no-reboot", "-nodefaults",
            "-kernel", str(guest.kernel), "-initrd", str(guest.early), "-append", "console=ttyS0 no_timer_check quiet loglevel=2 panic=-1 mitigations=off random.trust_cpu=on",
            "-serial", "stdio", "-chardev", f"socket,id=scale,path={line},server=on,wait=off", "-serial", "chardev:scale",
            "-drive", f"file={guest.disk},format=raw,if=virtio,snapshot=on", "-drive", f"file={payload},format=raw,if=virtio,readonly=on"]


def run(guest, payload, seconds):
    """How many checks failed, and whether the guest came to its end."""
    failed, ended = 0, False
    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
        line = str(pathlib.Path(folder) / "line")
        process = subprocess.Popen(command(guest, payload, line), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        threading.Thread(target=serial_scale, args=(line,), daemon=True).start()
        deadline, buffer = time.monotonic() + seconds, b""
        while time.monotonic() < deadline:
            if select.select([process.stdout], [], [], 1)[0]:
                got = process.stdout.read1(65536)
                if not got:
                    break
                buffer += got
                *lines, buffer = buffer.split(b"\n")
                for text in (part.decode(errors="replace").rstrip() for part in lines):
                    print(text, flush=True)
                    failed += text.startswith("FAILED")
                    ended = ended or text.startswith("END ")
        process.kill()
        process.wait()
    return failed, ended
