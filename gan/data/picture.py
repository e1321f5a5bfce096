# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Any picture that Pillow reads, as upright 8-bit grey, sRGB or sRGB with alpha.

`probe_picture` looks at the header alone, `load_picture` decodes. Data sets, their conversion and the window read
pictures here, so that all of them agree about orientation, depth, colour and transparency.
"""

from __future__ import annotations

import functools
import io
import lzma
import re
import struct
import threading
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageFile, ImageOps, TiffImagePlugin

# EPS starts another program, WMF needs Windows, and for the others Pillow knows the header only.
UNREAD_FORMATS = ("BUFR", "EPS", "GRIB", "HDF5", "IPTC", "MPEG", "WMF")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}  # number of channels -> Pillow's mode
EXACT_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")  # which hold 8 bits or fewer of grey or RGB
MAX_PIXELS = 2 * 89_478_485  # of one picture: where Pillow, too, stops
MAX_SCANS = 100  # of a JPEG; encoders write 10, and each takes as long as all others, however few bytes it has
DEEP_TILE = re.compile(";16[BLN]")  # in the arguments of a decoder: 16 bits a number
JPEG_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")  # none lies within compressed pixels
JPEG_END, JPEG_SCAN = b"\xd9", b"\xda"

# What Pillow, zipfile and tarfile raise for damaged input (UnidentifiedImageError is an OSError, encryption a
# RuntimeError).
DAMAGE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    ArithmeticError,
    LookupError,
    TypeError,
    AttributeError,
    Image.DecompressionBombError,
)

Color = tuple[int, int, int]


class PictureInfo(NamedTuple):
    """The header of a picture: `size` is (width, height) once upright, `channels` 1, 3 or 4 as its mode has.

    `mode` is Pillow's, or "RGB;16" and the like for 16 bits of which Pillow reads the upper 8.
    """

    format: str
    size: tuple[int, int]
    mode: str
    channels: int
    turned: bool = False  # by its EXIF orientation

    @property
    def exact(self) -> bool:
        """True if its pixels are 8-bit grey, RGB or RGBA, so that nothing is lost by reading it."""
        return self.mode in EXACT_MODES

    def describe(self) -> str:
        """Return its size and mode: 640x480 RGB."""
        return f"{self.size[0]}x{self.size[1]} {self.mode}"


@functools.cache
def list_formats() -> tuple[str, ...]:
    """Return the names of the formats that are read."""
    Image.init()
    return tuple(sorted(set(Image.OPEN) - set(UNREAD_FORMATS)))


@functools.cache
def list_suffixes() -> frozenset[str]:
    """Return the suffixes, in lower case and with their dot, of the files that are taken for pictures."""
    formats = {*list_formats(), "MPO"}  # MPO: several JPEGs, which the reader of JPEG opens
    return frozenset(suffix for suffix, name in Image.registered_extensions().items() if name in formats)


def probe_picture(stream: IO[bytes]) -> PictureInfo:
    """Read a picture's header; raises one of DAMAGE."""
    with _quiet(), Image.open(stream, formats=list_formats()) as image:
        _check_size(image)
        size, mode = _find_upright_size(image), _find_mode(image)
        turned = _read_orientation(image) != 1
        return PictureInfo(image.format or "", size, mode, _count_channels(image), turned)


def load_picture(
    data: bytes,
    channels: int = 3,
    background: Color = (255, 255, 255),
    *,
    size: tuple[int, int] | None = None,
    at_least: int | None = None,
) -> Image.Image:
    """Decode a picture, turn it upright, and convert it to 1 (grey), 3 (sRGB) or 4 (sRGB, alpha) channels of 8 bits.

    Of an animation it is the first frame. 16 bits are scaled to 8, colour profiles and CMYK become sRGB, and what is
    transparent lies on `background` unless there are 4 channels. `size`: what it must have, (width, height), checked
    before pixels are decoded, and after. `at_least`: a JPEG may be decoded at a fraction of its size, as long as both
    sides have that many pixels. Raises one of DAMAGE.
    """
    if data.startswith(b"\xff\xd8") and _has_too_many_scans(data):
        raise ValueError("it has far more scans than a JPEG needs")
    with _quiet(), Image.open(io.BytesIO(data), formats=list_formats()) as image:
        _check_size(image)
        if size is not None:
            _compare_size(_find_upright_size(image), size)
        if at_least is not None:
            image.draft(image.mode, (at_least, at_least))
        orientation = _read_orientation(image)
        image.load()
        if image.format == "TIFF":
            orientation = _read_orientation(image)  # upright by now: Pillow has turned it
        upright = _turn_upright(image, orientation)
        if size is not None:
            _compare_size(upright.size, size)  # an icon may hold another picture than it says
        return _convert(upright, channels, background)


def resize_picture(
    image: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float] | None = None
) -> Image.Image:
    """Resize the part `box` of a picture with Lanczos' filter, widened where it shrinks, in the values as stored.

    Colours are weighted by alpha, so that nothing hidden shows at an edge.
    """
    if image.mode == "RGBA":
        return image.convert("RGBa").resize(size, Image.Resampling.LANCZOS, box).convert("RGBA")
    return image.resize(size, Image.Resampling.LANCZOS, box)


_quiet_lock, _quiet_threads, _warnings = threading.Lock(), 0, warnings.catch_warnings(action="ignore")


@contextmanager
def _quiet() -> Iterator[None]:
    """Ignore Pillow's warnings: sizes have a limit of our own, and damaged metadata does not concern the pixels.

    What is ignored is the process's, not a thread's: the last thread that leaves puts back what the first one found.
    """
    global _quiet_threads, _warnings
    with _quiet_lock:
        if not _quiet_threads:
            _warnings = warnings.catch_warnings(action="ignore")
            _warnings.__enter__()
        _quiet_threads += 1
    try:
        yield
    finally:
        with _quiet_lock:
            _quiet_threads -= 1
            if not _quiet_threads:
                _warnings.__exit__(None, None, None)


def _has_too_many_scans(data: bytes) -> bool:
    """Count the scans of a JPEG, up to its end: what phones put behind it, such as a video, is no part of it."""
    position = scans = 0
    while (found := JPEG_MARKER.search(data, position)) and found[1] != JPEG_END:
        scans += found[1] == JPEG_SCAN
        if scans > MAX_SCANS:
            return True
        length = 0 if found[1] in b"\x01\xd8" else int.from_bytes(data[found.end() : found.end() + 2], "big")
        position = found.end() + length
    return False


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ValueError(f"its {width}x{height} pixels are more than {MAX_PIXELS / 1e6:.0f} million")


def _compare_size(found: tuple[int, int], size: tuple[int, int]) -> None:
    if found != size:
        raise ValueError(f"it is {found[0]}x{found[1]}, not {size[0]}x{size[1]}: it changed")


def _find_upright_size(image: Image.Image) -> tuple[int, int]:
    width, height = image.size
    if isinstance(image, TiffImagePlugin.TiffImageFile):  # Pillow has turned the size already, but not all versions
        tags = image.tag_v2
        width, height = tags.get(TiffImagePlugin.IMAGEWIDTH, width), tags.get(TiffImagePlugin.IMAGELENGTH, height)
    # from 5 on it is a quarter turn, with or without a mirror
    return (height, width) if _read_orientation(image) >= 5 else (width, height)


def _read_orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 (upright) to 8; 1 if there is none, or if it is damaged."""
    if image.format == "PNG" and "exif" not in image.info:
        return 1  # Pillow would decode all of it to look behind the pixels
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except DAMAGE:
        return 1
    return orientation if orientation in range(1, 9) else 1


def _turn_upright(image: Image.Image, orientation: int) -> Image.Image:
    if orientation == 1:
        return image
    exif = image.getexif()
    exif.clear()  # what else it holds may be damaged
    exif[ExifTags.Base.Orientation] = orientation
    return ImageOps.exif_transpose(image)


def _find_mode(image: ImageFile.ImageFile) -> str:
    is_deep = image.mode in EXACT_MODES and any(DEEP_TILE.search(str(tile[3])) for tile in image.tile)
    return f"{image.mode};16" if is_deep else image.mode


def _count_channels(image: Image.Image) -> int:
    if image.has_transparency_data:
        return 4
    return 1 if image.mode in ("1", "L", "F") or image.mode.startswith("I") else 3


def _convert(image: Image.Image, channels: int, background: Color) -> Image.Image:
    image = _scale_to_8_bits(image)
    if image.has_transparency_data:
        image = image.convert("RGBA") if image.mode != "RGBA" else image
        alpha = image.getchannel("A")
        color = _convert_to_srgb(image.convert("RGB"), image.info.get("icc_profile"))
        if channels == 4:
            color.putalpha(alpha)
            return color
        image = Image.composite(color, Image.new("RGB", color.size, background), alpha)
    elif image.mode != "L" or channels != 1:
        image = _convert_to_srgb(image, image.info.get("icc_profile"))
    return image if image.mode == MODES[channels] else image.convert(MODES[channels])


def _scale_to_8_bits(image: Image.Image) -> Image.Image:
    """Scale 16-bit grey and floats to L, or to LA if a grey is transparent.

    ValueError for numbers of which nobody knows what white is.
    """
    if not (image.mode.startswith("I") or image.mode == "F"):
        return image
    values = np.asarray(image)
    white = 1.0 if image.mode == "F" else 65535.0
    if not (values.min() >= 0 and values.max() <= white):
        raise ValueError(f"its values are not from 0 to {white:g}")
    scaled = Image.fromarray(np.rint(values * (255 / white)).astype(np.uint8))
    key = image.info.get("transparency")
    if isinstance(key, int):
        scaled.putalpha(Image.fromarray(np.where(values == key, 0, 255).astype(np.uint8)))
    if "icc_profile" in image.info:
        scaled.info["icc_profile"] = image.info["icc_profile"]
    return scaled


def _convert_to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return RGB in sRGB; a profile that cannot be read or does not fit is ignored, as browsers do."""
    if image.mode in ("P", "PA", "1", "HSV", "YCbCr", "RGBX"):
        image = image.convert("RGB")
    try:
        if image.mode == "LAB":
            source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        elif profile is not None:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        else:
            return image if image.mode in ("L", "RGB") else image.convert("RGB")
        if image.mode != "LAB" and "sRGB" in ImageCms.getProfileDescription(source):
            return image if image.mode in ("L", "RGB") else image.convert("RGB")
        converted = ImageCms.profileToProfile(image, source, _srgb_profile(), outputMode="RGB")
        return image.convert("RGB") if converted is None else converted
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image if image.mode == "L" else image.convert("RGB")


@functools.cache
def _srgb_profile() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
