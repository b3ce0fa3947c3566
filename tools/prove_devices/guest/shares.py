# SPDX-License-Identifier: Apache-2.0
"""`tag`, `untag` and `find` on a share of the network, NFS and SMB, whose server is this same guest: the server stopped, the share read-only, two
clients, and kills at random moments, after each of which every photo must be its old bytes or complete new ones (prove_embedding.py)."""
import os
import pathlib
import random
import shutil
import subprocess
import time
import types

import prove_embedding as proof
from common import ENVIRONMENT, MODEL, PROGRAM, check, fovea, say, shell, wait_for, write

PHOTOS = pathlib.Path("/payload/photos")
EXPORTED = pathlib.Path("/srv/photos")


class Share:
    """Mounted twice, as by two clients; `server` has start, stop and read_only."""

    def __init__(self, server, name):
        self.server, self.name = server, name
        self.one, self.two = pathlib.Path(f"/mnt/{name}"), pathlib.Path(f"/mnt/{name}2")

    def begin(self):
        shutil.rmtree(EXPORTED, ignore_errors=True)
        EXPORTED.mkdir(parents=True)
        EXPORTED.chmod(0o777)
        good = self.server.prepare() and self.server.start()
        for place in (self.one, self.two):
            place.mkdir(exist_ok=True)
            good = good and wait_for(lambda p=place: self.server.mount(p), 60)
        return check(good, f"{self.name}: the share is mounted, twice")

    def end(self):
        self.server.start()
        for place in (self.two, self.one):
            shell(f"umount -f {place}")
        self.server.stop()


class Nfs:
    """`soft`: a server that is gone is an error after some seconds. Version 4.2."""

    def prepare(self):
        shell("modprobe nfsd; modprobe nfs; mount -t nfsd nfsd /proc/fs/nfsd; mkdir -p /var/lib/nfs/rpc_pipefs /var/lib/nfs/v4recovery; mount -t rpc_pipefs rpc /var/lib/nfs/rpc_pipefs")
        for name, seconds in (("nfsv4leasetime", 10), ("nfsv4gracetime", 10)):
            write(f"/proc/fs/nfsd/{name}", f"{seconds}\n")
        self.export("rw")
        return shell("rpc.mountd -N 2 -N 3 || rpc.mountd")

    @staticmethod
    def export(how):
        pathlib.Path("/etc/exports").write_text(f"{EXPORTED} 127.0.0.1({how},sync,no_root_squash,no_subtree_check,insecure,fsid=0)\n", encoding="ascii")
        return shell("exportfs -ra")

    def start(self):
        return shell("rpc.nfsd -N 3 -V 4 4") and self.export("rw")

    @staticmethod
    def stop():
        return shell("rpc.nfsd 0")

    def read_only(self, on):
        return self.export("ro" if on else "rw")

    @staticmethod
    def mount(place):
        return shell(f"mount -t nfs4 -o soft,timeo=20,retrans=2,nosharecache 127.0.0.1:/ {place}")


class Smb:
    CONFIGURATION = """[global]
server role = standalone server
map to guest = never
log level = 0
smb ports = 445
interfaces = lo
bind interfaces only = yes
disable netbios = yes
load printers = no
[photos]
path = /srv/photos
read only = {read_only}
force user = root
ea support = yes
"""

    def prepare(self):
        shell("modprobe cifs; mkdir -p /run/samba /var/log/samba /var/lib/samba/private")
        self.configure("no")
        return shell("printf 'word\\nword\\n' | smbpasswd -s -a root")

    def configure(self, read_only):
        pathlib.Path("/etc/samba/smb.conf").write_text(self.CONFIGURATION.format(read_only=read_only), encoding="ascii")

    @staticmethod
    def start():
        running = subprocess.run(["pidof", "smbd"], capture_output=True, check=False).returncode == 0
        return running or shell("smbd -D")

    @staticmethod
    def stop():
        shell("kill $(pidof smbd)")
        return wait_for(lambda: subprocess.run(["pidof", "smbd"], capture_output=True, check=False).returncode != 0, 20)

    def read_only(self, on):
        """Clients keep what they may do until they connect anew."""
        self.configure("yes" if on else "no")
        return self.stop() and self.start()

    @staticmethod
    def mount(place):
        return shell(f"mount -t cifs -o username=root,password=word,vers=3.1.1,nosharesock,soft,echo_interval=5 //127.0.0.1/photos {place}")


def contents(folder):
    """A client may list for a while what is gone already."""
    for _ in range(5):
        try:
            return proof.contents(folder)
        except FileNotFoundError:
            time.sleep(1)
    return proof.contents(folder)


def tag(folder, catalog, *more):
    return fovea("tag", MODEL, folder, "--min-probability", "0", "--catalog", catalog, *more)


def untag(folder, catalog):
    return fovea("untag", folder, "--catalog", catalog)


def errors(told):
    return [line for line in told.splitlines() if "error" in line or "warning" in line]


def ordinary(share):
    """Sidecars and embedding; a second run has nothing to do; the other client sees the same; and all of it taken back."""
    folder = share.one / "ordinary"
    shutil.copytree(PHOTOS, folder)
    old = contents(folder)
    for how in ((), ("--embed",)):
        name = f"{share.name}: tag {' '.join(how) or 'into sidecars'}"
        catalog = f"/tmp/{share.name}{len(how)}.sqlite"
        begin = time.monotonic()
        status, _, told = tag(folder, catalog, *how)
        first = time.monotonic() - begin
        there = contents(folder)
        check(status == 0 and there != old, f"{name}: exit status {status}, {sum(there.get(n) != old.get(n) for n in there)} files are new, {first:.0f} s")
        say(errors(told)[:4])
        begin = time.monotonic()
        status, _, told = tag(folder, catalog, *how)
        check(status == 0 and contents(folder) == there, f"{name}: again: exit status {status}, nothing changed, {time.monotonic() - begin:.0f} s")
        say(line for line in told.splitlines() if "unchanged" in line)
        check(contents(share.two / "ordinary") == there, f"{name}: the other client sees the same bytes")
        status, _, told = untag(folder, catalog)
        check(status == 0 and contents(folder) == old, f"{name}: untag gives back every byte, exit status {status}")
        say(errors(told)[:3])
    shutil.rmtree(folder, ignore_errors=True)


def stopped(share):
    """The server goes while photos are being changed, and comes back."""
    folder = share.one / "stopped"
    folder.mkdir()
    for photo in PHOTOS.iterdir():  # so many that it is still at work when the server goes
        for number in range(6):
            shutil.copy(photo, folder / f"{number}-{photo.name}")
    old, catalog = contents(folder), f"/tmp/{share.name}-stopped.sqlite"
    process = subprocess.Popen([PROGRAM, "tag", MODEL, str(folder), "--embed", "--min-probability", "0", "--catalog", catalog], stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    changed = lambda: [p for p in (EXPORTED / "stopped").iterdir() if b"urn:fovea:tags:1#" in p.read_bytes()]
    wait_for(changed, 120)
    share.server.stop()
    begin = time.monotonic()
    try:
        _, told = process.communicate(timeout=400)
        status = process.returncode
    except subprocess.TimeoutExpired:
        told, status = "", None  # it waits for the server, as the mount says
    check(status in (1, 2) and errors(told), f"{share.name}: server stopped: it ends after {time.monotonic() - begin:.0f} s, exit status {status}, with errors")
    say(errors(told)[:4])
    share.server.start()
    if status is None:
        process.communicate(timeout=400)
    check(wait_for(lambda: readable(folder), 90), f"{share.name}: server started: the share is there again")
    half = [name for name, digest in contents(folder).items() if name in old and digest != old[name] and b"urn:fovea:tags:1#" not in (folder / name).read_bytes()]
    gone = old.keys() - contents(folder).keys()
    check(not half and not gone, f"{share.name}: server started: every photo has its old bytes or new ones {half or gone or ''}")
    status, _, told = tag(folder, catalog, "--embed")
    check(status == 0, f"{share.name}: server started: tag does the rest, exit status {status}")
    say(errors(told)[:3])
    status, _, told = untag(folder, catalog)
    left = contents(folder)
    check(status == 0 and left == old, f"{share.name}: and untag gives back every byte, exit status {status} {sorted(left.keys() - old.keys()) or ''}")
    shutil.rmtree(folder, ignore_errors=True)


def not_mounted(share):
    """A share that is not mounted looks like an empty folder: nothing of it may be forgotten."""
    folder, catalog = share.one / "elsewhere", f"/tmp/{share.name}-elsewhere.sqlite"
    shutil.copytree(PHOTOS, folder)
    old = contents(folder)
    tag(folder, catalog, "--embed")
    shell(f"umount {share.one}")
    status, _, told = untag(folder, catalog)
    check(status in (1, 2) and "not there" in told, f"{share.name}: untag while it is not mounted: exit status {status}")
    say(errors(told)[:2])
    share.server.mount(share.one)
    status, _, told = untag(folder, catalog)
    check(status == 0 and contents(folder) == old, f"{share.name}: mounted again: untag gives back every byte, exit status {status}")
    say(errors(told)[:3])
    shutil.rmtree(folder, ignore_errors=True)


def readable(folder):
    try:
        return bool([p.read_bytes() for p in folder.iterdir()])
    except OSError:
        return False


def read_only(share):
    folder = share.one / "kept"
    shutil.copytree(PHOTOS, folder)
    old, catalog = contents(folder), f"/tmp/{share.name}-kept.sqlite"
    share.server.read_only(True)
    for how in ((), ("--embed",)):
        status, _, told = tag(folder, catalog, *how)
        check(status in (1, 2) and errors(told) and wait_for(lambda: readable(folder), 60) and contents(folder) == old,
              f"{share.name}: a read-only share, {' '.join(how) or 'sidecars'}: exit status {status}, nothing changed")
        say(errors(told)[:2])
    share.server.read_only(False)
    wait_for(lambda: readable(folder), 60)
    status, _, told = tag(folder, catalog, "--embed")
    check(status == 0, f"{share.name}: writable again: tag, exit status {status}")
    untag(folder, catalog)
    check(contents(folder) == old, f"{share.name}: and untag gives back every byte")
    shutil.rmtree(folder, ignore_errors=True)


def two_clients(share):
    """Both at the same photos at the same time, each with a catalogue of its own: no photo may be harmed, and taken together they can be untagged."""
    folder = share.one / "shared"
    shutil.copytree(PHOTOS, folder)
    old = contents(folder)
    places = [(folder, f"/tmp/{share.name}-a.sqlite"), (share.two / "shared", f"/tmp/{share.name}-b.sqlite")]
    wait_for(lambda: readable(places[1][0]), 30)
    runs = [subprocess.Popen([PROGRAM, "tag", MODEL, str(place), "--embed", "--min-probability", "0", "--catalog", catalog], stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) for place, catalog in places]
    told = [process.communicate(timeout=300)[1] for process in runs]
    statuses = [process.returncode for process in runs]
    photos = {name: (EXPORTED / "shared" / name).read_bytes() for name in old if (EXPORTED / "shared" / name).exists()}
    originals = {name: (PHOTOS / name).read_bytes() for name in photos}
    # One that each saw the other change is left alone by both.
    whole = all(data == originals[name] or b"urn:fovea:tags:1#" in data and data.endswith(originals[name][-64:]) if name.endswith(".jpg") else data for name, data in photos.items())
    check(photos.keys() == old.keys() and whole, f"{share.name}: two clients at once: exit status {statuses}, every photo is whole")
    for text in told:
        say(errors(text)[:2])
    for place, catalog in places:
        untag(place, catalog)
    left = contents(folder)
    different = [name for name in old if left.get(name) != old[name]]
    marked = [name for name in different if b"urn:fovea:tags:1#" in (folder / name).read_bytes()]
    check(not marked, f"{share.name}: both untag: nothing of Fovea's is left in any photo; {len(different)} are not the old bytes")
    shutil.rmtree(folder, ignore_errors=True)


def killed(share, kills):
    os.environ.update(ENVIRONMENT)
    arguments = types.SimpleNamespace(program=PROGRAM, model=MODEL, kills=kills)
    archive = proof.Archive(arguments, PHOTOS, share.one / "killed")
    archive.catalog = pathlib.Path(f"/tmp/{share.name}-killed.sqlite")
    try:
        done, ended = proof.kill(arguments, archive, PHOTOS, proof.Judge(archive), random.Random(1))
        check(True, f"{share.name}: {done} kills -9 ({ended} runs ended before theirs): every photo had its old bytes or complete new ones; at the end, its old bytes")
    except SystemExit as fault:
        check(False, f"{share.name}: kill -9: {fault}")
    shutil.rmtree(share.one / "killed", ignore_errors=True)


def run(share, kills):
    if not share.begin():
        return
    for work in (ordinary, not_mounted, read_only, stopped, two_clients):
        try:
            work(share)
        except OSError as fault:
            check(False, f"{share.name}: {work.__name__}: {fault}")
    killed(share, kills)
    share.end()


def run_nfs(kills):
    run(Share(Nfs(), "nfs"), kills)


def run_smb(kills):
    run(Share(Smb(), "smb"), kills)
