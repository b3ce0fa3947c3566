# SPDX-License-Identifier: Apache-2.0
"""The disks of the virtual machine: Debian's packages as its root, the program and the scripts as a second one; no part of it is installed here."""
import pathlib
import re
import shutil
import subprocess

PACKAGES = ("python3", "nfs-kernel-server", "nfs-common", "samba", "cifs-utils", "kmod", "iproute2", "v4l-utils", "procps", "busybox-static")
# What the kernel needs to see its root.
EARLY = ("virtio_pci", "virtio_blk", "ext4", "crc32c_generic")
EARLY_INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /root
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
for module in $(/bin/busybox cat /modules); do /bin/busybox insmod /$module; done
/bin/busybox mount -t ext4 /dev/vda /root || { echo "no root disk"; /bin/busybox poweroff -f; }
exec /bin/busybox switch_root /root /bin/bash /init.sh
"""
INIT = """#!/bin/bash
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LANG=C.UTF-8
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm; mount -t devpts pts /dev/pts; mount -t tmpfs shm /dev/shm; mount -t tmpfs run /run; mount -t tmpfs tmp /tmp
ip link set lo up
mkdir -p /payload; mount -t ext4 -o ro /dev/vdb /payload
cd /tmp; python3 /payload/guest/checks.py; echo "END $?"
sync; busybox poweroff -f
"""


def run(*command, **options):
    subprocess.run([str(part) for part in command], check=True, **options)


def release():
    return re.search(r"VERSION_CODENAME=(\w+)", pathlib.Path("/etc/os-release").read_text()).group(1)


def make_disk(folder, disk, room):
    """An ext4 file system that holds the folder, and `room` megabytes more."""
    used = int(subprocess.run(["du", "-sm", str(folder)], capture_output=True, text=True, check=True).stdout.split()[0])
    disk.unlink(missing_ok=True)
    run("mke2fs", "-q", "-t", "ext4", "-d", folder, disk, f"{used + used // 5 + room}M")


class Archive:
    """The "newc" format of cpio, which kernels unpack as their first root."""

    def __init__(self):
        self.parts, self.number = [], 1

    def add(self, name, data=b"", mode=0o100755):
        path = name.encode() + b"\0"
        fields = [self.number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0]
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + path
        self.parts.append(head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4))
        self.number += 1

    def write(self, path):
        self.add("TRAILER!!!")
        path.write_bytes(b"".join(self.parts))


class Guest:
    def __init__(self, cache):
        self.cache = cache
        self.root, self.disk, self.early = cache / "root", cache / "root.ext4", cache / "early.cpio"

    @property
    def kernel(self):
        return next(iter(sorted(self.root.glob("boot/vmlinuz-*"))), None)

    def build(self):
        self.cache.mkdir(parents=True, exist_ok=True)
        if not (self.root / "usr/sbin/smbd").exists():
            run("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", release(), self.root)
        if not self.kernel:
            self.unpack_kernel()
        if not self.disk.exists():
            (self.root / "init.sh").write_text(INIT)
            make_disk(self.root, self.disk, 256)
        if not self.early.exists():
            self.make_early()

    def unpack_kernel(self):
        named = subprocess.run(["apt-cache", "depends", "linux-image-amd64"], capture_output=True, text=True, check=True).stdout
        package = re.search(r"Depends: (linux-image-\S+)", named).group(1)
        run("apt-get", "download", package, cwd=self.cache)
        run("dpkg", "-x", next(self.cache.glob(f"{package}_*.deb")), self.cache / "kernel")
        version = next((self.cache / "kernel/lib/modules").iterdir()).name
        (self.cache / "kernel/lib/modules").rename(self.root / "usr/lib/modules")
        run("chroot", self.root, "depmod", version)
        shutil.copy(self.cache / f"kernel/boot/vmlinuz-{version}", self.root / "boot")

    def make_early(self):
        version = self.kernel.name.removeprefix("vmlinuz-")
        asked = subprocess.run(["chroot", str(self.root), "modprobe", "-S", version, "-a", "--show-depends", *EARLY], capture_output=True, text=True, check=True)
        modules = list(dict.fromkeys(re.findall(r"insmod (\S+)", asked.stdout)))
        archive = Archive()
        for folder in ("bin", "proc", "sys", "dev", "root"):
            archive.add(folder, mode=0o040755)
        archive.add("bin/busybox", (self.root / "bin/busybox").read_bytes())
        archive.add("init", EARLY_INIT.encode())
        for module in modules:
            archive.add(pathlib.Path(module).name, (self.root / module.lstrip("/")).read_bytes())
        archive.add("modules", "\n".join(pathlib.Path(module).name for module in modules).encode())
        archive.write(self.early)


def libraries(program):
    """Of the program, but the C library's own, which must be the guest's."""
    for line in subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=True).stdout.splitlines():
        found = re.search(r"=> (/\S+)", line)
        if found and not re.match(r"(ld-linux|libc|libm|libdl|librt|libpthread|libresolv)[.-]", pathlib.Path(found.group(1)).name):
            yield pathlib.Path(found.group(1))


def payload(folder, options):
    """A disk of the program, its libraries, the scripts, the model and a dozen photos."""
    here = pathlib.Path(__file__).parent
    tree = folder / "payload"
    for name in ("bin", "lib", "photos"):
        (tree / name).mkdir(parents=True)
    for program in (options.program, options.program.with_name(options.program.name + "-media")):
        shutil.copy(program, tree / "bin")
        for library in libraries(program):
            shutil.copy(library, tree / "lib")
    shutil.copytree(here / "guest", tree / "guest")
    shutil.copy(here.parent / "prove_embedding.py", tree / "guest")
    shutil.copy(options.model, tree / "model.safetensors")
    photos = sorted((p for p in options.photos.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp", ".tif")), key=lambda p: p.stat().st_size)
    jpegs = [p for p in photos if p.suffix.lower() in (".jpg", ".jpeg")]
    for number, photo in enumerate(jpegs[:6] + [p for p in photos if p not in jpegs][:4]):
        shutil.copy(photo, tree / "photos" / f"{number:02}{photo.suffix.lower()}")
    (tree / "settings").write_text(f"{options.only}\n{options.kills}\n")
    disk = folder / "payload.ext4"
    make_disk(tree, disk, 16)
    return disk
