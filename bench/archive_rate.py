#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How near `fovea tag` comes to what decoding and computing alone allow, on the same photos in the same run.

    bench/archive_rate.py MODEL FOLDER [--program build/release/bin/fovea] [--turns 1] [--seconds 5]

FOLDER is not changed: `tag` works on hard links to its photos in a folder beside it, into sidecars. `fovea bench decode` gives photos a second for each
format and size, `fovea bench infer` for the network, both with every processor; what they allow together is 1 / (1 / decode + 1 / infer), with
1 / decode the mean over the photos that there are. A second run over unchanged files follows, and `untag` takes everything back.
"""
import argparse
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import tempfile
import time


def rows(command):
    return [json.loads(line) for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()]


def timed(command):
    """Seconds on the clock and of processor time."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - begin, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--program", default="build/release/bin/fovea")
    parser.add_argument("--turns", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--photos", type=int, default=0, help="only so many of them")
    arguments = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="archive-rate-", dir=arguments.folder.parent))
    photos = sorted(p for p in arguments.folder.rglob("*") if p.is_file() and p.suffix != ".xmp")
    if arguments.photos:
        photos = photos[::max(1, len(photos) // arguments.photos)][:arguments.photos]
    for photo in photos:
        target = work / "photos" / photo.relative_to(arguments.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(photo, target)
    folder, threads = str(work / "photos"), str(len(os.sched_getaffinity(0)))
    try:
        shares = []
        for turn in range(arguments.turns):
            seconds = ["--threads", threads, "--seconds", str(arguments.seconds), "--json", "--quiet"]
            decode = rows([arguments.program, "bench", "decode", folder, *seconds])
            infer = rows([arguments.program, "bench", "infer", arguments.model, *seconds])
            of_decode = sum(row["photos"] / row["photos_per_second"] for row in decode) / sum(row["photos"] for row in decode)
            of_infer = 1 / max(row["images_per_second"] for row in infer)
            catalog = ["--catalog", str(work / f"archive-{turn}.sqlite")]
            tag = [arguments.program, "tag", arguments.model, folder, "--min-probability", "0", *catalog]
            clock, processor = timed(tag)
            again, _ = timed([*tag, "--quiet"])
            sidecars = sum(1 for _ in (work / "photos").rglob("*.xmp"))
            subprocess.run([arguments.program, "untag", folder, "--quiet", *catalog], check=True)
            batch = max(infer, key=lambda row: row["images_per_second"])["batch"]
            allowed, reached = 1 / (of_decode + of_infer), len(photos) / clock
            shares.append(reached / allowed)
            if turn == 0:
                for row in decode:
                    print(f"  {row['format']:5} {row['size_class']:13} {row['photos']:6} photos {row['photos_per_second']:8.1f} a second")
            print(f"decode {1 / of_decode:.1f}, infer {1 / of_infer:.1f} (batch {batch}), together "
                  f"{allowed:.1f} photos a second; tag {reached:.1f}: {100 * shares[-1]:.1f} %; {clock:.1f} s on the clock, {processor:.1f} s of processor, "
                  f"{sidecars} sidecars; again {again:.2f} s", flush=True)
        print(f"{len(photos)} photos: {100 * statistics.median(shares):.1f} % ({100 * min(shares):.1f} to {100 * max(shares):.1f})")
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
