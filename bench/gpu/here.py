# Fovea: what the machine is that prove.py runs on, and where it keeps CUDA's libraries.
# SPDX-License-Identifier: Apache-2.0
import os
import pathlib
import subprocess
import sys


def machine():
    facts = {"processors": os.cpu_count()}
    query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total,compute_cap", "--format=csv,noheader"]
    try:
        facts["gpus"] = subprocess.run(query, capture_output=True, text=True, timeout=30).stdout.strip().splitlines()
    except (OSError, subprocess.SubprocessError) as failure:
        facts["gpus"] = [f"nvidia-smi: {failure}"]
    return facts


def library_folders():
    """Where CUDA's libraries lie that the system does not find by itself: of a toolkit, or of Python packages."""
    places = [pathlib.Path("/usr/local/cuda/lib64"), *pathlib.Path("/usr/local").glob("cuda-*/lib64")]
    for site in {pathlib.Path(path) for path in sys.path if path.endswith("site-packages")}:
        places += site.glob("nvidia/*/lib")
    wanted = ("libcublasLt.so.*", "libnvjpeg.so.*", "libnccl.so.*")
    return [str(place) for place in places if any(any(place.glob(pattern)) for pattern in wanted)]
