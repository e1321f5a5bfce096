# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Capture synthesis in CUDA graphs and replay them with new inputs.

There are three graphs for a model and a precision policy: w to modulated weights, weights and transform to a picture,
the picture to bytes. New values are copied into the graphs' inputs, and only the graphs that depend on them run again:
under a drag the weights stay.
"""

import functools
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Any, TypeVar

import torch
from torch import Tensor

from gan.networks.input_transform import InputOverrides, learned_vector, user_matrix
from gan.networks.precision import PrecisionPolicy
from gan.networks.synthesis import SynthesisNetwork, SynthesisOptions
from viz.render.postprocess import measure_input, to_rgba8

WARM_UP = 2  # runs before a capture: they load kernels, choose convolution algorithms and allocate
TIMED = 5  # replays, of each layout
KEPT = 4  # models' graphs: both slots, and the two before

log = logging.getLogger("viz")
_capturing = threading.Lock()  # torch allows one capture at a time

Value = TypeVar("Value")
Capture = Callable[[Callable[[], Value]], Callable[[], Value]]
Motion = tuple[float, float, float, float]  # tx, ty, degrees, scale
Learned = tuple[float, float, float]  # tx, ty, degrees


def run_eager(function: Callable[[], Value]) -> Callable[[], Value]:
    """Return the function itself: for devices and drivers without CUDA graphs."""
    return function


def capture_graph(function: Callable[[], Value]) -> Callable[[], Value]:
    """Return the function as a CUDA graph: each call replays it and returns the very tensors of the capture, rewritten.

    It may read tensors that stay where they are, and must not wait for the device. Raises RuntimeError if it cannot be
    captured. The window's thread may go on calling CUDA meanwhile.
    """
    with _capturing:
        current, side = torch.cuda.current_stream(), _side(torch.cuda.current_device())
        side.wait_stream(current)
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                function()
        current.wait_stream(side)
        graph, pool = torch.cuda.CUDAGraph(), torch.cuda.graph_pool_handle()
        try:
            with torch.cuda.graph(graph, pool=pool, stream=side, capture_error_mode="thread_local"):
                result = function()
        except BaseException:
            # torch leaves its stream in place, and its allocator waiting for an end of the capture, if that fails.
            torch.cuda.set_stream(current)
            with suppress(RuntimeError, AttributeError):
                torch._C._cuda_endAllocateToPool(side.device_index, pool)
            raise

    def replay() -> Value:
        graph.replay()
        return result

    return replay


@functools.cache
def _side(device: int) -> torch.cuda.Stream:
    """Return a stream for captures, which the default stream does not allow."""
    return torch.cuda.Stream(device)


def copy_in(values: Tensor, target: Tensor) -> None:
    """Copy a few numbers to a device without waiting for it; torch keeps the pinned memory until they are there."""
    if target.is_cuda:
        target.copy_(values.to(target.dtype).pin_memory(), non_blocking=True)
    else:
        target.copy_(values)


class SynthesisGraphs:
    """The graphs of one model, from w and transform to bytes. Call them in inference_mode, on one stream.

    `movable`: a transform is given; `learned`: what w does to the input is replaced; `mean_constant`: as in
    InputOverrides. These are part of the graphs, and so is the precision policy.
    """

    def __init__(
        self,
        synthesis: SynthesisNetwork,
        ws: Tensor,
        precision: PrecisionPolicy,
        *,
        movable: bool,
        learned: bool = False,
        mean_constant: bool = False,
        capture: Capture[Any] = capture_graph,
    ) -> None:
        self.precision, self._graphs = precision, capture is not run_eager
        self._ws = ws.clone()
        self._transform = torch.eye(3, device=ws.device) if movable else None
        self._learned = torch.ones(4, device=ws.device) if learned else None
        self._holds: tuple[Hashable, Motion | None, Learned | None] = (None, None, None)
        overrides = InputOverrides(self._learned, mean_constant)
        self._modulate = capture(lambda: synthesis.modulate(self._ws, precision))
        self._weights = self._modulate()
        self._synthesize = capture(
            lambda: (
                synthesis(
                    self._ws,
                    SynthesisOptions(
                        transform=self._transform, weights=self._weights, overrides=overrides, precision=precision
                    ),
                ),
                measure_input(synthesis, self._ws, self._transform, overrides),
            )
        )
        self._picture, self._facts = self._synthesize()
        self._finish = capture(lambda: to_rgba8(self._picture))
        self._finish()

    @property
    def how(self) -> str:
        """Number format, layout, and use of a CUDA graph, in one sentence."""
        half = f"float16 in the highest {self.precision.num_fp16_res} resolutions, float32 below"
        layout = "channels-last" if self.precision.channels_last else "planar"
        runs = "a CUDA graph" if self._graphs else "no CUDA graph, which this model does not allow"
        return f"{half if self.precision.num_fp16_res else 'float32'}; {layout}; {runs}."

    def render(
        self, ws_key: Hashable, ws: Tensor, motion: Motion | None, learned: Learned | None
    ) -> tuple[Tensor, Tensor]:
        """Return the picture [1, C, H, W] and `measure_input`; the next call overwrites both."""
        held_key, held_motion, held_learned = self._holds
        self._holds = (None, None, None)  # should anything below fail, all is copied again
        if held_key != ws_key:
            self._ws.copy_(ws)
            self._weights = self._modulate()
        if self._transform is not None and motion is not None and held_motion != motion:
            copy_in(user_matrix(*motion), self._transform)
        if self._learned is not None and learned is not None and held_learned != learned:
            copy_in(learned_vector(*learned), self._learned)
        self._holds = (ws_key, motion, learned)
        self._picture, self._facts = self._synthesize()
        return self._picture, self._facts

    def release(self) -> None:
        """Wait until the graphs do not run: they must not be freed while they do."""
        if self._ws.is_cuda:
            torch.cuda.synchronize(self._ws.device)

    def finish(self) -> tuple[Tensor, Tensor | None]:
        """Return `to_rgba8` of the newest picture, as tensors of their own that are never written again."""
        image, enlarged = self._finish()
        return image.clone(), None if enlarged is None else enlarged.clone()


class GraphCache:
    """The graphs of the models rendered last."""

    def __init__(self) -> None:
        self._entries: OrderedDict[Hashable, SynthesisGraphs] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], SynthesisGraphs]) -> SynthesisGraphs:
        """Return the graphs for `key`, made if they are not there."""
        if key not in self._entries:
            while len(self._entries) >= KEPT:
                self._drop(next(iter(self._entries)))
            self._entries[key] = make()
        self._entries.move_to_end(key)
        return self._entries[key]

    def retain(self, wanted: Callable[[Hashable], bool]) -> None:
        """Forget those whose keys are not wanted."""
        for key in [key for key in self._entries if not wanted(key)]:
            self._drop(key)

    def _drop(self, key: Hashable) -> None:
        self._entries.pop(key).release()

    def __len__(self) -> int:
        return len(self._entries)


def select_fastest(makers: tuple[Callable[[], SynthesisGraphs], ...]) -> SynthesisGraphs:
    """Return the graphs that run fastest on this GPU. Raises the last RuntimeError if none can be made."""
    if len(makers) == 1:
        return makers[0]()
    best: tuple[float, SynthesisGraphs] | None = None
    problem: RuntimeError | None = None
    for make in makers:
        try:
            replay = make()
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as refused:
            log.warning("A layout cannot be captured: %s", str(refused).partition("\n")[0])
            problem = refused
            continue
        taken = _milliseconds(replay)
        if best is None or taken < best[0]:
            best = taken, replay
    if best is None:
        assert problem is not None
        raise problem
    return best[1]


def _milliseconds(replay: SynthesisGraphs) -> float:
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    replay._synthesize()
    begin.record()
    for _ in range(TIMED):
        replay._synthesize()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / TIMED
