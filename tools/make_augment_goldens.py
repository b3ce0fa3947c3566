#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/data/golden/augment.bin: what torchvision's and Pillow's operations make of two small pictures.

    python3 tools/make_augment_goldens.py            (needs torchvision, Pillow and NumPy)

Little-endian: sources (count; width, height, pixels), then cases (count; length of the name, name, float64 argument, int32 bin or -1,
int32 negative, int32 source, pixels). Names in capitals are RandAugment's operations at a bin of 31; the others take the argument.
"""
import pathlib
import struct

import numpy
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F
from torchvision.transforms.autoaugment import RandAugment, _apply_op

WIDTH, HEIGHT = 26, 19
rng = numpy.random.default_rng(7)
noise = rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=numpy.uint8)
y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH]
scene = numpy.stack([40 + x * 5, 30 + y * 9, 90 + 60 * numpy.sin(x * y / 15)], -1)
scene[(x // 5 + y // 4) % 6 == 0] = [200, 200, 200]
scene[(x + y) % 11 == 0] = [0, 0, 0]
sources = [noise, scene.astype(numpy.uint8)]

simple = {"brightness": F.adjust_brightness, "contrast": F.adjust_contrast, "saturation": F.adjust_saturation,
          "sharpness": F.adjust_sharpness, "hue": F.adjust_hue}
arguments = {"hue": [-0.5, -0.3, -0.015, 0.0, 0.1, 0.25, 0.5]}
space = RandAugment()._augmentation_space(31, (HEIGHT, WIDTH))

out = [struct.pack("<i", len(sources))]
out += [struct.pack("<ii", WIDTH, HEIGHT) + s.tobytes() for s in sources]
cases = []


def add(name, argument, magnitude, negative, source, picture):
    text = name.encode()
    cases.append(struct.pack("<i", len(text)) + text + struct.pack("<diii", argument, magnitude, negative, source) + picture.tobytes())


for number, source in enumerate(sources):
    picture = Image.fromarray(source)
    for name, function in simple.items():
        for argument in arguments.get(name, [0.0, 0.4, 1.0, 1.3, 2.5]):
            add(name, argument, -1, 0, number, function(picture, argument))
    for name, (magnitudes, signed) in space.items():
        for magnitude in [0, 9, 30] if magnitudes.ndim else [9]:
            for negative in [0, 1] if signed else [0]:
                value = float(magnitudes[magnitude]) if magnitudes.ndim else 0.0
                result = _apply_op(picture, name, -value if negative else value, InterpolationMode.BILINEAR, None)
                add(name.upper(), 0.0, magnitude, negative, number, result)
out.append(struct.pack("<i", len(cases)))
path = pathlib.Path(__file__).parent.parent / "tests/data/golden/augment.bin"
path.parent.mkdir(parents=True, exist_ok=True)
path.write_bytes(b"".join(out + cases))
