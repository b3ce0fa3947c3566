#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A handful of kills: tools/prove_resume.py on a training of about a second. Usage: prove_resume_test.py FOVEA FOVEA-SKIES"""
import pathlib
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[2]
program, skies = sys.argv[1:3]
with tempfile.TemporaryDirectory() as folder:
    data = pathlib.Path(folder) / "skies"
    subprocess.run([skies, str(data), "--count", "24", "--seed", "3"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    sys.exit(subprocess.run([sys.executable, str(root / "tools" / "prove_resume.py"), program, str(data), "--kills", "5", "--",
                             "--from-scratch", "--scope", "full", "--arch", "mobilenet_v2_0.35", "--size", "32", "--epochs", "4",
                             "--batch", "4"], check=False).returncode)
