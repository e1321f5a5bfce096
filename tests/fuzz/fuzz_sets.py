# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Picture sets as people bring them, of many formats, in a folder, a zip, a tar or a list, and what can be wrong."""

import io
import json
import random
import tarfile
from functools import cache

import numpy as np
from PIL import Image, ImageCms

from fuzz import fuzz_files as files
from fuzz.fuzz_files import Contents
from fuzz.fuzz_pickles import flipped, truncated

CONTAINERS = ("folder", "zip", "tar", "tar.gz", "list")
PICTURE_MUTATIONS = ("truncate", "flip", "zeros", "head", "tail", "empty", "number", "exchange", "text")
LIST_MUTATIONS = ("unknown", "twice", "wild", "bytes", "comment", "long", "missing")
MUTATIONS = (
    *(f"picture: {kind}" for kind in PICTURE_MUTATIONS for _ in range(4)),
    *(f"labels: {kind}" for kind in files.JSON_MUTATIONS),
    *(f"zip: {kind}" for kind in files.ZIP_MUTATIONS),
    *(f"tar: {kind}" for kind in ("truncate", "flip", "zeros", "name", "type")),
    *(f"list: {kind}" for kind in LIST_MUTATIONS),
    "mixture",
)


@cache
def formats() -> Contents:
    """A picture of each format and mode, 16 pixels wide."""
    rng = np.random.default_rng(0)
    rgb = Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
    rgba = Image.fromarray(rng.integers(0, 256, (16, 16, 4), dtype=np.uint8))
    deep = Image.fromarray(rng.integers(0, 65536, (16, 16), dtype=np.uint16))
    exif = Image.Exif()
    exif[274], exif[271] = 6, "camera"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    made: dict[str, tuple[Image.Image, dict[str, object]]] = {
        "a.png": (rgb, {}),
        "b.webp": (rgb, {"lossless": True}),
        "c.tiff": (rgb, {}),
        "d.tif": (rgb, {"compression": "tiff_lzw"}),
        "e.gif": (rgb, {"save_all": True, "append_images": [rgb.rotate(90)]}),
        "f.bmp": (rgb, {}),
        "g.jpg": (rgb, {"exif": exif}),
        "h.png": (rgb, {"icc_profile": profile, "exif": exif}),
        "i.jfif": (rgb, {"progressive": True}),
        "j.ppm": (rgb, {}),
        "k.tga": (rgb, {}),
        "l.jp2": (rgb, {}),
        "deep.png": (deep, {}),
        "deep.tiff": (deep, {}),
        "clear.png": (rgba, {}),
        "clear.webp": (rgba, {}),
        "palette.png": (rgb.quantize(8), {"transparency": 3}),
        "cmyk.jpg": (rgb.convert("CMYK"), {}),
        "cmyk.tiff": (rgb.convert("CMYK"), {}),
        "lab.tiff": (rgb.convert("LAB"), {}),
        "float.tiff": (Image.fromarray(np.asarray(rgb.convert("L"), np.float32) / 255), {}),
        "bits.png": (rgb.convert("1"), {}),
    }
    kinds = {".jfif": "JPEG", ".jpg": "JPEG", ".tif": "TIFF", ".tga": "TGA", ".jp2": "JPEG2000"}
    contents = {}
    for name, (picture, options) in made.items():
        data, suffix = io.BytesIO(), name[name.index(".") :]
        picture.save(data, kinds.get(suffix, suffix[1:].upper()), **options)
        contents[name] = data.getvalue()
    return contents


def tar_of(contents: Contents, mode: str = "w") -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode) as archive:  # type: ignore[call-overload]
        for name, body in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return data.getvalue()


def packed(contents: Contents, container: str) -> tuple[Contents, str]:
    """The files of a set in a container, and which is opened."""
    if container == "zip":
        return {"set.zip": files.zip_of(files.zip_parts(contents))}, "set.zip"
    if container.startswith("tar"):
        return {f"set.{container}": tar_of(contents, "w:gz" if container == "tar.gz" else "w")}, f"set.{container}"
    if container == "list":
        return contents | {"list.txt": "".join(f"{name}\n" for name in contents).encode()}, "list.txt"
    return contents, ""


def chosen(rng: random.Random, sound: bool) -> Contents:
    """A few of the formats; `sound`: of which a run can be made."""
    known = formats()
    exact = [name for name in known if name[0] in "abcdefghijkl" and name[1] == "."]
    names = rng.sample(exact if sound else list(known), rng.choice([1, 2, 4]))
    return {f"{rng.choice(['', '0/', '1/'])}{name}": known[name] for name in names}


def mutated_set(rng: random.Random, mutation: str) -> tuple[Contents, str]:
    """A set with the named fault, and which of its files is opened ("": the folder)."""
    what, _, kind = mutation.partition(": ")
    contents = chosen(rng, sound=what != "mixture" and rng.random() < 0.7)
    names = list(contents)
    labels = {"labels": [[name, rng.randrange(2)] for name in names], "classes": ["cat", "dog"]}
    if what == "labels":
        document = labels if rng.random() < 0.7 else {"labels": [[name, [0.5, 1]] for name in names]}
        contents["dataset.json"] = files.mutated_json(rng, document, kind)
    elif rng.random() < 0.3:
        contents["dataset.json"] = json.dumps(labels).encode()
    if what == "zip":
        return {"set.zip": files.mutated_zip(rng, contents, kind)}, "set.zip"
    if what == "tar":
        return {"set.tar": mutated_tar(rng, contents, kind)}, "set.tar"
    if what == "list":
        return contents | {"list.txt": mutated_list(rng, names, kind)}, "list.txt"
    if what == "picture":
        name = rng.choice(names)
        contents[name] = mutated_picture(rng, contents[name], kind)
    return packed(contents, rng.choice(CONTAINERS))


def mutated_picture(rng: random.Random, data: bytes, kind: str) -> bytes:
    """Any format changed in the named way."""
    at = rng.randrange(len(data))
    if kind in ("truncate", "flip"):
        return truncated(rng, data) if kind == "truncate" else flipped(rng, data)
    if kind == "zeros":
        return data[:at] + bytes(min(8, len(data) - at)) + data[at + 8 :]
    if kind == "head":  # another format's, or its own with a byte changed
        other = rng.choice(list(formats().values()))
        return other[:12] + data[12:] if rng.random() < 0.5 else flipped(rng, data[:40]) + data[40:]
    if kind == "tail":
        return data + rng.choice([b"\0" * 1000, data, b"\xff\xd9", rng.randbytes(100)])
    if kind == "number":  # in the head, where sizes and counts are
        at = rng.randrange(min(64, len(data) - 4))
        return data[:at] + rng.choice([b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\x40\0\0\1"]) + data[at + 4 :]
    if kind == "exchange":
        return rng.choice(list(formats().values()))
    return rng.choice([b"", b"\0"]) if kind == "empty" else b"<html>not found</html>" * rng.choice([1, 100])


def mutated_tar(rng: random.Random, contents: Contents, kind: str) -> bytes:
    data = tar_of(contents, rng.choice(["w", "w:gz", "w:xz", "w:bz2"]) if kind in ("truncate", "flip") else "w")
    if kind in ("truncate", "flip"):
        return truncated(rng, data) if kind == "truncate" else flipped(rng, data)
    if kind == "zeros":
        at = rng.randrange(len(data) // 512) * 512
        return data[:at] + bytes(512) + data[at + 512 :]
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, body in contents.items():
            member = tarfile.TarInfo(rng.choice([name, "../x.png", "/x.png", "a/../b.png", "x" * 300 + ".png"]))
            member.size = len(body)
            if kind == "type":
                member.type = rng.choice([tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, b"9"])
                member.linkname = rng.choice(["a.png", "../../x", member.name])
                member.size = 0
            archive.addfile(member, io.BytesIO(body[: member.size]))
    return stream.getvalue()


def mutated_list(rng: random.Random, names: list[str], kind: str) -> bytes:
    lines = [name.encode() for name in names]
    if kind == "bytes":
        return b"\n".join(lines) + rng.randbytes(60)
    extra = {
        "unknown": [b"gone.png", b"gone/"],
        "twice": lines,
        "wild": [b"\x1b[2J.png", b"\xff\xfe.png", b"a\0b.png", b".", b"..", b"~.png"],
        "comment": [b"# a.png", b"", b"   "],
        "long": [b"x" * 5000 + b".png"],
        "missing": [],
    }[kind]
    end = rng.choice([b"\n", b"\r\n"])
    return end.join((lines[1:] if kind == "missing" else lines) + extra) + end
