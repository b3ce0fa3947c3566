#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the sources against tools/layers.toml: who includes whom, what the library may not call, length, licence line.

Usage: check_layers.py [ROOT]. Prints one line for each fault; exit status 1 if there is one.
"""
import pathlib
import re
import sys
import tomllib

SOURCES = ("src", "include", "apps", "examples", "tests", "bench", "fuzz")
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')
# Strings, characters and comments may say anything.
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def layer_of(folder, layers):
    """The longest folder of the table that holds `folder`, or None."""
    while folder not in ("", "."):
        if folder in layers:
            return folder
        folder = str(pathlib.PurePosixPath(folder).parent)
    return None


def target_layer(include, path, root, layers):
    """The layer that an include names: of a public header, of src/, of tests/, or of a file beside `path`."""
    for base in ("include", "src", "tests", str(path.parent)):
        if (root / base / include).is_file():
            found = (root / base / include).resolve().relative_to(root).parent
            return layer_of(found.as_posix(), layers)
    return None


def allowed(layer, target, layers):
    if target in (layer, "include/fovea") or "*" in layers[layer]:
        return True
    # The backends lie within src/backend, but only its exceptions may name them.
    if target.startswith(layer + "/"):
        return layer != "src/backend"
    return target in {f"src/{name}" for name in layers[layer]}


def faults(path, text, root, table):
    layers = table["layers"]
    relative = path.relative_to(root)
    layer = layer_of(relative.parent.as_posix(), layers)
    if layer is None:
        yield 1, f"no layer in tools/layers.toml holds {relative.parent}"
        return
    lines = text.splitlines()
    if "SPDX-License-Identifier: Apache-2.0" not in "\n".join(lines[:5]):
        yield 1, "no line 'SPDX-License-Identifier: Apache-2.0' at the top"
    if len(lines) > table["files"]["max_lines"]:
        yield len(lines), f"{len(lines)} lines; at most {table['files']['max_lines']}: split it"
    excepted = table["exceptions"].get(relative.as_posix(), [])
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        target = target_layer(match.group(1), relative, root, layers) if match else None
        if target is not None and target not in excepted and not allowed(layer, target, layers):
            yield number, f"{layer} may not include {match.group(1)} (of {target})"
    if relative.parts[0] in table["forbidden"]["folders"]:
        names = "|".join(re.escape(name) for name in table["forbidden"]["names"])
        call = re.compile(rf"(?<![\w.>])(?:std::|::)?({names})\b\s*(?=\(|<<|;)")
        bare = NOISE.sub(lambda noise: re.sub(r"[^\n]", " ", noise.group()), text)
        for match in call.finditer(bare):
            yield bare.count("\n", 0, match.start()) + 1, f"the library may not use {match.group(1)}: return a Result, or use context.say"


def main(root):
    root = pathlib.Path(root).resolve()
    table = tomllib.loads((root / "tools" / "layers.toml").read_text(encoding="utf-8"))
    count = 0
    files = sorted(path for top in SOURCES for path in (root / top).rglob("*") if path.suffix in (".h", ".cpp", ".cu", ".cuh"))
    for path in files:
        for line, message in faults(path, path.read_text(encoding="utf-8"), root, table):
            print(f"{path.relative_to(root)}:{line}: {message}")
            count += 1
    print(f"{len(files)} files, {count} faults")
    return 1 if count or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent))
