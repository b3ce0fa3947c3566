#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A handful of kills: tools/prove_embedding.py on small pictures and a model of a second. Usage: prove_embedding_test.py FOVEA FOVEA-SKIES"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[2]
program, skies = sys.argv[1:3]
quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    subprocess.run([skies, str(folder / "skies"), "--count", "12", "--seed", "3"], **quiet)
    subprocess.run([program, "train", str(folder / "skies"), "-o", str(folder / "tiny"), "--from-scratch", "--scope", "full", "--arch",
                    "mobilenet_v2_0.35", "--size", "32", "--epochs", "1", "--batch", "4"], **quiet)
    photos = folder / "photos"
    photos.mkdir()
    for picture in ("rgb.jpg", "progressive.jpg", "cmyk.jpg", "rgb.png", "lossy.webp", "alpha.webp", "raw.tif"):
        shutil.copy(root / "tests/image/data/pictures" / picture, photos)
    sys.exit(subprocess.run([sys.executable, str(root / "tools" / "prove_embedding.py"), program, str(folder / "tiny.safetensors"),
                             str(photos), "--kills", "6"], check=False).returncode)
