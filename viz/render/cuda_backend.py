# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Render on CUDA devices: graphs are replayed, timed by events, and the pictures stay where they are.

Only making the graphs, once for a model, and `RenderedImage.read` wait for the device; the worker's thread calls `read`
when everything of a frame is on its way.
"""

import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gan.networks.input_transform import InputOverrides, forward_matrix, learned_vector, user_matrix
from gan.networks.precision import PrecisionPolicy
from gan.networks.synthesis import SynthesisNetwork
from viz.core.images import DeviceImage
from viz.render.cuda_graphs import (
    Capture,
    GraphCache,
    Learned,
    Motion,
    SynthesisGraphs,
    capture_graph,
    run_eager,
    select_fastest,
)
from viz.render.postprocess import ImageFacts, RenderedImage, to_rgba8, unpack_input

log = logging.getLogger("viz")


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

    @property
    def key(self) -> Hashable:
        """All that the picture depends on: equal keys mean equal pictures."""
        return self.ws_key, self.precision, self.motion, self.untransform, self.learned, self.mean_constant

    @property
    def overrides(self) -> InputOverrides:
        return InputOverrides(None if self.learned is None else learned_vector(*self.learned), self.mean_constant)

    @property
    def transform(self) -> Tensor | None:
        """The Fourier input's transform; None for a model without that input, which refuses any."""
        return None if self.motion is None else user_matrix(*self.motion).to(self.ws.device)


@dataclass
class CudaBackend:
    """Renders with captured graphs. Functions that `capture` refuses with RuntimeError run as they are."""

    capture: Capture[Any] = capture_graph
    graphs: GraphCache = field(default_factory=GraphCache)
    layouts: dict[Hashable, bool | None] = field(default_factory=dict)  # the faster ones, by model and halves

    def render(self, inputs: SynthesisInputs) -> RenderedImage:
        """Start rendering. Raises torch's RuntimeError if the device has no memory left."""
        key = (inputs.model, inputs.precision.num_fp16_res, inputs.learned is not None, inputs.mean_constant)
        replay = self.graphs.get(key, lambda: self._made(inputs))
        begin, drawn, end = (torch.cuda.Event(enable_timing=True) for _ in range(3))
        begin.record()
        picture, facts = replay.render(inputs.ws_key, inputs.ws, inputs.motion, inputs.learned)
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
            return lambda: SynthesisGraphs(
                inputs.synthesis,
                inputs.ws,
                PrecisionPolicy(inputs.precision.num_fp16_res, last),
                movable=inputs.motion is not None,
                learned=inputs.learned is not None,
                mean_constant=inputs.mean_constant,
                capture=capture,
            )

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
