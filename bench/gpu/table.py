# Fovea: the steps of prove.py as a table for people.
# SPDX-License-Identifier: Apache-2.0
MEMORY_GB_S = {"H200": 4800, "H100 NVL": 3938, "H100": 3350, "A100": 2039, "L40S": 864, "L4": 300, "T4": 300, "4090": 1008}  # as their maker says


def memory_rate(entries):
    """Of the first GPU; None where it is not known."""
    names = next((entry["machine"].get("gpus", []) for entry in reversed(entries) if "machine" in entry), [])
    return next((rate for name, rate in MEMORY_GB_S.items() if names and name in names[0]), None)


def share_of_memory(rate, record):
    """Of the memory's rate, by what ops must read and write: inside of blocks more goes through the caches, and some of that beyond."""
    most = memory_rate(record.entries)
    return rate["traffic_gb_s"] / most if most and rate.get("traffic_gb_s") else None


def last_of_each(entries):
    steps = {}
    for entry in entries:
        if "step" in entry:
            steps[entry["step"]] = entry
    return list(steps.values())


def figures(entry):
    """What a step found, in a few words."""
    words = []
    rate = entry.get("images_per_second")
    if isinstance(rate, dict):
        words.append(", ".join(f"{kind} {value:.0f} images/s" for kind, value in rate.items()))
    elif rate:
        words.append(f"{rate:.0f} images/s, {entry.get('median_ms', 0):.2f} ms a step")
    if entry.get("share_of_memory"):
        words.append(f"{100 * entry['share_of_memory']:.0f} % of the memory's rate")
    if entry.get("times_as_fast"):
        words.append(f"Fovea {entry['times_as_fast']:.2f} times as fast")
    if "passed" in entry:
        words.append(f"{entry['passed']} passed, {entry.get('skipped', 0)} skipped")
    if "largest_difference_of_logits" in entry:
        words.append(f"logits to {entry['largest_difference_of_logits']:.1e}, {len(entry['other_first_choice'])} of {entry['photos']} with another first choice")
    if "run_seconds" in entry:
        words.append(f"{entry['epochs']} epochs, {entry['run_seconds']:.1f} s")
    if "cuda" in entry and "cpu" in entry:
        words.append(f"{entry['cpu']} by the CPU, {entry['cuda']} by the GPU")
    if "decoding" in entry:
        words.append(entry["decoding"].strip())
    for sorted_by in entry.get("rates", []):
        if "milliseconds" in sorted_by:
            words.append(f"{sorted_by.get('device')}: {sorted_by['milliseconds']:.1f} ms")
    for norm in ("frozen", "live"):
        if isinstance(entry.get(norm), dict):
            words.append(f"{norm}: {entry[norm]['before_mb']} MB before, {entry[norm]['most_mb']} at most, {entry[norm]['replayed_mb']} replayed")
    if isinstance(entry.get("seconds_of"), dict):
        words.append(", ".join(f"{name} {value:.3f} s" for name, value in entry["seconds_of"].items()))
    return "; ".join(words)


def markdown(entries):
    lines = []
    for entry in entries:
        if "machine" in entry:
            lines.append(f"{entry['started']}: {'; '.join(entry['machine'].get('gpus', []))}, {entry['machine']['processors']} processors")
    lines += ["", "| step | outcome | figures | s |", "|---|---|---|---|"]
    for entry in last_of_each(entries):
        reason = entry.get("reason", "").replace("\n", " ").replace("|", "/")[:200]
        outcome = entry["status"] + (f": {reason}" if reason else "")
        lines.append(f"| {entry['step']} | {outcome} | {figures(entry).replace('|', '/')} | {entry['seconds']} |")
    return "\n".join(lines) + "\n"
