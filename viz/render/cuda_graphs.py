# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Render on CUDA devices: capture synthesis in CUDA graphs and replay them with new inputs.

There are three graphs for a model and a precision policy: w to modulated weights, weights and transform to a picture,
the picture to bytes. New values are copied into the graphs' inputs, and only the graphs that depend on them run again:
under a drag the weights stay.
"""

import functools
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

from gan.networks.input_transform import InputOverrides, forward_matrix, learned_vector, user_matrix
from gan.networks.precision import PrecisionPolicy
from gan.networks.synthesis import SynthesisNetwork, SynthesisOptions, Weights
from viz.core.images import DeviceImage
from viz.core.noise import STORED, Noise
from viz.render.postprocess import ImageFacts, RenderedImage, measure_input, to_rgba8, unpack_input

WARM_UP = 2  # runs before a capture: they load kernels, choose convolution algorithms and allocate
TIMED = 5  # replays, of each layout
KEPT = 4  # models' graphs: both slots, and the two before

log = logging.getLogger("viz")
_capturing = threading.Lock()  # torch allows one capture at a time

Value = TypeVar("Value")
Capture = Callable[[Callable[[], Value]], Callable[[], Value]]
Motion = tuple[float, ...]  # tx, ty, degrees, scale, stretch, shear, mirror: what forward_matrix takes
Learned = tuple[float, float, float]  # tx, ty, degrees
NOTHING = (None, None, None, STORED)  # that graphs hold before they are given anything


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


class SynthesisInputs(NamedTuple):
    """The inputs of one picture: w's [1, num_ws, w_dim], known by `ws_key`, and the motion of the input of `model`.

    The motion is what the model can follow of the request.
    """

    model: Hashable
    synthesis: SynthesisNetwork
    precision: PrecisionPolicy
    ws_key: Hashable
    ws: Tensor
    motion: Motion | None  # None: the model cannot be moved
    untransform: bool = False
    learned: Learned | None = None
    mean_constant: bool = False
    noise: Noise = STORED
    planes: Mapping[str, Tensor] | None = None  # of `noise`, by layer; None where the network's own are taken, or none

    @property
    def key(self) -> Hashable:
        """All that the picture depends on: equal keys mean equal pictures."""
        moved = self.motion, self.untransform, self.learned, self.mean_constant
        return self.ws_key, self.precision, *moved, self.noise

    @property
    def overrides(self) -> InputOverrides:
        return InputOverrides(None if self.learned is None else learned_vector(*self.learned), self.mean_constant)

    @property
    def transform(self) -> Tensor | None:
        """The Fourier input's transform; None for a model without that input, which refuses any."""
        return None if self.motion is None else user_matrix(*self.motion).to(self.ws.device)

    @property
    def noise_mode(self) -> str:
        """The noise where there are no planes."""
        return "none" if self.noise.mode == "none" else "const"

    def options(self, weights: Weights | None = None) -> SynthesisOptions:
        """Return the options of a call of the network."""
        return SynthesisOptions(
            noise=self.noise_mode,
            planes=self.planes,
            transform=self.transform,
            overrides=self.overrides,
            weights=weights,
            precision=self.precision,
        )


class SynthesisGraphs:
    """The graphs of one model, from w and transform to bytes. Call them in inference_mode, on one stream.

    Whether `inputs` have a motion, a learned transform, a mean constant and planes of noise is part of the graphs; so
    is `precision`.
    """

    def __init__(
        self, inputs: SynthesisInputs, precision: PrecisionPolicy, capture: Capture[Any] = capture_graph
    ) -> None:
        synthesis, device = inputs.synthesis, inputs.ws.device
        self.precision, self._graphs = precision, capture is not run_eager
        self._ws = inputs.ws.clone()
        self._transform = None if inputs.motion is None else torch.eye(3, device=device)
        self._learned = None if inputs.learned is None else torch.ones(4, device=device)
        self._planes = None if inputs.planes is None else {name: torch.clone(p) for name, p in inputs.planes.items()}
        self._holds: tuple[Hashable, Motion | None, Learned | None, Noise] = NOTHING
        overrides = InputOverrides(self._learned, inputs.mean_constant)
        prepared = synthesis.prepare(precision)
        self._modulate = capture(lambda: synthesis.modulate(self._ws, precision, prepared))
        self._weights = self._modulate()

        def synthesize() -> tuple[Tensor, Tensor]:
            # The weights are read anew: without graphs, each call of _modulate returns others.
            options = SynthesisOptions(
                noise=inputs.noise_mode,
                planes=self._planes,
                transform=self._transform,
                weights=self._weights,
                overrides=overrides,
                precision=precision,
            )
            return synthesis(self._ws, options), measure_input(synthesis, self._ws, self._transform, overrides)

        self._synthesize = capture(synthesize)
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

    def render(self, inputs: SynthesisInputs) -> tuple[Tensor, Tensor]:
        """Return the picture [1, C, H, W] and `measure_input`; the next call overwrites both."""
        held_key, held_motion, held_learned, held_noise = self._holds
        self._holds = NOTHING  # should anything below fail, all is copied again
        if held_key != inputs.ws_key:
            self._ws.copy_(inputs.ws)
            self._weights = self._modulate()
        if self._transform is not None and inputs.motion is not None and held_motion != inputs.motion:
            copy_in(user_matrix(*inputs.motion), self._transform)
        if self._learned is not None and inputs.learned is not None and held_learned != inputs.learned:
            copy_in(learned_vector(*inputs.learned), self._learned)
        if self._planes is not None and inputs.planes is not None and held_noise != inputs.noise:
            for name, plane in self._planes.items():
                plane.copy_(inputs.planes[name])
        self._holds = (inputs.ws_key, inputs.motion, inputs.learned, inputs.noise)
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


@dataclass
class CudaBackend:
    """Renders with graphs that are replayed, timed by events; the pictures stay where they are.

    Functions that `capture` refuses with RuntimeError run as they are. Only making the graphs, once for a model, and
    `RenderedImage.read` wait for the device; the worker's thread calls `read` when everything of a frame is on its way.
    """

    capture: Capture[Any] = capture_graph
    graphs: GraphCache = field(default_factory=GraphCache)
    layouts: dict[Hashable, bool | None] = field(default_factory=dict)  # the faster ones, by model and halves

    def render(self, inputs: SynthesisInputs) -> RenderedImage:
        """Start rendering. Raises torch's RuntimeError if the device has no memory left."""
        noise = inputs.noise_mode, inputs.planes is not None
        key = (inputs.model, inputs.precision.num_fp16_res, inputs.learned is not None, inputs.mean_constant, noise)
        replay = self.graphs.get(key, lambda: self._made(inputs))
        begin, drawn, end = (torch.cuda.Event(enable_timing=True) for _ in range(3))
        begin.record()
        picture, facts = replay.render(inputs)
        drawn.record()
        if inputs.untransform and inputs.motion is not None:
            image, enlarged = to_rgba8(picture, forward_matrix(*inputs.motion))
        else:
            image, enlarged = replay.finish()
        facts = facts.to("cpu", non_blocking=True, copy=True)  # into pinned memory: torch sees to it
        end.record()

        def read() -> ImageFacts:
            end.synchronize()
            return ImageFacts(begin.elapsed_time(drawn), drawn.elapsed_time(end), *unpack_input(facts))

        enlarged_pixels = None if enlarged is None else DeviceImage(enlarged, end)
        return RenderedImage(DeviceImage(image, end), enlarged_pixels, read, waits=True, how=replay.how)

    def _made(self, inputs: SynthesisInputs) -> SynthesisGraphs:
        known = (inputs.model, inputs.precision.num_fp16_res)
        default = inputs.precision.num_fp16_res > 0
        layouts = (self.layouts[known],) if known in self.layouts else (default, not default)

        def maker(last: bool | None, capture: Capture[Any]) -> Callable[[], SynthesisGraphs]:
            return lambda: SynthesisGraphs(inputs, PrecisionPolicy(inputs.precision.num_fp16_res, last), capture)

        try:
            replay = select_fastest(tuple(maker(last, self.capture) for last in layouts))
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as problem:
            log.warning("No CUDA graph of this model, which is slower: %s", str(problem).partition("\n")[0])
            replay = maker(default, run_eager)()
        self.layouts[known] = replay.precision.channels_last
        return replay

    def retain(self, models: Callable[[Hashable], bool]) -> None:
        """Forget the graphs of models that are not wanted."""
        self.graphs.retain(lambda key: models(key[0]))  # type: ignore[index]
        self.layouts = {known: last for known, last in self.layouts.items() if models(known[0])}  # type: ignore[index]
