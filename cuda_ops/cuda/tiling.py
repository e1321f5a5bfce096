# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Specialisations of the fused CUDA kernel, and the tile that each one works on.

A specialisation is compiled for its filters' factors and lengths, its data type, layout and treatment of codes, so that
every loop over taps is unrolled. The tile is chosen from a table, by the GPU's shared memory. A tile's need of it is
computed here as in csrc/cuda/layout.cuh, which refuses to compile where the two disagree.
"""

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from cuda_ops.shapes import DECODE, ENCODE, FORWARD

TYPES = {torch.float32: 0, torch.float16: 1, torch.bfloat16: 2}  # as in csrc/cuda/device.cuh
MACROS = {"dtype": "TYPE", "channels_last": "LAST", "width": "TILE_W", "height": "TILE_H"}  # others: the field's name
MAX_FACTOR, MAX_TAPS, MAX_PLANE = 8, 64, 16  # the registers hold no more taps

# Shared memory of a block and of a multiprocessor in KiB, by architecture; others are taken for the smallest of these
# that they are not below, as sm_87 for sm_80.
SHARED = {75: (64, 64), 80: (163, 164), 86: (99, 100), 87: (163, 164), 88: (99, 100), 90: (227, 228), 120: (99, 100)}


@dataclass(frozen=True)
class Tile:
    """The outputs of a block of threads: width x height of them, `channels` in a pass."""

    width: int
    height: int
    channels: int
    threads: int
    blocks: int  # that a multiprocessor is to hold at a time, which limits registers


@dataclass(frozen=True)
class Resampling:
    """A specialisation of csrc/cuda/resample.cuh. Planes are 2-D filters; see csrc/cuda/layout.cuh and `offset`."""

    up: int
    down: int
    up_taps: int
    down_taps: int
    up_plane: bool
    down_plane: bool
    mode: int
    dtype: torch.dtype
    channels_last: bool
    offset_x: int
    offset_y: int
    lead: int = 0  # of planar images: see csrc/cuda/layout.cuh and `lead`

    def defines(self, tile: Tile) -> dict[str, int]:
        """Return the macros that the kernel is compiled with."""
        fields = {**vars(self), **vars(tile), "dtype": TYPES[self.dtype], "shared": shared_bytes(self, tile)}
        return {MACROS.get(name, name.upper()): int(value) for name, value in fields.items()}


def offset(up: int, pad_up: int, pad_down: int) -> int:
    """Return the position of a tile's first upsampled value among the `up` values that read the same inputs."""
    return up - 1 - (pad_up + pad_down) % up


def lead(up: int, pad_up: int, pad_down: int, channels_last: bool) -> int:
    """Return the first input column that the first tile reads, modulo four."""
    return 0 if channels_last else -((pad_up + pad_down) // up) % 4


# Width, height, channels a pass, threads, blocks; the first that fits is taken. 28 wide, because layers are rate + 20
# pixels wide, which 28 divides with the least rest; 56 where upsampling by 4 needs that for wide loads. Threads: as
# many as there are columns, or outputs of a radial filter by twos and sevens, in one round or just below two; 128 where
# a thread needs more than 168 registers.
TILES: dict[tuple[int, int, bool, bool], tuple[Tile, ...]] = {
    # up, down, up plane, down plane
    (2, 2, False, False): (Tile(28, 28, 4, 288, 2), Tile(28, 28, 2, 160, 2), Tile(28, 14, 2, 160, 2)),
    (4, 2, False, False): (Tile(56, 28, 2, 256, 2), Tile(56, 28, 1, 128, 2), Tile(56, 14, 1, 128, 2)),
    (2, 2, False, True): (Tile(28, 28, 2, 128, 3), Tile(28, 28, 2, 128, 2), Tile(28, 14, 2, 128, 2)),
    (4, 2, False, True): (Tile(56, 28, 1, 128, 4), Tile(56, 28, 1, 128, 2), Tile(28, 28, 1, 128, 2)),
    (2, 4, False, False): (Tile(16, 16, 4, 192, 2), Tile(16, 16, 2, 192, 2), Tile(16, 8, 2, 192, 2)),
    (2, 2, True, False): (Tile(28, 14, 4, 160, 2), Tile(28, 14, 2, 96, 2)),
    (2, 4, True, False): (Tile(16, 16, 4, 128, 2), Tile(16, 8, 4, 128, 2), Tile(16, 8, 2, 96, 2)),
}
SIZES = ((28, 28), (28, 14), (16, 16), (16, 8), (12, 12), (20, 20), (24, 24), (8, 8), (4, 4))  # for all others
RESERVED_BYTES = 1024  # of shared memory that the system takes for each block


def candidate_tiles(spec: Resampling) -> Iterator[Tile]:
    """Yield the tiles of the table, then others, ever smaller."""
    yield from TILES.get((spec.up, spec.down, spec.up_plane, spec.down_plane), ())
    for blocks, sizes in ((2, SIZES[:4]), (1, SIZES)):
        for width, height in sizes:
            for channels in (4, 2, 1):
                if width * spec.down % spec.up == 0 and height * spec.down % spec.up == 0:
                    yield Tile(width, height, channels, 192, blocks)


@functools.lru_cache(4096)
def choose_tile(spec: Resampling, architecture: int) -> Tile | None:
    """Return the tile for a GPU of compute capability architecture / 10, or None where the kernel is not supported."""
    if max(spec.up, spec.down) > MAX_FACTOR or max(spec.up_taps, spec.down_taps) > MAX_TAPS:
        return None
    if max(spec.up_taps * spec.up_plane, spec.down_taps * spec.down_plane) > MAX_PLANE:
        return None
    if spec.down_plane and (spec.down % 2 or 32 % spec.up):
        return None
    block, processor = (1024 * size for size in SHARED[max(key for key in SHARED if key <= max(architecture, 75))])
    for chosen in candidate_tiles(spec):
        size = shared_bytes(spec, chosen)
        if size <= block and chosen.blocks * (size + RESERVED_BYTES) <= processor + (
            RESERVED_BYTES if chosen.blocks == 1 else 0
        ):
            return chosen
    return None


def _round_up(a: int, b: int) -> int:
    return -(-a // b) * b


def shared_bytes(spec: Resampling, tile: Tile) -> int:
    """Compute the dynamic shared memory of a block in bytes: csrc/cuda/layout.cuh, line by line."""
    up, down, codes = spec.up, spec.down, spec.mode in (ENCODE, DECODE)
    planes = 8 if spec.channels_last or spec.mode == ENCODE else tile.channels
    k = -(-spec.up_taps // up)
    extra = down - 1 if spec.mode == ENCODE else 0
    mid_w, mid_h = ((size - 1) * down + spec.down_taps + extra for size in (tile.width, tile.height))
    p = 2 if up >= 4 and up % 2 == 0 else 4
    groups = _round_up((mid_w - 1 + spec.offset_x) // up + 1, p)
    shift = spec.lead if not spec.channels_last and tile.width * down // up % 4 == 0 else 0
    reads = _round_up(p + k - 1 + shift, p)
    a_stride = _round_up(max(groups - p + reads, (mid_w - 1 + spec.offset_x) // up + k + shift), 4)
    reach = _round_up(3 * down + spec.down_taps + spec.offset_x, 4)
    c_stride = _round_up(max(groups * up, (tile.width - 4) * down + reach) - 4, 8) + 4
    d, d_taps = (1, 1) if spec.down_plane else (down, spec.down_taps)
    m = math.lcm(up, d)
    if not spec.down_plane:
        segment = _round_up(max(mid_h, d * (tile.height + -(-d_taps // d) - 1)), m)
    else:
        segment = _round_up(32 if codes else (mid_h + 2) // 3, m)
    height = -(-mid_h // segment) * segment
    in_h = (height - m) // up + (m - 1 + spec.offset_y) // up + k
    a_plane = _round_up(max(in_h * a_stride, tile.width * tile.height if spec.channels_last else 0), 4)
    b_plane = 0 if spec.up_plane else in_h * c_stride
    c_plane = (height if spec.down_plane else tile.height) * c_stride
    if spec.channels_last or spec.up_plane:
        rooms = (planes if spec.channels_last else tile.channels) * a_plane + tile.channels * (b_plane + c_plane)
    else:
        rooms = tile.channels * (max(a_plane, c_plane) + b_plane)
    words = 2 * planes * (-(-height // 32)) * mid_w if codes else 0
    taps = sum(
        _round_up(n * n if plane else n, 4)
        for n, plane in ((spec.up_taps, spec.up_plane), (spec.down_taps, spec.down_plane))
    )
    return 4 * (rooms + _round_up(words, 4) + taps + 4)


@functools.lru_cache(4096)
def specialise(
    up: int,
    down: int,
    up_taps: int,
    down_taps: int,
    up_plane: bool,
    down_plane: bool,
    mode: int,
    dtype: torch.dtype,
    channels_last: bool,
    pad_up: tuple[int, int],
    pad_down: tuple[int, int],
) -> Resampling:
    """Return the specialisation for such filters and paddings, which are (x, y) before the first sample."""
    x, y = (offset(up, a, b) for a, b in zip(pad_up, pad_down, strict=True))
    start = lead(up, pad_up[0], pad_down[0], channels_last)
    return Resampling(up, down, up_taps, down_taps, up_plane, down_plane, mode, dtype, channels_last, x, y, start)


def specialise_layer(
    up: int,
    down: int,
    up_taps: int,
    down_taps: int,
    radial: bool,
    padding: Sequence[int],
    dtype: torch.dtype,
    channels_last: bool = False,
    training: bool = False,
) -> tuple[Resampling, ...]:
    """Return what filtered_lrelu runs for a layer: forward, and in `training` its gradient and second gradient too.

    `radial`: the down-filter is 2-D. `padding`: before the first sample, (x, y).
    """

    x, y = padding[:2]

    def forth(mode: int) -> Resampling:
        return specialise(up, down, up_taps, down_taps, False, radial, mode, dtype, channels_last, (x, y), (0, 0))

    if not training:
        return (forth(FORWARD),)
    first, second = (down_taps - 1, down_taps - 1), (up_taps - 1 - x, up_taps - 1 - y)
    back = specialise(down, up, down_taps, up_taps, radial, False, DECODE, dtype, channels_last, first, second)
    return forth(ENCODE), back, forth(DECODE)
