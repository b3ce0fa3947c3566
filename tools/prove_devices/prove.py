#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Devices and file systems that a machine may not have, in a virtual one: a camera (V4L2), a USB scale (HID), a serial scale, NFS and SMB shares.

    tools/prove_devices/prove.py MODEL PHOTOS --cache FOLDER [--program build/release/bin/fovea] [--only cameras,scales,nfs,smb] [--kills 24]

Builds a guest of Debian's own packages in --cache (once; needs root, debootstrap and e2fsprogs, and apt for the kernel), boots its kernel with
qemu-system-x86_64 (package qemu-system-x86; by emulation, so a machine without /dev/kvm will do, some twenty times slower), and runs `guest/*.py` there with the
program, its libraries, MODEL and PHOTOS (a folder of small photos; a small model keeps it short). The release of Debian is this machine's: the program
must run on it. Exit status 1 if a check fails or the guest does not come to its end.
"""
import argparse
import pathlib
import sys
import tempfile

import image
import machine

GROUPS = ("cameras", "scales", "nfs", "smb")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("photos", type=pathlib.Path)
    parser.add_argument("--cache", type=pathlib.Path, required=True)
    parser.add_argument("--program", type=pathlib.Path, default=pathlib.Path("build/release/bin/fovea"))
    parser.add_argument("--only", default=",".join(GROUPS))
    parser.add_argument("--kills", type=int, default=24, help="of each kind of share")
    parser.add_argument("--minutes", type=int, default=40, help="after which the guest is given up")
    options = parser.parse_args()
    unknown = set(options.only.split(",")) - set(GROUPS)
    if unknown:
        parser.error(f"--only {','.join(unknown)}: expected some of {','.join(GROUPS)}")
    guest = image.Guest(options.cache.resolve())
    guest.build()
    with tempfile.TemporaryDirectory(prefix="prove-devices-") as name:
        folder = pathlib.Path(name)
        payload = image.payload(folder, options)
        failed, ended = machine.run(guest, payload, options.minutes * 60)
    if not ended:
        print("FAILED  the guest did not come to its end")
    sys.exit(1 if failed or not ended else 0)


if __name__ == "__main__":
    main()
