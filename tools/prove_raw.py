#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Raw photos of every kind that can be had: `fovea predict` must see what the camera's preview shows, `tag` must write sidecars and never touch
the photo.

    tools/prove_raw.py PROGRAM MODEL PHOTO.jpg RAWS...

RAWS: raw files, or folders of them; for example the sources of ExifTool (t/images) and Exiv2 (test/data), which Debian has
(`apt-get source libimage-exiftool-perl exiv2`). From such test files the previews are mostly cut out: then ExifTool puts PHOTO.jpg back where the
camera had it. Kinds that no file is there for (ORF, PEF, ARW, SRW) are made: the structure of such a file, into which ExifTool writes the notes of a
camera's JPEG from RAWS. What ExifTool then reads as the preview is what Fovea must have looked at. Exit status 1 if a check fails.
"""
import argparse
import hashlib
import json
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

KINDS = {"3fr", "arw", "cr2", "cr3", "crw", "dng", "erf", "iiq", "mrw", "nef", "nrw", "orf", "pef", "raf", "raw", "rw2", "rwl", "sr2", "srw", "x3f"}
PREVIEWS = ("JpgFromRaw", "PreviewImage", "OtherImage", "ThumbnailImage")
TURNS = {"raf", "x3f"}  # their JPEG says for itself how it is turned
failures = []


def check(holds, what):
    print(("ok      " if holds else "FAILED  ") + what, flush=True)
    if not holds:
        failures.append(what)


def exiftool(*arguments):
    return subprocess.run(["exiftool", "-m", "-q", "-q", *map(str, arguments)], capture_output=True, check=False).stdout


def is_jpeg(data):
    return data[:3] == b"\xff\xd8\xff" and len(data) > 1000


def previews(path):
    """Every JPEG that ExifTool finds, whichever of its names for them a file uses (-a: all of one name)."""
    found = [exiftool("-b", f"-{name}", path) for name in PREVIEWS]
    return [data for data in found if is_jpeg(data)]


def graft(path, photo):
    """Puts the photo where the file says that previews are; one of a kind is enough."""
    for name in PREVIEWS[:2]:
        exiftool("-overwrite_original", f"-{name}<={photo}", path)


def structure(mark, preview):
    """A raw photo without its maker's notes; `preview` by offset and size in front, as in ARW and SRW."""
    entries = [(256, 4, 8), (257, 4, 8), (258, 3, 16), (259, 3, 1), (262, 3, 32803), (273, 4, 200), (274, 3, 1), (277, 3, 1), (278, 4, 8), (279, 4, 128)]
    if preview:
        entries += [(513, 4, 328), (514, 4, len(preview))]
    head = mark + struct.pack("<IH", 8, len(entries)) + b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries) + b"\0" * 4
    return head + b"\0" * (200 - len(head)) + bytes(range(128)) + preview


def make_missing(folder, photo, jpegs):
    data = photo.read_bytes()
    for name, mark, whole in (("made.arw", b"II*\0", data), ("made.srw", b"II*\0", data)):
        (folder / name).write_bytes(structure(mark, whole))
    makers = exiftool("-p", "$Make|$Directory/$FileName", *jpegs).decode(errors="replace") if jpegs else ""
    for line in makers.splitlines():
        maker, _, source = line.partition("|")
        kind = next((k for k in ("OLYMPUS", "PENTAX") if k in maker.upper()), None)
        if kind is None:
            continue
        made = folder / (f"made-{pathlib.Path(source).stem.lower()}" + (".orf" if kind == "OLYMPUS" else ".pef"))
        made.write_bytes(structure(b"IIRO" if kind == "OLYMPUS" else b"II*\0", b""))
        exiftool("-overwrite_original", "-tagsFromFile", source, "-all:all", "-makernotes", "-unsafe", made)
        exiftool("-overwrite_original", f"-PreviewImage<={photo}", made)
        if not previews(made):
            made.unlink()  # this camera's notes have no place for one


def collect(sources, folder, photo):
    files = [f for source in sources for f in (sorted(source.rglob("*")) if source.is_dir() else [source]) if f.is_file()]
    raws = [f for f in files if f.suffix[1:].lower() in KINDS and "poc" not in f.name and f.stat().st_size > 1000]
    for number, raw in enumerate(raws):
        path = folder / f"{number:02}-{raw.name}"
        shutil.copyfile(raw, path)
        if not previews(path):
            graft(path, photo)
    make_missing(folder, photo, [f for f in files if f.suffix.lower() == ".jpg" and "poc" not in f.name and "ghsa" not in f.name.lower()])


class Fovea:
    def __init__(self, options, catalog):
        self.options, self.catalog = options, catalog

    def run(self, *arguments):
        return subprocess.run([str(self.options.program), *map(str, arguments)], capture_output=True, text=True, check=False)

    def predict(self, path):
        lines = self.run("predict", self.options.model, path, "--json", "--quiet").stdout.splitlines()
        return json.loads(lines[0]) if lines else {"error": "nothing was said"}

    def archive(self, verb, *arguments):
        return self.run(verb, *arguments, "--catalog", self.catalog)


def as_seen(path, jpeg, folder):
    """The preview as a JPEG that is turned as the raw photo says."""
    shown = folder / "preview.jpg"
    shown.write_bytes(jpeg)
    if path.suffix[1:].lower() not in TURNS:
        turn = exiftool("-s3", "-n", "-Orientation", path).split(b"\n")[0].strip() or b"1"
        exiftool("-overwrite_original", f"-Orientation#={turn.decode()}", shown)
    return shown


def looks(fovea, path, folder):
    """Whether it could be classified, and by one of the previews (the largest that is a whole JPEG)."""
    answer = fovea.predict(path)
    found = previews(path)
    name = f"{path.name} ({exiftool('-s3', '-Model', path).decode().splitlines()[:1] or ['?']})"
    if path.suffix.lower() == ".iiq":
        print(f"          {name}: read as the TIFF that it is too")
        return "predictions" in answer
    if not found:
        check("error" in answer, f"{name}: without a preview: {answer.get('error', answer)}".replace(str(path), "..."))
        return False
    largest = max(found, key=len)
    expected = fovea.predict(as_seen(path, largest, folder))
    same = "predictions" in answer and answer["predictions"] == expected.get("predictions")
    check(same, f"{name}: seen as its preview of {len(largest)} bytes: {answer['predictions'][0] if same else (answer, expected)}")
    return "predictions" in answer


def digests(folder):
    return {p.name: (hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_mtime_ns) for p in folder.iterdir() if p.suffix != ".xmp"}


def tags(fovea, folder, seen):
    """Sidecars only, whatever is asked for; and gone again."""
    before = digests(folder)
    tag = fovea.archive("tag", fovea.options.model, folder, "--min-probability", "0")
    sidecars = {p.name[:-4] for p in folder.glob("*.xmp")}
    taken = {name for name in seen if not fovea.predict(folder / name)["rejected"]}
    check(taken == sidecars and digests(folder) == before, f"tag: {len(sidecars)} sidecars, no raw photo touched, exit status {tag.returncode}")
    words = {name: exiftool("-s3", "-Subject", folder / f"{name}.xmp").decode().strip() for name in sidecars}
    check(all(words.values()), f"ExifTool reads keywords in each sidecar: {sorted(set(words.values()))}")
    date = {name for name in sidecars if exiftool("-s3", "-DateTimeOriginal", "-CreateDate", "-ModifyDate", folder / name)}
    found = fovea.archive("find", "--json", next(iter(words.values()), "x")).stdout
    check(all(any(name in line for line in found.splitlines()) for name in sidecars if words[name] == next(iter(words.values()))),
          "find finds them by keyword")
    dated = sum('"date":"' in line or '"taken":"' in line for line in found.splitlines())
    print(f"          {dated} of {len(found.splitlines())} found have a date; ExifTool reads one in {len(date)} files")
    again = fovea.archive("tag", fovea.options.model, folder, "--min-probability", "0", "--embed", "--again")
    check(digests(folder) == before, f"tag --embed: no raw photo touched, exit status {again.returncode}")
    for line in again.stderr.splitlines()[:4]:
        print("          " + line)
    fovea.archive("untag", folder)
    check(not list(folder.glob("*.xmp")) and digests(folder) == before, "untag: no sidecar left, no raw photo touched")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("program", "model", "photo"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("raws", type=pathlib.Path, nargs="+")
    options = parser.parse_args()
    if not shutil.which("exiftool"):
        sys.exit("needs ExifTool")
    with tempfile.TemporaryDirectory(prefix="prove-raw-") as name:
        folder = pathlib.Path(name) / "raws"
        folder.mkdir()
        collect(options.raws, folder, options.photo)
        fovea = Fovea(options, pathlib.Path(name) / "archive.sqlite")
        seen = [path.name for path in sorted(folder.iterdir()) if looks(fovea, path, pathlib.Path(name))]
        tags(fovea, folder, seen)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
