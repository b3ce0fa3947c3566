#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/image/data/resize_goldens.bin: what Pillow's Image.resize gives for many sizes, filters and boxes.

    python3 tools/make_resize_goldens.py            (needs Pillow and NumPy)

Little-endian: sources (count; width, height, pixels) then cases (count; source, width, height, filter,
four float64 of the box, pixels). Counts and sizes are int32, filter 0 is bilinear and 1 bicubic.
"""
import pathlib
import struct

import numpy
from PIL import Image

rng = numpy.random.default_rng(1)


def noise(width, height):
    return rng.integers(0, 256, (height, width, 3), dtype=numpy.uint8)


def scene(width, height):
    """Smooth gradients with hard black and white edges, where the lobes of a cubic overshoot."""
    y, x = numpy.mgrid[0:height, 0:width]
    picture = numpy.stack([x * 255 / max(width - 1, 1), y * 255 / max(height - 1, 1), 128 + 100 * numpy.sin(x * y / 40)], -1)
    picture[(x // 9 + y // 7) % 4 == 0] = 255
    picture[(x // 5 + y // 11) % 5 == 0] = 0
    return picture.astype(numpy.uint8)


sources = [noise(97, 61), scene(64, 64), noise(1, 1), noise(1, 40), noise(37, 1), scene(640, 17), scene(13, 500), noise(5, 3)]
cases = []  # source, width, height, box or None
for source, sizes in enumerate([
    [(48, 30), (97, 20), (31, 61), (98, 62), (1, 1), (33, 29), (7, 90)],
    [(32, 32), (64, 64), (63, 65), (21, 43), (16, 16), (70, 40), (2, 3)],
    [(1, 1), (5, 7)],
    [(1, 13), (6, 40), (9, 81)],
    [(12, 1), (37, 9), (50, 4)],
    [(22, 22), (641, 3), (3, 17), (5, 40)],
    [(22, 22), (3, 501), (13, 7), (40, 5)],
    [(40, 24), (3, 5), (1, 3), (23, 1)],
]):
    cases += [(source, width, height, None) for width, height in sizes]
cases += [
    (0, 24, 24, (10, 5, 70, 55)), (0, 97, 61, (0, 0, 60, 61)), (0, 40, 30, (0.5, 0.25, 96.75, 60.5)),
    (0, 33, 21, (12.3, 7.7, 45.9, 31.1)), (0, 20, 61, (3, 0, 23, 61)), (0, 30, 30, (90.1, 55.2, 97, 61)),
    (1, 64, 64, (1, 1, 63, 63)), (1, 17, 29, (31.7, 2.9, 32.6, 63.2)), (1, 50, 20, (0, 0, 8, 8)), (5, 40, 10, (100.5, 2.5, 500.25, 16.5)),
]

out = [struct.pack("<i", len(sources))]
out += [struct.pack("<ii", s.shape[1], s.shape[0]) + s.tobytes() for s in sources]
out.append(struct.pack("<i", 2 * len(cases)))
for source, width, height, box in cases:
    full = (0, 0, sources[source].shape[1], sources[source].shape[0])
    for number, name in enumerate([Image.Resampling.BILINEAR, Image.Resampling.BICUBIC]):
        pixels = Image.fromarray(sources[source]).resize((width, height), name, box=box)
        out.append(struct.pack("<iiii4d", source, width, height, number, *(box or full)) + pixels.tobytes())
path = pathlib.Path(__file__).parent.parent / "tests/image/data/resize_goldens.bin"
path.write_bytes(b"".join(out))
print(path, path.stat().st_size, "bytes,", 2 * len(cases), "cases")
