# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The kinds of videos that can be written, and the choices for each: plain data, without torch and without encoders."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from gan.files.errors import sanitize_text
from gan.files.format import format_bytes

INSTALL_AV = "python -m pip install av"
LEAST_FPS, MOST_FPS = 1.0, 240.0
MOST_FRAMES = 1_000_000
LARGEST_SIDE = 8192  # pixels of a frame


class VideoError(ValueError):
    """A video that cannot be written, or not as asked for; one sentence."""

    def __init__(self, why: str) -> None:
        super().__init__(sanitize_text(why))


@dataclass(frozen=True)
class VideoFormat:
    """A kind of video. `suffixes` are of the names that it may have, the usual one first; () for a folder."""

    key: str
    title: str
    suffixes: tuple[str, ...]
    encoder: str = ""  # of the package av; "" where Pillow is enough
    is_even: bool = False  # colours at half the resolution: frames need an even width and height
    most_fps: float = MOST_FPS
    is_lossless: bool = False  # there is no quality to choose


FORMATS = (
    VideoFormat("h264", "H.264", (".mp4", ".mov", ".mkv"), "libx264", is_even=True),
    VideoFormat("vp9", "VP9", (".webm", ".mkv", ".mp4"), "libvpx-vp9", is_even=True),
    VideoFormat("av1", "AV1", (".mp4", ".webm", ".mkv"), "libsvtav1", is_even=True),
    VideoFormat("webp", "animated WebP", (".webp",)),
    VideoFormat("gif", "GIF", (".gif",), most_fps=50.0, is_lossless=True),
    VideoFormat("png", "PNG sequence", (), is_lossless=True),
)


@dataclass(frozen=True)
class VideoOptions:
    """`fps` frames a second; `quality` from 1, smallest file, to 100."""

    format: VideoFormat = FORMATS[0]
    fps: float = 30.0
    quality: int = 80


def find_format(key: str) -> VideoFormat:
    """Return the format of this key."""
    return next(one for one in FORMATS if one.key == key)


def choose_format(path: Path, key: str = "") -> VideoFormat:
    """Return the format of a file's name, or the one asked for. VideoError where the two do not go together.

    A name without a suffix is a folder's, for a PNG sequence.
    """
    suffix, name = path.suffix.lower(), sanitize_text(path.name, 100)
    if key:
        chosen = find_format(key)
        if chosen.suffixes and suffix not in chosen.suffixes:
            endings = ", ".join(chosen.suffixes[:-1]) + " or " * (len(chosen.suffixes) > 1) + chosen.suffixes[-1]
            raise VideoError(
                f"{name} must end in {endings} for {chosen.title}, as in {_with(path, chosen.suffixes[0])}."
            )
        if not chosen.suffixes and suffix in _all_suffixes():
            raise VideoError(f"A PNG sequence is a folder of pictures: give a name without {suffix}, as in frames.")
        return chosen
    if not suffix:
        return find_format("png")
    found = next((one for one in FORMATS if suffix in one.suffixes), None)
    if found is None:
        raise VideoError(
            f"{name} must end in .mp4, .webm, .webp or .gif, as in {_with(path, '.mp4')}; "
            "a name without an ending is a folder of PNGs."
        )
    return found


def check_options(options: VideoOptions) -> None:
    """Raise VideoError for an encoder that is not installed, and for what the format does not hold."""
    kind = options.format
    if not LEAST_FPS <= options.fps <= kind.most_fps:
        raise VideoError(
            f"{kind.title} takes {LEAST_FPS:g} to {kind.most_fps:g} frames a second, and {options.fps:g} is not."
        )
    if not 1 <= options.quality <= 100:
        raise VideoError(f"The quality is a number from 1 to 100, and {options.quality} is not.")
    if kind.encoder and importlib.util.find_spec("av") is None:
        raise VideoError(
            f"{kind.title} needs the package av: {INSTALL_AV} (GIF, WebP and folders of PNGs do without it)."
        )


def check_frame_size(width: int, height: int) -> None:
    """Raise VideoError for a size that no format holds."""
    if not (1 <= width <= LARGEST_SIDE and 1 <= height <= LARGEST_SIDE):
        raise VideoError(f"Frames have 1 to {LARGEST_SIDE} pixels a side, and {width}x{height} is not.")


def describe_video(path: Path, size: tuple[int, int], count: int, options: VideoOptions) -> str:
    """Return what a video that was written is, as a part of a sentence: pixels, frames, seconds, kind, bytes."""
    kind = options.format
    width, height = (side + side % 2 if kind.is_even else side for side in size)
    files = [path] if kind.suffixes else path.iterdir()
    many = f"{count:,} frame{'s' if count > 1 else ''}"
    held = format_bytes(sum(file.stat().st_size for file in files))
    return f"{width}x{height}, {many}, {count / options.fps:.4g} s, {kind.title}, {held}"


def _all_suffixes() -> set[str]:
    return {suffix for one in FORMATS for suffix in one.suffixes}


def _with(path: Path, suffix: str) -> str:
    return sanitize_text(path.stem or "video", 100) + suffix
