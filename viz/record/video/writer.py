# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Write videos frame by frame: a thread encodes while the next frames are drawn.

A few frames wait between the two, however long the video is. The file gets its name when it is whole; after an error,
a cancel or a crash there is none under that name.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

from gan.files.atomic_write import NameTaken, NewFile, atomic_write, write_new
from gan.files.errors import describe_error, sanitize_text
from viz.record.video.animations import FolderEncoder, GifEncoder, WebpEncoder, new_folder, replace_folder
from viz.record.video.formats import VideoError, VideoOptions, check_frame_size, check_options

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream

WAITING = 8  # frames at most that are drawn and not encoded yet
# Constant quality of each encoder at quality 1 and 100, and what else it is told; speeds that keep up with a model.
QUALITIES = {"libx264": (44, 8), "libvpx-vp9": (58, 10), "libsvtav1": (60, 10)}
SETTINGS = {
    "libx264": {"preset": "medium"},
    "libvpx-vp9": {"b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"},
    "libsvtav1": {"preset": "8"},
}


class Encoder(Protocol):
    """Takes frames, uint8 [H, W, 3] of one size, and writes them; used by one thread."""

    def add(self, frame: np.ndarray) -> None: ...

    def finish(self) -> None:
        """Write the end, after the last frame."""

    def close(self) -> None:
        """Let go of the file, finished or not."""


@contextlib.contextmanager
def open_video(
    path: Path, size: tuple[int, int], options: VideoOptions, names: Iterable[Path] = ()
) -> Iterator[VideoWriter]:
    """Yield a writer for frames of (width, height); a block that ends well gives the video its name, `path`.

    A block that raises, and one whose generator is closed, leaves nothing. VideoError, a sentence, for whatever cannot
    be written. A file of this name is replaced: callers ask before. With `names` it is a new file, and gets the first
    of them that is free then; the writer's `path` is the one that it got.
    """
    check_options(options)
    check_frame_size(*size)
    writer, raised = None, None
    try:
        with _place(path, names, is_folder=not options.format.suffixes) as new:
            with VideoWriter(make_encoder(new.temporary, size, options), size) as writer:
                try:
                    yield writer
                except BaseException as problem:
                    raised = problem
                    raise
        writer.path = new.path or path
    except NameTaken:
        raise VideoError(f"{sanitize_text(path.name)} is there already: give another name.") from None
    except OSError as problem:
        if writer is not None and problem is raised and problem is not writer.problem:
            raise  # whoever draws the frames failed, not the file
        raise VideoError(f"{sanitize_text(path)} cannot be written: {describe_error(problem)}.") from None


@contextlib.contextmanager
def _place(path: Path, names: Iterable[Path], *, is_folder: bool) -> Iterator[NewFile]:
    """Yield a file or folder with a temporary name: for the first free one of `names`, or to replace `path`."""
    if names:
        with (new_folder if is_folder else write_new)(names) as new:
            yield new
    else:
        with (replace_folder if is_folder else atomic_write)(path) as temporary:
            yield NewFile(temporary)


def make_encoder(path: Path, size: tuple[int, int], options: VideoOptions) -> Encoder:
    """Return the encoder of a format, which writes to `path`."""
    match options.format.key:
        case "webp":
            return WebpEncoder(path, size, options.fps, options.quality)
        case "gif":
            return GifEncoder(path, size, options.fps)
        case "png":
            return FolderEncoder(path)
    return AvEncoder(path, size, options)


class VideoWriter:
    """Hands frames to an encoder in a thread of its own; what goes wrong there is raised by the next call here."""

    def __init__(self, encoder: Encoder, size: tuple[int, int]) -> None:
        self.count = 0  # of the frames so far
        self.path: Path | None = None  # of the file, once it is whole
        self._encoder, self._shape = encoder, (size[1], size[0], 3)
        self._frames: queue.Queue[np.ndarray | None] = queue.Queue(WAITING)
        self.problem: BaseException | None = None  # of the encoder
        self._dropped = False
        self._thread = threading.Thread(target=self._encode, name="video")

    def __enter__(self) -> VideoWriter:
        self._thread.start()
        return self

    def add(self, frame: np.ndarray) -> None:
        """Append uint8 [H, W, 3]; it is copied. Waits while too many frames are on their way to the encoder."""
        if frame.dtype != np.uint8 or frame.shape != self._shape:
            raise ValueError(f"Frames are uint8 {list(self._shape)}, not {frame.dtype} {list(frame.shape)}.")
        if self.problem is None:
            self._frames.put(frame.copy())  # the thread takes frames to the end, whatever happens
            self.count += 1
        if self.problem is not None:
            raise self.problem

    def __exit__(self, kind: object, *rest: object) -> None:
        self._dropped = kind is not None
        self._frames.put(None)
        self._thread.join()
        if kind is None and self.problem is not None:
            raise self.problem

    def _encode(self) -> None:
        try:
            while (frame := self._frames.get()) is not None:
                if self.problem is None and not self._dropped:
                    self._step(frame)
            if self.problem is None and not self._dropped:
                self._step(None)
        finally:
            with contextlib.suppress(Exception):  # what went wrong is known
                self._encoder.close()

    def _step(self, frame: np.ndarray | None) -> None:
        try:
            if frame is None:
                self._encoder.finish()
            else:
                self._encoder.add(frame)
        except Exception as problem:
            self.problem = problem


class AvEncoder:
    """H.264, VP9 or AV1 by the package av: colours at half the resolution, as players want it, of BT.709.

    An odd width or height is padded by one more column or row, the last one again.
    """

    def __init__(self, path: Path, size: tuple[int, int], options: VideoOptions) -> None:
        os.environ.setdefault("SVT_LOG", "1")  # SVT-AV1 otherwise tells standard error about itself; 1 is errors alone
        import av
        from av.video.reformatter import ColorRange, Colorspace

        kind = options.format.encoder
        low, high = QUALITIES[kind]
        crf = {"crf": str(round(low + (high - low) * (options.quality - 1) / 99))}
        self._odd = size[0] % 2, size[1] % 2
        more = {"movflags": "+faststart"} if path.suffix in (".mp4", ".mov") else {}
        with _system_errors():
            self._container: OutputContainer = av.open(str(path), "w", options=more)
            rate = Fraction(options.fps).limit_denominator(1001)
            stream = self._container.add_stream(kind, rate=rate, options=crf | SETTINGS[kind])
        self._stream = cast("VideoStream", stream)
        self._stream.width, self._stream.height = (side + odd for side, odd in zip(size, self._odd, strict=True))
        self._stream.pix_fmt = "yuv420p"
        codec = self._stream.codec_context
        codec.colorspace, codec.color_range = Colorspace.ITU709, ColorRange.MPEG
        codec.color_primaries = codec.color_trc = 1  # BT.709's, as the standard numbers them

    def add(self, frame: np.ndarray) -> None:
        import av
        from av.video.reformatter import ColorRange, Colorspace

        if any(self._odd):
            frame = np.pad(frame, ((0, self._odd[1]), (0, self._odd[0]), (0, 0)), "edge")
        picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
        colours = {"dst_colorspace": Colorspace.ITU709, "dst_color_range": ColorRange.MPEG}
        with _system_errors():
            self._container.mux(self._stream.encode(picture.reformat(format="yuv420p", **colours)))

    def finish(self) -> None:
        with _system_errors():
            self._container.mux(self._stream.encode())
            self._container.close()

    def close(self) -> None:
        with _system_errors():
            self._container.close()


@contextlib.contextmanager
def _system_errors() -> Iterator[None]:
    """Turn errors of the package av into OSError."""
    from av.error import FFmpegError

    try:
        yield
    except FFmpegError as problem:
        raise OSError(describe_error(problem)) from None
