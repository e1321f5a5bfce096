# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Pictures on CUDA devices: drawn by replayed graphs, timed by events, and left where they are.

Nothing here waits for the device but making the graphs, once for a model, and `Drawn.read`, which the worker's thread
calls when everything of a frame is on its way.
"""

import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gan.networks.input_transform import forward_matrix
from gan.networks.precision import PrecisionPolicy
from gan.networks.synthesis import SynthesisNetwork
from viz.core.images import DeviceImage
from viz.render.cuda_graphs import Capture, Learned, Motion, Replay, Replays, captured, plainly, quickest
from viz.render.postprocess import Drawn, Read, in_bytes, read_facts

log = logging.getLogger("viz")


class Job(NamedTuple):
    """What is to be drawn: w's [1, num_ws, w_dim] known by `ws_key`, and what drives the input of `model`."""

    model: Hashable
    synthesis: SynthesisNetwork
    precision: PrecisionPolicy
    ws_key: Hashable
    ws: Tensor
    motion: Motion | None  # None: the model cannot be moved
    untransform: bool = False
    learned: Learned | None = None
    mean_constant: bool = False


@dataclass
class GpuDrawing:
    """Draws jobs. `capture`: what makes a function repeatable; functions that cannot be captured run as they are."""

    capture: Capture[Any] = captured
    graphs: Replays = field(default_factory=Replays)
    layouts: dict[Hashable, bool | None] = field(default_factory=dict)  # the faster ones, by model and halves

    def draw(self, job: Job) -> Drawn:
        """Start drawing. RuntimeError, torch's own, where the device has no memory left."""
        key = (job.model, job.precision.num_fp16_res, job.learned is not None, job.mean_constant)
        replay = self.graphs.get(key, lambda: self._made(job))
        begin, drawn, end = (torch.cuda.Event(enable_timing=True) for _ in range(3))
        begin.record()
        picture, facts = replay.draw(job.ws_key, job.ws, job.motion, job.learned)
        drawn.record()
        if job.untransform and job.motion is not None:
            image, enlarged = in_bytes(picture, forward_matrix(*job.motion))
        else:
            image, enlarged = replay.finish()
        facts = facts.to("cpu", non_blocking=True, copy=True)  # into pinned memory: torch sees to it
        end.record()

        def read() -> Read:
            end.synchronize()
            return Read(begin.elapsed_time(drawn), drawn.elapsed_time(end), *read_facts(facts))

        enlarged_pixels = None if enlarged is None else DeviceImage(enlarged, end)
        return Drawn(DeviceImage(image, end), enlarged_pixels, read, waits=True, how=replay.how)

    def _made(self, job: Job) -> Replay:
        known = (job.model, job.precision.num_fp16_res)
        default = job.precision.num_fp16_res > 0
        layouts = (self.layouts[known],) if known in self.layouts else (default, not default)

        def maker(last: bool | None, capture: Capture[Any]) -> Callable[[], Replay]:
            return lambda: Replay(
                job.synthesis,
                job.ws,
                PrecisionPolicy(job.precision.num_fp16_res, last),
                movable=job.motion is not None,
                learned=job.learned is not None,
                mean_constant=job.mean_constant,
                capture=capture,
            )

        try:
            replay = quickest(tuple(maker(last, self.capture) for last in layouts))
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as problem:
            log.warning("No CUDA graph of this model, which is slower: %s", str(problem).partition("\n")[0])
            replay = maker(default, plainly)()
        self.layouts[known] = replay.precision.channels_last
        return replay

    def retain(self, models: Callable[[Hashable], bool]) -> None:
        """Forget the graphs of models that are not wanted."""
        self.graphs.retain(lambda key: models(key[0]))  # type: ignore[index]
        self.layouts = {known: last for known, last in self.layouts.items() if models(known[0])}  # type: ignore[index]
