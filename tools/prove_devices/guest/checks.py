# SPDX-License-Identifier: Apache-2.0
"""Runs in the guest: the groups of checks that were asked for."""
import pathlib
import sys
import time
import traceback

import cameras
import common
import scales
import shares

GROUPS = {"cameras": cameras.run, "scales": scales.run, "nfs": shares.run_nfs, "smb": shares.run_smb}

only, kills = pathlib.Path("/payload/settings").read_text().split()
for name in only.split(","):
    begin = time.monotonic()
    print(f"== {name}", flush=True)
    try:
        GROUPS[name](int(kills))
    except Exception:  # pylint: disable=broad-except
        common.check(False, f"{name}: came to its end")
        traceback.print_exc(file=sys.stdout)
    print(f"          {time.monotonic() - begin:.0f} s", flush=True)
sys.exit(1 if common.failures else 0)
