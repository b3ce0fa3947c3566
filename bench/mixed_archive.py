#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes an archive of mixed photos, as people have them: JPEG of several sizes, PNG, WebP, HEIC and TIFF.

    bench/mixed_archive.py SOURCE FOLDER [--photos 10000] [--different 400] [--seed 0]

SOURCE: a folder of photos, which are scaled (up, too: noise is added, so that large ones cost what large ones cost) and encoded anew.
FOLDER gets --photos files in folders of 500, each a copy of one of --different pictures. The same seed makes the same choices.
Needs python3-pil, python3-numpy and heif-enc (libheif-examples).
"""
import argparse
import io
import pathlib
import random
import subprocess
import tempfile

import numpy
from PIL import Image

# Share of the photos, longer sides in pixels. Phones and cameras write JPEG and HEIC; the rest is smaller.
KINDS = {"jpg": (0.70, (640, 1280, 1600, 2048, 3264, 4032)), "png": (0.08, (640, 1280, 1600)), "webp": (0.08, (640, 1280, 2048)),
         "heic": (0.07, (2048, 3264, 4032)), "tif": (0.07, (640, 1280, 2048))}


def picture(path, longer, draw):
    image = Image.open(path).convert("RGB")
    scale = longer / max(image.size)
    image = image.resize([max(1, round(side * scale)) for side in image.size], Image.Resampling.BICUBIC)
    noise = numpy.random.default_rng(draw.getrandbits(32)).normal(0, 3, (image.height, image.width, 1))
    return Image.fromarray(numpy.clip(numpy.asarray(image) + noise, 0, 255).astype("uint8"))


def encoded(image, kind, draw):
    out = io.BytesIO()
    if kind == "heic":
        with tempfile.TemporaryDirectory() as folder:
            source, target = pathlib.Path(folder, "in.jpg"), pathlib.Path(folder, "out.heic")
            image.save(source, "JPEG", quality=95)
            subprocess.run(["heif-enc", "-q", "60", "-p", "preset=ultrafast", "-o", target, source], check=True, capture_output=True)
            return target.read_bytes()
    options = {"jpg": {"format": "JPEG", "quality": draw.choice((80, 90, 95)), "progressive": draw.random() < 0.1},
               "png": {"format": "PNG"}, "webp": {"format": "WEBP", "quality": 82},
               "tif": {"format": "TIFF", "compression": draw.choice(("raw", "tiff_lzw"))}}[kind]
    image.save(out, **options)
    return out.getvalue()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--photos", type=int, default=10000)
    parser.add_argument("--different", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    sources = sorted(p for p in arguments.source.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg"))
    made = []
    kinds = [kind for kind, (share, _) in KINDS.items() for _ in range(round(share * arguments.different))]
    for number, kind in enumerate(kinds):
        while True:
            try:
                data = encoded(picture(draw.choice(sources), draw.choice(KINDS[kind][1]), draw), kind, draw)
                break
            except OSError:
                continue  # a source that is no photo
        made.append((kind, data))
        if number % 50 == 0:
            print(f"{number} of {len(kinds)} pictures", flush=True)
    order = [made[i % len(made)] for i in range(arguments.photos)]
    draw.shuffle(order)
    for number, (kind, data) in enumerate(order):
        folder = arguments.folder / f"{number // 500:02}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:05}.{kind}").write_bytes(data)
    total = sum(len(data) for _, data in order)
    print(f"{len(order)} photos, {total / 1e9:.2f} GB: " + ", ".join(f"{k} {sum(1 for kk, _ in order if kk == k)}" for k in KINDS))


if __name__ == "__main__":
    main()
