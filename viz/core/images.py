# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Pictures as they come to the window: arrays in memory, or tensors that stay on the CUDA device that drew them.

Torch is imported only by functions that are given a tensor: modules that pass pictures on need none.
"""

import functools
import threading
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


class DeviceImage:
    """A picture that stays on the CUDA device that drew it.

    `tensor` is uint8 [H, W, 4], contiguous, and never written again, not by a replayed CUDA graph either. `ready` is an
    event recorded after it was drawn; None if it is drawn already. The memory may be freed as soon as the last
    reference goes: call `follow` before reading it on another stream.
    """

    def __init__(self, tensor: "torch.Tensor", ready: "torch.cuda.Event | None" = None) -> None:
        """Raise ValueError unless the tensor is contiguous uint8 [H, W, 4]."""
        if str(tensor.dtype) != "torch.uint8" or tensor.ndim != 3 or tensor.shape[2] != 4 or not tensor.is_contiguous():
            raise ValueError(
                f"A picture on a device is contiguous uint8 [H, W, 4], not {tensor.dtype} {list(tensor.shape)}."
            )
        self.tensor, self.ready = tensor, ready
        self._host: np.ndarray | None = None
        self._download: PinnedDownload | None = None
        self._fetching = threading.Lock()

    @property
    def width(self) -> int:
        return int(self.tensor.shape[1])

    @property
    def height(self) -> int:
        return int(self.tensor.shape[0])

    @property
    def device(self) -> int:
        """Number of the CUDA device."""
        return self.tensor.device.index or 0

    def wait(self) -> None:
        """Wait until it is drawn, on the thread that had it drawn. Torch releases the interpreter meanwhile."""
        if self.ready is not None:
            self.ready.synchronize()

    def follow(self, stream: "torch.cuda.Stream") -> None:
        """Make a stream wait, on the device, until it is drawn; its memory is kept until the stream has come so far."""
        if self.ready is not None:
            stream.wait_event(self.ready)
        self.tensor.record_stream(stream)

    def to_host(self) -> np.ndarray:
        """Return uint8 [H, W, 4] in memory: downloaded at the first call, the very same array at each."""
        with self._fetching:
            if self._host is None and self._download is not None:
                self._download.wait()
                self._host, self._download = self._download.array(), None
            if self._host is None:
                self.wait()  # the current stream need not be the one that drew it
                self._host = self.tensor.cpu().numpy()
            return self._host

    def poll_host(self) -> np.ndarray | None:
        """Return the same as `to_host` once it is in memory, None before. The first call begins a download, none waits.

        RuntimeError if there is no pinned memory for it.
        """
        with self._fetching:
            if self._host is None:
                download = self._download or PinnedDownload(self.width, self.height)
                if self._download is None:
                    download.begin(self)
                self._download = download
                if download.is_ready():
                    self._host, self._download = download.array(), None
            return self._host


Pixels = np.ndarray | DeviceImage


def size_of(pixels: Pixels) -> tuple[int, int]:
    """Return (width, height), without a download."""
    if isinstance(pixels, DeviceImage):
        return pixels.width, pixels.height
    return pixels.shape[1], pixels.shape[0]


def to_host(pixels: Pixels) -> np.ndarray:
    """Return uint8 [H, W, 4], downloaded once if it is on a device."""
    return pixels.to_host() if isinstance(pixels, DeviceImage) else pixels


def put_on_grey(pixels: np.ndarray) -> np.ndarray:
    """Return RGBA bytes [H, W, 4] as they look on middle grey, uint8 [H, W, 3]; as instruments see it."""
    alpha = pixels[:, :, 3:].astype(np.float32) / 255
    return np.rint(128 + (pixels[:, :, :3] - np.float32(128)) * alpha).astype(np.uint8)


def poll_host(pixels: Pixels) -> np.ndarray | None:
    """Return uint8 [H, W, 4] if it is in memory; None while it is on its way there: call again."""
    if not isinstance(pixels, DeviceImage):
        return pixels
    try:
        return pixels.poll_host()
    except RuntimeError:  # no pinned memory
        return pixels.to_host()


@functools.cache
def window_stream(device: int) -> "torch.cuda.Stream":
    """Return a device's stream for pictures on their way to the window; it goes before the kernels of the next ones."""
    import torch

    return torch.cuda.Stream(device, priority=-1)


class PinnedDownload:
    """Pinned memory to which pictures of one size are downloaded in the background."""

    def __init__(self, width: int, height: int) -> None:
        import torch

        self.size = width, height
        self._tensor = torch.empty((height, width, 4), dtype=torch.uint8, pin_memory=True)
        self._done = torch.cuda.Event()

    @property
    def address(self) -> int:
        return self._tensor.data_ptr()

    def array(self) -> np.ndarray:
        """Return uint8 [H, W, 4], the memory itself."""
        return self._tensor.numpy()

    def begin(self, pixels: DeviceImage) -> None:
        """Start the download; read the memory when `is_ready`."""
        import torch

        stream = window_stream(pixels.device)
        pixels.follow(stream)
        with torch.cuda.stream(stream):
            self._tensor.copy_(pixels.tensor, non_blocking=True)
        self._done.record(stream)

    def is_ready(self) -> bool:
        """Return True once the picture is there. Never waits."""
        return bool(self._done.query())

    def wait(self) -> None:
        self._done.synchronize()
