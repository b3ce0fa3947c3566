#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/image/data/pictures: one small file per kind of picture, and beside it NAME.ppm, the pixels it must give.

    python3 tools/make_picture_goldens.py           (needs Pillow, NumPy; cjpeg, heif-enc, heif-convert in the PATH)

The pixels are Pillow's where Pillow gives 8-bit RGB; alpha over white and 16 bits to 8 are computed here, as
src/image/raster.h defines them. HEIC pixels are those of heif-convert.
"""
import io
import pathlib
import struct
import subprocess
import tempfile
import zlib

import numpy
from PIL import Image, TiffImagePlugin

out = pathlib.Path(__file__).parent.parent / "tests/image/data/pictures"
out.mkdir(parents=True, exist_ok=True)
for old in out.iterdir():
    old.unlink()

W, H = 45, 37
y, x = numpy.mgrid[0:H, 0:W]
rgb = numpy.stack([x * 255 / (W - 1), y * 255 / (H - 1), 128 + 90 * numpy.sin(x / 5) * numpy.cos(y / 4)], -1).round().astype(numpy.uint8)
rgb[8:16, 20:30] = (250, 10, 20)
rgb[20:30, 5:12] = (10, 20, 240)
alpha = ((x * 7 + y * 5) % 256).astype(numpy.uint8)
picture = Image.fromarray(rgb)
rgb16 = numpy.stack([x * 65535 // (W - 1), y * 65535 // (H - 1), (x * 977 + y * 1409) % 65536], -1).astype(numpy.uint16)
grey16 = ((x * 1311 + y * 2003) % 65536).astype(numpy.uint16)


def rounded(a, b):
    return (a + b // 2) // b


def to_8(values16):
    return rounded(values16.astype(numpy.uint64) * 255, 65535).astype(numpy.uint8)


def over_white(colour, opacity, top=255):
    c, a = colour.astype(numpy.uint64), opacity.astype(numpy.uint64)[..., None]
    return rounded((c * a + top * (top - a)) * 255, top * top).astype(numpy.uint8)


def repeat(grey):
    return numpy.repeat(grey[..., None], 3, -1)


def save(name, data, pixels=None):
    if isinstance(data, tuple):  # image and how to save it
        buffer = io.BytesIO()
        data[0].save(buffer, **data[1])
        data = buffer.getvalue()
    (out / name).write_bytes(data)
    if pixels is None:
        with Image.open(io.BytesIO(data)) as image:
            pixels = numpy.asarray(image.convert("RGB"))
    Image.fromarray(numpy.ascontiguousarray(pixels)).save(out / (name + ".ppm"))


def png(width, height, bits, colour, rows, chunks=()):
    """A PNG by hand, for kinds that Pillow cannot write. `rows`: bytes per row without the filter byte."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
            + b"".join(chunk(*c) for c in chunks) + chunk(b"IDAT", data) + chunk(b"IEND", b""))


def command(*arguments, stdin=None):
    return subprocess.run(arguments, input=stdin, check=True, capture_output=True).stdout


# JPEG
for name, sampling in [("444", "4:4:4"), ("422", "4:2:2"), ("420", "4:2:0")]:
    save(f"{name}.jpg", (picture, dict(format="JPEG", quality=90, subsampling=sampling)))
ppm = io.BytesIO()
picture.save(ppm, "PPM")
save("440.jpg", command("cjpeg", "-quality", "90", "-sample", "1x2", stdin=ppm.getvalue()))
save("411.jpg", command("cjpeg", "-quality", "90", "-sample", "4x1", stdin=ppm.getvalue()))
save("rgb.jpg", command("cjpeg", "-quality", "90", "-rgb", stdin=ppm.getvalue()))
save("arithmetic.jpg", command("cjpeg", "-quality", "90", "-arithmetic", stdin=ppm.getvalue()))
save("restart.jpg", command("cjpeg", "-quality", "90", "-restart", "1", stdin=ppm.getvalue()))
save("progressive.jpg", (picture, dict(format="JPEG", quality=90, progressive=True)))
save("grey.jpg", (picture.convert("L"), dict(format="JPEG", quality=90)))
save("cmyk.jpg", (picture.convert("CMYK"), dict(format="JPEG", quality=95)))

# PNG
save("rgb.png", (picture, dict(format="PNG")))
save("rgba.png", (Image.fromarray(numpy.dstack([rgb, alpha])), dict(format="PNG")), over_white(rgb, alpha))
save("grey.png", (picture.convert("L"), dict(format="PNG")))
grey = numpy.asarray(picture.convert("L"))
save("grey_alpha.png", (Image.fromarray(numpy.dstack([grey, alpha]), "LA"), dict(format="PNG")), over_white(repeat(grey), alpha))
save("bits1.png", (picture.convert("1"), dict(format="PNG")))
palette = picture.quantize(200)
save("palette.png", (palette, dict(format="PNG")))
save("palette4.png", (picture.quantize(11), dict(format="PNG", bits=4)))
opacity = bytes((i * 37) % 256 for i in range(200))
indices = numpy.asarray(palette)
save("palette_alpha.png", (palette, dict(format="PNG", transparency=opacity)),
     over_white(numpy.asarray(palette.convert("RGB")), numpy.frombuffer(opacity, numpy.uint8)[indices]))
key = tuple(int(v) for v in rgb[10, 25])
save("colour_key.png", (picture, dict(format="PNG", transparency=key)),
     numpy.where((rgb == key).all(-1)[..., None], 255, rgb).astype(numpy.uint8))
save("grey16.png", (Image.fromarray(grey16), dict(format="PNG")), repeat(to_8(grey16)))
save("rgb16.png", png(W, H, 16, 2, [row.astype(">u2").tobytes() for row in rgb16]), to_8(rgb16))
alpha16 = ((x * 3001 + y * 777) % 65536).astype(numpy.uint16)
save("rgba16.png", png(W, H, 16, 6, [row.astype(">u2").tobytes() for row in numpy.dstack([rgb16, alpha16])]),
     over_white(rgb16, alpha16, 65535))
save("gamma.png", png(W, H, 8, 2, [row.tobytes() for row in rgb], [(b"gAMA", struct.pack(">I", 100000))]), rgb)

# WebP
save("lossy.webp", (picture, dict(format="WEBP", quality=90)))
save("lossless.webp", (picture, dict(format="WEBP", lossless=True)), rgb)
save("alpha.webp", (Image.fromarray(numpy.dstack([rgb, alpha])), dict(format="WEBP", lossless=True, exact=True)), over_white(rgb, alpha))
save("animated.webp", (picture, dict(format="WEBP", lossless=True, save_all=True, append_images=[Image.new("RGB", (W, H))])), rgb)

# GIF
save("still.gif", (palette, dict(format="GIF")))
save("animated.gif", (palette, dict(format="GIF", save_all=True, append_images=[Image.new("P", (W, H))])))
save("interlaced.gif", (palette, dict(format="GIF", interlace=1)))
few = picture.quantize(9)
pixels = numpy.asarray(few.convert("RGB")).copy()
pixels[numpy.asarray(few) == 3] = 255
save("transparent.gif", (few, dict(format="GIF", transparency=3)), pixels)

# TIFF
for kind in ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"]:
    save(f"{kind}.tif", (picture, dict(format="TIFF", compression=None if kind == "raw" else kind)), rgb)
save("grey.tif", (picture.convert("L"), dict(format="TIFF")))
save("grey16.tif", (Image.fromarray(grey16), dict(format="TIFF", compression="tiff_lzw")), repeat(to_8(grey16)))
save("palette.tif", (palette, dict(format="TIFF")))
save("bits1.tif", (picture.convert("1"), dict(format="TIFF", compression="group4")))
save("rgba.tif", (Image.fromarray(numpy.dstack([rgb, alpha])), dict(format="TIFF")), over_white(rgb, alpha))
save("pages.tif", (picture, dict(format="TIFF", save_all=True, append_images=[Image.new("RGB", (9, 9))])), rgb)
save("jpeg.tif", (picture, dict(format="TIFF", compression="jpeg", quality=90)))
save("cmyk.tif", (picture.convert("CMYK"), dict(format="TIFF", compression="tiff_lzw")))


def tiff(order, tags, data):
    """A TIFF by hand: one strip, values of tags inline or appended."""
    def values(v, kind):
        return b"".join(struct.pack(order + {3: "H", 4: "I"}[kind], n) for n in v)
    tags = sorted(tags + [(273, 4, [0]), (279, 4, [len(data)])])
    extra_at = 8 + 2 + 12 * len(tags) + 4
    extra, entries = b"", b""
    data_at = extra_at + sum(len(values(v, k)) for _, k, v in tags if len(values(v, k)) > 4)
    for tag, kind, v in tags:
        body = values([data_at] if tag == 273 else v, kind)
        if len(body) > 4:
            entries += struct.pack(order + "HHII", tag, kind, len(v), extra_at + len(extra))
            extra += body
        else:
            entries += struct.pack(order + "HHI", tag, kind, len(v)) + body.ljust(4, b"\0")
    magic = b"II*\0" if order == "<" else b"MM\0*"
    return magic + struct.pack(order + "I", 8) + struct.pack(order + "H", len(tags)) + entries + b"\0" * 4 + extra + data


def basic(bits, photometric, channels, extra=()):
    return [(256, 3, [W]), (257, 3, [H]), (258, 3, bits), (259, 3, [1]), (262, 3, [photometric]), (277, 3, [channels]),
            (278, 3, [H]), *extra]


save("rgb16.tif", tiff(">", basic([16] * 3, 2, 3), rgb16.astype(">u2").tobytes()), to_8(rgb16))
save("rgba16.tif", tiff("<", basic([16] * 4, 2, 4, [(338, 3, [2])]), numpy.dstack([rgb16, alpha16]).astype("<u2").tobytes()),
     over_white(rgb16, alpha16, 65535))
save("white_is_zero.tif", tiff("<", basic([8], 0, 1), (255 - grey).tobytes()), repeat(grey))
save("white_is_zero16.tif", tiff("<", basic([16], 0, 1), (65535 - grey16).astype("<u2").tobytes()), repeat(to_8(grey16)))

# BMP
save("rgb.bmp", (picture, dict(format="BMP")), rgb)
save("grey.bmp", (picture.convert("L"), dict(format="BMP")))
save("bits1.bmp", (picture.convert("1"), dict(format="BMP")))
save("palette.bmp", (palette, dict(format="BMP")))


def bmp(bits, compression, rows, colours=b"", top_down=False, masks=b""):
    """A BMP by hand. `rows`: top row first, each already padded to 4 bytes (or one encoded string)."""
    data = rows if isinstance(rows, bytes) else b"".join(rows if top_down else rows[::-1])
    start = 14 + 40 + len(masks) + len(colours)
    head = struct.pack("<IiiHHIIiiII", 40, W, -H if top_down else H, 1, bits, compression, len(data), 0, 0, len(colours) // 4, 0)
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + head + masks + colours + data


def padded(row):
    return row + b"\0" * (-len(row) % 4)


bgr = rgb[..., ::-1]
save("top_down.bmp", bmp(24, 0, [padded(row.tobytes()) for row in bgr], top_down=True), rgb)
save("bits32.bmp", bmp(32, 0, [numpy.dstack([bgr, alpha])[i].tobytes() for i in range(H)]), rgb)
five = (rgb.astype(numpy.uint16) >> 3)
word555 = five[..., 0] << 10 | five[..., 1] << 5 | five[..., 2]
save("bits16.bmp", bmp(16, 0, [padded(row.astype("<u2").tobytes()) for row in word555]), rounded(five.astype(int) * 255, 31).astype(numpy.uint8))
green = rgb[..., 1].astype(numpy.uint16) >> 2
word565 = five[..., 0] << 11 | green << 5 | five[..., 2]
save("bits565.bmp", bmp(16, 3, [padded(row.astype("<u2").tobytes()) for row in word565], masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F)),
     numpy.dstack([rounded(five[..., 0].astype(int) * 255, 31), rounded(green.astype(int) * 255, 63),
                   rounded(five[..., 2].astype(int) * 255, 31)]).astype(numpy.uint8))
sixteen = picture.quantize(16)
index4 = numpy.pad(numpy.asarray(sixteen), ((0, 0), (0, 1)))
colours = b"".join(bytes([c[2], c[1], c[0], 0]) for c in numpy.array(sixteen.getpalette()[:48]).reshape(-1, 3).tolist())
save("bits4.bmp", bmp(4, 0, [padded((row[0::2] << 4 | row[1::2]).astype(numpy.uint8).tobytes()) for row in index4], colours),
     numpy.asarray(sixteen.convert("RGB")))
encoded = b""
for row in numpy.asarray(sixteen)[::-1]:  # RLE8: runs, and one literal stretch of four pixels in each row
    encoded += b"\0\x04" + row[:4].tobytes()
    at = 4
    while at < W:
        run = 1
        while at + run < W and row[at + run] == row[at]:
            run += 1
        encoded += bytes([run, row[at]])
        at += run
    encoded += b"\0\0"
save("rle8.bmp", bmp(8, 1, encoded + b"\0\x01", colours), numpy.asarray(sixteen.convert("RGB")))

# AVIF and HEIC
save("photo.avif", (picture, dict(format="AVIF", quality=90, subsampling="4:4:4")))
with tempfile.TemporaryDirectory() as folder:
    source, heic, back = (pathlib.Path(folder) / n for n in ["a.png", "a.heic", "b.png"])

    def heif(name, image, *options):
        image.save(source)
        command("heif-enc", "-o", str(heic), *options, str(source))
        command("heif-convert", str(heic), str(back))
        with Image.open(back) as decoded:
            pixels = numpy.asarray(decoded)
        save(name, heic.read_bytes(), over_white(pixels[..., :3], pixels[..., 3]) if pixels.shape[-1] == 4 else pixels)

    even = picture.resize((64, 48))
    heif("photo.heic", even, "-q", "80")
    heif("alpha.heic", Image.merge("RGBA", (*even.split(), Image.linear_gradient("L").resize((64, 48)))), "-q", "80")

    # The same upright picture, stored in each of the eight ways. `turn` takes upright to stored.
    exif = Image.Exif()
    turns = [None, None, *(Image.Transpose[n] for n in ["FLIP_LEFT_RIGHT", "ROTATE_180", "FLIP_TOP_BOTTOM", "TRANSPOSE", "ROTATE_90",
                                                        "TRANSVERSE", "ROTATE_270"])]
    for orientation in range(1, 9):
        stored = picture.transpose(turns[orientation]) if orientation > 1 else picture
        exif[274] = orientation
        name = f"orientation{orientation}"
        save(f"{name}.png", (stored, dict(format="PNG", exif=exif)), rgb)
        save(f"{name}.webp", (stored, dict(format="WEBP", lossless=True, exif=exif)), rgb)
        info = TiffImagePlugin.ImageFileDirectory_v2()
        info[274] = orientation
        save(f"{name}.tif", (stored, dict(format="TIFF", tiffinfo=info, compression="tiff_lzw")), rgb)

    # HEIF and AVIF state rotation themselves; Pillow writes it so. An Exif orientation beside that must not count again.
    for orientation in range(1, 9):
        stored = even.transpose(turns[orientation]) if orientation > 1 else even
        exif[274] = orientation
        save(f"orientation{orientation}.avif", (stored, dict(format="AVIF", quality=95, subsampling="4:4:4", exif=exif)), numpy.asarray(even))
    jpeg = pathlib.Path(folder) / "a.jpg"
    exif[274] = 6
    even.save(jpeg, quality=95, exif=exif)
    command("heif-enc", "-q", "90", "-o", str(heic), str(jpeg))
    save("exif_orientation.heic", heic.read_bytes(), numpy.asarray(even))

for ppm_file in sorted(out.glob("*.ppm")):  # pictures with the same pixels share one file
    if ppm_file.name != "rgb.png.ppm" and ppm_file.read_bytes() == (out / "rgb.png.ppm").read_bytes():
        ppm_file.unlink()
for orientation in range(2, 9):
    (out / f"orientation{orientation}.avif.ppm").unlink()
print(sum(f.stat().st_size for f in out.iterdir()), "bytes in", len(list(out.iterdir())), "files")
