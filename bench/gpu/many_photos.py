#!/usr/bin/env python3
# Fovea: tens of thousands of different JPEG files in seconds, to train on. Needs Pillow and NumPy.
# SPDX-License-Identifier: Apache-2.0
"""many_photos.py FOLDER --count 60000 --classes 10: FOLDER/train/CLASS and FOLDER/val/CLASS (2 of 100), 256 x 256 pixels: smooth random
colours, more of a class's own, with grain."""
import argparse
import multiprocessing
import pathlib

import numpy
from PIL import Image

SIDE, COARSE = 256, 12


def paint(task):
    folder, label, numbers = task
    grain = numpy.random.default_rng(label).normal(0, 12, (SIDE, SIDE, 1)).astype(numpy.float32)
    tint = numpy.random.default_rng(1000 + label).uniform(60, 200, 3).astype(numpy.float32)
    for number in numbers:
        draw = numpy.random.default_rng((label, number))
        coarse = numpy.clip(tint + draw.normal(0, 55, (COARSE, COARSE, 3)), 0, 255).astype(numpy.uint8)
        smooth = numpy.asarray(Image.fromarray(coarse).resize((SIDE, SIDE), Image.BICUBIC), numpy.float32)
        shift = draw.integers(0, SIDE, 2)
        picture = numpy.clip(smooth + numpy.roll(grain, shift, (0, 1)), 0, 255).astype(numpy.uint8)
        Image.fromarray(picture).save(folder / f"{number:06}.jpg", quality=85)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=60000, help="to train on")
    parser.add_argument("--classes", type=int, default=10)
    args = parser.parse_args()
    tasks = []
    for label in range(args.classes):
        each = args.count // args.classes
        for split, numbers in (("train", range(each)), ("val", range(each, each + max(1, each // 50)))):
            folder = args.folder / split / f"class-{label:02}"
            folder.mkdir(parents=True, exist_ok=True)
            tasks += [(folder, label, numbers[first:first + 250]) for first in range(0, len(numbers), 250)]
    with multiprocessing.Pool() as pool:
        for _ in pool.imap_unordered(paint, tasks):
            pass


if __name__ == "__main__":
    main()
