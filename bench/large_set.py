#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains on tens of thousands of photos and watches the memory: does it stay below a ceiling, and does it grow from epoch to epoch?

  bench/large_set.py make PHOTOS FOLDER --count 60000 --classes 75     (needs Pillow)
  bench/large_set.py train build/release/bin/fovea FOLDER -- --scope full --size 64 --epochs 4

`make` cuts random pieces out of the photos below PHOTOS, varies their brightness, and writes them as JPEG files of 160 pixels into
classes; a class is a source photo's own class, divided further until there are as many as asked for. `train` samples the resident
memory of `fovea train` once a second and prints its peak in each stage and epoch, and the slope over the epochs.
"""
import json
import pathlib
import random
import subprocess
import sys
import threading
import time

import verbs
from verbs import argument


def make(arguments):
    from PIL import Image, ImageEnhance

    photos = sorted(p for p in pathlib.Path(arguments.photos).rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    draw = random.Random(0)
    draw.shuffle(photos)
    groups = [photos[k::arguments.classes] for k in range(arguments.classes)]
    folder = pathlib.Path(arguments.folder)
    for k, group in enumerate(groups):
        target = folder / f"class-{k:02}"
        target.mkdir(parents=True, exist_ok=True)
        wanted = arguments.count // arguments.classes
        for first, source in enumerate(group):
            with Image.open(source) as photo:
                photo.draft("RGB", (320, 320))
                image = photo.convert("RGB")
            for n in range(first, wanted, len(group)):
                side = max(32, int(min(image.size) * draw.uniform(0.4, 1)))
                left, top = (draw.randint(0, max(0, extent - side)) for extent in image.size)
                piece = image.resize((160, 160), Image.BILINEAR, (left, top, left + side, top + side), reducing_gap=2)
                ImageEnhance.Brightness(piece).enhance(draw.uniform(0.6, 1.4)).save(target / f"{n:05}.jpg", quality=80)
        print(f"\r{k + 1} of {arguments.classes} classes", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def resident_mib(pid):
    """Anonymous and file-backed resident memory, without pages of the page cache that merely are mapped."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def slope(values):
    n = len(values)
    mean_x, mean_y = (n - 1) / 2, sum(values) / n
    return sum((x - mean_x) * (y - mean_y) for x, y in enumerate(values)) / sum((x - mean_x) ** 2 for x in range(n))


def train(arguments):
    command = [arguments.program, "train", arguments.folder, "-o", arguments.output, "--json", *arguments.rest]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    peak = [0.0]

    def sample():
        while process.poll() is None:
            try:
                peak[0] = max(peak[0], resident_mib(process.pid))
            except OSError:
                return
            time.sleep(1)

    threading.Thread(target=sample, daemon=True).start()
    epochs, highest = [], 0.0
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] not in ("stage", "epoch", "done"):
            continue
        highest = max(highest, peak[0])
        name = event.get("stage", "") + (f" epoch {event['epoch']}" if event["event"] == "epoch" else "")
        if event["event"] == "epoch":
            epochs.append(peak[0])
        print(f"{name or 'end':<16} peak {peak[0]:8.0f} MiB   accuracy {event.get('val_accuracy', event.get('accuracy', ''))}", flush=True)
        peak[0] = 0.0
    status = process.wait()
    print(f"highest {highest:.0f} MiB; exit status {status}")
    if len(epochs) > 2:
        print(f"slope over epochs 2 to {len(epochs)}: {slope(epochs[1:]):+.2f} MiB an epoch")
    return status


def main():
    return verbs.run(__doc__, {
        "make": (make, [argument("photos"), argument("folder"), argument("--count", type=int, default=60000),
                        argument("--classes", type=int, default=75)]),
        "train": (train, [argument("program"), argument("folder"), argument("-o", "--output", default="large.safetensors")]),
    })


if __name__ == "__main__":
    sys.exit(main())
