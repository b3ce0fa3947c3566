#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills `fovea tag --embed` and `fovea untag` at random moments, makes disks full, writes fail and folders read-only, and looks at
every photo each time: it must have its old bytes or its complete new ones.

  tools/prove_embedding.py build/release/bin/fovea MODEL PHOTOS --kills 1000

PHOTOS: a folder of JPEG, PNG, WebP, TIFF, HEIC and AVIF files, copied and never touched; to them are added motion photos, Ultra HDR photos, a JPEG with further pictures
behind it (MPF), one with Exif and a user's keywords, and a hard-linked one. A complete new photo is one that `fovea untag` turns back into
its old bytes, whose pixels are the old ones, and whose every other metadata field (ExifTool, where it is installed) is the old one.
Exit status 1 at the first photo that is neither.
"""
import argparse
import hashlib
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

PACKET = ("<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/"
          "1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:xmp="
          "'http://ns.adobe.com/xap/1.0/' xmp:Rating='4'><dc:subject><rdf:Bag><rdf:li>holiday</rdf:li></rdf:Bag></dc:subject>"
          "<dc:description><rdf:Alt><rdf:li xml:lang='x-default'>A caption</rdf:li></rdf:Alt></dc:description></rdf:Description>"
          "</rdf:RDF></x:xmpmeta><?xpacket end='w'?>").encode()


def segment(marker, data):
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def exif():
    """Maker, and a maker note that nobody understands."""
    note = bytes(range(256))
    ifd = struct.pack("<HHHIIHHIII", 2, 0x010F, 2, 4, 0x006F6341, 0x8769, 4, 1, 38, 0)
    sub = struct.pack("<HHHIII", 1, 0x927C, 7, len(note), 38 + 18, 0)
    return b"Exif\0\0II*\0\x08\0\0\0" + ifd + sub + note


def older_fields():
    """IPTC keywords with their digest, among other resources, and Windows' keywords, in front of a maker note."""
    records = b"\x1c\x01\x5a\0\x03\x1b%G" + b"\x1c\x02\x19\0\x04road" + b"\x1c\x02\x78\0\x07Caption"
    resources = [(0x03ED, bytes(16)), (0x0404, records), (0x0425, hashlib.md5(records).digest())]
    photoshop = b"Photoshop 3.0\0" + b"".join(
        b"8BIM" + struct.pack(">HHI", name, 0, len(data)) + data + b"\0" * (len(data) % 2) for name, data in resources)
    words = "sea;hill\0".encode("utf-16-le")
    note = bytes(range(256))
    behind = 8 + 2 + 3 * 12 + 4
    sub = struct.pack("<HHHIII", 1, 0x927C, 7, len(note), behind + 18, 0) + note
    first = struct.pack("<HHHI4sHHIIHHIII", 3, 0x010F, 2, 4, b"Aco\0", 0x8769, 4, 1, behind, 0x9C9E, 1, len(words), behind + len(sub), 0)
    return segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0" + first + sub + words) + segment(0xED, photoshop)


def multi_picture(first, second):
    """`first` with a list of itself and `second`, which follows it."""
    size = 4 + 8 + 2 + 12 + 4 + 32
    total = len(first) + 4 + size
    entries = struct.pack(">IIIIIIII", 0x030000, total, 0, 0, 0, len(second), total - 10, 0)
    mpf = b"MPF\0MM\0*" + struct.pack(">IHHHIII", 8, 1, 0xB002, 7, 32, 26, 0) + entries
    return first[:2] + segment(0xE2, mpf) + first[2:] + second


def container(items, fields):
    """The packet by which Android's photos name what follows them (`Container:Directory`)."""
    listed = "".join(f"<rdf:li rdf:parseType='Resource'><Container:Item Item:Mime='{mime}' Item:Semantic='{meaning}' Item:Length='{length}'"
                     " Item:Padding='0'/></rdf:li>" for mime, meaning, length in items)
    return ("<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about='' "
            "xmlns:Container='http://ns.google.com/photos/1.0/container/' xmlns:Item='http://ns.google.com/photos/1.0/container/item/' "
            "xmlns:GCamera='http://ns.google.com/photos/1.0/camera/' xmlns:hdrgm='http://ns.adobe.com/hdr-gain-map/1.0/' "
            f"{fields}><Container:Directory><rdf:Seq>{listed}</rdf:Seq></Container:Directory></rdf:Description></rdf:RDF></x:xmpmeta>").encode()


def with_packet(jpeg, packet):
    return jpeg[:2] + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet) + jpeg[2:]


def phone_photos(folder, plain, second, video):
    """As phones write them: the video of a motion photo, and the gain map of an Ultra HDR one, listed in the photo's XMP and as a further picture."""
    moving = container([("image/jpeg", "Primary", 0), ("video/mp4", "MotionPhoto", len(video))],
                       f"GCamera:MotionPhoto='1' GCamera:MotionPhotoVersion='1' GCamera:MicroVideo='1' GCamera:MicroVideoOffset='{len(video)}'")
    (folder / "phone motion.jpg").write_bytes(with_packet(plain, moving) + video)
    gain = with_packet(second, container([], "hdrgm:Version='1.0' hdrgm:GainMapMax='3.5' hdrgm:HDRCapacityMax='3.5'"))
    bright = container([("image/jpeg", "Primary", 0), ("image/jpeg", "GainMap", len(gain))], "hdrgm:Version='1.0'")
    (folder / "ultra hdr.jpg").write_bytes(multi_picture(with_packet(plain, bright), gain))
    both = container([("image/jpeg", "Primary", 0), ("image/jpeg", "GainMap", len(gain)), ("video/mp4", "MotionPhoto", len(video))],
                     "hdrgm:Version='1.0' GCamera:MotionPhoto='1' GCamera:MotionPhotoVersion='1'")
    (folder / "ultra hdr motion.jpg").write_bytes(multi_picture(with_packet(plain, both), gain) + video)


def make_corpus(source, folder):
    photos = sorted(p for p in source.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".heic", ".avif"))
    folder.mkdir()
    for number, photo in enumerate(photos):
        shutil.copy(photo, folder / f"{number:02}{photo.suffix.lower()}")
    jpegs = [p.read_bytes() for p in photos if p.read_bytes()[:3] == b"\xff\xd8\xff"]
    if not jpegs:
        sys.exit(f"{source}: no JPEG there; the special photos are made of one")
    plain = jpegs[0]
    video = b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + bytes(range(256)) * 1200
    (folder / "motion.jpg").write_bytes(plain + video)
    phone_photos(folder, plain, jpegs[-1], video)
    (folder / "pictures.jpg").write_bytes(multi_picture(plain, jpegs[-1]))
    described = plain[:2] + segment(0xE1, exif()) + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + PACKET) + plain[2:]
    (folder / "described.jpg").write_bytes(described)
    (folder / "older.jpg").write_bytes(plain[:2] + older_fields() + plain[2:])
    both = plain[:2] + older_fields() + plain[2:]
    (folder / "older and pictures.jpg").write_bytes(multi_picture(both, jpegs[-1]))
    tiffs = [p for p in photos if p.suffix.lower() in (".tif", ".tiff")]
    if tiffs and shutil.which("exiftool"):
        target = folder / "older.tif"
        shutil.copy(tiffs[0], target)
        subprocess.run(["exiftool", "-q", "-overwrite_original", "-IPTC:Keywords=road", "-IPTCDigest=new", "-XPKeywords=sea;hill", str(target)], check=True)
    (folder / "linked.jpg").write_bytes(plain)
    os.link(folder / "linked.jpg", folder.parent / "the same photo.jpg")


def contents(folder):
    """Name and digest of every file, hidden ones as well."""
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


class Archive:
    """A copy of the corpus with a catalogue of its own, and the commands that work on it."""

    def __init__(self, arguments, corpus, where):
        self.arguments, self.photos = arguments, where / "photos"
        self.catalog = where / "archive.sqlite"
        where.mkdir(exist_ok=True)
        shutil.copytree(corpus, self.photos)
        self.old = contents(self.photos)

    def command(self, verb):
        common = ["--catalog", str(self.catalog), "--quiet"]
        if verb == "untag":
            return [self.arguments.program, "untag", str(self.photos), *common]
        return [self.arguments.program, "tag", self.arguments.model, str(self.photos), "--embed", "--again", "--min-probability", "0",
                "--threads", "2", *common]

    def run(self, verb, kill_after=None, **options):
        """Exit status, or None when it was killed."""
        environment = dict(os.environ, OMP_WAIT_POLICY="passive")
        process = subprocess.Popen(self.command(verb), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment, **options)
        try:
            _, self.said = process.communicate(timeout=kill_after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            return None
        return process.returncode

    def must(self, verb):
        if self.run(verb) != 0:
            sys.exit(f"{' '.join(self.command(verb))}: {self.said.decode()}")


def state_of(data):
    """A digest of a photo that does not depend on when it was tagged: without the record's date and, in a PNG, the chunk's checksum."""
    data = re.sub(rb'fovea:date="[^"]{20}"', b"", data)
    return hashlib.sha256(re.sub(rb'(end="w"\?>).{4}(.{4}IDAT)', rb"\1\2", data, flags=re.S)).hexdigest()


class Judge:
    """Knows every state that a photo may be in: its old bytes, and complete new ones, looked into once each."""

    def __init__(self, archive):
        self.good = {p.name: {state_of(p.read_bytes())} for p in archive.photos.iterdir()}
        self.states = 0

    def check(self, archive, reference, when):
        for path in archive.photos.iterdir():
            name = path.name
            if name.startswith(".") or name.endswith(".xmp"):
                continue  # the draft of a killed run, which the next one removes; a sidecar of a photo that is not embedded in
            digest = state_of(path.read_bytes())
            if digest not in self.good[name]:
                self.look_into(path, reference / name, when)
                self.good[name].add(digest)
                self.states += 1
        missing = self.good.keys() - {p.name for p in archive.photos.iterdir()}
        if missing:
            sys.exit(f"{when}: gone: {', '.join(sorted(missing))}")

    @staticmethod
    def older_words(old, now, when):
        """The user's words are there, with Fovea's where there were any, and the digest is right where there was one."""
        before, after = older_words(old), older_words(now)
        for name, words, new in zip(("IPTC keywords", "XPKeywords"), before, after):
            if (words == {"-"}) != (new == {"-"}) or not words <= new or (words != {"-"} and words == new):
                sys.exit(f"{when}: {now}: {name} were {words}, are {new}")
        if before[2] != {"-"} and after[2] != after[3]:
            sys.exit(f"{when}: {now}: the digest of its IPTC records is not theirs")

    @staticmethod
    def look_into(now, old, when):
        """A complete new photo: its pixels and all metadata but Fovea's are those of the old one."""
        before, after = old.read_bytes(), now.read_bytes()
        start = before.find(b"\xff\xda") if before[:2] == b"\xff\xd8" else -1
        if start >= 0 and not after.endswith(before[start:]):
            sys.exit(f"{when}: {now}: the picture or what follows it differs from {old}")
        if b"urn:fovea:tags:1#" not in after:
            sys.exit(f"{when}: {now}: neither its old bytes nor tagged")
        if shutil.which("exiftool"):
            fields = ["exiftool", "-a", "-G1", "-s", "--File:all", "--System:all", "--XMP-dc:Subject", "--XMP-lr:all", "--XMP-digiKam:all",
                      "--XMP-fovea:all", "--XMP-x:all", "--MPF0:all", "--MPImage1:all", "--MPImage2:all", "--IPTC:Keywords", "--XPKeywords", "--IPTCDigest", "--CurrentIPTCDigest", "-XMP-dc:Description", "-all"]
            one, two = (subprocess.run([*fields, str(p)], capture_output=True, check=False).stdout for p in (old, now))
            Judge.older_words(old, now, when)
            if comparable(one) != comparable(two):
                sys.exit(f"{when}: {now}: other metadata differ from {old}:\n{one.decode()}\n{two.decode()}")


def older_words(path):
    fields = ["exiftool", "-s3", "-f", "-sep", ";", "-IPTC:Keywords", "-XPKeywords", "-IPTCDigest", "-CurrentIPTCDigest", str(path)]
    return [set(line.split(";")) for line in subprocess.run(fields, capture_output=True, text=True, check=True).stdout.splitlines()]


def comparable(text):
    """ExifTool's fields without those of where things lie in the file."""
    moved = (b"MPImageStart", b"MPImageLength", b"PreviewImage", b"[Composite]", b"[ExifTool]", b"StripOffsets", b"WebP_Flags", b"[RIFF]", b"MediaData")
    return [line for line in text.splitlines() if not any(word in line for word in moved)]


def kill(arguments, archive, corpus, judge, draw):
    archive.must("untag") if archive.catalog.exists() else None
    seconds = {}
    for verb in ("tag", "untag"):
        begin = time.monotonic()
        archive.must(verb)
        seconds[verb] = time.monotonic() - begin
    kills = ended = 0
    while kills < arguments.kills:
        verb = "untag" if draw.randrange(3) == 0 else "tag"
        begin = time.monotonic()
        if archive.run(verb, kill_after=draw.uniform(0.0, seconds[verb] * 1.05)) is None:
            kills += 1
            if kills % 100 == 0:
                print(f"{kills} kills, {ended} runs that ended before", flush=True)
        else:
            ended += 1
            # A machine that others use is faster and slower: moments are drawn from what a run takes now.
            seconds[verb] += (time.monotonic() - begin - seconds[verb]) / 4
        judge.check(archive, corpus, f"after kill {kills} ({verb})")
    archive.must("tag")
    judge.check(archive, corpus, "after the last kill")
    archive.must("untag")
    compare(archive, "after the last kill and untag")
    return kills, ended


def compare(archive, when):
    now = contents(archive.photos)
    if now != archive.old:
        different = sorted(n for n in now.keys() | archive.old.keys() if now.get(n) != archive.old.get(n))
        sys.exit(f"{when}: not as before: {', '.join(different)}")


def small_files():
    """Any write beyond this many bytes of a file fails (EFBIG), as on a disk with an error there."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (250000, 250000))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def faults(arguments, corpus, folder):
    """Full disk, failing writes, read-only folders: photos stay as they are, and the program says so."""
    failing = Archive(arguments, corpus, folder / "failing")
    catalog = folder / "elsewhere"
    catalog.mkdir()
    judge = Judge(failing)
    status = failing.run("tag", preexec_fn=small_files)
    judge.check(failing, corpus, "writes fail beyond 250,000 bytes")
    print(f"writes that fail: exit status {status}")
    failing.must("tag")
    failing.must("untag")
    compare(failing, "after failing writes")
    if os.geteuid() == 0:
        full_disk(arguments, corpus, folder)
    else:
        print("full disk, read-only folder: not tried; need root for a file system of their own")


def full_disk(arguments, corpus, folder):
    disk = folder / "disk"
    disk.mkdir()
    sizes = [p.stat().st_size for p in corpus.iterdir()]
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={sum(sizes) + 3 * max(sizes) + (1 << 20)}", "tmpfs", str(disk)], check=False, capture_output=True)
    if mounted.returncode != 0:
        print(f"full disk, read-only folder: not tried: {mounted.stderr.decode().strip()}")
        return
    try:
        archive = Archive(arguments, corpus, disk / "archive")
        archive.catalog = folder / "elsewhere" / "archive.sqlite"
        judge = Judge(archive)
        filler = disk / "filler"
        for free in (0, 4096, 20000, 50000):
            filler.unlink(missing_ok=True)
            room = os.statvfs(disk)
            filler.write_bytes(b"x" * max(room.f_bavail * room.f_frsize - free, 0))
            status = archive.run("tag")
            judge.check(archive, corpus, f"{free} bytes free")
            print(f"disk with {free} bytes free: exit status {status}")
        filler.unlink()
        archive.must("tag")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        status = archive.run("untag")
        judge.check(archive, corpus, "read-only folder")
        print(f"read-only folder: exit status {status}")
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        archive.must("untag")
        compare(archive, "after a full disk and a read-only folder")
    finally:
        subprocess.run(["umount", str(disk)], check=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("photos", type=pathlib.Path)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="prove-embedding-"))
    try:
        corpus = folder / "corpus"
        make_corpus(arguments.photos, corpus)
        archive = Archive(arguments, corpus, folder / "killed")
        judge = Judge(archive)
        begin = time.monotonic()
        kills, ended = kill(arguments, archive, corpus, judge, random.Random(arguments.seed))
        print(f"{kills} kills ({ended} runs ended before theirs) over {len(archive.old)} photos in {time.monotonic() - begin:.0f} s: every photo "
              f"had its old bytes or complete new ones ({judge.states} different new states looked into); at the end, its old bytes")
        faults(arguments, corpus, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
