#!/usr/bin/env python3
# Fovea: photos with several labels, made of photos with one.
# SPDX-License-Identifier: Apache-2.0
"""Puts one, two or three photos of a class-folder data set side by side into one picture that has the labels of all, trains on
such pictures and prints what `fovea val` says on pictures made of other photos.

    multi_label.py build/release/bin/fovea DATA --train 300 --val 150 -- --scope head

DATA holds train/ and val/ with a folder per class; pictures of one split are made of its photos alone. What follows `--` goes to
`fovea train`. Needs Pillow.
"""
import argparse
import csv
import json
import os
import random
import subprocess
import sys
import tempfile

from PIL import Image, ImageOps

HEIGHT = 224


def photos_of(data, split):
    return [(os.path.join(data, split, name, photo), name)
            for name in sorted(os.listdir(os.path.join(data, split))) for photo in sorted(os.listdir(os.path.join(data, split, name)))]


def picture(paths, width):
    whole = Image.new("RGB", (width * len(paths), HEIGHT))
    for i, path in enumerate(paths):
        with Image.open(path) as photo:
            whole.paste(ImageOps.fit(ImageOps.exif_transpose(photo).convert("RGB"), (width, HEIGHT)), (i * width, 0))
    return whole


def make(data, counts, folder):
    draw = random.Random(0)
    with open(os.path.join(folder, "labels.csv"), "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "label", "split"])
        for split, count in counts.items():
            photos = photos_of(data, split)
            for n in range(count):
                chosen = draw.sample(photos, draw.randint(1, 3))
                name = f"{split}{n}.jpg"
                picture([path for path, _ in chosen], 150).save(os.path.join(folder, name), quality=90)
                rows.writerow([name, ";".join(sorted({label for _, label in chosen})), split])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("data")
    parser.add_argument("--train", type=int, default=300)
    parser.add_argument("--val", type=int, default=150)
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    args = parser.parse_args(sys.argv[1:split])
    flags = sys.argv[split + 1:] or ["--scope", "head"]
    with tempfile.TemporaryDirectory() as folder:
        make(args.data, {"train": args.train, "val": args.val}, folder)
        labels, model = os.path.join(folder, "labels.csv"), os.path.join(folder, "model.safetensors")
        done = subprocess.run([args.program, "train", labels, "-o", model, *flags, "--json"], capture_output=True, text=True)
        if done.returncode > 1:
            sys.exit(done.stderr)
        print("train", json.dumps(json.loads(done.stdout.splitlines()[-1])["multi_label"]))
        subprocess.run([args.program, "val", model, labels, "--mistakes", "0"], check=True)


if __name__ == "__main__":
    main()
